"""Decides again what the audit says was decided, by the policy's own functions, and compares.

Each plan, decision and claim in the audit is made again by `plan`, `decide` and `decide_claim`, under the
policy version that its record names and on what is recorded: the order, the reminder's due time, channel and
earlier hand-offs come from earlier records, all else from the inputs of the record's own rules. Compared are
the kind of record, reason, channel, due time and moment, the limits that the commit held it to, and every
rule with outcome, inputs and `until`. Not compared are texts, which the audit does not hold (a reminder that
was dropped for its text is taken to have been free to go), and what no policy decided: outcomes, retries and
endings.
"""

from collections.abc import Iterable, Iterator
from itertools import zip_longest
from typing import Any

import msgspec

from dispatcher.errors import InvalidPolicy
from dispatcher.policy.decide import decide, decide_claim
from dispatcher.policy.decisions import Decision, Defer, Drop, Planned, Send, Unplanned
from dispatcher.policy.document import Policy, default_policy, load_json
from dispatcher.policy.event_text import Expected
from dispatcher.policy.event_values import instant
from dispatcher.policy.facts import Instant, OrderFacts, OrderState
from dispatcher.policy.reminders import Status
from dispatcher.policy.schedule import plan
from dispatcher.workflow import details
from dispatcher.workflow.committing import task_due
from dispatcher.workflow.heard import Heard, by_hand
from dispatcher.workflow.recorded import Record, facts_of
from dispatcher.workflow.recorded_text import Told, text_written, with_text

DECISIONS = frozenset(
    {"reminder.planned", "reminder.deferred", "reminder.sending"}
    | {"task.opened", "task.claimed", "task.overflowed"}
)
"""Kinds of records that nothing but a decision makes; others may hold one."""

UNREADABLE = (Expected, AttributeError, IndexError, KeyError, TypeError, ValueError)
"""How what is no decision of ours shows when it is read or decided about."""

BY_PERSONS = frozenset({"task.claimed", "reminder.sent"})
"""Kinds of records of decisions that let a person reach the customer."""

HANDS_OVER = frozenset({"reminder.sending", "task.claimed"})
GIVES_BACK = frozenset(
    {"reminder.retrying", "reminder.failed", "reminder.dropped", "reminder.returned", "task.released"}
)
"""Nothing was handed over after all."""


class Waiting(msgspec.Struct):
    """Where a reminder waits by earlier records; `gone` are the instants it may have been handed over at."""

    told: Told = {}
    open: bool = False
    gone: set[Instant] = msgspec.field(default_factory=set)


class Recomputer:
    """Reads an audit record by record, each lane in its order, and tells what does not follow.

    `plans` and `decisions` count what was made again, `left` what could not be without its order or policy.
    """

    def __init__(self) -> None:
        self.plans = 0
        self.decisions = 0
        self.left = 0
        self._policies: dict[tuple[str, int], Policy | None] = {}
        self._orders: dict[tuple[str, str], Told] = {}
        self._waiting: dict[tuple[str, str], dict[int, Waiting]] = {}
        self._heard = Heard()

    def read(self, record: Record) -> list[str]:
        """Return how a record differs from what is decided again, and remember what it says."""
        found: list[str] = []
        try:
            self._read(record, found)
            self._heard.note(record)
        except UNREADABLE as error:
            found.append(f"is not as such records are: {type(error).__name__}: {error}")
        return found

    def _read(self, record: Record, found: list[str]) -> None:
        if record.step is not None and record.order is not None:
            if record.rules is not None:
                found += self._differences(record)
            elif record.kind in DECISIONS:
                found.append("names no rules")
            self._follow(record, record.order, record.step)
        elif record.order is not None:
            self._remember(record, record.order)
        elif record.kind == "policy.changed" and "policy" in record.details:
            self._policies[record.shop, record.policy or 0] = _policy(record.details["policy"])

    def _remember(self, record: Record, order: str) -> None:
        pair = (record.shop, order)
        if record.kind in {"order.accepted", "order.amended"}:
            self._orders[pair] = record.details
        elif record.kind == "order.retired":
            self._orders.pop(pair, None)
            self._waiting.pop(pair, None)

    def _follow(self, record: Record, order: str, step: int) -> None:
        waiting = self._waiting.setdefault((record.shop, order), {}).setdefault(step, Waiting())
        said = record.details
        if "due" in said:
            waiting.told = {**waiting.told, "due": said["due"], "channel": record.channel}
            waiting.open = record.kind == "task.opened" or (
                waiting.open and record.kind == "reminder.deferred" and record.channel == "phone"
            )
        if "moment" in said:
            waiting.told = {**waiting.told, "moment": said["moment"]}
        if record.kind in GIVES_BACK:
            waiting.gone.clear()
        if record.kind in HANDS_OVER or (record.reason == "merged" and record.kind == "reminder.dropped"):
            waiting.gone.add(instant(record.at))
        if "handed_at" in said:
            waiting.gone.add(instant(said["handed_at"]))

    def _differences(self, record: Record) -> Iterator[str]:
        """Yield in what a plan or decision differs, or why it cannot be made again."""
        policy = default_policy() if record.policy == 0 else None
        policy = policy or self._policies.get((record.shop, record.policy or 0))
        order = self._orders.get((record.shop, record.order or ""))
        if policy is None or order is None:
            self.left += 1
            yield f"cannot be decided again: its {'order' if policy else 'policy'} is not in this audit"
            return
        try:
            expected = self._again(record, policy, order)
        except UNREADABLE as error:
            yield f"cannot be decided again: {type(error).__name__}: {error}"
            return
        yield from _compared(record, expected)

    def _again(self, record: Record, policy: Policy, order: Told) -> Told:
        """Make a plan or decision again; raises as reading a wrong input does."""
        steps = self._waiting.get((record.shop, record.order or ""), {})
        waiting = steps.get(record.step or 0, Waiting())
        planned = "decision" not in record.details
        now = instant(record.inputs.get("close", {}).get("now", record.at))
        if planned:
            self.plans += 1
            # A plan stands on the order alone; what is not known of its reminder is nothing to it.
            of_any = {"due": record.at, "moment": record.at, "channel": "sms", "status": Status.PLANNED}
            told = order | of_any | {"state": OrderState.UNPAID}
        else:
            self.decisions += 1
            told = (
                order
                | (waiting.told or by_hand(record))
                | {"status": Status.OPEN if waiting.open else Status.PLANNED}
            )
            told |= self._heard.of(record)
        gone = {step: other.gone for step, other in steps.items()}
        facts = facts_of(record, policy, now, told, gone)
        if planned:
            made = plan(OrderFacts(order=facts.order, customer=facts.customer), policy, now)
            return _of_plan(made[facts.step - 1])
        if record.kind in BY_PERSONS:
            return _of_decision(decide_claim(facts, policy, now), record, waiting, facts.order.closes_at, now)
        decision = text_written(decide(facts, policy, now), facts, policy, now, record)
        return _of_decision(decision, record, waiting, facts.order.closes_at, now)


