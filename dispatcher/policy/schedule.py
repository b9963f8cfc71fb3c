"""The plan of an order: when each reminder is due, or why there will be none."""

from zoneinfo import ZoneInfo

import msgspec

from dispatcher.policy.before_close import second_step
from dispatcher.policy.cadence import Nominal, nominal
from dispatcher.policy.deadline import brought_forward
from dispatcher.policy.decisions import Plan, Planned, Rule, Unplanned
from dispatcher.policy.facts import Instant, OrderFacts
from dispatcher.policy.fitting import NO_TIME, Aim, Fit, Standing, fit_step, standing
from dispatcher.policy.release import released
from dispatcher.policy.spread import offset
from dispatcher.policy.terms import Policy
from dispatcher.policy.timing import Slot, Timing
from dispatcher.policy.zones import FOREVER, iso, zone


class Begun(msgspec.Struct, frozen=True, gc=False):
    """A plan whose first step is there; the second one is looked for from that."""

    facts: OrderFacts
    policy: Policy
    now: Instant
    tz: ZoneInfo
    stands: Standing
    first: Planned | Unplanned


def plan(facts: OrderFacts, policy: Policy, now: Instant) -> Plan:
    """The steps of an order that becomes known at `now`; a `due` may be past, but by `max_late` at most."""
    return finish(begin(facts, policy, now))


def begin(facts: OrderFacts, policy: Policy, now: Instant) -> Begun:
    """Plan the first step alone: many orders are planned faster when all are begun before any is finished."""
    tz = zone(facts.customer.timezone or policy.timezone)
    stands = standing(facts, policy, now)
    first = _first_step(facts, policy, now, tz, stands, forward=policy.before_close is None)
    return Begun(facts, policy, now, tz, stands, first)


def finish(begun: Begun) -> Plan:
    """The whole plan."""
    facts, policy, now, tz = begun.facts, begun.policy, begun.now, begun.tz
    stands, first = begun.stands, begun.first
    if policy.before_close is None:
        return (first,)
    second = second_step(facts, policy, now, tz, stands, first)
    if _without_time(first) and _without_time(second):
        # Where the second step goes it is the one before the close; else the first one has to be.
        first = _first_step(facts, policy, now, tz, stands, forward=True)
        second = second_step(facts, policy, now, tz, stands, first)
    return first, second


def _without_time(step: Planned | Unplanned) -> bool:
    return isinstance(step, Unplanned) and step.reason == NO_TIME


def _first_step(
    facts: OrderFacts, policy: Policy, now: Instant, tz: ZoneInfo, stands: Standing, *, forward: bool
) -> Planned | Unplanned:
    """The step at its own moment; `forward`: or earlier, where that is too late for the close."""
    order = facts.order
    wanted = nominal(order.placed_at, policy, tz)
    inputs = {"placed_at": iso(order.placed_at), "zone": tz.key}
    if wanted is None:
        rule = Rule(rule="cadence", outcome="drop", inputs=inputs)
        return Unplanned(step=1, moment=order.placed_at, reason="not_scheduled", rules=(rule,))
    rule = Rule(
        rule="cadence", outcome="pass", inputs={**inputs, "row": wanted.row, "moment": iso(wanted.at)}
    )

    def find(timing: Timing) -> Fit | None:
        return _fit(timing, wanted, facts) or (brought_forward(timing, facts, now) if forward else None)

    aim = Aim(step=1, moment=wanted.at, find=find, rule=rule)
    return fit_step(aim, facts, policy, now, tz, stands)


def _fit(timing: Timing, wanted: Nominal, facts: OrderFacts) -> Fit | None:
    order = facts.order
    slot = timing.first_free(wanted.at, order.closes_at)
    if slot.at == FOREVER:
        return None
    if slot.at == wanted.at and wanted.bound == "end":
        due = _ahead_of(timing, wanted.at, facts)
    else:
        if slot.at == wanted.at and wanted.bound == "start":
            slot = Slot(slot.at, slot.first, anchored=True, held=slot.held)
        due = released(timing, slot, order, facts.customer, 1)
    return Fit(release=slot.at, due=due, held=slot.held)


def _ahead_of(timing: Timing, deadline: Instant, facts: OrderFacts) -> Instant:
    """A deadline is kept by spreading what falls on it over the time before it."""
    order, policy = facts.order, timing.policy
    over = policy.spread.over if policy.spread else 0
    start = max(deadline - over, order.placed_at)
    room = deadline - start
    due = start + offset(order, facts.customer, 1, policy, release=start, room=room)
    return deadline if room == 0 or timing.blocked(due) else due
