"""Events per second over HTTP, one a request and in batches, and an empty handler to compare with.

    python -m tests.benchmarks.ingest [EVENTS]

A real `dispatcher api` on a store that syncs every write, loopback, the load from another process over
64 connections that stay open (4 for batches); every answer must be a 202 and every event accepted. The
empty handler has the same server, application and router, reads the same bodies and answers a constant 202
without authorization or decoding. The framework calls it as it calls any handler but that of events, which
has a middleware that calls it at once. The sides have their turns one after the other; what stands is the
median.
"""

from hashlib import sha256
from pathlib import Path
from statistics import median

import msgspec

from dispatcher.policy.document import default_policy
from dispatcher.policy.zones import DAY, iso
from dispatcher.settings import Settings
from dispatcher.storage.access import AccessKeys, StoredKey
from dispatcher.wiring import Service, SystemClock, build
from tests.benchmarks import empty
from tests.benchmarks.load import Load, Seen
from tests.benchmarks.processes import answering, free_port, output, started, store_at
from tests.benchmarks.scene import ACTOR, ROUNDS, SHOP, Figures, alone, durable, opened, tell

CONNECTIONS = 64
BATCH_CONNECTIONS = 4
BATCH = 500
BATCH_SHARE = 4
"""Batches bring so many times more events, so that each side has about as long a turn."""
SECRET = "benchmark-secret-that-opens-nothing-else"
TOKEN = f"dk_benchmark_{SECRET}"


async def measure(directory: Path, events: int) -> Figures:
    """Give each side its turns and return the medians."""
    rates: dict[str, list[float]] = {"single": [], "empty": [], "batch": []}
    async with opened(directory) as (store, redis):
        clock = SystemClock()
        service = await build(Settings(), redis, clock, {}, directory / "audit")
        await _open_shop(service)
        port, empty_port = free_port(), free_port()
        environment = store_at(store.socket)
        async with (
            started(
                "dispatcher", "api", "--port", str(port), "--data", str(directory), environment=environment
            ) as api,
            started(
                "tests.benchmarks.empty", str(empty_port), str(directory), environment=environment
            ) as peer,
        ):
            await answering(api, port)
            await answering(peer, empty_port)
            singles = _Side(port, "/v1/events", events, CONNECTIONS)
            nothing = _Side(empty_port, empty.PATH, events, CONNECTIONS)
            requests = max(1, events * BATCH_SHARE // BATCH)
            batches = _Side(port, "/v1/events", requests, BATCH_CONNECTIONS, BATCH)
            for _ in range(ROUNDS):
                for name, side in {"single": singles, "empty": nothing, "batch": batches}.items():
                    rates[name].append(await side.turn())
                    tell(f"ingest, {name}: {rates[name][-1]:.0f} events/s")
        described = await durable(redis)
    single, nothing_per_s = median(rates["single"]), median(rates["empty"])
    return {
        "ingest_single_per_s": round(single),
        "ingest_batch_per_s": round(median(rates["batch"])),
        "empty_handler_per_s": round(nothing_per_s),
        "ingest_ratio": round(single / nothing_per_s, 2),
        "store": described,
    }


async def _open_shop(service: Service) -> None:
    now = service.clock.now()
    await service.put_policy(SHOP, default_policy(), "benchmark", "user:benchmark")
    key = StoredKey(
        sha256=sha256(SECRET.encode()).hexdigest(), shops=(SHOP,), scopes=("events:write",), created_at=now
    )
    await AccessKeys(service.store).create("benchmark", key, now, ACTOR)


class _Side:
    """One kind of request to one server; each turn sends events that were never sent before."""

    _used = 0

    def __init__(self, port: int, path: str, requests: int, connections: int, batch: int = 0) -> None:
        self._port = port
        self._path = path
        self._requests = requests
        self._connections = connections
        self._batch = batch

    async def turn(self) -> float:
        now = SystemClock().now()
        load = Load(
            port=self._port,
            path=self._path,
            token=TOKEN,
            requests=self._requests,
            connections=self._connections,
            batch=self._batch,
            start=self._claim(),
            placed_at=iso(now),
            closes_at=iso(now + DAY),
        )
        printed = await output("tests.benchmarks.load", msgspec.json.encode(load).decode())
        seen = msgspec.json.decode(printed, type=Seen)
        assert seen.answers == load.requests, seen
        if self._path != empty.PATH:
            assert seen.accepted == load.requests * load.events, seen
        return load.requests * load.events / seen.seconds

    def _claim(self) -> int:
        """Return the first of so many numbers as a turn needs at most."""
        first = _Side._used
        _Side._used += 2 * self._requests * max(1, self._batch)
        return first


if __name__ == "__main__":
    alone(measure, 10_000)
