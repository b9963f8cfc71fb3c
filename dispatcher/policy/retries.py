"""What follows a refused hand-off or an unfit message: again later, another channel, or the end."""

from typing import Any

from dispatcher.policy.decisions import Defer, Drop, Fail, Retry, Rule, Send
from dispatcher.policy.facts import Channel, Facts, Instant
from dispatcher.policy.routing import routes
from dispatcher.policy.spread import share
from dispatcher.policy.standing import refuse_settled
from dispatcher.policy.terms import Policy
from dispatcher.policy.zones import MINUTE

FIRST_BACK_OFF = MINUTE
BACK_OFF_FACTOR = 4
JITTER = 0.2
"""A back-off is this share shorter or longer, so that what failed together does not return together."""

MAX_ATTEMPTS = 4
"""Attempts before a temporary refusal counts as final for the channel."""


def after_refusal(
    facts: Facts, reason: str, temporary: bool, policy: Policy, now: Instant
) -> Retry | Fail | Drop:
    """What to do after a channel refused; `facts.attempt` counts the attempts made, from 1.

    A `Retry` names in `tried` every channel given up so far.
    """
    refusal = refuse_settled(facts.state, [])
    if refusal is not None:
        return Drop(reason=refusal, rules=())
    if temporary and facts.attempt < MAX_ATTEMPTS:
        due = now + _back_off(facts)
        return Retry(due=due, channel=facts.channel, reason=reason, tried=facts.tried)
    tried = facts.tried if facts.channel in facts.tried else (*facts.tried, facts.channel)
    following = _next_channel(facts, policy, tried)
    if following is None:
        return Fail(reason="attempts_used_up" if temporary else "rejected")
    return Retry(due=now, channel=following, reason=reason, tried=tried)


def too_long(
    decision: Send, facts: Facts, policy: Policy, now: Instant, inputs: dict[str, Any]
) -> Defer | Drop:
    """What to do with a message that is longer than its channel takes: the next channel, else the end.

    `inputs` are what rule `length` tells of it.
    """
    tried = (*facts.tried, decision.channel)
    following = _next_channel(facts, policy, tried)
    outcome = "drop" if following is None else "defer"
    rules = (*decision.rules, Rule(rule="length", outcome=outcome, inputs=inputs))
    if following is None:
        return Drop(reason="rejected", rules=rules)
    return Defer(until=now, channel=following, reason="changed", rules=rules, tried=tried)


def _next_channel(facts: Facts, policy: Policy, tried: tuple[Channel, ...]) -> Channel | None:
    used = [handoff.channel for handoff in facts.used]
    ranked = routes(
        facts.order, facts.customer, policy, used=used, tried=tried, opted_out=facts.standing.opted_out
    ).ranked
    return ranked[0] if ranked else None


def _back_off(facts: Facts) -> int:
    nominal = FIRST_BACK_OFF * BACK_OFF_FACTOR ** (facts.attempt - 1)
    place = share(f"{facts.order.id}\0{facts.step}\0{facts.channel}\0{facts.attempt}")
    return int(nominal * (1 - JITTER + 2 * JITTER * place))
