"""What would be decided about reminders that wait, if it were decided at this moment; nothing is changed."""

from collections.abc import Iterable, Mapping
from typing import NamedTuple

import msgspec

from dispatcher.errors import StoreRefused
from dispatcher.policy.decide import decide_claim
from dispatcher.policy.decisions import Decision, Defer, Drop, Rule, Send
from dispatcher.policy.facts import (
    Customer,
    CustomerStanding,
    Facts,
    Instant,
    OrderFacts,
    PoolCounts,
)
from dispatcher.policy.pace import PACE, Held
from dispatcher.policy.reminders import WAITING, Status
from dispatcher.policy.way import max_open, waits_for_agents
from dispatcher.policy.zones import iso
from dispatcher.storage.ledgers import Ledger
from dispatcher.storage.records import StoredOrder, StoredStep
from dispatcher.workflow.blocking import heed, heed_others
from dispatcher.workflow.chosen import Chosen, for_message
from dispatcher.workflow.gathering import among, facts_about
from dispatcher.workflow.holding import held_back
from dispatcher.workflow.judging import Renderer, decided, written
from dispatcher.workflow.outlook import Outlook, undecided
from dispatcher.workflow.people import People, by_phone, ledger_of
from dispatcher.workflow.policies import InForce, PolicyBook
from dispatcher.workflow.ports import Clock, Store
from dispatcher.workflow.refusing import BLOCKING, PAUSED
from dispatcher.workflow.templates import TemplateBook

FOLLOWED = 32
"""Times in a row that a reminder is put off, in looking for when it may go."""


class _Way(NamedTuple):
    """What is decided, when it may go (`None`: never), and what writes it then."""

    decision: Decision
    eligible: Instant | None
    chosen: Chosen | None = None


class _Heard(NamedTuple):
    """What deciding about a customer's reminders stands on, whatever the order."""

    ledger: Ledger
    standing: CustomerStanding
    pools: PoolCounts | None


class _Ruled(NamedTuple):
    """What the decisions of a shop go by at this moment."""

    force: InForce
    held: Held
    write: Renderer


