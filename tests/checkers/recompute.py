"""I6: what each recorded decision came to follows from its inputs and the policy it names.

The rules are restated here from what the contract and the domain say. What events told of the order and its
customer, the reminder's due time and channel, and the policy come from earlier records; the rest from the
record itself.
"""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field, replace
from typing import Any

from tests.checkers.conclusions import differences, recorded, with_text
from tests.checkers.deciding import Case, claimed, decided, handed_over
from tests.checkers.items import Items
from tests.checkers.moves import COMMITS, GIVES_BACK, RESCHEDULES, asked_by_hand
from tests.checkers.planning import LEAST_AGE, Plan, planned
from tests.checkers.records import OrderKey, Record, in_order, instant, name, order_key
from tests.checkers.rivals import others
from tests.checkers.routing import Known, Reach
from tests.checkers.said import Said
from tests.checkers.terms import DEFAULT_DOCUMENT, Terms, terms

DECISIONS = frozenset(
    {"reminder.sending", "reminder.deferred", "task.opened", "task.claimed", "task.overflowed"}
)
APPOINTED = {"promised": "promised_until", "call_back": "call_back_at"}
DEFAULT_TERMS = terms(DEFAULT_DOCUMENT)

Inputs = dict[str, dict[str, Any]]
"""The inputs of a record's rules by the rule's name."""


def recompute(records: Iterable[Record]) -> list[str]:
    """Find decisions and plans that do not follow from what they stood on."""
    reader = _Reader()
    return [violation for record in in_order(records) for violation in reader.read(record)]


@dataclass
class _Waiting:
    """Where a reminder waits; `gone` holds the instants at which it may have been handed over."""

    channel: str = ""
    due: int = 0
    open: bool = False
    gone: set[int] = field(default_factory=set)


class _Reader:
    """Keeps what earlier records say that a decision depends on."""

    def __init__(self) -> None:
        self._terms: dict[tuple[str, int], Terms] = {}
        self._in_force: dict[str, int] = {}
        self._told: dict[OrderKey, dict[str, Any]] = {}
        self._waiting: dict[OrderKey, dict[int, _Waiting]] = {}
        self._plan_before: Record | None = None
        self._heard: dict[OrderKey, dict[str, int]] = {}
        self._said = Said()
        self._items = Items()

    def read(self, record: Record) -> list[str]:
        """Return what does not follow in a record, and remember it."""
        kind, details = record["kind"], record["details"]
        problems: list[str] = []
        if "decision" in details or "rules" in details:
            problems = list(self._problems(record))
        elif kind in DECISIONS or kind == "reminder.planned" or asked_by_hand(record):
            problems = ["names no rules"]
        self._said.apply(record)
        list(self._items.apply(record))  # what is wrong with it `never_overdrawn` tells
        if record["step"] is not None:
            self._follow(record)
            self._hear(record)
        elif kind in {"order.accepted", "order.amended"}:
            self._told[order_key(record)] = details
        elif kind == "order.retired":
            self._told.pop(order_key(record), None)
            self._waiting.pop(order_key(record), None)
            self._heard.pop(order_key(record), None)
        elif kind == "policy.changed":
            self._in_force[record["shop"]] = record["policy"]
            if "policy" in details:
                self._terms[record["shop"], record["policy"]] = terms(details["policy"])
        return [f"{name(record)}: {problem}" for problem in problems]

    def _follow(self, record: Record) -> None:
        kind, details = record["kind"], record["details"]
        waiting = self._waiting.setdefault(order_key(record), {}).setdefault(record["step"], _Waiting())
        if kind in RESCHEDULES:
            waiting.channel, waiting.due = record["channel"], instant(details["due"])
            waiting.open = kind == "task.opened" or (waiting.open and kind == "reminder.deferred")
        elif kind == "reminder.sending":
            waiting.gone.add(instant(record["at"]))
        if kind in GIVES_BACK:
            waiting.gone.clear()
        if record["reason"] == "merged" and kind == "reminder.dropped":
            waiting.gone.add(instant(record["at"]))
        if "handed_at" in details:
            waiting.gone.add(instant(details["handed_at"]))
        if "rules" in details:
            self._plan_before = record

    def _hear(self, record: Record) -> None:
        """Remember what a customer said of an order in a call."""
        details, outcome = record["details"], record["details"].get("outcome")
        heard = self._heard.setdefault(order_key(record), {})
        if record["kind"] != "task.completed":
            return
        if "reason" in details:
            heard["reason_told"] = details["reason"]
        if outcome in {"promised", "call_back"}:
            heard["promised_until"] = instant(details[APPOINTED[outcome]])
        elif outcome == "refused":
            heard["refused_at"] = instant(record["at"])

    def _problems(self, record: Record) -> Iterator[str]:
        version, told = record["policy"], self._told.get(order_key(record))
        found = DEFAULT_TERMS if version == 0 else self._terms.get((record["shop"], version))
        if found is None or told is None:
            yield "its policy is not in the audit" if found is None else "its order is not in the audit"
            return
        if version != (in_force := self._in_force.get(record["shop"], 0)):
            yield f"was decided under policy {version} when {in_force} was in force"
        known = _known(record, told, found)
        said = recorded(record)
        inputs = {rule["rule"]: rule["inputs"] for rule in said["rules"]}
        now = instant(inputs["close"]["now"]) if "close" in inputs else None
        if now is not None and now > instant(record["at"]):
            yield "was decided after it was recorded"
        if "decision" in record["details"]:
            case = self._case(record, known, inputs, now or 0)
            expected = with_text(self._expected(record, case), said, _following(case))
        else:
            expected = planned(self._plan(record, known, inputs, now or 0))
        yield from differences(said, expected)
        until = record["details"].get("valid_until")
        if until and until > said.get("valid_until", ""):
            yield f"may be handed over until {until}, decided was {said.get('valid_until')}"

    def _expected(self, record: Record, case: Case) -> dict[str, Any]:
        if asked_by_hand(record):
            return handed_over(case, record["channel"])
        return claimed(case) if record["kind"] == "task.claimed" else decided(case)

    def _case(self, record: Record, known: Known, inputs: Inputs, now: int) -> Case:
        steps = self._waiting.get(order_key(record), {})
        waiting, said = steps.get(record["step"], _Waiting()), self._said.of(record)
        reach = replace(_reach(inputs), opted_out=said.unwanted)
        earlier = [at for step, other in steps.items() if step < record["step"] for at in other.gone]
        # What reminds nobody may have been decided beside a hand-off that it did not see yet.
        handed = sum(bool(other.gone) for step, other in steps.items() if step != record["step"])
        seen = inputs.get("order_cap", {}).get("used", 0)
        ledger = record["details"].get("ledger")
        from_inputs = _ledger(inputs, now) if "daily_cap" in inputs or "min_gap" in inputs else ()
        return Case(
            known=known,
            now=now,
            step=record["step"],
            state=inputs.get("order_state", {}).get("state"),
            due=waiting.due,
            waited_on=waiting.channel,
            open=waiting.open,
            availability=inputs.get("stock", {}).get("availability"),
            reach=reach,
            ledger=from_inputs if ledger is None else tuple(map(instant, ledger)),
            earliest=_earliest(known.terms, earlier if reach.used else [], inputs),
            handed=handed if record["kind"] in COMMITS else min(handed, seen),
            today=inputs.get("channel_cap", {}).get("today", {}),
            replied_at=said.replied,
            paid_other_at=said.paid,
            others=others(inputs),
            paused_since=said.paused,
            **self._heard.get(order_key(record), {}),
            offer_inputs=inputs.get("incentive", {}),
            order_has=self._items.named(record),
        )

    def _plan(self, record: Record, known: Known, inputs: Inputs, now: int) -> Plan:
        """A second step stands on the first one's plan, which is told just before it or not told anew."""
        reach, before = _reach(inputs), self._plan_before
        earliest = instant(inputs["before_close"]["earliest"]) if "before_close" in inputs else 0
        if before and before["seq"] == record["seq"] - 1 and order_key(before) == order_key(record):
            due, used = before["details"].get("due"), (before["channel"],) if before["channel"] else ()
            earliest = (
                instant(due) + (known.terms.earliest_after or 0) if due else known.placed_at + LEAST_AGE
            )
            reach = replace(reach, used=used, tried=())
        return Plan(
            known=known,
            now=now,
            step=record["step"],
            availability=inputs.get("stock", {}).get("availability"),
            reach=reach,
            earliest=earliest,
        )


