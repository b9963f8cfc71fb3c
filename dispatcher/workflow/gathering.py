"""Puts together what deciding about a reminder stands on, from what the store keeps."""

from collections.abc import Sequence

from msgspec.structs import replace

from dispatcher.policy.document import Policy
from dispatcher.policy.facts import CustomerStanding, Facts, Instant, OrderFacts, PoolCounts, Rival
from dispatcher.policy.reminders import Status
from dispatcher.policy.rivals import looks_around
from dispatcher.policy.seeing import rival
from dispatcher.storage.ledgers import Ledger
from dispatcher.storage.records import Other, StoredOrder


def facts_about(
    shop: str,
    number: int,
    order: StoredOrder,
    known: OrderFacts,
    ledger: Ledger,
    standing: CustomerStanding,
    open_tasks: int | None = None,
    *,
    pools: PoolCounts | None = None,
) -> Facts:
    """Return what deciding about an order's step stands on; `pools` where the policy has incentives."""
    step = order.steps[number - 1]
    # Python hands over more than 15 named values in a dict, which costs more than the whole rest.
    facts = Facts(
        shop=shop,
        order=known.order,
        customer=known.customer,
        state=order.state,
        step=number,
        status=step.status,
        moment=step.moment,
        due=step.due,
        channel=step.channel,
        attempt=step.attempt,
        tried=order.tried(number),
        used=order.used(but=number),
        ledger=ledger.instants,
        standing=standing,
        by_channel=ledger.by_channel,
    )
    if pools is None and {open_tasks, order.promised, order.refused, order.told} == {None}:
        return facts
    named = None if pools is None else order.named(but=number)
    return replace(
        facts,
        open_tasks=open_tasks,
        promised_until=order.promised,
        refused_at=order.refused,
        told=order.told,
        pools=pools or {},
        offered=None if named is None else named.offered,
        offer_ends=None if named is None else named.offer_ends,
    )


def among(facts: Facts, others: Sequence[Other], policy: Policy, now: Instant) -> Facts:
    """Return the facts with the waiting reminders of the customer's other orders, the next one of each."""
    if not others or not looks_around(policy):
        return facts
    hand_offs = Ledger(instants=facts.ledger, by_channel=facts.by_channel)
    seen: list[Rival] = []
    for other in others:
        waiting = [
            (step.due, number)
            for number, step in enumerate(other.order.steps, 1)
            if step.status is Status.PLANNED
        ]
        if waiting:
            number = min(waiting)[1]
            its = facts_about(facts.shop, number, other.order, other.facts, hand_offs, facts.standing)
            kept_until = other.order.steps[number - 1].kept_until
            seen.append(rival(its, facts, policy, now, kept_until))
    return replace(facts, others=tuple(seen))
