"""Workers that stop around every call that matters, until the test lets them go on or kills them."""

import asyncio
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from dispatcher.channels.base import Accepted, Message, Outcome, Refused, Unknown
from dispatcher.policy.facts import Channel as ChannelName
from dispatcher.policy.facts import Instant
from dispatcher.settings import Settings
from dispatcher.simulation.clock import VirtualClock
from dispatcher.storage.client import StoreClient
from dispatcher.storage.commands import Commit, Settlement
from dispatcher.wiring import Service, build
from dispatcher.workflow.dispatch import Dispatcher


class Gate:
    """Where a worker waits, at one place or several; `news` is set when it comes to stand or ends."""

    def __init__(self) -> None:
        self.news = asyncio.Event()
        self._waiting: list[tuple[str, asyncio.Future[None]]] = []

    @property
    def places(self) -> list[str]:
        """Where the worker stands, the longest stop first."""
        return [place for place, _ in self._waiting]

    async def stop_at(self, place: str) -> None:
        """Wait here until the test says go."""
        stop = (place, asyncio.get_running_loop().create_future())
        self._waiting.append(stop)
        self.news.set()
        try:
            await stop[1]
        finally:
            self._waiting.remove(stop)

    def go(self) -> None:
        """Let the longest stop end."""
        self._waiting[0][1].set_result(None)


class GatedStore:
    """The real store, with stops around the calls between which a worker can die."""

    def __init__(self, store: Any, gate: Gate) -> None:
        self._store = store
        self._gate = gate

    def __getattr__(self, name: str) -> Any:
        return getattr(self._store, name)

    async def lease(self, *args: Any) -> Any:
        """Stop after leasing."""
        lease = await self._store.lease(*args)
        await self._gate.stop_at("leased")
        return lease

    async def commit(self, lane: int, commits: Sequence[Commit], now: Instant, actor: str = "system") -> Any:
        """Stop after committing, before the answer arrives."""
        answers = await self._store.commit(lane, commits, now, actor)
        await self._gate.stop_at("committed")
        return answers

    async def settle(self, lane: int, settlements: Sequence[Settlement], now: Instant) -> Any:
        """Stop before settling and after it."""
        await self._gate.stop_at("sent")
        answers = await self._store.settle(lane, settlements, now)
        await self._gate.stop_at("settled")
        return answers


class GatedChannel:
    """A provider whose answers the test chooses; it notes every hand-off at the instant it happens."""

    def __init__(self, name: ChannelName, worker: "Worker") -> None:
        self.name = name
        self._worker = worker

    async def send(self, message: Message) -> Outcome:
        """Stop before the hand-off and after it."""
        answer = self._worker.answers.pop(0) if self._worker.answers else "accept"
        match answer:
            case "refuse":
                return Refused(reason="channel_down", temporary=True)
            case "reject":
                return Refused(reason="rejected", temporary=False)
            case "hang":
                return Unknown(reason="no answer")
        self._worker.handed.append((message, self._worker.clock.now()))
        await self._worker.gate.stop_at("handed over")
        return Unknown(reason="no answer") if answer == "silent" else Accepted()


class Worker:
    """One worker process of the world: it can be started on a lane, let go from stop to stop, and killed."""

    def __init__(self, service: Service, clock: VirtualClock, handed: list[tuple[Message, Instant]]) -> None:
        self.service = service
        self.clock = clock
        self.handed = handed
        self.gate = Gate()
        self.answers: list[str] = []
        self.task: asyncio.Task[Any] | None = None

    def start(self, lane: int) -> None:
        """Begin to work the lane off."""
        self.task = asyncio.get_running_loop().create_task(self.service.dispatcher.drain([lane]))
        self.task.add_done_callback(lambda _: self.gate.news.set())

    async def stand_still(self) -> None:
        """Wait until the worker stands at a stop or has ended."""
        self.gate.news.clear()
        while self.task is not None and not self.task.done() and not self.gate.places:
            await self.gate.news.wait()
            self.gate.news.clear()
        if self.task is not None and self.task.done():
            self.task.result()
            self.task = None

    async def kill(self) -> None:
        """Die where it stands: nothing that comes after is done."""
        assert self.task is not None
        self.task.cancel()
        await asyncio.gather(self.task, return_exceptions=True)
        self.task = None


async def worker(
    redis: StoreClient,
    clock: VirtualClock,
    settings: Settings,
    audit_directory: Path,
    handed: list[tuple[Message, Instant]],
) -> Worker:
    """Build a worker with a service of its own over a shared store."""
    service = await build(settings, redis, clock, {}, audit_directory)
    made = Worker(service, clock, handed)
    channels = {name: GatedChannel(name, made) for name in ("chat", "sms")}
    wired = await build(settings, redis, clock, channels, audit_directory)  # type: ignore[arg-type]
    store = GatedStore(wired.store, made.gate)
    wired.dispatcher._store = store
    made.service = wired
    return made


__all__ = ["Dispatcher", "Worker", "worker"]
