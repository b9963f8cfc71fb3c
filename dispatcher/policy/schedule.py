"""The plan of an order: when each reminder is due, or why there will be none."""

from zoneinfo import ZoneInfo

from dispatcher.policy.before_close import second_step
from dispatcher.policy.cadence import Nominal, nominal
from dispatcher.policy.decisions import Plan, Planned, Rule, Unplanned
from dispatcher.policy.facts import Instant, OrderFacts
from dispatcher.policy.fitting import Aim, Fit, Standing, fit_step, standing
from dispatcher.policy.release import released
from dispatcher.policy.spread import offset
from dispatcher.policy.terms import Policy
from dispatcher.policy.timing import Timing
from dispatcher.policy.zones import FOREVER, iso, zone


def plan(facts: OrderFacts, policy: Policy, now: Instant) -> Plan:
    """The steps of an order that becomes known at `now`; a `due` may be past, but by `max_late` at most."""
    tz = zone(facts.customer.timezone or policy.timezone)
    stands = standing(facts, policy, now)
    first = _first_step(facts, policy, now, tz, stands)
    if policy.before_close is None:
        return (first,)
    return first, second_step(facts, policy, now, tz, stands, first)


def _first_step(
    facts: OrderFacts, policy: Policy, now: Instant, tz: ZoneInfo, stands: Standing
) -> Planned | Unplanned:
    order = facts.order
    wanted = nominal(order.placed_at, policy, tz)
    inputs = {"placed_at": iso(order.placed_at), "zone": tz.key}
    if wanted is None:
        rule = Rule(rule="cadence", outcome="drop", inputs=inputs)
        return Unplanned(step=1, moment=order.placed_at, reason="not_scheduled", rules=(rule,))
    rule = Rule(
        rule="cadence", outcome="pass", inputs={**inputs, "row": wanted.row, "moment": iso(wanted.at)}
    )
    aim = Aim(step=1, moment=wanted.at, find=lambda timing: _fit(timing, wanted, facts), rule=rule)
    return fit_step(aim, facts, policy, now, tz, stands)


def _fit(timing: Timing, wanted: Nominal, facts: OrderFacts) -> Fit | None:
    order = facts.order
    slot = timing.first_free(wanted.at, order.closes_at)
    if slot.at == FOREVER:
        return None
    if slot.at == wanted.at and wanted.bound == "end":
        due = _ahead_of(timing, wanted.at, facts)
    else:
        shared = slot.at == wanted.at and wanted.bound == "start"
        slot = slot._replace(anchored=slot.anchored or shared)
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