def _known(record: Record, told: dict[str, Any], found: Terms) -> Known:
    return Known(
        terms=found,
        order=record["order"],
        zone=told.get("timezone") or found.zone,
        placed_at=instant(told["placed_at"]),
        closes_at=instant(told["closes_at"]),
        total=told["total"],
        paid_orders=told["paid_orders"],
        grade=told.get("grade"),
    )


def _following(case: Case) -> str | None:
    """Where a reminder goes whose channel does not take its text."""
    without = replace(case.reach, tried=(*case.reach.tried, case.waited_on))
    return next(iter(without.ranked(case.known)[0]), None)


def _reach(inputs: Inputs) -> Reach:
    routing = inputs.get("routing", {})
    names = ("addresses", "forbidden", "used", "tried", "consented", "blocked")
    lists = {name: tuple(routing.get(name, ())) for name in names}
    return Reach(**lists, sensitive=routing.get("sensitive", False), open_tasks=routing.get("open_tasks"))


def _ledger(inputs: Inputs, now: int) -> tuple[int, ...]:
    """A ledger as the rules on caps describe it: so many hand-offs today, the last one at that instant."""
    used: int = inputs.get("daily_cap", {}).get("used", 1)
    gap = inputs.get("min_gap")
    if gap is None:
        return (now,) * used
    return () if gap["last"] is None else (instant(gap["last"]),) * max(1, used)


def _earliest(found: Terms, earlier: list[int], inputs: Inputs) -> int | None:
    """Where a later step may begin: counted from the hand-off of an earlier one, if it was seen."""
    if found.earliest_after is None or not earlier:
        return None
    said = inputs.get("earliest_after", {}).get("earliest")
    possible = {at + found.earliest_after for at in earlier}
    return instant(said) if said and instant(said) in possible else max(possible)
