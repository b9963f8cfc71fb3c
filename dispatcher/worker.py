"""arq's door: a worker's turns, one a second, as long as the store is there and over its absences."""

import asyncio
import logging
import os
import socket
from collections.abc import Awaitable, Collection
from pathlib import Path
from typing import Any

import arq
import msgspec
from arq.connections import ArqRedis
from arq.cron import cron

from dispatcher.channels.base import Channel
from dispatcher.channels.stub import StubChannel
from dispatcher.ending import ARQ_SECONDS, COMMITTED_SECONDS
from dispatcher.errors import StoreUnavailable
from dispatcher.opening import open_service
from dispatcher.policy.facts import Channel as ChannelName
from dispatcher.settings import Settings
from dispatcher.storage import keys
from dispatcher.storage.client import StoreClient
from dispatcher.telemetry import ARQ_ENDED, ENDED, STARTED, STORE_AWAY, STORE_BACK, TURN_FAILED, about_error
from dispatcher.wiring import Service, SystemClock, connect

HANDED_OVER = "handed_over.log"
"""Where the stub channels write, in the data directory."""

STORE_SECONDS = 5.0
"""How long the store may take to answer a worker."""
WATCH_MS = 3_000
"""How long a turn goes on if no later one relieves it."""
ALONE_MS = 1_000
"""How long a turn goes on that is taken without arq."""
TIDY_SECONDS = 10.0
"""How long ending leases and timers may take in one turn."""
TOLD_ALONE = 2
"""So many turns without arq while the store is there are told; one follows each absence of it."""
RETRY_SECONDS = 0.25
"""How long after the store or arq went away they are tried again."""

TURNS_AT_ONCE = 4
TURN_TIMEOUT_SECONDS = 15
POLL_SECONDS = 0.25
"""How often arq looks for a turn; the one before goes on until it is relieved."""
HEALTH_SECONDS = 5
ARCHIVE_EACH_SECONDS = 5
LEFT_OVER_SECONDS = 60
"""How long the queue of a worker that was killed stays in the store."""

_log = logging.getLogger(__name__)


