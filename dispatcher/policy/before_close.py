"""The second step, anchored to the order's close."""

from zoneinfo import ZoneInfo

from dispatcher.policy.deadline import BEFORE_NIGHT, LEAST_AGE
from dispatcher.policy.decisions import Planned, Rule, Unplanned
from dispatcher.policy.facts import Channel, Instant, OrderFacts
from dispatcher.policy.fitting import Aim, Fit, Standing, fit_step
from dispatcher.policy.release import released
from dispatcher.policy.spans import quiet_span
from dispatcher.policy.spread import offset
from dispatcher.policy.terms import Policy
from dispatcher.policy.timing import Timing
from dispatcher.policy.zones import FOREVER, iso


def second_step(
    facts: OrderFacts,
    policy: Policy,
    now: Instant,
    tz: ZoneInfo,
    stands: Standing,
    first: Planned | Unplanned,
) -> Planned | Unplanned:
    """The step `lead` before the close, on a channel that the first one does not use if there is one."""
    order, before_close = facts.order, policy.before_close
    assert before_close is not None
    moment = order.closes_at - before_close.lead
    earliest = order.placed_at + LEAST_AGE
    used: tuple[Channel, ...] = ()
    if isinstance(first, Planned):
        earliest, used = first.due + (before_close.earliest_after or 0), (first.channel,)
    inputs = {"closes_at": iso(order.closes_at), "moment": iso(moment), "earliest": iso(earliest)}
    # A life shorter than the lead (a flash sale) has room for the first step alone.
    too_short = moment <= order.placed_at

    def find(timing: Timing) -> Fit | None:
        if too_short:
            return None
        return _before_night(timing, moment, earliest, facts, now) or _later(
            timing, max(moment, earliest), facts
        )

    rule = Rule(rule="before_close", outcome="drop" if too_short else "pass", inputs=inputs)
    return fit_step(Aim(2, moment, find, rule, used), facts, policy, now, tz, stands)


def _before_night(
    timing: Timing, moment: Instant, earliest: Instant, facts: OrderFacts, now: Instant
) -> Fit | None:
    """A moment in the night is brought forward to the evening, as long as that is still to come."""
    policy, order = timing.policy, facts.order
    quiet = quiet_span(policy, moment, timing.tz)
    if quiet is None or not quiet[0] <= moment or now >= quiet[0]:
        return None
    over = policy.spread.over if policy.spread else 0
    end = quiet[0] - BEFORE_NIGHT
    start = max(end - over, earliest)
    if end < start:
        return None
    due = start + offset(order, facts.customer, 2, policy, release=start, room=end - start)
    if timing.blocked(due):
        return None
    return Fit(release=due, due=due)


def _later(timing: Timing, at: Instant, facts: OrderFacts) -> Fit | None:
    order = facts.order
    slot = timing.first_free(at, order.closes_at)
    if slot.at == FOREVER:
        return None
    return Fit(slot.at, released(timing, slot, order, facts.customer, 2), slot.held)
