"""Lets events of concurrent requests share calls; each is answered when its own events are durable."""

import asyncio
import logging
from collections import OrderedDict, deque
from collections.abc import Callable, Sequence
from typing import Protocol

from dispatcher.errors import DispatcherError, InvalidEvent, Overloaded, StoreUnavailable
from dispatcher.policy.events import Event
from dispatcher.telemetry import EVENT_NOT_TAKEN, EVENTS_NOT_TAKEN, about_error
from dispatcher.workflow.intake import Result

GROUP = 32
"""Events of several requests in a call: so few that the store has some while others are read and planned."""

PART = 64
"""Events of one request in one call: they have been read already, and so are worth a longer one."""

CALLS = 3
"""Calls of a lane under way at once: one in the store, one that is there when it ends, one being planned."""

ENOUGH = GROUP // 2
"""Events that have a call of their own while another one is under way; fewer wait for its end."""

MAX_UNDER_WAY = 20_000
"""Events that may wait or be under way; beyond that requests are refused."""

_log = logging.getLogger(__name__)


class Taker(Protocol):
    """What takes events together."""

    async def take(self, events: Sequence[Event | InvalidEvent], actor: str) -> list[Result]:
        """Return one result an event."""


class _Entry:
    """Events that one request has waiting in a lane."""

    __slots__ = ("done", "events")

    def __init__(self, events: Sequence[Event] = ()) -> None:
        self.events = events
        self.done: asyncio.Future[list[Result]] = asyncio.get_running_loop().create_future()


class _Lane:
    """What waits in a lane, by actor, since a call has one; the actors take turns."""

    def __init__(self, number: int) -> None:
        self.number = number
        self.calls = 0
        self.waiting = 0
        self.queues: OrderedDict[str, deque[_Entry]] = OrderedDict()

    def put(self, actor: str, entry: _Entry) -> None:
        self.queues.setdefault(actor, deque()).append(entry)
        self.waiting += len(entry.events)

    def worth_a_call(self, others: int) -> bool:
        """Tell whether what waits has a call now, while so many `others` are under way."""
        return self.waiting >= (ENOUGH if others else 1)

    def next_group(self) -> tuple[str, list[_Entry]]:
        actor, queue = self.queues.popitem(last=False)
        group = [queue.popleft()]
        size = len(group[0].events)
        while queue and size + len(queue[0].events) <= GROUP:
            group.append(queue.popleft())
            size += len(group[-1].events)
        if queue:
            self.queues[actor] = queue
        self.waiting -= size
        return actor, group

    def emptied(self) -> list[_Entry]:
        found = [entry for queue in self.queues.values() for entry in queue]
        self.queues.clear()
        self.waiting = 0
        return found


