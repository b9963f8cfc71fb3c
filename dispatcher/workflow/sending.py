"""Hands messages over: bounded concurrency, a time limit each, and no call at or after `valid_until`."""

import asyncio
from collections.abc import Awaitable, Callable, Iterator, Sequence

import msgspec

from dispatcher.channels.base import Channel, Outcome, Refused, Unknown
from dispatcher.policy.facts import Instant
from dispatcher.workflow.judging import Judged
from dispatcher.workflow.ports import Clock


class HandedOver(msgspec.Struct, kw_only=True):
    """What became of one message; `at` is when its call started, `None` when it never did."""

    judged: Judged
    at: Instant | None
    outcome: Outcome | None


Settle = Callable[[Sequence[HandedOver]], Awaitable[None]]


class Breaker:
    """Keeps a channel that stopped answering from turning its whole queue uncertain.

    After `limit` messages in a row without an answer, or refused for now, the channel rests for
    `rest` ms; then one message tries it again.
    """

    def __init__(self, limit: int, rest: int) -> None:
        self._limit = limit
        self._rest = rest
        self._failures = 0
        self._rests_until: Instant = 0

    def allowance(self, batch: int, now: Instant) -> int:
        """Return how many messages may be tried now, at most `batch`."""
        if self._failures < self._limit:
            return batch
        if now < self._rests_until:
            return 0
        self._rests_until = now + self._rest  # whoever asks next waits for how this one goes
        return 1

    def note(self, outcome: Outcome, now: Instant) -> None:
        """Learn from an outcome."""
        if isinstance(outcome, Unknown) or (isinstance(outcome, Refused) and outcome.temporary):
            self._failures += 1
            self._rests_until = now + self._rest
        else:
            self._failures = 0


class Sender:
    """Hands messages over on one channel; `timeout` and `start_within` are in ms."""

    def __init__(
        self,
        channel: Channel,
        clock: Clock,
        breaker: Breaker,
        *,
        concurrency: int,
        timeout: int,
        start_within: int,
    ) -> None:
        self.channel = channel
        self.timeout = timeout
        self._start_within = start_within
        self.breaker = breaker
        self._clock = clock
        self._concurrency = concurrency
        self._places = asyncio.Semaphore(concurrency)
        self._pace = concurrency

    def allowance(self, batch: int, now: Instant) -> int:
        """Return how many messages to take at once: no more than can start within about a second."""
        return self.breaker.allowance(min(batch, self._pace), now)

    def latest_start(self, now: Instant, lease_end: Instant) -> Instant:
        """Return the instant from which a call decided now must not start any more.

        A payment that comes after the commit is answered `too_late`, so the call follows it closely or
        not at all; and its answer must come before the lease ends.
        """
        return min(now + self._start_within, lease_end - self.timeout)

    async def send(self, messages: Sequence[Judged], settle: Settle) -> None:
        """Hand messages over; `settle` gets what became of them, as soon and as many at once as there are."""
        started = self._clock.now()
        done: list[HandedOver] = []
        news = asyncio.Event()
        queue = iter(messages)
        async with asyncio.TaskGroup() as group:
            for _ in range(min(self._concurrency, len(messages))):
                group.create_task(self._work(queue, done, news))
            left = len(messages)
            while left:
                await news.wait()
                news.clear()
                finished, done[:] = done[:], []
                left -= len(finished)
                await settle(finished)
        self._learn_pace(len(messages), self._clock.now() - started)

    def _learn_pace(self, count: int, took: int) -> None:
        per_second = count * 1000 // took if took else count * 1000
        self._pace = max(self._concurrency, min(2 * self._pace, per_second))

    async def _work(self, queue: Iterator[Judged], done: list[HandedOver], news: asyncio.Event) -> None:
        for judged in queue:
            async with self._places:
                done.append(await self._hand_over(judged))
            news.set()

    async def _hand_over(self, judged: Judged) -> HandedOver:
        at = self._clock.now()
        if at >= judged.valid_until:
            return HandedOver(judged=judged, at=None, outcome=None)
        assert judged.message is not None
        try:
            async with asyncio.timeout(self.timeout / 1000):
                outcome = await self.channel.send(judged.message)
        except TimeoutError:
            outcome = Unknown(reason="channel_down")
        except Exception as error:  # a broken channel tells nothing about the message
            outcome = Unknown(reason=type(error).__name__)
        self.breaker.note(outcome, self._clock.now())
        return HandedOver(judged=judged, at=at, outcome=outcome)
