"""I2 and I5: nothing after the end of an order or an opt-out, nothing twice, and true answers to payments."""

from collections import defaultdict
from collections.abc import Iterable, Iterator

from tests.checkers.handoffs import handoffs
from tests.checkers.moves import COMMITS, asked_by_hand
from tests.checkers.records import Record, in_order, name, order_key
from tests.checkers.replay import Replayer
from tests.checkers.said import Said
from tests.checkers.state import HANDED_OVER, WAITING

OVER = frozenset({"paid", "cancelled", "closed"})
ANSWERED = frozenset({"order.paid", "order.cancelled"})


def one_per_step(records: Iterable[Record]) -> list[str]:
    """Find steps of an order with more than one hand-off, possible ones counted (I5)."""
    found = defaultdict(list)
    for handoff in handoffs(records):
        found[handoff.shop, handoff.order, handoff.step].append(handoff)
    return [
        f"step {step} of {shop}~{order} was handed over {len(several)} times: {', '.join(map(str, several))}"
        for (shop, order, step), several in found.items()
        if len(several) > 1
    ]


def not_after_payment(records: Iterable[Record]) -> list[str]:
    """Find commits after the order was paid, cancelled or closed, and untrue answers to those events (I2)."""
    records = in_order(records)
    handed = {handoff.reminder for handoff in handoffs(records)}
    violations, stopped, replayer = [], set(), Replayer()
    for record in records:
        if _commits(record) and replayer.order_state(record) in OVER:
            violations.append(f"{name(record)}: its order is {replayer.order_state(record)}")
        elif record["kind"] in ANSWERED:
            violations += [f"{name(record)}: {problem}" for problem in _untrue(record, replayer, handed)]
            stopped |= set(record["details"]["stopped"])
        replayer.apply(record)
    return violations + [
        f"{reminder} was answered as stopped and is {replayer.status(reminder)}"
        for reminder in sorted(stopped)
        if replayer.status(reminder) not in {"dropped", None}
    ]


def not_after_opt_out(records: Iterable[Record]) -> list[str]:
    """Find commits on a channel after its customer had opted out of it."""
    violations, said = [], Said()
    for record in in_order(records):
        if _commits(record) and record["channel"] in said.of(record).unwanted:
            violations.append(f"{name(record)}: {record['customer']} opted out of {record['channel']}")
        said.apply(record)
    return violations


def _commits(record: Record) -> bool:
    return record["kind"] in COMMITS or asked_by_hand(record)


def _untrue(record: Record, replayer: Replayer, handed: set[str]) -> Iterator[str]:
    """What an answer said against how the reminders stood then, and what it left out of its own order's."""
    stopped, too_late = set(record["details"]["stopped"]), set(record["details"]["too_late"])
    carriers = replayer.carriers(order_key(record))
    for reminder in sorted(carriers - too_late):
        yield f"does not tell that {reminder} names its order"
    for reminder in sorted(stopped):
        if replayer.status(reminder) not in WAITING:
            yield f"stopped {reminder}, which was {replayer.status(reminder)}"
        if reminder in handed:
            yield f"stopped {reminder}, which was handed over"
    for reminder in sorted(too_late):
        if replayer.status(reminder) not in {*HANDED_OVER, None if reminder in carriers else ""}:
            yield f"too late for {reminder}, which was {replayer.status(reminder)}"
    for reminder, status in replayer.steps(order_key(record)):
        if status in WAITING and reminder not in stopped:
            yield f"does not tell that it stopped {reminder}"
        if status in HANDED_OVER and reminder not in too_late:
            yield f"does not tell that it was too late for {reminder}"
