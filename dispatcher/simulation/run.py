"""Runs order files through the real wiring: what falls on one instant is taken events first."""

from collections.abc import Callable, Sequence
from itertools import groupby

from dispatcher.errors import NotNow
from dispatcher.policy.facts import Instant
from dispatcher.policy.reminders import Status
from dispatcher.simulation.clock import VirtualClock
from dispatcher.simulation.readers import SourceEvent
from dispatcher.storage.keys import split_reminder_id
from dispatcher.wiring import DAY_MS, Service
from dispatcher.workflow.intake import Result

LANE = 0
"""A simulation's store has one lane."""

RETENTION_DAYS = 36_500.0
"""Nothing retires in a simulation, so that the report can look back on all of it."""

HORIZON_MS = 1_000 * DAY_MS
"""What has its turn so long after the last event is a retirement: the simulation is over before it."""

AGENT = "simulated"
ACTOR = "key:simulation"


class Simulation:
    """Events under a virtual clock; call tasks are claimed as soon as the policy allows a call."""

    def __init__(self, service: Service, clock: VirtualClock) -> None:
        self._service = service
        self._clock = clock
        self._unclaimed: list[str] = []
        self.rejected: list[Result] = []

    async def run(self, events: Sequence[SourceEvent], progress: Callable[[int], None]) -> None:
        """Let everything happen that the events lead to; `progress` hears how many were taken."""
        for at, group in groupby(events, key=lambda event: event.at):
            await self._live_until(at)
            self._clock.advance_to(at)
            together = [source.event for source in group]
            results = await self._service.intake.take(together, ACTOR)
            self.rejected += [result for result in results if result.status == "rejected"]
            progress(len(together))
        if events:
            await self._live_until(events[-1].at + HORIZON_MS)

    async def _live_until(self, end: Instant) -> None:
        """Give everything its turn that comes before `end`."""
        while (turn := await self._service.store.next_turn(LANE)) is not None and turn < end:
            self._clock.advance_to(turn)
            await self._service.housekeeping.sweep(LANE)
            await self._service.housekeeping.turn(LANE)
            done = await self._service.dispatcher.drain([LANE])
            if done["open"] or self._unclaimed:
                await self._claim()

    async def _claim(self) -> None:
        self._unclaimed = await self._open_tasks()
        for task in list(self._unclaimed):
            try:
                await self._service.tasks.claim(task, AGENT, f"user:{AGENT}")
            except NotNow:
                continue
            self._unclaimed.remove(task)

    async def _open_tasks(self) -> list[str]:
        waiting = await self._service.store.waiting(LANE, "phone")
        orders = await self._service.store.orders([split_reminder_id(task)[:2] for task in waiting])
        found = []
        for task in waiting:
            shop, order, number = split_reminder_id(task)
            if orders[shop, order].steps[number - 1].status is Status.OPEN:
                found.append(task)
        return found
