"""Hand-offs that agents make by themselves: judged as any other, and taken in the same ledger."""

from dispatcher.errors import Contended, EventIdReused, NotNow, StoreRefused, UnknownOrder
from dispatcher.policy.decide import decide_claim
from dispatcher.policy.decisions import Send
from dispatcher.policy.facts import Channel, Facts, Instant, OrderFacts
from dispatcher.policy.reminders import Status
from dispatcher.storage.commands import Commit
from dispatcher.storage.customers import StoredCustomer
from dispatcher.storage.keys import reminder_id
from dispatcher.storage.ledgers import Ledger
from dispatcher.storage.records import MOST_STEPS, StoredOrder
from dispatcher.workflow import details
from dispatcher.workflow.blocking import heed
from dispatcher.workflow.committing import bind
from dispatcher.workflow.people import People, ledger_of
from dispatcher.workflow.policies import InForce, PolicyBook
from dispatcher.workflow.ports import Clock, Store
from dispatcher.workflow.refusing import held_by_pause, refused

ATTEMPTS = 8
"""How often a hand-off is tried while the order or the policy changes under it."""


class ByHand:
    """Lets agents send by themselves, once for each id of the asker's own within an order."""

    def __init__(self, store: Store, people: People, policies: PolicyBook, clock: Clock) -> None:
        self._store = store
        self._people = people
        self._policies = policies
        self._clock = clock

    async def hand_over(
        self, shop: str, order_id: str, hand: str, channel: Channel, agent: str, actor: str
    ) -> str:
        """Return the id of the reminder that an agent sends now; who repeats it gets the same one.

        Raises `UnknownOrder`, `NotNow` when the policy forbids it at this moment, `EventIdReused` when the id
        was used for something else, and `Contended`.
        """
        for _ in range(ATTEMPTS):
            order = await self._store.order(shop, order_id)
            if order is None or order.customer is None:
                raise UnknownOrder("there is no such order")
            for number, step in enumerate(order.steps, 1):
                if step.hand == hand and (step.channel, step.agent) != (channel, agent):
                    raise EventIdReused("this id was used before, with other content")
                if step.hand == hand:
                    return reminder_id(shop, order_id, number)
            known = (await self._store.facts([(shop, order_id)])).get((shop, order_id))
            if known is None:
                raise StoreRefused("what is known of the order is not in the store")
            customer = await self._store.customer(shop, order.customer)
            force = await self._policies.in_force(shop, anew=True)
            known = (await heed(self._people, shop, force, {order_id: known}))[order_id]
            person, ledger = await ledger_of(self._people, shop, known.customer, force.policy)
            if force.state.paused_for(channel):
                raise held_by_pause()
            facts = _facts(shop, channel, order, known, ledger, customer, self._clock.now())
            item = _judged(facts, order, customer, force, person, hand, agent)
            (answer,) = await self._store.commit(self._store.lane_of(shop), [item], self._clock.now(), actor)
            if answer == "committed":
                return item.reminder
        raise Contended("the order kept changing; repeating the hand-off is safe")


def _facts(
    shop: str,
    channel: Channel,
    order: StoredOrder,
    known: OrderFacts,
    ledger: Ledger,
    customer: StoredCustomer,
    now: Instant,
) -> Facts:
    """Return what a further step of an order stands on, which is due now."""
    number = len(order.steps) + 1
    return Facts(
        shop=shop,
        order=known.order,
        customer=known.customer,
        state=order.state,
        step=number,
        status=Status.PLANNED,
        moment=now,
        due=now,
        channel=channel,
        tried=order.tried(number),
        used=order.used(but=number),
        ledger=ledger.instants,
        by_channel=ledger.by_channel,
        standing=customer.standing,
        promised_until=order.promised,
        refused_at=order.refused,
        told=order.told,
    )


def _judged(
    facts: Facts,
    order: StoredOrder,
    customer: StoredCustomer,
    force: InForce,
    person: str | None,
    hand: str,
    agent: str,
) -> Commit:
    if facts.step > MOST_STEPS:
        raise NotNow("attempts_used_up", ("attempts_used_up",))
    now = facts.due
    decision = decide_claim(facts, force.policy, now)
    if not isinstance(decision, Send):
        raise refused(decision)
    item = Commit(
        kind="hand",
        id=hand,
        reminder=reminder_id(facts.shop, facts.order.id, facts.step),
        order=facts.order.id,
        customer=facts.customer.id,
        step=facts.step,
        rev=order.rev,
        shop_rev=force.rev,
        policy=force.version,
        details=details.of_decision(
            decision,
            handed_at=details.moment(now),
            agent=agent,
            by_hand="asked",
            **details.of_person(person),
        ),
        handed=now,
        agent=agent,
        person=person,
        customer_rev=customer.rev or None,
    )
    bind(item, decision)
    return item
