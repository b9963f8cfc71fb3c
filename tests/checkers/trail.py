"""I1 and I6: the audit is complete, tells each effect once, and says why."""

import re
from collections import defaultdict
from collections.abc import Iterable, Iterator
from itertools import pairwise
from typing import Any

from tests.checkers.moves import asked_by_hand
from tests.checkers.records import Record, in_order, instant, name, order_key, split_reminder
from tests.checkers.replay import replay
from tests.checkers.state import FINAL, State

REMEMBERED_MS = 72 * 3_600_000
"""For at least this long the same event is taken once (contract)."""


def gapless(records: Iterable[Record]) -> list[str]:
    """Find lanes whose `seq` does not count 1, 2, 3 … or whose `at` goes back."""
    lanes = defaultdict(list)
    for record in in_order(records):
        lanes[record["lane"]].append(record)
    violations = []
    for lane, found in lanes.items():
        if found[0]["seq"] != 1:
            violations.append(f"lane {lane} begins with seq {found[0]['seq']}")
        for before, after in pairwise(found):
            if after["seq"] != before["seq"] + 1:
                violations.append(f"lane {lane}: seq {before['seq']} is followed by {after['seq']}")
            if instant(after["at"]) < instant(before["at"]):
                violations.append(f"{name(after)}: at goes back from {before['at']} to {after['at']}")
    return violations


def effects(records: Iterable[Record]) -> dict[tuple[str, str], list[int]]:
    """Return for each (shop, event id) the instants at which it had an effect.

    An acknowledged event has one, unless it was stale or rejected.
    """
    found = defaultdict(list)
    for record in in_order(records):
        if (
            record["kind"].startswith(("order.", "customer.", "reminder.sent"))
            and "event" in record["details"]
        ):
            found[record["shop"], record["details"]["event"]].append(instant(record["at"]))
    return dict(found)


def events_once(records: Iterable[Record]) -> list[str]:
    """Find events that had an effect twice within 72 hours (I1); ids are taken as unique within a shop."""
    return [
        f"event {event} of {shop} had its effect at {first} and again at {again}"
        for (shop, event), instants in effects(records).items()
        for first, again in pairwise(instants)
        if again - first < REMEMBERED_MS
    ]


def followed(records: Iterable[Record]) -> list[str]:
    """Find records that do not follow from those before them (illegal moves, wrong counts)."""
    return replay(records).problems


def all_final(records: Iterable[Record]) -> list[str]:
    """Find orders that did not end and reminders that are not final or ended without a reason.

    For an audit after which nothing is owed. An unpaid order of which no reminder tells is found too.
    """
    records = [record for record in records if record["kind"] != "order.retired"]
    state = replay(records)
    violations = [
        f"{name(record)}: gives no reason"
        for record in records
        if record["kind"] in {"reminder.dropped", "reminder.failed"} and not record["reason"]
    ]
    violations += [
        f"order {'~'.join(key)} did not end"
        for key, order in state.orders.items()
        if order.state not in {"paid", "cancelled", "closed"}
    ]
    violations += [
        f"reminder {reminder} is still {found.status}"
        for reminder, found in state.reminders.items()
        if found.status not in FINAL
    ]
    return violations + _untold(records, state)


def _untold(records: Iterable[Record], state: State) -> list[str]:
    told = {split_reminder(reminder)[:2] for reminder in state.reminders}
    return [
        f"{name(record)}: nothing tells of a reminder"
        for record in records
        if record["kind"] == "order.accepted"
        and record["details"]["state"] == "unpaid"
        and order_key(record) not in told
    ]


def decisions_recomputable_inputs(records: Iterable[Record]) -> list[str]:
    """Find commits and opened tasks whose record does not hold what their decision stood on."""
    return [
        f"{name(record)}: {problem}"
        for record in records
        if record["kind"] in {"reminder.sending", "task.opened", "task.claimed"} or asked_by_hand(record)
        for problem in _decision_problems(record)
    ]


def _decision_problems(record: Record) -> Iterator[str]:
    decision = record["details"].get("decision") or {}
    rules = decision.get("rules") or []
    if decision.get("decision") != "send":
        yield f"its decision is {decision.get('decision')!r}"
    if not rules:
        yield "its decision has no rules"
    for rule in rules:
        yield from _rule_problems(rule)
    if not isinstance(record["policy"], int):
        yield "names no policy version"
    if record["kind"] == "reminder.sending":
        if not record["template"]:
            yield "names no template"
        if not re.fullmatch(r"[0-9a-f]{64}", str(record["details"].get("text_sha256"))):
            yield "has no hash of its text"


def _rule_problems(rule: dict[str, Any]) -> Iterator[str]:
    if not rule.get("rule") or not rule.get("outcome"):
        yield f"has a rule without name or outcome: {rule}"
    elif rule["outcome"] in {"defer", "drop"}:
        yield f"was sent although rule {rule['rule']} said {rule['outcome']}"
    elif not isinstance(rule.get("inputs"), dict) or not rule["inputs"]:
        yield f"rule {rule['rule']} names no inputs"
