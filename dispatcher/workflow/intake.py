"""Takes events: reads what an amendment amends, plans, and lets the store record it all in one step."""

import logging
from collections.abc import Sequence
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
from dispatcher.policy.events import Event
from dispatcher.storage.commands import Intake, IntakeReply
from dispatcher.storage.keys import reminder_id
from dispatcher.storage.new_orders import Rows, rows_of
from dispatcher.telemetry import EVENT_REFUSED
from dispatcher.workflow.asking import NEEDS_POLICY, asked, bare
from dispatcher.workflow.people import People
from dispatcher.workflow.policies import PolicyBook
from dispatcher.workflow.ports import Clock, Store
from dispatcher.workflow.reported import Forces, Known, looked_at, persons_of
from dispatcher.workflow.waves import waves

T = TypeVar("T")

Reply = IntakeReply | StoreRefused | StoreFull
"""What the store answers about an event, or why it does not."""

_log = logging.getLogger(__name__)

ATTEMPTS = 8
"""How often an event is tried while the policy or the order it amends changes under it."""

REFUSALS: dict[str, DispatcherError] = {
    "reused": EventIdReused("an event with this id was taken before, with other content"),
    "unknown": UnknownOrder("the order is not known here yet; repeat the event once it is"),
    "full": NotNow("attempts_used_up", ("attempts_used_up",)),
    "customer_differs": CustomerDiffers("the order belongs to another customer"),
}


class Result(msgspec.Struct, frozen=True, kw_only=True):
    """What became of one event; `problem` says why it was rejected."""

    id: str | None
    status: str
    order: str | None = None
    reminders: tuple[str, ...] = ()
    stopped: tuple[str, ...] = ()
    too_late: tuple[str, ...] = ()
    problem: DispatcherError | None = None


AGAIN = frozenset({"policy_changed", "conflict"})
"""Answers to what was planned on something that changed meanwhile."""


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
            now = self._clock.now()
            planned = asked(events, known, forces, persons, now)
            items = [
                bare(event, now, probe=True) if isinstance(item, DispatcherError) else item
                for event, item in zip(events, planned, strict=True)
            ]
            replies = await self._record(lane, items, actor)
            again = []
            for (position, event), item, reply in zip(wave, planned, replies, strict=True):
                if isinstance(reply, StoreRefused | StoreFull):
                    results[position] = _rejected(event, reply)
                elif reply.status == "new" and isinstance(item, DispatcherError):
                    results[position] = _rejected(event, item)
                elif reply.status in AGAIN:
                    again.append((position, event))
                else:
                    results[position] = _result(event, reply)
            wave = again
            if not wave:
                return results
        problem = Contended("the shop's policy or the order kept changing; repeating the event is safe")
        return results | {position: _rejected(event, problem) for position, event in wave}

    async def _record(self, lane: int, items: list[Intake], actor: str) -> Sequence[Reply]:
        """Record a wave: first what ends or changes what is there, and then orders that are new."""
        rows = rows_of(items)
        done = await self._look_at_some(
            lane, items, [at for at in range(len(items)) if at not in rows], actor
        )
        if rows:
            done |= await self._accept(lane, items, rows, actor)
            left = [at for at in rows if at not in done]
            done |= await self._look_at_some(lane, items, left, actor)
        return [done[at] for at in range(len(items))]

    async def _accept(self, lane: int, items: list[Intake], rows: Rows, actor: str) -> dict[int, Reply]:
        """Take new orders; where the store refuses one, the others are taken one by one."""
        try:
            return dict(await self._store.accept(lane, items, rows, self._clock.now(), actor))
        except StoreFull:
            return {}  # as all are told that are looked at then
        except StoreRefused as refusal:
            if len(rows) == 1:
                return dict.fromkeys(rows, refusal)
        done: dict[int, Reply] = {}
        for at, row in rows.items():
            done |= await self._accept(lane, items, {at: row}, actor)
        return done

    async def _look_at_some(
        self, lane: int, items: list[Intake], some: list[int], actor: str
    ) -> dict[int, Reply]:
        if not some:
            return {}
        return dict(zip(some, await self._look_at(lane, [items[at] for at in some], actor), strict=True))

    async def _look_at(self, lane: int, items: list[Intake], actor: str) -> Sequence[Reply]:
        """Record what is looked at; where an order cannot be read, the others are recorded one by one.

        A store that is full still takes what ends orders.
        """
        try:
            return await self._store.intake(lane, items, self._clock.now(), actor)
        except StoreFull as full:
            old = [item for item in items if item.plan is None]
            replies = iter(await self._look_at(lane, old, actor) if old else ())
            return [full if item.plan is not None else next(replies) for item in items]
        except StoreRefused as refusal:
            if len(items) == 1:
                return [refusal]
        return [reply for item in items for reply in await self._look_at(lane, [item], actor)]

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


def _rejected(event: Event, problem: DispatcherError) -> Result:
    if isinstance(problem, StoreRefused):
        _log.error(EVENT_REFUSED, extra={"shop": event.shop, "order": event.order})
    return Result(id=event.id, status="rejected", order=event.order, problem=problem)


def _result(event: Event, reply: IntakeReply) -> Result:
    refusal = REFUSALS.get(reply.status)
    if refusal is not None:
        return _rejected(event, refusal)
    return Result(
        id=event.id,
        status=reply.status,
        order=event.order,
        reminders=_ids(event, range(1, reply.reminders + 1)),
        stopped=_ids(event, reply.stopped),
        too_late=(*_ids(event, reply.too_late), *reply.carriers),
    )


def _ids(event: Event, steps: Sequence[int]) -> tuple[str, ...]:
    return tuple([reminder_id(event.shop, event.order or "", step) for step in steps]) if steps else ()
