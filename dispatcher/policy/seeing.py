"""How a reminder that is decided about sees the others of its customer."""

import msgspec

from dispatcher.policy.decide import decide
from dispatcher.policy.decisions import Defer, Drop
from dispatcher.policy.facts import Facts, Instant, Rival
from dispatcher.policy.terms import Policy


def rival(
    other: Facts, facts: Facts, policy: Policy, now: Instant, kept_until: Instant | None = None
) -> Rival:
    """Another order's waiting reminder, beside the one that `facts` are about.

    To be carried it must be free to go now, by the same channel to the same address, and not be `kept_until`
    later by an operator; and neither order may be one that its buyer no longer wants, since a message about
    several asks to pay each. To be waited for it is enough that it will go at all.
    """
    obstacle, due = None, other.due
    if policy.merge is not None:
        kept = kept_until is not None and now < kept_until
        obstacle = "operator" if kept else _why_apart(other, facts, policy, now)
    else:
        at = max(other.due, now)
        decision = decide(other, policy, at)
        if isinstance(decision, Drop):
            obstacle = decision.reason
        elif isinstance(decision, Defer) and decision.until > at:
            due = decision.until
    return Rival(
        order=other.order.id,
        step=other.step,
        due=due,
        closes_at=other.order.closes_at,
        total=other.order.total,
        obstacle=obstacle,
        known=other.order,
    )


def _why_apart(other: Facts, facts: Facts, policy: Policy, now: Instant) -> str | None:
    if other.order.currency != facts.order.currency:
        return "currency"
    if "changed_mind" in (other.told, facts.told):
        return "changed_mind"
    if _address(other, facts) != _address(facts, facts) or _person(other, policy) != _person(facts, policy):
        return "address"
    here = msgspec.structs.replace(other, channel=facts.channel, due=min(other.due, now))
    decision = decide(here, policy, now)
    return decision.reason if isinstance(decision, Defer | Drop) else None


def _address(of: Facts, facts: Facts) -> str | None:
    return of.customer.chat if facts.channel == "chat" else of.customer.phone


def _person(of: Facts, policy: Policy) -> str | None:
    """The number whose hand-offs count; one message must not take the slot of another number."""
    return of.customer.phone if policy.caps is not None and policy.caps.per == "phone" else None
