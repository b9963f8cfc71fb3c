"""Takes events: reads what an amendment amends, plans, and lets the store record it all in one step."""

import logging
from collections.abc import Mapping, Sequence
from typing import TypeVar

import msgspec

from dispatcher.errors import (
    Contended,
    CustomerDiffers,
    DispatcherError,
    EventIdReused,
    InvalidEvent,
    NotNow,
    StoreFull,
    StoreRefused,
    UnknownOrder,
)
from dispatcher.policy.decisions import Planned, Unplanned
from dispatcher.policy.events import CHANGES_FACTS, Event, EventType, facts_of, merged
from dispatcher.policy.facts import Instant, OrderFacts
from dispatcher.policy.schedule import plan
from dispatcher.storage.commands import Intake, IntakeReply, PlanStep
from dispatcher.storage.keys import reminder_id
from dispatcher.storage.packing import pack
from dispatcher.telemetry import EVENT_REFUSED
from dispatcher.workflow import details
from dispatcher.workflow.people import People
from dispatcher.workflow.policies import InForce, PolicyBook
from dispatcher.workflow.ports import Clock, Store
from dispatcher.workflow.reported import Forces, Known, Pair, count_for, looked_at, persons_of
from dispatcher.workflow.waves import waves

T = TypeVar("T")

_log = logging.getLogger(__name__)

ATTEMPTS = 8
"""How often an event is tried while the policy or the order it amends changes under it."""

REFUSALS: dict[str, DispatcherError] = {
    "reused": EventIdReused("an event with this id was taken before, with other content"),
    "unknown": UnknownOrder("the order is not known here yet; repeat the event once it is"),
    "full": NotNow("attempts_used_up", ("attempts_used_up",)),
    "customer_differs": CustomerDiffers("the order belongs to another customer"),
}
NEEDS_POLICY = CHANGES_FACTS | {EventType.REMINDED}
AGAIN = frozenset({"policy_changed", "conflict"})


class Result(msgspec.Struct, frozen=True, kw_only=True):
    """What became of one event; `problem` says why it was rejected."""

    id: str | None
    status: str
    order: str | None = None
    reminders: tuple[str, ...] = ()
    stopped: tuple[str, ...] = ()
    too_late: tuple[str, ...] = ()
    problem: DispatcherError | None = None


class EventIntake:
    """Takes events of any shops in one go; a bad one is answered and the others are taken."""

    def __init__(self, store: Store, people: People, policies: PolicyBook, clock: Clock) -> None:
        self._store = store
        self._people = people
        self._policies = policies
        self._clock = clock

    async def take(self, events: Sequence[Event | InvalidEvent], actor: str) -> list[Result]:
        """Return one result an event, in order. What is accepted is durable when this returns."""
        results: dict[int, Result] = {}
        lanes: dict[int, list[tuple[int, Event]]] = {}
        for position, event in enumerate(events):
            if isinstance(event, InvalidEvent):
                results[position] = Result(id=event.event_id, status="rejected", problem=event)
            else:
                lanes.setdefault(self._store.lane_of(event.shop), []).append((position, event))
        for lane, numbered in lanes.items():
            for wave in waves(numbered):
                results |= await self._take_wave(lane, wave, actor)
        return [results[position] for position in range(len(events))]

    async def _take_wave(self, lane: int, wave: list[tuple[int, Event]], actor: str) -> dict[int, Result]:
        results: dict[int, Result] = {}
        for attempt in range(ATTEMPTS):
            forces = await self._in_force(wave, anew=attempt > 0)
            events = [event for _, event in wave]
            known = await self._looked_up(looked_at(events, forces))
            persons = await persons_of(self._people, events, forces, known)
            items: list[tuple[int, Event, Intake]] = []
            refusals: dict[int, DispatcherError] = {}
            for position, event in wave:
                item = _bare(event, self._clock.now())
                try:
                    self._plan(item, event, known, forces, persons)
                except DispatcherError as refusal:
                    refusals[position] = refusal
                    item = _bare(event, self._clock.now(), probe=True)
                items.append((position, event, item))
            replies = await self._record(lane, [item for _, _, item in items], actor)
            wave = []
            for (position, event, _), reply in zip(items, replies, strict=True):
                if isinstance(reply, StoreRefused | StoreFull):
                    results[position] = _rejected(event, reply)
                elif reply.status == "new":
                    results[position] = _rejected(event, refusals[position])
                elif reply.status in AGAIN:
                    wave.append((position, event))
                else:
                    results[position] = _result(event, reply)
            if not wave:
                return results
        problem = Contended("the shop's policy or the order kept changing; repeating the event is safe")
        return results | {position: _rejected(event, problem) for position, event in wave}

    async def _record(
        self, lane: int, items: list[Intake], actor: str
    ) -> Sequence[IntakeReply | StoreRefused | StoreFull]:
        """Record a wave; where one event's order cannot be read, the others are recorded one by one.

        A store that is full still takes what ends orders.
        """
        try:
            return await self._store.intake(lane, items, self._clock.now(), actor)
        except StoreFull as full:
            old = [item for item in items if item.plan is None]
            replies = iter(await self._record(lane, old, actor) if old else ())
            return [full if item.plan is not None else next(replies) for item in items]
        except StoreRefused as refusal:
            if len(items) == 1:
                return [refusal]
        return [reply for item in items for reply in await self._record(lane, [item], actor)]

    async def _looked_up(self, ids: list[tuple[str, str]]) -> Known:
        """Read what events stand on; the revision first, so that a change in between is noticed."""
        try:
            return await self._known(ids)
        except StoreRefused:
            found: Known = {}
            for pair in ids:
                try:
                    found |= await self._known([pair])
                except StoreRefused as refusal:
                    found[pair] = refusal
            return found

    async def _known(self, ids: list[tuple[str, str]]) -> Known:
        orders = await self._store.orders(ids)
        facts = await self._store.facts(ids)
        return {pair: (order.rev, facts.get(pair)) for pair, order in orders.items()}

    async def _in_force(self, wave: list[tuple[int, Event]], *, anew: bool) -> Forces:
        """Read the policies of shops whose events need one."""
        found: Forces = {}
        for shop in {event.shop for _, event in wave if event.type in NEEDS_POLICY}:
            try:
                found[shop] = await self._policies.in_force(shop, anew=anew)
            except StoreRefused as refusal:
                found[shop] = refusal
        return found

    def _plan(
        self, item: Intake, event: Event, known: Known, forces: Forces, persons: Mapping[Pair, str]
    ) -> None:
        if event.type not in NEEDS_POLICY:
            return
        force = _or_raise(forces[event.shop])
        if event.type is EventType.REMINDED:
            count_for(item, event, force, known, persons)
            return
        if event.type is EventType.AMENDED:
            item.rev, before = _or_raise(known.get((event.shop, event.order), (0, None)))
            facts = _amend(event, before, force)
        else:
            facts = facts_of(event, force.policy)
        _planned(item, facts, force, self._clock.now())


