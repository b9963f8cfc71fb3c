"""Orders and payments that a few connections post without end, whatever the API answers."""

import asyncio
from collections import deque
from collections.abc import Sequence
from random import Random
from typing import Any

from dispatcher.wiring import SystemClock
from tests.faults.visitor import Visitor, Wire, paid, unpaid

ORDERS = 6
"""Orders in one batch; every second request is of a single event."""
PAID_SHARE = 0.3
PACE_SECONDS = 0.02
"""A connection rests so long between two requests, so that the load is the same on any machine."""


class Load:
    """What is posted until told to stop: each request is repeated until it is taken.

    `taken` has the result of each event by its id. Each customer has two orders, one after the other.
    """

    def __init__(self, visitor: Visitor, seed: int) -> None:
        self.taken: dict[str, dict[str, Any]] = {}
        self.wrong: list[Any] = []
        self._visitor = visitor
        self._chance = Random(seed)
        self._clock = SystemClock()
        self._stop = asyncio.Event()

    async def run(self, connections: int) -> None:
        """Post over so many connections at once, and look at an order over one more."""
        async with asyncio.TaskGroup() as group:
            for number in range(connections):
                group.create_task(self._post_all(number))
            group.create_task(self._look())

    def stop(self) -> None:
        """Let each connection finish the request it has under way."""
        self._stop.set()

    def results(self, kind: str) -> list[dict[str, Any]]:
        """Return the results of all events of a kind."""
        return [result for event, result in self.taken.items() if event.endswith(kind)]

    async def _post_all(self, connection: int) -> None:
        number = 0
        to_pay: deque[str] = deque()
        while not self._stop.is_set():
            now = self._clock.now()
            size = self._chance.choice((1, ORDERS))
            events: list[Wire] = []
            for _ in range(size):
                order, customer = f"O-{connection}-{number}", f"C-{connection}-{number // 2}"
                events.append(unpaid(order, customer, now))
                number += 1
                if self._chance.random() < PAID_SHARE:
                    to_pay.append(order)
            await self._until_taken(events)
            payments = [to_pay.popleft() for _ in range(self._chance.randint(0, len(to_pay)))]
            if payments:
                await self._until_taken([paid(order, now) for order in payments])
            await asyncio.sleep(PACE_SECONDS)

    async def _until_taken(self, events: Sequence[Wire]) -> None:
        """Post until the answer is 202; of the answers only a 503 may come before it."""
        while (answer := await self._visitor.post(events)).status != 202:
            if answer.status != 503:
                self.wrong.append(answer)
                return
            await asyncio.sleep(PACE_SECONDS)
        for event, result in zip(events, answer.body["results"], strict=True):
            if result["status"] not in ("accepted", "duplicate"):
                self.wrong.append(result)
            self.taken[event["id"]] = result

    async def _look(self) -> None:
        while not self._stop.is_set():
            answer = await self._visitor.get("/v1/orders/demo/O-0-0")
            if answer.status not in (200, 404, 503):
                self.wrong.append(answer)
            await asyncio.sleep(PACE_SECONDS)
