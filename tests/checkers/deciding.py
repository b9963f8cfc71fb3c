"""What should have been decided about a due reminder or a claim, from what its record says it saw."""

from collections.abc import Iterator
from dataclasses import dataclass, field, replace
from typing import Any

from tests.checkers.incentives import Judge, Named
from tests.checkers.rivals import Other, gives_way, merged
from tests.checkers.routing import Known, Reach
from tests.checkers.spans import day_span
from tests.checkers.standing import (
    Refusing,
    cutoff_at,
    in_stock,
    no_other_paid,
    not_held_long,
    not_talking,
    not_too_often,
    not_unwanted,
    open_still,
    ships_today,
    timely,
    unpaid,
    worth_it,
)
from tests.checkers.terms import MINUTE
from tests.checkers.timing import Answer, Times, written

Facts = dict[str, Any]
"""What a record should say: its kind, reason, channel and due time, and the rules."""


REASONS = {"earliest_after": "min_gap", "channel_cap": "daily_cap", "promise": "promised"}


@dataclass(frozen=True, kw_only=True)
class Case:
    """What a decision stands on; the reminder waited for `due` on `waited_on`, as a task if `open`.

    `handed` counts the hand-offs of the order's other steps.
    """

    known: Known
    now: int
    step: int
    state: Any
    due: int
    waited_on: str
    open: bool
    availability: Any
    reach: Reach
    ledger: tuple[int, ...]
    earliest: int | None
    handed: int
    today: dict[str, int] = field(default_factory=dict)
    replied_at: int | None = None
    paid_other_at: int | None = None
    others: tuple[Other, ...] = ()
    promised_until: int | None = None
    refused_at: int | None = None
    reason_told: str | None = None
    paused_since: int | None = None
    offer_inputs: dict[str, Any] = field(default_factory=dict)
    order_has: Named = None

    @property
    def left_alone(self) -> Iterator[Refusing]:
        """What order or customer say against a reminder, or that the order has had enough of them."""
        known = self.known
        yield from not_unwanted(self.refused_at, self.paused_since)
        yield in_stock(self.availability)
        yield from worth_it(known.total, known.terms)
        yield from not_too_often(self.handed, known.terms)
        yield from not_talking(self.now, self.replied_at, known.terms)
        yield from no_other_paid(self.now, self.paid_other_at, known.zone, known.terms)

    def times(self, channel: str) -> Times:
        """Return the rules of time for a hand-off on a channel."""
        return Times(
            terms=self.known.terms,
            zone=self.known.zone,
            channel=channel,
            ledger=self.ledger,
            earliest=self.earliest,
            today=(self.now, self.today.get(channel, 0)),
            promised=self.promised_until,
        )

    def channel_cap(self, chosen: str | None) -> Iterator[Answer]:
        """Yield what the caps on single channels say, if there are any."""
        limits = self.known.terms.per_channel
        if not limits:
            return
        start, end = day_span(self.now, self.known.zone)
        full = {channel for channel, most in limits.items() if self.today.get(channel, 0) >= most}
        inputs = {"today": self.today, "per_channel": limits}
        inputs |= {"day_start": written(start), "day_end": written(end)}
        yield Answer("channel_cap", "defer" if chosen in full else "pass", inputs, end if full else None)