class Explaining:
    """Tells what would be decided now, by the same judgement that decides."""

    def __init__(
        self, store: Store, people: People, policies: PolicyBook, templates: TemplateBook, clock: Clock
    ) -> None:
        self._store = store
        self._people = people
        self._policies = policies
        self._templates = templates
        self._clock = clock

    async def if_due(self, shop: str, order_id: str, number: int, order: StoredOrder) -> Outlook | None:
        """Return what would be decided about a planned reminder if it were due; `None` once it retired."""
        known = (await self._store.facts([(shop, order_id)])).get((shop, order_id))
        if known is None:
            return None
        force = await self._policies.in_force(shop, anew=True)
        known = (await heed(self._people, shop, force, {order_id: known}))[order_id]
        told = await self._told(shop, known.customer, force)
        now = self._clock.now()
        facts = _about(shop, number, order, known, told)
        others = await heed_others(self._people, shop, force, await self._store.others(shop, order_id, order))
        facts = among(facts, others, force.policy, now)
        ruled = await self._ruled(shop, force, now)
        facts = ruled.held.seen_by(msgspec.structs.replace(facts, due=now))
        for _ in range(FOLLOWED):
            decision, _ = decided(facts, force.policy, ruled.write, now)
            if not isinstance(decision, Defer) or decision.until > now:
                break
            facts = msgspec.structs.replace(facts, channel=decision.channel, tried=decision.tried)
            facts = ruled.held.seen_by(facts)
        return self._outlook(facts, ruled, now)

    async def outlooks(self, shop: str, orders: Mapping[str, StoredOrder]) -> dict[tuple[str, int], Outlook]:
        """Return the outlook of each (order, step) that waits; none where its order retired meanwhile."""
        waiting = {name: order for name, order in orders.items() if any(_waits(step) for step in order.steps)}
        if not waiting:
            return {}
        known = await self._store.facts([(shop, name) for name in waiting])
        force = await self._policies.in_force(shop, anew=True)
        known = await heed(self._people, shop, force, known)
        customers = {facts.customer for facts in known.values()}
        told = {customer: await self._told(shop, customer, force) for customer in customers}
        now = self._clock.now()
        ruled = await self._ruled(shop, force, now)
        outlooks = {}
        for name, order in waiting.items():
            if (facts := known.get((shop, name))) is None:
                continue
            others = await heed_others(self._people, shop, force, await self._store.others(shop, name, order))
            for number, step in enumerate(order.steps, 1):
                if _waits(step):
                    about = _about(shop, number, order, facts, told[facts.customer])
                    if step.status is not Status.OPEN:
                        about = among(about, others, force.policy, now)
                    outlooks[name, number] = self._told_apart(ruled.held.seen_by(about), ruled, now)
        return outlooks

    async def hand_offs(self, shop: str, customer: str, orders: Iterable[str]) -> tuple[Instant, ...]:
        """Return when a customer was reminded as far as that counts for some of the customer's orders."""
        force = await self._policies.in_force(shop, anew=True)
        if not by_phone(force.policy):
            return (await self._people.of_customer(shop, customer)).instants
        known = await self._store.facts([(shop, order) for order in orders])
        of_number = {facts.customer.phone: facts.customer for facts in known.values()}
        found = [await ledger_of(self._people, shop, one, force.policy) for one in of_number.values()]
        return tuple(sorted(at for _, ledger in found for at in ledger.instants))

    async def _told(self, shop: str, customer: Customer, force: InForce) -> _Heard:
        _, ledger = await ledger_of(self._people, shop, customer, force.policy)
        standing = (await self._store.customer(shop, customer.id)).standing
        pools = None
        if force.policy.incentives is not None:
            ids = [pool.id for pool in force.policy.incentives]
            pools = await self._store.pool_counts(shop, ids, customer.id)
        return _Heard(ledger, standing, pools)

    async def _ruled(self, shop: str, force: InForce, now: Instant) -> _Ruled:
        held = await held_back(self._store, shop, force.policy, now)
        return _Ruled(force, held, await self._templates.writer(shop, force.state.templates))

    def _told_apart(self, facts: Facts, ruled: _Ruled, now: Instant) -> Outlook:
        """Return an outlook, one to fail where there is no deciding, so that the others are told."""
        try:
            return self._outlook(facts, ruled, now)
        except StoreRefused:
            return undecided(facts, ruled.force.version, now)

    def _outlook(self, facts: Facts, ruled: _Ruled, now: Instant) -> Outlook:
        force = ruled.force
        judge = self._claim if facts.status == Status.OPEN else self._go
        decision, eligible, chosen = judge(facts, ruled, now)
        channel = decision.channel if isinstance(decision, Send | Defer) else facts.channel
        told, reason = _told(decision)
        rules = (*decision.rules, *max_open(decision, facts, force.policy))
        if facts.status != Status.OPEN and now < facts.due and eligible is not None:
            inputs = {"now": iso(now), "due": iso(facts.due)}
            rules = (Rule(rule="due", outcome="defer", inputs=inputs, until=iso(facts.due)), *rules)
            told, reason = "defer", reason if told == "defer" else None
        paced = ruled.held.pace(facts.channel)
        if paced is not None and facts.due <= now and eligible is not None:
            rules = (*rules, paced[0])
            eligible = max(eligible, paced[1])
            told, reason = ("defer", PACE) if told == "send" else (told, reason)
        if force.state.paused_for(facts.channel):
            rules = (*rules, Rule(rule=PAUSED, outcome="defer", inputs={"channel": facts.channel}))
            eligible = None
            if told != "drop":
                told, reason = "defer", PAUSED
        return Outlook(
            at=now,
            decision=told,
            channel=channel,
            reason=reason,
            policy=force.version,
            rules=rules,
            blocking=tuple(rule.rule for rule in rules if rule.outcome in BLOCKING),
            next_eligible=eligible,
            chosen=chosen,
        )

    def _go(self, facts: Facts, ruled: _Ruled, now: Instant) -> _Way:
        """Return what is decided about a reminder, and when it may go.

        Before it is due that is what it would meet if it were, or what will end it once it is.
        """
        last = self._follow(facts, ruled, max(now, facts.due))
        if now < facts.due and last.eligible is None:
            return last
        here = msgspec.structs.replace(facts, due=min(now, facts.due))
        return last._replace(decision=decided(here, ruled.force.policy, ruled.write, now)[0])

    def _claim(self, facts: Facts, ruled: _Ruled, now: Instant) -> _Way:
        """Return whether a task could be claimed, and when it can be or its reminder goes another way.

        Once its time to be claimed is over, that is what is decided about it instead.
        """
        over = self._go(facts, ruled, max(now, facts.due))
        stays = isinstance(over.decision, Defer) and over.decision.channel == "phone"
        if now >= facts.due and not stays:
            return over
        decision = decide_claim(facts, ruled.force.policy, now)
        match decision:
            case Send():
                going = written(decision, facts, ruled.force.policy, ruled.write, now)
                says = for_message(facts, ruled.force.policy, *going) if isinstance(going, tuple) else None
                return _Way(decision, now, says)
            case Defer(until=until) if stays or until < facts.due:
                return _Way(decision, until)
        return over._replace(decision=decision)

    def _follow(self, facts: Facts, ruled: _Ruled, at: Instant) -> _Way:
        """Return what is decided in the end as far as is known today, and when if it goes."""
        decision, text = decided(facts, ruled.force.policy, ruled.write, at)
        for _ in range(FOLLOWED):
            if not isinstance(decision, Defer):
                break
            at = max(at, decision.until)
            if decision.channel == "phone" and waits_for_agents(decision, facts, ruled.force.policy):
                return _Way(decision, at)  # it asks again then; nobody knows when a task is claimed
            facts = msgspec.structs.replace(
                facts,
                due=at,
                channel=decision.channel,
                tried=decision.tried,
                status=facts.status if decision.channel == facts.channel else Status.PLANNED,
            )
            facts = ruled.held.seen_by(facts)
            decision, text = decided(facts, ruled.force.policy, ruled.write, at)
        if text is None or not isinstance(decision, Send):
            return _Way(decision, None)
        return _Way(decision, at, for_message(facts, ruled.force.policy, decision, text))


def _waits(step: StoredStep) -> bool:
    return step.status in WAITING


def _about(shop: str, number: int, order: StoredOrder, known: OrderFacts, heard: _Heard) -> Facts:
    return facts_about(shop, number, order, known, heard.ledger, heard.standing, pools=heard.pools)


def _told(decision: Decision) -> tuple[str, str | None]:
    match decision:
        case Send():
            return "send", None
        case Defer(reason=reason):
            return "defer", reason
        case Drop(reason=reason):
            return "drop", reason
