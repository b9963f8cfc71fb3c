"""The decision about a reminder that is due: rules in a fixed order, each one recorded."""

from zoneinfo import ZoneInfo

from msgspec.structs import replace

from dispatcher.policy.channel_caps import channel_cap_rule
from dispatcher.policy.decisions import Decision, Defer, Drop, Rule
from dispatcher.policy.facts import Channel, Facts, Instant
from dispatcher.policy.pace import pace_of
from dispatcher.policy.people import refuse_unwanted
from dispatcher.policy.release import released
from dispatcher.policy.rivals import yields
from dispatcher.policy.routing import Routes, refuse_channel, routes, routing_rule
from dispatcher.policy.sending import send
from dispatcher.policy.standing import (
    refuse_closed,
    refuse_held,
    refuse_late,
    refuse_paid_other,
    refuse_replied,
    refuse_settled,
    refuse_small,
    refuse_sold_out,
    refuse_used_up,
)
from dispatcher.policy.terms import Policy
from dispatcher.policy.timing import Slot, Timing
from dispatcher.policy.way import CALLS_WAIT, no_time, way
from dispatcher.policy.zones import FOREVER, iso, zone

REASONS = {"earliest_after": "min_gap", "channel_cap": "daily_cap", "promise": "promised"}
"""The reason that stands for a rule of another name."""


def decide(facts: Facts, policy: Policy, now: Instant) -> Decision:
    """What to do now with a due reminder, or with a task whose time to be claimed is over."""
    rules: list[Rule] = []
    tz = zone(facts.customer.timezone or policy.timezone)
    refusal = _no_longer_wanted(facts, policy, now, rules) or _left_alone(facts, policy, now, tz, rules)
    if refusal is not None:
        return Drop(reason=refusal, rules=tuple(rules))
    if facts.status == "open":
        return _overflow(facts, policy, now, rules)
    ranked = _routes(facts, policy, facts.tried)
    chosen = way(facts, policy, now, ranked, lambda channel: _timing(facts, policy, channel, tz))
    channel = chosen.channel
    _note_channel_caps(facts, policy, now, tz, channel, rules)
    rules.append(_routing(facts, policy, channel or "drop"))
    if channel is None:
        return Drop(reason=chosen.refusal, rules=tuple(rules))
    if chosen.crowded:
        return _past_the_tasks(facts, policy, now, channel, rules)
    if channel != facts.channel:
        return _deferred(facts, now, channel, "changed", rules)
    return _judge_time(facts, _timing(facts, policy, channel, tz), now, rules)


def decide_claim(facts: Facts, policy: Policy, now: Instant) -> Decision:
    """Whether an agent may reach the customer now: by a call for an open task, else on the facts' channel.

    `Defer.until` is when that is allowed next.
    """
    rules: list[Rule] = []
    channel: Channel = "phone" if facts.status == "open" else facts.channel
    tz = zone(facts.customer.timezone or policy.timezone)
    refusal = (
        refuse_settled(facts.state, rules)
        or refuse_closed(facts.order, now, rules)
        or _left_alone(facts, policy, now, tz, rules)
    )
    if refusal is None:
        _note_channel_caps(facts, policy, now, tz, channel, rules)
        refusal = _not_usable(facts, policy, channel, rules)
    if refusal is not None:
        return Drop(reason=refusal, rules=tuple(rules))
    timing = replace(_timing(facts, policy, channel, tz), earliest=None)
    answers, free = timing.answer(now)
    rules.extend(answers)
    if free:
        return send(facts, timing, now, rules, by_person=True)
    slot = timing.first_free(now, facts.order.closes_at)
    if slot.at == FOREVER:
        return _drop_for_close(facts, policy, now, rules)
    return _deferred(facts, slot.at, channel, _reason(slot), rules)


def _no_longer_wanted(facts: Facts, policy: Policy, now: Instant, rules: list[Rule]) -> str | None:
    """What no waiting cures; a task is never late, since it was opened in time."""
    return (
        refuse_settled(facts.state, rules)
        or refuse_closed(facts.order, now, rules)
        or (None if facts.status == "open" else _refuse_late(facts, policy, now, rules))
    )


def _refuse_late(facts: Facts, policy: Policy, now: Instant, rules: list[Rule]) -> str | None:
    return refuse_late(facts.due, policy, now, rules, pace_of(policy, facts.channel))


def _left_alone(facts: Facts, policy: Policy, now: Instant, tz: ZoneInfo, rules: list[Rule]) -> str | None:
    """What the order or the customer says against a reminder, or that the order has had enough of them."""
    refusal = (
        refuse_unwanted(facts, rules)
        or refuse_sold_out(facts.order, rules)
        or refuse_small(facts.order, policy, rules)
        or refuse_used_up(len(facts.used), policy, rules)
    )
    if refusal is not None or policy.suppression is None:
        return refusal
    standing = facts.standing
    return refuse_replied(standing, policy, now, rules) or refuse_paid_other(standing, policy, now, tz, rules)


