"""What time alone does: leases end, orders close and retire, old events are forgotten."""

import logging
from collections import Counter
from collections.abc import Awaitable, Callable, Sequence

from dispatcher.errors import StoreRefused
from dispatcher.policy.facts import Instant
from dispatcher.storage.keys import loggable
from dispatcher.telemetry import HOUSEKEEPING_REFUSED
from dispatcher.workflow.ports import Clock, Store

_log = logging.getLogger(__name__)

PAGE = 500
"""Reminders or timers in one call."""


class Housekeeping:
    """Does what is due in a lane; every part is safe to repeat and to run in several workers at once."""

    def __init__(self, store: Store, clock: Clock) -> None:
        self._store = store
        self._clock = clock

    async def tidy(self, lanes: Sequence[int]) -> Counter[str]:
        """End leases and give timers their turn in those lanes that need it, asking once for all of them."""
        done: Counter[str] = Counter()
        expired, turning = await self._store.overdue(lanes, self._clock.now())
        for lane in expired:
            done.update(await self.sweep(lane))
        for lane in turning:
            done.update(await self.turn(lane))
        return done

    async def sweep(self, lane: int) -> Counter[str]:
        """End leases that ran out; return counts by what became of the reminders."""
        return await self._pages(lane, self._store.expired, self._store.sweep)

    async def turn(self, lane: int) -> Counter[str]:
        """Close, retire and forget what is due; return counts by what was done."""
        return await self._pages(lane, self._store.timers, self._store.turn)

    async def _pages(
        self,
        lane: int,
        find: Callable[[int, Instant, int], Awaitable[list[str]]],
        act: Callable[[int, Sequence[str], Instant], Awaitable[list[str]]],
    ) -> Counter[str]:
        done: Counter[str] = Counter()
        now = self._clock.now()
        while found := await find(lane, now, PAGE):
            answers = await self._act(act, lane, found, now)
            done.update(answers)
            if len(found) < PAGE or not answers:
                break
        return done

    async def _act(
        self,
        act: Callable[[int, Sequence[str], Instant], Awaitable[list[str]]],
        lane: int,
        names: Sequence[str],
        now: Instant,
    ) -> list[str]:
        """Act on a page; where one of it cannot be read, on the others one by one."""
        try:
            return await act(lane, names, now)
        except StoreRefused:
            if len(names) == 1:
                _log.error(HOUSEKEEPING_REFUSED, extra={"lane": lane, "refused": loggable(names[0])})
                return []
        return [answer for name in names for answer in await self._act(act, lane, [name], now)]