class Worker:
    """Takes turns until it is told to end: hands over what is due, ends leases, gives timers their turn."""

    def __init__(self, service: Service, client: StoreClient) -> None:
        self._service = service
        self._lanes = range(service.store.lanes)
        self._client = client
        self._name = f"{socket.gethostname()}-{os.getpid()}"
        self._tidying = asyncio.Lock()
        self._away = False
        self._turns_alone = 0
        self._left: set[asyncio.Task[Any]] = set()

    async def serve(self, told: asyncio.Event) -> None:
        """Work until told to end; then finish what was committed, within `ending.WORKER_SECONDS`.

        A call that has no answer by then is cut short, and nothing is recorded of it: its reminder becomes
        uncertain when its lease ends.
        """
        waiting = asyncio.create_task(told.wait())
        while not told.is_set():
            error = await self._under_arq(waiting)
            if error is not None and not told.is_set():
                await self._without_arq(waiting, error)
                await asyncio.wait({waiting}, timeout=RETRY_SECONDS)
        await self._finish(self._left)
        for turn in self._left:
            turn.cancel()
        if self._left:
            await asyncio.wait(set(self._left), timeout=ARQ_SECONDS)

    async def _under_arq(self, waiting: asyncio.Task[Any]) -> BaseException | None:
        """Take the turns that arq gives until told to end, or until arq ends: return why it did."""
        worker = self._arq()
        running = asyncio.create_task(self._run(worker))
        await asyncio.wait({waiting, running}, return_when=asyncio.FIRST_COMPLETED)
        worker.allow_pick_jobs = False
        if waiting.done():
            await self._finish(worker.tasks.values())
        turns = set(worker.tasks.values())
        running.cancel()
        (end,) = await asyncio.gather(running, return_exceptions=True)
        # They outlive an arq that the store has ended; what is left of them in the end is broken off.
        self._left |= turns
        for turn in turns:
            turn.add_done_callback(_noticed)
            turn.add_done_callback(self._left.discard)
        return None if isinstance(end, asyncio.CancelledError) else end

    async def _without_arq(self, waiting: asyncio.Task[Any], error: BaseException) -> None:
        """Take one turn, which is broken off when told to end."""
        turn = asyncio.create_task(self._alone(error))
        await asyncio.wait({waiting, turn}, return_when=asyncio.FIRST_COMPLETED)
        if waiting.done():
            await self._finish((turn,))
        turn.cancel()
        await asyncio.wait({turn})
        if not turn.cancelled():
            turn.result()

    async def _finish(self, turns: Collection[asyncio.Task[Any]]) -> None:
        """Finish what was committed; turns that are under way end with it, but for what else they do."""
        await self._service.dispatcher.finish(COMMITTED_SECONDS)
        if turns:
            await asyncio.wait(set(turns), timeout=ARQ_SECONDS)

    async def _run(self, worker: arq.Worker) -> None:
        await worker.pool.delete(worker.queue_name)
        try:
            await worker.async_run()
        except asyncio.CancelledError:
            async with asyncio.timeout(ARQ_SECONDS):
                await worker.pool.delete(worker.queue_name, worker.health_check_key)
            raise

    def _arq(self) -> arq.Worker:
        pool = ArqRedis(
            self._client.connection_pool,
            job_serializer=msgspec.msgpack.encode,
            job_deserializer=msgspec.msgpack.decode,
            default_queue_name=keys.turns(self._name),
        )
        seconds = set(range(60))
        return arq.Worker(
            queue_name=pool.default_queue_name,
            cron_jobs=[
                cron(
                    self.turn, name="turn", second=seconds, microsecond=0, run_at_startup=True, unique=False
                ),
                cron(
                    self.archive,
                    name="archive",
                    second=set(range(0, 60, ARCHIVE_EACH_SECONDS)),
                    microsecond=500_000,
                    unique=False,
                ),
            ],
            redis_pool=pool,
            handle_signals=False,
            max_jobs=TURNS_AT_ONCE,
            job_timeout=TURN_TIMEOUT_SECONDS,
            keep_result=0,
            retry_jobs=False,
            poll_delay=POLL_SECONDS,
            health_check_interval=HEALTH_SECONDS,
            health_check_key=keys.health(self._name),
            job_serializer=msgspec.msgpack.encode,
            job_deserializer=msgspec.msgpack.decode,
            log_results=False,
        )

    async def _alone(self, error: BaseException) -> None:
        """Take a turn without arq, which needs room in the store where ending reminders needs none."""
        if await self._take_turn(ALONE_MS):
            self._turns_alone += 1
            if self._turns_alone == TOLD_ALONE:
                _log.warning(ARQ_ENDED, extra=about_error(error))

    async def turn(self, ctx: dict[Any, Any]) -> None:
        """Take a turn that arq gives."""
        self._turns_alone = 0
        await self._take_turn(WATCH_MS)

    async def archive(self, ctx: dict[Any, Any]) -> None:
        """Move closed segments of the audit to disk."""
        await self._guarded(self._archive())

    async def _take_turn(self, milliseconds: int) -> bool:
        until = self._service.clock.now() + milliseconds
        watch = self._service.dispatcher.drain(self._lanes, until)
        well = await asyncio.gather(self._guarded(self._tidy()), self._guarded(watch))
        if all(well) and self._away:
            self._away = False
            _log.info(STORE_BACK)
        return all(well)

    async def _tidy(self) -> None:
        if self._tidying.locked():
            return
        async with self._tidying, asyncio.timeout(TIDY_SECONDS):
            await self._service.housekeeping.tidy(self._lanes)

    async def _archive(self) -> None:
        await self._client.expire(keys.turns(self._name), LEFT_OVER_SECONDS)
        for lane in self._lanes:
            await self._service.audit.archive(lane)

    async def _guarded(self, work: Awaitable[object]) -> bool:
        """Do a part of a turn and tell whether it went well; what goes wrong is logged and ends nothing."""
        try:
            await work
        except StoreUnavailable as error:
            if not self._away:
                self._away = True
                _log.warning(STORE_AWAY, extra={"error": error.code, "detail": str(error)})
            return False
        except Exception as error:
            _log.error(TURN_FAILED, extra=about_error(error))
            return False
        return True


def _noticed(turn: asyncio.Task[Any]) -> None:
    """Take note of how a turn ended whose arq is gone."""
    if not turn.cancelled():
        turn.exception()


async def work(settings: Settings, data: Path, told: asyncio.Event) -> None:
    """Work as one worker until told to end; the store may come and go."""
    clock = SystemClock()
    await asyncio.to_thread(data.mkdir, parents=True, exist_ok=True)
    stubs = [StubChannel(name, clock.now, data / HANDED_OVER) for name in ("chat", "sms")]
    channels: dict[ChannelName, Channel] = {stub.name: stub for stub in stubs}
    clients = [connect(url=settings.redis_url, timeout_seconds=STORE_SECONDS) for _ in range(2)]
    try:
        service = await open_service(settings, clients[0], channels, data, told)
        if service is not None:
            _log.info(STARTED, extra={"role": "worker"})
            await Worker(service, clients[1]).serve(told)
            _log.info(ENDED, extra={"role": "worker"})
    finally:
        for client in clients:
            await client.aclose()
        for stub in stubs:
            stub.close()
