"""The rules of time, solved together: when is the first instant that none of them blocks?"""

from functools import lru_cache
from typing import NamedTuple
from zoneinfo import ZoneInfo

import msgspec

from dispatcher.policy.caps import day_full_until, gap_until, used_in_day
from dispatcher.policy.channel_caps import channel_full_until
from dispatcher.policy.decisions import Rule
from dispatcher.policy.facts import Channel, Instant
from dispatcher.policy.spans import LOOK_AHEAD_DAYS, Span, call_span, quiet_span
from dispatcher.policy.terms import Caps, Policy
from dispatcher.policy.workdays import calendar
from dispatcher.policy.zones import DAY, FOREVER, MINUTE, day_bounds, iso

LOOK_AHEAD = LOOK_AHEAD_DAYS * DAY
"""A step that no instant within a month allows is taken as never allowed."""

_ANCHORS = frozenset({"quiet_hours", "phone_window"})


class Block(msgspec.Struct, frozen=True, gc=False):
    """A rule that forbids an instant, and when it stops to."""

    rule: str
    until: Instant


class Slot(msgspec.Struct, frozen=True, gc=False):
    """The first free instant, or `FOREVER`.

    `first` is the rule that blocked first, `anchored` says that others wait for the same instant, and
    `held` is the longest time (ms) that one night alone cost.
    """

    at: Instant
    first: str | None = None
    anchored: bool = False
    held: int = 0


class Answer(NamedTuple):
    """Each rule of time that is on, as it answers at an instant; `free` if nothing blocks it."""

    rules: tuple[Rule, ...]
    free: bool


