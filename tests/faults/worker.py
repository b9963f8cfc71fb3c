"""A worker process that a test may kill at any moment: it sends what is due, and sweeps after others.

    python -m tests.faults.worker ASSIGNMENT

It ends when its standard input does, whether its test is done or gone.
"""

import asyncio
import os
import sys
from collections.abc import Awaitable, Callable, Sequence
from pathlib import Path
from unittest.mock import patch

import msgspec

from dispatcher.channels.base import Channel, Message, Outcome
from dispatcher.channels.stub import StubChannel
from dispatcher.policy.facts import Channel as ChannelName
from dispatcher.policy.facts import Instant
from dispatcher.settings import Settings
from dispatcher.storage.commands import Commit
from dispatcher.storage.records import Lease
from dispatcher.storage.store import Store
from dispatcher.wiring import Service, SystemClock, build, connect

SETTINGS = Settings(
    lanes=4,
    lease_seconds=4.0,
    channel_timeout_seconds=2.0,
    batch=40,
    concurrency=20,
    max_leases=1_000,
    segment_records=2_000,
)
"""A short lease, so that a test need not wait long for what a victim held.

`max_leases` is out of reach: with a kill every half second the same reminders may well be leased by
victim after victim, which says nothing against them.
"""

BEFORE_HAND_OFF_SECONDS = 0.02
AFTER_HAND_OFF_SECONDS = 0.06
BEFORE_COMMIT_SECONDS = 0.03
PAUSE_SECONDS = 0.05


class Assignment(msgspec.Struct, frozen=True, kw_only=True):
    """Where a worker finds the store and leaves its traces; its clock is `offset` ms ahead."""

    name: str
    socket: str
    handoffs: str
    traces: str
    audit: str
    offset: int

    @property
    def tokens(self) -> Path:
        """Return the file with the tokens of its leases, one a line."""
        return Path(self.traces, self.name + ".tokens")

    @property
    def errors(self) -> Path:
        """Return the file that has its standard error."""
        return Path(self.traces, self.name + ".errors")


class ShiftedClock:
    """The machine's clock, so many milliseconds ahead (or behind)."""

    def __init__(self, offset: int) -> None:
        self._offset = offset
        self._system = SystemClock()

    def now(self) -> Instant:
        """Return the pretended instant."""
        return self._system.now() + self._offset


class SlowChannel(StubChannel):
    """A stub that is slow on both sides of the hand-off: a kill may come before it or after."""

    async def send(self, message: Message) -> Outcome:
        """Hand over, and answer late."""
        outcome = await super().send(message)
        await asyncio.sleep(AFTER_HAND_OFF_SECONDS)
        return outcome


class AnnouncingStore(Store):
    """A store that writes down the token of each lease before anything is done under it."""

    tokens: int = -1

    async def lease(self, shop: str, channel: ChannelName, limit: int, now: Instant) -> Lease:
        """Lease, and tell the token."""
        lease = await super().lease(shop, channel, limit, now)
        if lease.items:
            os.write(self.tokens, b"%d\n" % lease.token)
        return lease

    async def commit(
        self, lane: int, commits: Sequence[Commit], now: Instant, actor: str = "system"
    ) -> list[str]:
        """Commit after a while, so that a kill may come between lease and commit too."""
        await asyncio.sleep(BEFORE_COMMIT_SECONDS)
        return await super().commit(lane, commits, now, actor)


async def work(assignment: Assignment) -> None:
    """Work until standard input ends."""
    clock = ShiftedClock(assignment.offset)
    client = connect(socket=Path(assignment.socket))
    client.connection_pool.connection_kwargs["client_name"] = assignment.name
    log = Path(assignment.handoffs)
    stub = SlowChannel("sms", clock.now, log, delay_seconds=BEFORE_HAND_OFF_SECONDS)
    channels: dict[ChannelName, Channel] = {"sms": stub}
    with patch("dispatcher.wiring.Store", AnnouncingStore):
        service = await build(SETTINGS, client, clock, channels, Path(assignment.audit))
    assert isinstance(service.store, AnnouncingStore)
    service.store.tokens = os.open(assignment.tokens, os.O_WRONLY | os.O_APPEND | os.O_CREAT, 0o600)
    done = asyncio.Event()
    asyncio.get_running_loop().add_reader(sys.stdin.fileno(), done.set)
    await _serve(service, service.store.lane_of("demo"), done)
    await client.aclose()


async def _serve(service: Service, lane: int, done: asyncio.Event) -> None:
    async with asyncio.TaskGroup() as group:
        group.create_task(_repeat(lambda: service.dispatcher.drain([lane]), done))
        group.create_task(_repeat(lambda: service.housekeeping.sweep(lane), done))
        group.create_task(_repeat(lambda: service.audit.archive(lane), done))


async def _repeat(act: Callable[[], Awaitable[object]], done: asyncio.Event) -> None:
    """Act, rest until it is time again or all is done, and so on."""
    while not done.is_set():
        await act()
        try:
            async with asyncio.timeout(PAUSE_SECONDS):
                await done.wait()
        except TimeoutError:
            continue


if __name__ == "__main__":
    asyncio.run(work(msgspec.json.decode(sys.argv[1], type=Assignment)))