def _not_usable(facts: Facts, policy: Policy, channel: Channel, rules: list[Rule]) -> str | None:
    """What a person chose, order, customer or policy may forbid, of a task since it was opened."""
    refusal = refuse_channel(channel, facts.order, facts.customer, policy, facts.standing.opted_out)
    rules.append(_routing(facts, policy, "drop" if refusal else channel))
    return refusal


def _used(facts: Facts) -> list[Channel]:
    return [handoff.channel for handoff in facts.used]


def _routing(facts: Facts, policy: Policy, outcome: str) -> Rule:
    rule = routing_rule(
        facts.order,
        facts.customer,
        policy,
        outcome,
        used=_used(facts),
        tried=facts.tried,
        opted_out=facts.standing.opted_out,
    )
    if policy.phone is not None and policy.phone.max_open is not None and facts.open_tasks is not None:
        return replace(
            rule, inputs={**rule.inputs, "open_tasks": facts.open_tasks, "max_open": policy.phone.max_open}
        )
    return rule


def _routes(facts: Facts, policy: Policy, tried: tuple[Channel, ...]) -> Routes:
    opted_out = facts.standing.opted_out
    return routes(facts.order, facts.customer, policy, used=_used(facts), tried=tried, opted_out=opted_out)


def _overflow(facts: Facts, policy: Policy, now: Instant, rules: list[Rule]) -> Decision:
    """Nobody claimed the task: the next channel takes over; without one it stays open while a call may be."""
    tried: tuple[Channel, ...] = (*facts.tried, "phone")
    ranked = _routes(facts, policy, tried).ranked
    if not ranked and (refusal := _not_usable(facts, policy, "phone", rules)) is not None:
        return Drop(reason=refusal, rules=tuple(rules))
    if not ranked:
        closes_at = facts.order.closes_at
        return _deferred(facts, closes_at, "phone", "overflow", rules)
    rules.append(_routing(facts, policy, ranked[0]))
    return Defer(until=now, channel=ranked[0], reason="overflow", rules=tuple(rules), tried=tried)


def _timing(facts: Facts, policy: Policy, channel: Channel, tz: ZoneInfo) -> Timing:
    earliest = None
    if facts.used and policy.before_close is not None and policy.before_close.earliest_after is not None:
        earlier = [handoff.at for handoff in facts.used if handoff.step < facts.step]
        earliest = max(earlier) + policy.before_close.earliest_after if earlier else None
    on_channel = facts.by_channel.get(channel, ())
    return Timing(policy, tz, channel, policy.caps, facts.ledger, earliest, on_channel, facts.promised_until)


def _note_channel_caps(
    facts: Facts, policy: Policy, now: Instant, tz: ZoneInfo, chosen: Channel | None, rules: list[Rule]
) -> None:
    if policy.caps is not None and policy.caps.per_channel is not None:
        rule = channel_cap_rule(facts, policy, now, tz, chosen)
        rules.extend(() if rule is None else (rule,))


def _past_the_tasks(
    facts: Facts, policy: Policy, now: Instant, channel: Channel, rules: list[Rule]
) -> Decision:
    """A call that there are too many tasks for goes another way for good, or asks again soon."""
    if channel != "phone":
        tried: tuple[Channel, ...] = (*facts.tried, "phone")
        return Defer(until=now, channel=channel, reason="overflow", rules=tuple(rules), tried=tried)
    again = now + CALLS_WAIT
    if again >= facts.order.closes_at:
        return _drop_for_close(facts, policy, now, rules)
    return _deferred(facts, again, "phone", "overflow", rules)


def _judge_time(facts: Facts, timing: Timing, now: Instant, rules: list[Rule]) -> Decision:
    policy, closes_at = timing.policy, facts.order.closes_at
    answers, free = timing.answer(now)
    rules.extend(answers)
    if free:
        yielded = yields(facts, timing, now, rules)
        if yielded is None:
            return send(facts, timing, now, rules, by_person=False)
        until = released(timing, yielded.slot, facts.order, facts.customer, facts.step)
        return _deferred(facts, until, timing.channel, yielded.reason, rules)
    slot = timing.first_free(now, closes_at, since=facts.due)
    if slot.at == FOREVER:
        return _drop_for_close(facts, policy, now, rules)
    if refuse_held(slot.held, policy, rules):
        return Drop(reason="too_late", rules=tuple(rules))
    until = released(timing, slot, facts.order, facts.customer, facts.step)
    return _deferred(facts, until, timing.channel, _reason(slot), rules)


def _deferred(facts: Facts, until: Instant, channel: Channel, reason: str, rules: list[Rule]) -> Defer:
    return Defer(until=until, channel=channel, reason=reason, rules=tuple(rules), tried=facts.tried)


def _reason(slot: Slot) -> str:
    return REASONS.get(slot.first or "", slot.first or "")


def _drop_for_close(facts: Facts, policy: Policy, now: Instant, rules: list[Rule]) -> Drop:
    inputs = {"closes_at": iso(facts.order.closes_at)}
    rules.append(Rule(rule="time_left", outcome="drop", inputs=inputs))
    return Drop(reason=no_time(facts, policy, now), rules=tuple(rules))