class Timing(msgspec.Struct, frozen=True, gc=False):
    """The rules of time for one hand-off, in their fixed order.

    `earliest` is where a later step may begin at all, `promised` until when the customer is left in peace
    to pay; `ledger` is the customer's, oldest first. A plan is made without `caps`, since nobody knows yet
    what else the customer will get. `on_channel` are the hand-offs by this channel.
    """

    policy: Policy
    tz: ZoneInfo
    channel: Channel
    caps: Caps | None = None
    ledger: tuple[Instant, ...] = ()
    earliest: Instant | None = None
    on_channel: tuple[Instant, ...] = ()
    promised: Instant | None = None

    def blocked(self, at: Instant) -> Block | None:
        """The first rule that forbids `at`."""
        if self.earliest is not None and at < self.earliest:
            return Block("earliest_after", self.earliest)
        if self.promised is not None and at < self.promised:
            return Block("promise", self.promised)
        policy, tz = self.policy, self.tz
        quiet = quiet_span(policy, at, tz)
        if quiet is not None and quiet[0] <= at:
            return Block("quiet_hours", quiet[1])
        if self.channel == "phone":
            hours = call_span(policy, at, tz)
            if hours is not None and at < hours[0]:
                return Block("phone_window", hours[0])
        return None if self.caps is None else self._full(at)

    def _full(self, at: Instant) -> Block | None:
        tz = self.tz
        full = day_full_until(self.caps, self.ledger, at, tz)
        if full is not None:
            return Block("daily_cap", full)
        full = channel_full_until(self.caps, self.channel, self.on_channel, at, tz)
        if full is not None:
            return Block("channel_cap", full)
        free = gap_until(self.caps, self.ledger, at)
        return None if free is None else Block("min_gap", free)

    def first_free(self, at: Instant, closes_at: Instant, *, since: Instant | None = None) -> Slot:
        """The first free instant from `at` on that is before `closes_at`.

        A night that blocks at once is counted as held from `since`, when it would have gone.
        """
        first, anchored, held = None, False, 0
        last = min(closes_at, at + LOOK_AHEAD)
        start = at if since is None else min(at, since)
        while (block := self.blocked(at)) is not None:
            first = first or block.rule
            if block.rule == "quiet_hours":
                held = max(held, block.until - start)
            assert block.until > at, "a rule that blocks ends later"
            at = start = block.until
            anchored = block.rule in _ANCHORS
            if at >= last:
                break
        return Slot(at if at < last else FOREVER, first, anchored, held)

    def allowed_until(self, at: Instant, closes_at: Instant) -> Instant:
        """The next start of the night, end of the phone window, or the close, from a free instant on."""
        quiet = quiet_span(self.policy, at, self.tz)
        until = closes_at if quiet is None else min(closes_at, quiet[0])
        hours = call_span(self.policy, at, self.tz) if self.channel == "phone" else None
        return until if hours is None else min(until, hours[1])

    def rules(self, at: Instant) -> list[Rule]:
        """Each rule that is on, as it answers at `at`."""
        hours = _hours(self.policy, self.tz, self.channel, at // MINUTE)
        return [*self._own_rules(at), *hours, *self._cap_rules(at)]

    def answer(self, at: Instant) -> Answer:
        """The same of an instant at which many are decided about, so that what is equal for all is kept."""
        if self.earliest is None and self.promised is None and not (self.ledger or self.on_channel):
            return _to_strangers(self.policy, self.tz, self.channel, self.caps, at)
        return self._answer(self.rules(at), at)

    def _answer(self, rules: list[Rule], at: Instant) -> Answer:
        passed = all(rule.outcome == "pass" for rule in rules)
        full = channel_full_until(self.caps, self.channel, self.on_channel, at, self.tz)
        return Answer(tuple(rules), passed and full is None)

    def _own_rules(self, at: Instant) -> list[Rule]:
        applied = []
        if self.earliest is not None:
            applied.append(
                _rule("earliest_after", {"earliest": iso(self.earliest)}, self._earliest_until(at))
            )
        if self.promised is not None:
            kept_until = self.promised if at < self.promised else None
            applied.append(_rule("promise", {"promised_until": iso(self.promised)}, kept_until))
        return applied

    def _earliest_until(self, at: Instant) -> Instant | None:
        return self.earliest if self.earliest is not None and at < self.earliest else None

    def _cap_rules(self, at: Instant) -> list[Rule]:
        caps, applied = self.caps, []
        if caps is not None and caps.per_day is not None:
            used = used_in_day(self.ledger, at, self.tz)
            full_until = day_full_until(caps, self.ledger, at, self.tz)
            applied.append(_daily_cap(used, caps.per_day, day_bounds(at, self.tz), full_until))
        if caps is not None and caps.min_gap is not None:
            last = self.ledger[-1] if self.ledger else None
            applied.append(_min_gap(last, caps.min_gap, gap_until(caps, self.ledger, at)))
        return applied


@lru_cache(maxsize=4096)
def _hours(policy: Policy, tz: ZoneInfo, channel: Channel, minute: int) -> tuple[Rule, ...]:
    """How the hours answer within a minute: they begin and end on whole ones."""
    at = minute * MINUTE
    days, holidays = policy.days, policy.holidays
    applied: tuple[Rule, ...] = ()
    quiet = quiet_span(policy, at, tz)
    if quiet is not None:
        known = calendar(days.reminders, holidays) if days else None
        applied += (_quiet_hours(tz.key, quiet, known, inside=quiet[0] <= at),)
    hours = call_span(policy, at, tz) if channel == "phone" else None
    if hours is not None:
        known = calendar(days.calls, holidays) if days else None
        applied += (_phone_window(tz.key, hours, known, inside=hours[0] <= at),)
    return applied


@lru_cache(maxsize=256)
def _to_strangers(policy: Policy, tz: ZoneInfo, channel: Channel, caps: Caps | None, at: Instant) -> Answer:
    """The answer to all who were not reminded yet."""
    timing = Timing(policy, tz, channel, caps)
    return timing._answer(timing.rules(at), at)


@lru_cache(maxsize=1024)
def _daily_cap(used: int, per_day: int, day: tuple[Instant, Instant], full_until: Instant | None) -> Rule:
    inputs: dict[str, object] = {
        "used": used,
        "per_day": per_day,
        "day_start": iso(day[0]),
        "day_end": iso(day[1]),
    }
    return _rule("daily_cap", inputs, full_until)


@lru_cache(maxsize=1024)
def _min_gap(last: Instant | None, min_gap: int, free_at: Instant | None) -> Rule:
    inputs: dict[str, object] = {"last": None if last is None else iso(last), "min_gap": min_gap}
    return _rule("min_gap", inputs, free_at)


def _rule(name: str, inputs: dict[str, object], blocked_until: Instant | None) -> Rule:
    outcome = "pass" if blocked_until is None else "defer"
    return Rule(rule=name, outcome=outcome, inputs=inputs, until=_ever(blocked_until))


@lru_cache(maxsize=1024)
def _quiet_hours(tz: str, span: Span, known: int | None, *, inside: bool) -> Rule:
    return _span_rule("quiet_hours", "defer" if inside else "pass", tz, span, known, inside=inside)


@lru_cache(maxsize=1024)
def _phone_window(tz: str, span: Span, known: int | None, *, inside: bool) -> Rule:
    return _span_rule("phone_window", "pass" if inside else "defer", tz, span, known, inside=inside)


def _span_rule(name: str, outcome: str, tz: str, span: Span, known: int | None, *, inside: bool) -> Rule:
    inputs: dict[str, object] = {"zone": tz, "start": iso(span[0]), "end": iso(span[1])}
    if known is not None:
        # A later release of the calendar knows more years, and may then answer otherwise.
        inputs["holidays_known_until"] = known
    return Rule(rule=name, outcome=outcome, inputs=inputs, until=_ever(span[1] if inside else span[0]))


def _ever(until: Instant | None) -> str | None:
    return None if until is None or until == FOREVER else iso(until)
