"""Payments and cancellations that arrive exactly while their reminders are under way."""

import asyncio
from collections import Counter
from collections.abc import Iterable, Sequence
from enum import StrEnum
from random import Random
from typing import NamedTuple

from dispatcher.policy.facts import Instant
from dispatcher.storage.commands import Commit, Settlement
from dispatcher.storage.store import Store
from dispatcher.wiring import Service
from dispatcher.workflow.intake import Result
from tests.worlds import event


class Window(StrEnum):
    """Where an event meets the reminder of its order."""

    LEASED = "between lease and commit"
    BESIDE = "at the same time as the commit"
    COMMITTED = "between commit and hand-off"
    HANDED_OVER = "between hand-off and settle"


STANDS = {Window.LEASED: "planned", Window.COMMITTED: "sending", Window.HANDED_OVER: "sending"}
"""The status of a reminder in each window whose order is certain."""


class Ending(NamedTuple):
    """The event that ends an order, and when it comes."""

    window: Window
    kind: str


class Answer(NamedTuple):
    """What was answered to the event that ended an order."""

    ending: Ending
    result: Result


class Race:
    """Posts the ending of each order in `endings` when its reminder reaches the window; `front` takes it.

    `landed` counts the endings by what the store said of the reminder just before: leased, or being
    sent, under the token of the very dispatcher that is held up meanwhile.
    """

    def __init__(self, front: Service, endings: dict[str, Ending], seed: int) -> None:
        self.endings = endings
        self.landed: Counter[Ending] = Counter()
        self.answers: list[Answer] = []
        self._front = front
        self._random = Random(seed)

    async def reach(self, window: Window, commands: Iterable[Commit | Settlement]) -> None:
        """Post what is to arrive in a window at the orders of `commands`; return when it is answered."""
        due = [one for one in commands if one.order in self.endings]
        due = [one for one in due if self.endings[one.order].window is window]
        if not due:
            return
        mine = [(one.order, self.endings.pop(one.order)) for one in due]
        if window in STANDS:
            await self._count(window, due, [ending for _, ending in mine])
        now = self._front.clock.now()
        events = [event(ending.kind, order, now) for order, ending in mine]
        results = await self._front.intake.take(events, "key:test")
        self.answers += [Answer(ending, result) for (_, ending), result in zip(mine, results, strict=True)]

    async def _count(
        self, window: Window, commands: Sequence[Commit | Settlement], endings: Sequence[Ending]
    ) -> None:
        store = self._front.store
        orders = await store.orders([("demo", one.order) for one in commands])
        leases = store.keys(store.lane_of("demo")).leases
        tokens = await store.redis.zmscore(leases, [one.reminder for one in commands])
        for one, token, ending in zip(commands, tokens, endings, strict=True):
            step = orders["demo", one.order].steps[one.step - 1]
            self.landed[ending] += step.status == STANDS[window] and token == one.token

    def goes_first(self) -> bool:
        """Tell whether the event or the commit has the start of two that run at the same time."""
        return self._random.random() < 0.5


class RacingStore(Store):
    """The store as a dispatcher sees it that is always interrupted at the worst moment."""

    race: Race | None = None

    async def commit(
        self, lane: int, commits: Sequence[Commit], now: Instant, actor: str = "system"
    ) -> list[str]:
        """Commit, with events before, beside and after."""
        assert self.race is not None
        await self.race.reach(Window.LEASED, commits)
        answers = await self._beside(lane, commits, now, actor)
        await self.race.reach(Window.COMMITTED, _committed(commits, answers))
        return answers

    async def _beside(self, lane: int, commits: Sequence[Commit], now: Instant, actor: str) -> list[str]:
        assert self.race is not None
        commit = super().commit(lane, commits, now, actor)
        ending = self.race.reach(Window.BESIDE, commits)
        if self.race.goes_first():
            _, answers = await asyncio.gather(ending, commit)
        else:
            answers, _ = await asyncio.gather(commit, ending)
        return answers

    async def settle(self, lane: int, settlements: Sequence[Settlement], now: Instant) -> list[str]:
        """Settle, after the events that come when the customer already has the message."""
        assert self.race is not None
        await self.race.reach(Window.HANDED_OVER, [one for one in settlements if one.outcome == "sent"])
        return await super().settle(lane, settlements, now)


def _committed(commits: Sequence[Commit], answers: Sequence[str]) -> list[Commit]:
    return [
        one
        for one, answer in zip(commits, answers, strict=True)
        if answer == "committed" and one.kind == "send"
    ]
