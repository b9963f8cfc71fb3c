"""What the measurements share: a durable store of their own, orders, progress on standard error."""

import asyncio
import json
import signal
import sys
import tempfile
from collections.abc import AsyncIterator, Awaitable, Callable, Sequence
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import msgspec
import uvloop

from dispatcher.channels.stub import StubChannel
from dispatcher.opening import settle_memory
from dispatcher.policy.document import Policy, default_policy
from dispatcher.policy.events import Event
from dispatcher.policy.facts import Instant
from dispatcher.settings import Settings
from dispatcher.simulation.clock import VirtualClock
from dispatcher.storage.client import StoreClient
from dispatcher.storage.embedded import EmbeddedStore
from dispatcher.wiring import Service, build, connect
from tests.worlds import NOON, event

ROUNDS = 2
"""How often each side of a comparison has its turn."""
SHOP = "demo"
ACTOR = "key:benchmark"
BATCH = 500
"""Events in one intake where intake is not what is measured."""
ONE_STEP = msgspec.structs.replace(default_policy(), before_close=None)
"""The default policy without its second step: one reminder an order."""

Figures = dict[str, Any]


class Scene(msgspec.Struct, frozen=True, kw_only=True):
    """A service over a durable store, under a clock that the measurement moves."""

    service: Service
    redis: StoreClient
    clock: VirtualClock
    stub: StubChannel

    async def take(self, events: Sequence[Event]) -> None:
        """Take events in batches; each must be accepted."""
        for start in range(0, len(events), BATCH):
            results = await self.service.intake.take(events[start : start + BATCH], ACTOR)
            assert all(result.status == "accepted" for result in results), results[0]

    async def drain(self) -> dict[str, int]:
        """Work off all that is due as one worker and return what became of it."""
        return dict(await self.service.dispatcher.drain([self.service.store.lane_of(SHOP)]))


@asynccontextmanager
async def opened(directory: Path) -> AsyncIterator[tuple[EmbeddedStore, StoreClient]]:
    """Open a store that syncs every write to disk, and end it."""
    with EmbeddedStore(directory / "store") as store:
        redis = connect(socket=store.socket)
        try:
            await durable(redis)
            yield store, redis
        finally:
            await redis.aclose()


@asynccontextmanager
async def scene(directory: Path, policy: Policy, start: Instant = NOON) -> AsyncIterator[Scene]:
    """Open a service with a shop over a store of its own, and end both."""
    async with opened(directory) as (_, redis):
        clock = VirtualClock(start)
        stub = StubChannel("chat", clock.now, directory / "handed_over.log")
        service = await build(Settings(), redis, clock, {"chat": stub}, directory / "audit")
        await service.put_policy(SHOP, policy, "benchmark", "user:benchmark")
        settle_memory()  # as a worker does once it is open; the peer has its turn in the same process
        yield Scene(service=service, redis=redis, clock=clock, stub=stub)
        stub.close()


async def durable(redis: StoreClient) -> str:
    """Read back that every write is synced before it is answered, and what the store is."""
    kept = await redis.config_get("append*")
    assert (kept["appendonly"], kept["appendfsync"]) == ("yes", "always"), kept
    server = await redis.info("server")
    name = server.get("server_name", "redis")
    return f"{name} {server.get(f'{name}_version')}, appendfsync {kept['appendfsync']}"


def order(number: int, placed_at: Instant = NOON) -> Event:
    """Return an unpaid order of a customer of its own."""
    return event(
        "order.unpaid",
        f"O-{number}",
        placed_at,
        customer=f"C-{number}",
        phone=f"+8613{number:09d}",
        name="王女士",
    )


def orders(count: int, start: int = 0, placed_at: Instant = NOON) -> list[Event]:
    """Return unpaid orders; under the default policy those placed at noon are due 15 minutes later."""
    return [order(number, placed_at) for number in range(start, start + count)]


def tell(text: str) -> None:
    """Say how far the measurement is."""
    print(text, file=sys.stderr, flush=True)


def alone(measure: Callable[[Path, int], Awaitable[Figures]], count: int) -> None:
    """Run one measurement with the count of the command line, else `count`, and print its figures as JSON.

    Ends what it started, also when it is told to stop.
    """
    wanted = int(sys.argv[1]) if len(sys.argv) > 1 else count

    async def run(directory: Path) -> Figures:
        task = asyncio.current_task()
        assert task is not None
        asyncio.get_running_loop().add_signal_handler(signal.SIGTERM, task.cancel)
        return await measure(directory, wanted)

    with tempfile.TemporaryDirectory(prefix="dispatcher-bench-") as directory:
        try:
            figures = uvloop.run(run(Path(directory)))
        except (asyncio.CancelledError, KeyboardInterrupt):
            sys.exit("stopped")
    print(json.dumps(figures))