@dataclass
class Verdict:
    """A decision in the making."""

    case: Case
    rules: list[Answer] = field(default_factory=list)

    def drop(self, reason: str, channel: str | None = None) -> Facts:
        """Return the facts of a step that ends."""
        return self._facts("reminder.dropped", reason, channel or self.case.waited_on)

    def defer(self, reason: str, channel: str, due: int) -> Facts:
        """Return the facts of a step that is decided again at `due`."""
        overflows = self.case.open and channel != "phone"
        kind = "task.overflowed" if overflows else "reminder.deferred"
        return self._facts(kind, reason, channel) | {"due": written(due)}

    def send(self, kind: str, times: Times) -> Facts:
        """Return the facts of a hand-off."""
        case, terms = self.case, self.case.known.terms
        named, closes_at = self.carried(times), case.known.closes_at
        ships = ships_today(case.now, case.availability, terms)
        if terms.cutoff is not None:
            self.rules.append(Answer("shipping", "pass", {"ships_today": ships}))
        start, end = day_span(case.now, case.known.zone)
        last = min([closes_at, *(each.closes_at for each in named)])
        until = min(end, times.allowed_until(case.now, last))
        if ships:
            until = min(until, cutoff_at(case.now, terms))
        told: dict[str, Any] = {}
        if terms.incentives and times.channel != "phone" and kind == "reminder.sending" and not named:
            judge = Judge(case.known, case.now, case.offer_inputs, case.order_has, case.reason_told)
            self.rules.append(judge.answer())
            if judge.told is not None and judge.until is not None:
                until, told = min(until, judge.until), {"incentive": judge.told}
        limits: dict[str, Any] = {"day_start": written(start), "day_end": written(end)}
        if terms.per_order is not None:
            limits["per_order"] = terms.per_order
        if times.channel in terms.per_channel:
            limits["per_channel"] = terms.per_channel[times.channel]
        if times.channel in terms.pace:
            limits["pace"] = terms.pace[times.channel]
        if terms.max_open is not None and kind == "task.opened":
            limits["max_open"] = terms.max_open
        return self._facts(kind, None, times.channel) | {
            "decision": "send",
            "decided_on": times.channel,
            "valid_until": written(until),
            "ships_today": ships,
            "limits": {**limits, "per_day": terms.per_day, "min_gap_ms": terms.min_gap},
            **({"carries": [{"order": each.order, "step": each.step} for each in named]} if named else {}),
            **told,
        }

    def carried(self, times: Times) -> list[Other]:
        """Return what goes with a text; a call is about one order."""
        case = self.case
        found = merged(case.others, case.now, case.known.terms) if times.channel != "phone" else None
        if found is None:
            return []
        self.rules.append(found[0])
        return found[1]

    def _facts(self, kind: str, reason: str | None, channel: str) -> Facts:
        rules = [answer.as_recorded() for answer in self.rules]
        return {"kind": kind, "reason": reason, "channel": channel, "rules": rules}


def decided(case: Case) -> Facts:
    """Return what should be recorded of a reminder that is due."""
    verdict, known = Verdict(case), case.known
    late = () if case.open else timely(case.now, case.due, known.terms, known.terms.pace.get(case.waited_on))
    standing = (
        unpaid(case.state),
        open_still(case.now, known.closes_at),
        *late,
        *case.left_alone,
    )
    for answer, reason in standing:
        verdict.rules.append(answer)
        if answer.outcome == "drop":
            return verdict.drop(reason)
    return _overflowing(verdict) if case.open else _routed(verdict)


def claimed(case: Case) -> Facts:
    """Return what should be recorded of a claim; a kind of its own says that it had to be refused."""
    return _by_person(case, "phone", "task.claimed" if case.open else "no claim")


def handed_over(case: Case, channel: str) -> Facts:
    """Return what should be recorded of a hand-off that an agent asked for; likewise."""
    return _by_person(case, channel, "reminder.sent")


def _by_person(case: Case, channel: str, kind: str) -> Facts:
    verdict, known, reach = Verdict(case), case.known, case.reach
    usable = reach.refusal(channel, known) is None
    # Where a step may begin was asked when its task was opened.
    times = replace(case.times(channel), earliest=None)
    standing = (unpaid(case.state), open_still(case.now, known.closes_at), *case.left_alone)
    verdict.rules += [answer for answer, _ in standing]
    verdict.rules += case.channel_cap(channel)
    verdict.rules.append(reach.answer(known, channel if usable else "drop"))
    verdict.rules += times.answers(case.now)
    freely = all(answer.outcome in {"pass", channel} for answer in verdict.rules)
    allowed = freely and not times.used_up(case.now)
    sent = verdict.send(kind if allowed else "no hand-off", times)
    return sent | {"handed_at": written(case.now)}


def _overflowing(verdict: Verdict) -> Facts:
    """A task that nobody claimed goes to the next channel, or stays a task while it may be claimed."""
    case, known, reach = verdict.case, verdict.case.known, verdict.case.reach
    without_call = replace(reach, tried=(*reach.tried, "phone"))
    channel = next(iter(without_call.ranked(known)[0]), "phone")
    refusal = reach.refusal("phone", known)
    if channel == "phone" and refusal is not None:
        verdict.rules.append(reach.answer(known, "drop"))
        return verdict.drop(refusal)
    verdict.rules.append(reach.answer(known, channel))
    return verdict.defer("overflow", channel, known.closes_at if channel == "phone" else case.now)