class GroupedIntake:
    """Takes events of any requests; what comes in while a call is under way goes with the next one."""

    def __init__(self, intake: Taker, lane_of: Callable[[str], int]) -> None:
        self._intake = intake
        self._lane_of = lane_of
        self._lanes: dict[int, _Lane] = {}
        self._calls: set[asyncio.Task[None]] = set()
        self._unread: list[tuple[Callable[[], Event], str, _Entry]] = []
        self._under_way = 0

    async def take(self, events: Sequence[Event], actor: str) -> list[Result]:
        """Return one result an event, in order; raises `StoreUnavailable` when that is not known of each.

        Events of a lane keep their order. Raises `Overloaded` when too many wait already.
        """
        if self._under_way + len(events) > MAX_UNDER_WAY:
            raise Overloaded("too many events wait already; repeat these later")
        self._under_way += len(events)
        try:
            if len(events) == 1:
                return await self._put(self._lane_of(events[0].shop), events, actor)
            return await self._take_lanes(events, actor)
        finally:
            self._under_way -= len(events)

    async def take_one(self, read: Callable[[], Event], actor: str) -> Result:
        """Take the event that `read` returns, as `take` does; raises what `read` raises too.

        All that came in one turn of the loop are read one after the other, which makes reading faster by a
        third: the processor has at hand what that needs.
        """
        if self._under_way >= MAX_UNDER_WAY:
            raise Overloaded("too many events wait already; repeat these later")
        self._under_way += 1
        try:
            entry = _Entry()
            if not self._unread:
                asyncio.get_running_loop().call_soon(self._read_all)
            self._unread.append((read, actor, entry))
            return (await entry.done)[0]
        finally:
            self._under_way -= 1

    def _read_all(self) -> None:
        unread, self._unread = self._unread, []
        for read, actor, entry in unread:
            if entry.done.done():  # whoever asked has left
                continue
            try:
                event = read()
                entry.events = (event,)
                self._enter(self._lane_of(event.shop), entry, actor)
            except Exception as refusal:
                entry.done.set_exception(refusal)

    async def _take_lanes(self, events: Sequence[Event], actor: str) -> list[Result]:
        lanes: dict[int, list[int]] = {}
        for position, event in enumerate(events):
            lanes.setdefault(self._lane_of(event.shop), []).append(position)

        async def take_lane(lane: int, positions: list[int]) -> dict[int, Result]:
            taken: dict[int, Result] = {}
            for start in range(0, len(positions), PART):
                part = positions[start : start + PART]
                taken |= zip(part, await self._put(lane, [events[at] for at in part], actor), strict=True)
            return taken

        results: dict[int, Result] = {}
        for taken in await asyncio.gather(*(take_lane(lane, found) for lane, found in lanes.items())):
            results |= taken
        return [results[position] for position in range(len(events))]

    async def _put(self, number: int, events: Sequence[Event], actor: str) -> list[Result]:
        entry = _Entry(events)
        self._enter(number, entry, actor)
        return await entry.done

    def _enter(self, number: int, entry: _Entry, actor: str) -> None:
        lane = self._lanes.get(number)
        if lane is None:
            lane = self._lanes[number] = _Lane(number)
        lane.put(actor, entry)
        if lane.calls < CALLS and lane.worth_a_call(lane.calls):
            lane.calls += 1
            call = asyncio.create_task(self._work(lane))
            self._calls.add(call)
            call.add_done_callback(self._calls.discard)

    async def _work(self, lane: _Lane) -> None:
        """Make one call after the other; the last to end leaves nothing behind."""
        try:
            while lane.worth_a_call(lane.calls - 1):
                actor, group = lane.next_group()
                await self._take(lane, actor, group)
        finally:
            lane.calls -= 1

    async def _take(self, lane: _Lane, actor: str, group: list[_Entry]) -> None:
        events = [event for entry in group for event in entry.events]
        try:
            results = await self._intake.take(events, actor)
        except StoreUnavailable as away:
            self._refuse(lane, group, away)
        except Exception as error:
            _log.error(EVENTS_NOT_TAKEN, extra={"lane": lane.number, **about_error(error)})
            await self._take_singly(lane, actor, group)
        except BaseException:
            for entry in group:
                entry.done.cancel()
            raise
        else:
            taken = iter(results)
            for entry in group:
                _answer(entry, [next(taken) for _ in entry.events])

    def _refuse(self, lane: _Lane, group: Sequence[_Entry], away: StoreUnavailable) -> None:
        """Tell all who wait that the store is away: nobody shall wait for one failure after the other."""
        for entry in (*group, *lane.emptied()):
            if not entry.done.done():
                entry.done.set_exception(type(away)(str(away)))

    async def _take_singly(self, lane: _Lane, actor: str, group: Sequence[_Entry]) -> None:
        """Take events one by one after their call failed, so that only the one it failed on is refused."""
        for place, entry in enumerate(group):
            results = []
            for event in entry.events:
                try:
                    results += await self._intake.take([event], actor)
                except StoreUnavailable as away:
                    self._refuse(lane, group[place:], away)
                    return
                except Exception as error:
                    _log.error(EVENT_NOT_TAKEN, extra={"lane": lane.number, **about_error(error)})
                    problem = DispatcherError("the event could not be taken")
                    results.append(Result(id=event.id, status="rejected", order=event.order, problem=problem))
            _answer(entry, results)


def _answer(entry: _Entry, results: list[Result]) -> None:
    if not entry.done.done():  # whoever asked may have left
        entry.done.set_result(results)
