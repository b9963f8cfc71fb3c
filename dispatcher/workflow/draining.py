"""Keeps batches under way: fair between shops, and a slow channel holds up no other."""

import asyncio
import logging
from collections import Counter
from collections.abc import Awaitable, Callable, Coroutine, Iterable, Sequence
from functools import partial
from typing import Any

from dispatcher.errors import StoreUnavailable
from dispatcher.policy.facts import CHANNELS, Channel, Instant
from dispatcher.telemetry import BATCH_FAILED, about_error
from dispatcher.workflow.ports import Clock
from dispatcher.workflow.rota import Rota

LOOK_SECONDS = 0.08
"""How often a watch looks for what has become due."""

Ready = Callable[[Sequence[int]], Awaitable[list[tuple[str, Channel]]]]
Room = Callable[[Channel], int]
Leave = Callable[[Channel, int], None]
Work = Callable[[str, Channel, int], Coroutine[Any, Any, Counter[str]]]

_log = logging.getLogger(__name__)


class Hands:
    """Up to `at_once` batches of each channel under way.

    `ready` names the shops and channels that have something due, `room` takes room for a batch of a channel
    (0: none now), `work` does one and `leave` gives its room back.
    """

    def __init__(
        self, ready: Ready, room: Room, work: Work, leave: Leave, clock: Clock, at_once: int
    ) -> None:
        self._ready = ready
        self._room = room
        self._work = work
        self._leave = leave
        self._clock = clock
        self._at_once = at_once
        self._rotas: dict[Channel, Rota] = {channel: Rota() for channel in CHANNELS}
        self._batches: set[asyncio.Task[Counter[str]]] = set()
        self._news = asyncio.Event()
        self._untold = False  # of what was done, which may have made something due on another channel
        self._watch = 0
        self._stopped = False

    async def finish(self, seconds: float) -> None:
        """Take no more batches and wait so long for those under way; what is not done then is cut short."""
        self._stopped = True
        self._news.set()
        if self._batches:
            await asyncio.wait(self._batches, timeout=seconds)
        await _cut_short(self._batches)

    async def work_off(self, lanes: Sequence[int]) -> Counter[str]:
        """Work until nothing is due and nothing under way; return what was done.

        What became due while it was asked what is due, an answer may not know. So it ends when nothing was
        done after a question that was asked while nothing was under way.
        """
        shift, done_before = _Shift(), -1
        try:
            while shift.batches or shift.done.total() > done_before:
                if shift.batches:
                    await self._heard_within(None)
                else:
                    done_before = shift.done.total()
                    self._hear()
                await self._start_all(lanes, shift)
        finally:
            await _cut_short(shift.batches)  # there are none, unless we are cut short ourselves
            for rota in self._rotas.values():
                rota.clear()
        return shift.result()

    async def keep_watch(self, lanes: Sequence[int], until: Instant) -> Counter[str]:
        """Work on what is or becomes due up to an instant, or until a later watch begins."""
        shift = _Shift()
        loop = asyncio.get_running_loop()
        self._watch += 1
        watch = self._watch

        def on_duty() -> bool:
            return self._watch == watch and shift.error is None and self._clock.now() < until

        while on_duty() and not self._stopped:
            for rota in self._rotas.values():
                rota.look()
            look_at = loop.time() + LOOK_SECONDS
            await self._start_all(lanes, shift)
            while await self._heard_within(look_at - loop.time()) and on_duty():
                await self._start_all(lanes, shift)
        return shift.result()

    def _hear(self) -> None:
        self._untold = False
        for rota in self._rotas.values():
            rota.news()

    async def _heard_within(self, seconds: float | None) -> bool:
        """Wait until a batch has ended or all are to end, at most so long; tell whether that was so."""
        if self._stopped and seconds is not None:
            return False
        self._news.clear()
        try:
            async with asyncio.timeout(seconds):
                await self._news.wait()
        except TimeoutError:
            return False
        return True

    async def _start_all(self, lanes: Sequence[int], shift: "_Shift") -> None:
        """Start batches until all hands are busy or no shop is left that may have something due."""
        while shift.error is None and not self._stopped:
            if self._wants_round():
                try:
                    ready = await self._ready(lanes)
                except StoreUnavailable as away:
                    shift.error = away
                    return
                if self._stopped:  # meanwhile: nobody would wait for what is begun now
                    return
                for channel, rota in self._rotas.items():
                    if rota.wants_round:
                        rota.begin(shop for shop, name in ready if name == channel)
            if not self._start(shift) and not self._wants_round():
                return

    def _wants_round(self) -> bool:
        return any(rota.wants_round and rota.under_way < self._at_once for rota in self._rotas.values())

    def _start(self, shift: "_Shift") -> bool:
        """Start a batch for each shop whose turn it is, as far as there are hands and room for it."""
        started = False
        for channel, rota in self._rotas.items():
            while rota.waiting and rota.under_way < self._at_once and (room := self._room(channel)):
                shop = rota.take()
                task = asyncio.create_task(self._work(shop, channel, room))
                self._batches.add(task)
                shift.batches.add(task)
                task.add_done_callback(partial(self._back, shift, shop, channel, room, rota.heard))
                started = True
        return started

    def _back(
        self,
        shift: "_Shift",
        shop: str,
        channel: Channel,
        room: int,
        heard: int,
        task: "asyncio.Task[Counter[str]]",
    ) -> None:
        """Note what a batch did; where it failed its drain ends."""
        self._leave(channel, room)
        self._batches.discard(task)
        shift.batches.discard(task)
        error = None if task.cancelled() else task.exception()
        if error is not None:
            shift.error = shift.error or error
            if not isinstance(error, StoreUnavailable):
                _log.error(BATCH_FAILED, extra=about_error(error))
        done: Counter[str] = Counter() if error or task.cancelled() else task.result()
        shift.done.update(done)
        self._rotas[channel].back(shop, found=done.total(), room=room, heard=heard)
        if done:
            self._rotas[channel].news()
            self._untold = True
        # A shop whose batch was full goes on at once; meanwhile a look is soon enough for other channels.
        if self._untold and done.total() < room:
            self._hear()
        self._news.set()


class _Shift:
    """What one drain has done and has under way, and what ended it."""

    def __init__(self) -> None:
        self.done: Counter[str] = Counter()
        self.batches: set[asyncio.Task[Counter[str]]] = set()
        self.error: BaseException | None = None

    def result(self) -> Counter[str]:
        """Return what was done; raise what ended it."""
        if self.error is not None:
            raise self.error
        return self.done


async def _cut_short(tasks: Iterable[asyncio.Task[Counter[str]]]) -> None:
    left = list(tasks)
    for task in left:
        task.cancel()
    await asyncio.gather(*left, return_exceptions=True)