def _routed(verdict: Verdict) -> Facts:
    """What has no time left before the close, or is used up for now, gives way to the next channel."""
    case, known, reach = verdict.case, verdict.case.known, verdict.case.reach
    ranked, refusal = reach.ranked(known)
    limited = {"phone", *known.terms.per_channel}
    used_up = {channel for channel in ranked if _stops_at_cap(case, channel)}
    possible = [
        channel
        for channel in ranked
        if channel not in limited or case.times(channel).first_free(case.now, known.closes_at).at is not None
    ]
    most, open_tasks = known.terms.max_open, reach.open_tasks
    crowded = {"phone"} if most is not None and open_tasks is not None and open_tasks >= most else set()
    free = [channel for channel in possible if channel not in used_up | crowded]
    channel = next(iter([*free, *possible]), None)
    verdict.rules += case.channel_cap(channel)
    verdict.rules.append(reach.answer(known, channel or "drop"))
    if channel is None:
        return verdict.drop(refusal or ("daily_cap" if used_up else _no_time(case)))
    if "phone" in crowded and _before(possible, "phone", channel):
        return _past_the_tasks(verdict, channel)
    if channel != case.waited_on:
        return verdict.defer("changed", channel, case.now)
    return _timed(verdict, case.times(channel))


def _stops_at_cap(case: Case, channel: str) -> bool:
    stop = case.times(channel).blocked(case.now)
    return stop is not None and stop.rule == "channel_cap"


def _before(ranked: list[str], channel: str, chosen: str) -> bool:
    """Whether a channel was asked before the chosen one, or is it."""
    return channel in ranked and ranked.index(channel) <= ranked.index(chosen)


def _past_the_tasks(verdict: Verdict, channel: str) -> Facts:
    """With as many tasks open as there may be a call goes another way, or asks again in five minutes."""
    case, again = verdict.case, verdict.case.now + 5 * MINUTE
    if channel != "phone":
        return verdict.defer("overflow", channel, case.now)
    if again >= case.known.closes_at:
        verdict.rules.append(Answer("time_left", "drop", {"closes_at": written(case.known.closes_at)}))
        return verdict.drop(_no_time(case))
    return verdict.defer("overflow", "phone", again)


def _timed(verdict: Verdict, times: Times) -> Facts:
    case, known = verdict.case, verdict.case.known
    answers = list(times.answers(case.now))
    verdict.rules += answers
    if all(answer.outcome == "pass" for answer in answers) and not times.used_up(case.now):
        return _among_rivals(verdict, times)
    slot = times.first_free(case.now, known.closes_at, since=case.due)
    if slot.at is None:
        verdict.rules.append(Answer("time_left", "drop", {"closes_at": written(known.closes_at)}))
        return verdict.drop(_no_time(case))
    for answer, reason in not_held_long(slot.held, known.terms):
        verdict.rules.append(answer)
        if answer.outcome == "drop":
            return verdict.drop(reason)
    reason = REASONS.get(slot.first or "", slot.first or "")
    return verdict.defer(reason, times.channel, known.released(times, slot, case.step))


def _among_rivals(verdict: Verdict, times: Times) -> Facts:
    case, known = verdict.case, verdict.case.known
    own = Other(
        order=known.order,
        step=case.step,
        due=case.now,
        closes_at=known.closes_at,
        total=known.total,
        obstacle=None,
    )
    found = gives_way(own, case.others, case.now, times) if times.channel != "phone" else None
    if found is None:
        return _sent(verdict, times)
    answer, slot, reason = found
    verdict.rules.append(answer)
    if slot is None:
        return _sent(verdict, times)
    return verdict.defer(reason, times.channel, known.released(times, slot, case.step))


def _sent(verdict: Verdict, times: Times) -> Facts:
    """A call is handed to people, who have until the overflow or the close."""
    if times.channel != "phone":
        return verdict.send("reminder.sending", times)
    case, known = verdict.case, verdict.case.known
    after = known.terms.overflow_after
    due = known.closes_at if after is None else min(case.now + after, known.closes_at)
    return verdict.send("task.opened", times) | {"due": written(due)}


def _no_time(case: Case) -> str:
    if case.known.terms.per_day == 0:
        return "daily_cap"
    promised = case.promised_until is not None and case.now < case.promised_until
    return "promised" if promised else "closes_before_window"
