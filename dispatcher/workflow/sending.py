"""Hands messages over: bounded concurrency, a time limit each, and no call at or after `valid_until`."""

import asyncio
from collections import deque
from collections.abc import Awaitable, Callable, Sequence

import msgspec

from dispatcher.channels.base import Accepted, Channel, Message, Outcome, Refused, Unknown
from dispatcher.policy.facts import Instant
from dispatcher.workflow.judging import Handover
from dispatcher.workflow.limiting import TimeLimit
from dispatcher.workflow.ports import Clock

CALLS_REMEMBERED = 50
"""How many calls, about, the time that a channel takes is averaged over."""


FIRST_CALL_MS = 1000.0
"""What a call is taken to need until one was made."""


class HandedOver(msgspec.Struct, kw_only=True, gc=False):
    """What became of one message; `at` is when its call started, `None` when it never did."""

    handover: Handover
    at: Instant | None
    outcome: Outcome | None


Settle = Callable[[Sequence[HandedOver]], Awaitable[None]]


class Breaker:
    """Keeps a channel that stopped answering from turning its whole queue uncertain.

    After `limit` messages in a row without an answer, or refused for now, the channel rests for
    `rest` ms; then one message at a time tries it again.
    """

    def __init__(self, limit: int, rest: int) -> None:
        self._limit = limit
        self._rest = rest
        self._failures = 0
        self._rests_until: Instant = 0

    def allowed(self, wanted: int, under_way: int, now: Instant) -> int:
        """Return how many of `wanted` messages may be tried while others are under way."""
        if not self.tripped:
            return wanted
        return 0 if under_way or now < self._rests_until else 1

    @property
    def tripped(self) -> bool:
        """Tell whether the channel has stopped answering."""
        return self._failures >= self._limit

    def note(self, outcome: Outcome, now: Instant) -> None:
        """Learn from an outcome."""
        if isinstance(outcome, Unknown) or (isinstance(outcome, Refused) and outcome.temporary):
            self._failures += 1
            self._rests_until = now + self._rest
        else:
            self._failures = 0


class Sender:
    """Hands messages over on one channel for all hands of a worker; `timeout`, `start_within` in ms."""

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
        self._limit = TimeLimit(timeout / 1000)
        self._start_within = start_within
        self._clock = clock
        self._breaker = breaker
        self._concurrency = concurrency
        self._places = asyncio.Semaphore(concurrency)
        self._taken = 0
        self._call_ms = FIRST_CALL_MS

    def take(self, wanted: int) -> int:
        """Take room for up to `wanted` messages and return for how many; `give_back` when they are done.

        There is room for what can start within a second as fast as the channel answers, at least for
        as many as may be under way at once.
        """
        per_second = int(self._concurrency * 1000 / max(self._call_ms, 1.0))
        room = max(self._concurrency, per_second) - self._taken
        taken = self._breaker.allowed(max(0, min(wanted, room)), self._taken, self._clock.now())
        self._taken += taken
        return taken

    def give_back(self, taken: int) -> None:
        """Give room back."""
        self._taken -= taken

    def latest_start(self, now: Instant, lease_end: Instant) -> Instant:
        """Return the instant from which a call decided now must not start any more.

        A payment that comes after the commit is answered `too_late`, so the call follows it closely or
        not at all; and its answer must come before the lease ends.
        """
        return min(now + self._start_within, lease_end - self.timeout)

    async def send(self, messages: Sequence[Handover], settle: Settle) -> None:
        """Hand messages over; `settle` gets what became of them, as soon and as many at once as there are."""
        done: list[HandedOver] = []
        news = asyncio.Event()
        queue = deque(messages)
        trial = len(messages) == 1
        async with asyncio.TaskGroup() as group:
            group.create_task(self._work(queue, done, news, trial=trial))
            # One is enough for a channel that answers at once; any other has only been asked by now.
            await asyncio.sleep(0)
            for _ in range(min(self._concurrency - 1, len(queue))):
                group.create_task(self._work(queue, done, news, trial=trial))
            left = len(messages)
            while left:
                await news.wait()
                news.clear()
                finished, done[:] = done[:], []
                left -= len(finished)
                await settle(finished)

    async def _work(
        self, queue: deque[Handover], done: list[HandedOver], news: asyncio.Event, *, trial: bool
    ) -> None:
        while queue:
            handover = queue.popleft()
            async with self._places:
                stopped = self._breaker.tripped and not trial
                done.append(await self._hand_over(handover, stopped=stopped))
            news.set()

    async def _hand_over(self, handover: Handover, *, stopped: bool) -> HandedOver:
        at = self._clock.now()
        if at >= handover.valid_until or stopped:
            return HandedOver(handover=handover, at=None, outcome=None)
        outcome = await self._call(handover.message)
        now = self._clock.now()
        self._call_ms += (now - at - self._call_ms) / CALLS_REMEMBERED
        self._breaker.note(outcome, now)
        return HandedOver(handover=handover, at=at, outcome=outcome)

    async def _call(self, message: Message) -> Outcome:
        """Call the channel; whatever a broken one does, it tells nothing about the message."""
        try:
            with self._limit.call():
                answer: object = await self.channel.send(message)
        except TimeoutError:
            return Unknown(reason="no answer in time")
        except asyncio.CancelledError as error:
            task = asyncio.current_task()
            if task is None or task.cancelling():
                raise
            return Unknown(reason=type(error).__name__)
        except Exception as error:
            return Unknown(reason=type(error).__name__)
        return _understood(answer)


def _understood(answer: object) -> Outcome:
    """Return a channel's answer in this package's own words; one that is none of the three is no answer."""
    match answer:
        case Accepted():
            return answer
        case Refused(temporary=bool(temporary)):
            return Refused(reason="channel_down" if temporary else "rejected", temporary=temporary)
        case Unknown():
            return Unknown(reason="no answer")
    return Unknown(reason="no outcome")