def _or_raise(found: T | StoreRefused) -> T:
    if isinstance(found, StoreRefused):
        raise found
    return found


def _bare(event: Event, now: Instant, *, probe: bool = False) -> Intake:
    """Return what the store must know of any event; a probe only asks whether it was taken before."""
    told = None if event.type in CHANGES_FACTS else details.of_time(event)
    handed = None
    if event.type is EventType.REMINDED:
        # Whose clock is ahead has not sent it in the future.
        handed = min(event.time, now)
        told = details.of_reported(handed, event.agent)
    return Intake(
        event=event.id,
        seen=f"{event.source}\x1f{event.id}",
        digest=event.digest,
        type="probe" if probe else event.type,
        time=event.time,
        order=event.order,
        shop_name=event.shop,
        customer=event.customer,
        channel=event.channel,
        agent=event.agent,
        handed=handed,
        details=told,
    )


def _amend(event: Event, before: OrderFacts | None, force: InForce) -> OrderFacts:
    if before is not None:
        return merged(before, event, force.policy)
    try:
        return facts_of(event, force.policy)
    except InvalidEvent:
        raise UnknownOrder("the order is not known yet, and the amendment alone does not make one") from None


def _planned(item: Intake, facts: OrderFacts, force: InForce, now: Instant) -> None:
    item.shop_rev = force.rev
    item.customer = facts.customer.id
    item.facts = pack(msgspec.json.encode(facts))
    item.closes = facts.order.closes_at
    item.details = details.of_order(facts)
    item.plan = [_plan_step(step, force.version) for step in plan(facts, force.policy, now)]


def _plan_step(step: Planned | Unplanned, version: int) -> PlanStep:
    written = details.of_plan(step)
    if isinstance(step, Unplanned):
        return PlanStep(moment=step.moment, reason=step.reason, policy=version, details=written)
    return PlanStep(moment=step.moment, due=step.due, channel=step.channel, policy=version, details=written)


def _rejected(event: Event, problem: DispatcherError) -> Result:
    if isinstance(problem, StoreRefused):
        _log.error(EVENT_REFUSED, extra={"shop": event.shop, "order": event.order})
    return Result(id=event.id, status="rejected", order=event.order, problem=problem)


def _result(event: Event, reply: IntakeReply) -> Result:
    refusal = REFUSALS.get(reply.status)
    if refusal is not None:
        return _rejected(event, refusal)

    def ids(steps: Sequence[int]) -> tuple[str, ...]:
        return tuple(reminder_id(event.shop, event.order or "", step) for step in steps)

    return Result(
        id=event.id,
        status=reply.status,
        order=event.order,
        reminders=ids(range(1, reply.reminders + 1)),
        stopped=ids(reply.stopped),
        too_late=(*ids(reply.too_late), *reply.carriers),
    )
