"""What is told of reminders that one message carries."""

from collections.abc import Iterable, Iterator

from tests.checkers.incentives import CHANGED_MIND
from tests.checkers.records import Record, in_order, instant, name, order_key
from tests.checkers.replay import Replayer
from tests.checkers.state import HANDED_OVER


def merges(records: Iterable[Record]) -> list[str]:
    """Find merged reminders that nothing was handed over for, and messages that carry what they must not.

    A message names unpaid orders of its own customer, each once, none that a customer no longer wants, and
    takes their reminders in the same step;
    each reminder has one carrier, which is or may have been handed over, or comes back. What an operator
    postponed goes in no message before its time.
    """
    replayer, violations, expected = Replayer(), list[str](), dict[str, str]()
    kept: dict[str, int] = {}
    told: dict[tuple[str, str], str] = {}
    for record in in_order(records):
        if not (_merged(record) and record["reminder"] in expected):
            violations += _left(expected)
            expected = {}
        if record["kind"] == "reminder.sending":
            violations += [f"{name(record)}: {problem}" for problem in _wrong(record, replayer)]
            expected = dict.fromkeys(_named(record), record["reminder"])
            violations += [
                f"{name(record)}: names {reminder}, which is postponed"
                for reminder in expected
                if instant(record["at"]) < kept.get(reminder, 0)
            ]
            violations += [
                f"{name(record)}: names {order}, which is no longer wanted"
                for order in _orders(record)
                if told.get((record["shop"], order)) == CHANGED_MIND
            ]
        elif "reason" in record["details"] and record["kind"] == "task.completed":
            told[record["shop"], record["order"]] = record["details"]["reason"]
        elif record["kind"] == "operator.postponed":
            kept[record["reminder"]] = instant(record["details"]["due"])
        elif record["kind"] in {"operator.sent_now", "reminder.planned"}:
            kept.pop(record["reminder"], None)
        if _merged(record) and expected.pop(record["reminder"], None) != record["details"].get("carrier"):
            violations.append(f"{name(record)}: its carrier does not name it")
        replayer.apply(record)
    return [
        *violations,
        *_left(expected),
        *(
            f"{reminder} was merged, and its carrier {found.carrier} is {replayer.status(found.carrier)}"
            for reminder, found in replayer.state.reminders.items()
            if found.carrier is not None and replayer.status(found.carrier) not in {*HANDED_OVER, None}
        ),
    ]


def _merged(record: Record) -> bool:
    return bool(record["reason"] == "merged" and record["kind"] == "reminder.dropped")


def _left(expected: dict[str, str]) -> list[str]:
    return [f"{carrier} names {reminder} and does not take it" for reminder, carrier in expected.items()]


def _named(record: Record) -> list[str]:
    carries = record["details"].get("decision", {}).get("carries", ())
    return [f"{record['shop']}~{each['order']}~{each['step']}" for each in carries]


def _orders(record: Record) -> list[str]:
    """All orders that a message about several names, its own first; none of a message about one."""
    carries = record["details"].get("decision", {}).get("carries", ())
    return [record["order"], *(each["order"] for each in carries)] if carries else []


def _wrong(record: Record, replayer: Replayer) -> Iterator[str]:
    orders = _orders(record)
    if len(set(orders)) < len(orders):
        yield "names an order twice"
    for order in orders[1:]:
        key = record["shop"], order
        if (known := replayer.state.orders.get(key)) is None or known.state != "unpaid":
            yield f"names {order}, which is {known.state if known else 'not known'}"
        if replayer.customer(key) != replayer.customer(order_key(record)):
            yield f"names {order}, which is another customer's"