def _policy(document: Any) -> Policy | None:
    try:
        return load_json(document)
    except InvalidPolicy:
        return None


def _of_plan(step: Planned | Unplanned) -> Told:
    if isinstance(step, Planned):
        head = {"kind": "reminder.planned", "reason": None, "channel": step.channel}
    else:
        head = {"kind": "reminder.dropped", "reason": step.reason}
    return _plain({**head, **details.plan_told(step)})


def _of_decision(
    decision: Decision, record: Record, waiting: Waiting, closes_at: Instant, now: Instant
) -> Told:
    """Return what should be recorded of a decision, in the form of `_said`."""
    told: Told = {}
    match decision:
        case Drop():
            told = {"kind": "reminder.dropped", "reason": decision.reason}
        case Defer():
            overflows = waiting.open and decision.channel != "phone"
            kind = "task.overflowed" if overflows else "reminder.deferred"
            told = {"kind": kind, "reason": decision.reason, "channel": decision.channel}
            told["due"] = details.moment(decision.until)
        case Send() if record.kind in BY_PERSONS:
            told = {"kind": record.kind, "reason": None, "channel": decision.channel}
            told["handed_at"] = details.moment(now)
        case Send(channel="phone"):
            told = {"kind": "task.opened", "reason": None, "channel": "phone"}
            told["due"] = details.moment(task_due(decision, closes_at))
        case Send():
            told = {"kind": "reminder.sending", "reason": None, "channel": decision.channel}
    said = details.decision_told(decision)
    if "channel" in said:
        said["decided_on"] = said.pop("channel")
    return with_text(_plain({**said, **told}), record)


def _plain(told: Told) -> Told:
    plain: Told = msgspec.json.decode(msgspec.json.encode(told))
    return plain


def _said(record: Record) -> Told:
    decision = dict(record.details.get("decision", {"rules": record.rules}))
    if "channel" in decision:
        decision["decided_on"] = decision.pop("channel")
    head = {"kind": record.kind, "reason": record.reason, "channel": record.channel}
    names = ("due", "moment", "handed_at")
    return head | {name: record.details[name] for name in names if name in record.details} | decision


def _compared(record: Record, expected: Told) -> Iterator[str]:
    said = _said(record)
    for key in sorted((said.keys() | expected.keys()) - {"rules", "channel"}):
        if said.get(key) != expected.get(key):
            yield f"{key} is {said.get(key)}, decided again {expected.get(key)}"
    if "channel" in expected and said["channel"] != expected["channel"]:
        yield f"channel is {said['channel']}, decided again {expected['channel']}"
    for rule, again in zip_longest(said["rules"], expected["rules"]):
        if rule != again:
            yield f"rule {(rule or again)['rule']} is {rule}, decided again {again}"
    until = record.details.get("valid_until")
    if until is not None and until > said.get("valid_until", ""):
        yield f"may be handed over until {until}, decided was {said.get('valid_until')}"


def recompute(records: Iterable[Record], recomputer: Recomputer) -> Iterator[str]:
    """Yield a line for each difference between an audit and what is decided again."""
    for record in records:
        about = f"{record.kind} {record.shop}~{record.order}~{record.step}"
        for difference in recomputer.read(record):
            yield f"lane {record.lane} record {record.seq}: {about}: {difference}"
