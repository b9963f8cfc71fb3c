"""What every step of a plan goes through once its nominal moment is known."""

from collections.abc import Callable
from zoneinfo import ZoneInfo

import msgspec

from dispatcher.policy.decisions import Planned, Rule, Unplanned
from dispatcher.policy.facts import Channel, Instant, OrderFacts
from dispatcher.policy.routing import routes, routing_rule
from dispatcher.policy.standing import (
    refuse_closed,
    refuse_held,
    refuse_late,
    refuse_small,
    refuse_sold_out,
    refuse_used_up,
)
from dispatcher.policy.terms import Policy
from dispatcher.policy.timing import Timing
from dispatcher.policy.zones import iso

NO_TIME = "closes_before_window"
"""The reason of a step that no allowed time before the close is left for."""


class Fit(msgspec.Struct, frozen=True, gc=False):
    """An allowed time: `release` before and `due` after spreading; `held` (ms) by the night.

    `deadline` says how far it was brought forward, if the close made that necessary.
    """

    release: Instant
    due: Instant
    held: int = 0
    deadline: Rule | None = None


class Standing(msgspec.Struct, frozen=True, gc=False):
    """Whether an order is to be reminded of at all, the same for all its steps; `refusal` says why not."""

    refusal: str | None
    rules: tuple[Rule, ...]


def standing(facts: OrderFacts, policy: Policy, now: Instant) -> Standing:
    """Ask what does not depend on the step, of an order that was not reminded of yet."""
    rules: list[Rule] = []
    refusal = (
        refuse_closed(facts.order, now, rules)
        or refuse_sold_out(facts.order, rules)
        or refuse_small(facts.order, policy, rules)
        or refuse_used_up(0, policy, rules)
    )
    return Standing(refusal, tuple(rules))


class Aim(msgspec.Struct, frozen=True, gc=False):
    """A step to be planned; `find` answers `None` where a channel leaves no time before the close."""

    step: int
    moment: Instant
    find: Callable[[Timing], Fit | None]
    rule: Rule
    used: tuple[Channel, ...] = ()


def fit_step(
    aim: Aim, facts: OrderFacts, policy: Policy, now: Instant, tz: ZoneInfo, standing: Standing
) -> Planned | Unplanned:
    """The step on the best channel that has time for it, or the reason there is none."""
    order, rules = facts.order, [aim.rule, *standing.rules]
    if standing.refusal is not None:
        return _unplanned(aim, standing.refusal, rules)
    found = routes(order, facts.customer, policy, used=aim.used)
    for channel in found.ranked:
        timing = Timing(policy, tz, channel)
        fit = aim.find(timing)
        if fit is not None:
            rules.append(routing_rule(order, facts.customer, policy, channel, used=aim.used))
            return _judged(aim, timing, fit, now, rules)
    rules.append(routing_rule(order, facts.customer, policy, "drop", used=aim.used))
    return _unplanned(aim, found.refusal or NO_TIME, rules)


def _judged(aim: Aim, timing: Timing, fit: Fit, now: Instant, rules: list[Rule]) -> Planned | Unplanned:
    policy = timing.policy
    rules.extend(timing.rules(aim.moment))
    if fit.deadline is not None:
        rules.append(fit.deadline)
    # Judged before spreading: the spread is ours, so it must not make a late order timely. What goes ahead
    # of a deadline will be judged by its own time.
    ready = min(fit.release, fit.due)
    if refuse_held(fit.held, policy, rules) or refuse_late(ready, policy, now, rules):
        return _unplanned(aim, "too_late", rules)
    inputs = {"release": iso(fit.release), "due": iso(fit.due)}
    rules.append(Rule(rule="spread", outcome="pass", inputs=inputs))
    return Planned(step=aim.step, moment=aim.moment, due=fit.due, channel=timing.channel, rules=tuple(rules))


def _unplanned(aim: Aim, reason: str, rules: list[Rule]) -> Unplanned:
    return Unplanned(step=aim.step, moment=aim.moment, reason=reason, rules=tuple(rules))
