"""A worker: it takes turns while the store is there, waits while it is away, and ends in order."""

import asyncio
import json
import os
import signal
import subprocess
import sys
from collections.abc import Iterable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any

import pytest
from redis import Redis

from dispatcher.channels.base import Accepted, Message, Outcome
from dispatcher.policy.facts import Channel as ChannelName
from dispatcher.policy.facts import Instant
from dispatcher.settings import Settings
from dispatcher.storage.client import StoreClient
from dispatcher.storage.embedded import EmbeddedStore
from dispatcher.storage.keys import health, turns
from dispatcher.storage.server_settings import SETTINGS
from dispatcher.wiring import Service, SystemClock, build, connect
from dispatcher.worker import HANDED_OVER, TIDY_SECONDS, Worker
from tests.faults.crew import until
from tests.worlds import AT_ONCE, event

SECONDS = 15.0
FOUR_LANES = Settings(lanes=4)
BRIEF_LEASE = Settings(lanes=4, lease_seconds=0.2, channel_timeout_seconds=0.1)


@pytest.fixture
def store(tmp_path: Path) -> Iterator[EmbeddedStore]:
    """A durable store of this test's own, which the test may end."""
    with EmbeddedStore(tmp_path / "store") as server:
        yield server


@contextmanager
def process(url: str, data: Path) -> Iterator["subprocess.Popen[bytes]"]:
    """Run a worker as a process of its own; none is left, however the test ends."""
    with (data / "worker.log").open("wb") as log:
        worker = subprocess.Popen(
            [sys.executable, "-m", "dispatcher", "worker", "--data", str(data)],
            stdin=subprocess.DEVNULL,
            stderr=log,
            env=os.environ | {"DISPATCHER_REDIS_URL": url},
        )
    try:
        yield worker
    finally:
        worker.kill()
        worker.wait()


def logged(data: Path) -> list[dict[str, Any]]:
    """Return what a worker has logged."""
    return [json.loads(line) for line in (data / "worker.log").read_text(encoding="utf-8").splitlines()]


def told(data: Path) -> list[str]:
    """Return the names of the events a worker has logged."""
    return [line["event"] for line in logged(data)]


def handed_over(data: Path) -> list[str]:
    """Return the orders that were handed over."""
    with suppress(FileNotFoundError):
        return [json.loads(line)["order"] for line in (data / HANDED_OVER).read_text().splitlines()]
    return []


def take(store: EmbeddedStore, data: Path, *orders: str) -> None:
    """Take unpaid orders that are due at once, each of its own customer."""

    async def taken() -> None:
        client = connect(socket=store.socket)
        service = await build(FOUR_LANES, client, SystemClock(), {}, data / "audit")
        if (await service.store.shop("demo")).policy == 0:
            await service.put_policy("demo", AT_ONCE, "test", "user:test")
        now = service.clock.now()
        events = [event("order.unpaid", order, now, customer=f"C-{order}") for order in orders]
        results = await service.intake.take(events, "key:test")
        assert [result.status for result in results] == ["accepted"] * len(orders)
        await client.aclose()

    asyncio.run(taken())


def test_what_is_due_is_handed_over_and_sigterm_ends_it_well(store: EmbeddedStore, tmp_path: Path) -> None:
    take(store, tmp_path, "O-1", "O-2")

    with process(f"unix://{store.socket}", tmp_path) as worker:
        until(lambda: len(handed_over(tmp_path)) == 2, SECONDS, "both are handed over")
        worker.send_signal(signal.SIGTERM)
        code = worker.wait(10)

    assert code == 0
    assert sorted(handed_over(tmp_path)) == ["O-1", "O-2"]
    assert told(tmp_path) == ["started", "ended"]


@pytest.mark.parametrize(
    ("command", "found"),
    [
        ("CONFIG SET appendfsync everysec", {"appendfsync": "everysec"}),
        ("ACL SETUSER default -config", dict.fromkeys(SETTINGS)),
    ],
)
def test_a_store_without_the_settings_it_needs_is_told_of(
    store: EmbeddedStore, tmp_path: Path, command: str, found: dict[str, str | None]
) -> None:
    with Redis(unix_socket_path=str(store.socket)) as client:
        client.execute_command(command)

    with process(f"unix://{store.socket}", tmp_path):
        until(lambda: "started" in told(tmp_path), SECONDS, "the worker works")

    unsafe = [line for line in logged(tmp_path) if line["event"] == "store_unsafe"]
    assert {line["setting"]: line["found"] for line in unsafe} == found
    assert all(line["expected"] == SETTINGS[line["setting"]] for line in unsafe)


def test_a_worker_outlives_its_store_and_goes_on_within_three_seconds(
    store: EmbeddedStore, tmp_path: Path
) -> None:
    take(store, tmp_path, "O-1")

    with process(f"unix://{store.socket}", tmp_path) as worker:
        until(lambda: handed_over(tmp_path) == ["O-1"], SECONDS, "the first is handed over")
        assert store._process is not None
        store._process.kill()
        store._process.wait()
        until(lambda: "store_away" in told(tmp_path), SECONDS, "the worker has noticed")
        until(store.revive, SECONDS, "the store is back")
        take(store, tmp_path, "O-2")
        until(lambda: handed_over(tmp_path) == ["O-1", "O-2"], 3.0, "the second is handed over")
        until(lambda: "store_back" in told(tmp_path), SECONDS, "the worker has noticed that too")
        worker.send_signal(signal.SIGINT)
        code = worker.wait(10)

    assert code == 0
    assert told(tmp_path) == ["started", "store_away", "store_back", "ended"]


def test_a_worker_waits_for_a_store_that_is_not_there_yet_and_can_be_ended(tmp_path: Path) -> None:
    with process(f"unix://{tmp_path}/nowhere.sock", tmp_path) as worker:
        until(lambda: told(tmp_path) == ["store_away"], SECONDS, "the worker waits")
        worker.send_signal(signal.SIGTERM)
        code = worker.wait(5)

    assert code == 0


class Slow:
    """A channel that answers when it is let."""

    name: ChannelName = "sms"

    def __init__(self) -> None:
        self.called = asyncio.Event()
        self.answer = asyncio.Event()

    async def send(self, message: Message) -> Outcome:
        """Tell that the call has begun, and wait."""
        self.called.set()
        await self.answer.wait()
        return Accepted()


async def slow_service(
    redis: StoreClient, directory: Path, settings: Settings = FOUR_LANES
) -> tuple[Service, Slow]:
    """Return a service with one reminder due on a slow channel."""
    channel = Slow()
    service = await build(settings, redis, SystemClock(), {"sms": channel}, directory)
    await service.put_policy("demo", AT_ONCE, "test", "user:test")
    await service.intake.take([event("order.unpaid", "O-1", service.clock.now())], "key:test")
    return service, channel


async def test_a_worker_that_is_told_to_end_finishes_what_it_committed(
    redis: StoreClient, valkey: EmbeddedStore, audit_directory: Path
) -> None:
    service, channel = await slow_service(redis, audit_directory)
    turns_client = connect(socket=valkey.socket)
    end = asyncio.Event()
    serving = asyncio.create_task(Worker(service, turns_client).serve(end))
    await channel.called.wait()

    end.set()
    channel.answer.set()
    async with asyncio.timeout(5):
        await serving

    order = await service.store.order("demo", "O-1")
    assert order is not None
    assert order.steps[0].status == "sent"
    left = [key.decode() for key in await redis.keys("d1:*")]
    assert not [key for key in left if key.startswith((turns(""), health("")))]
    await turns_client.aclose()


async def test_a_worker_that_is_told_to_end_does_not_wait_for_its_tidying(
    redis: StoreClient, audit_directory: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    service, _ = await slow_service(redis, audit_directory)
    away = connect(socket=audit_directory / "nowhere.sock")
    end, tidying = asyncio.Event(), asyncio.Event()

    async def tidy(lanes: Iterable[int]) -> None:
        tidying.set()
        await asyncio.Event().wait()

    monkeypatch.setattr(service.housekeeping, "tidy", tidy)
    serving = asyncio.create_task(Worker(service, away).serve(end))
    async with asyncio.timeout(20):
        await tidying.wait()

    end.set()

    async with asyncio.timeout(TIDY_SECONDS / 2):
        await serving
    await away.aclose()


async def test_a_store_that_is_full_for_arq_still_has_its_leases_ended(
    redis: StoreClient, valkey: EmbeddedStore, audit_directory: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    service, _ = await slow_service(redis, audit_directory, BRIEF_LEASE)
    lease = await service.store.lease("demo", "sms", 10, service.clock.now())
    turns_client = connect(socket=valkey.socket)
    end, swept = asyncio.Event(), asyncio.Event()
    sweep = service.store.sweep

    async def noted(lane: int, reminders: Iterable[str], now: Instant) -> list[str]:
        answers = await sweep(lane, reminders, now)
        swept.set()
        return answers

    monkeypatch.setattr(service.store, "sweep", noted)
    await redis.config_set("maxmemory", 1)
    serving = asyncio.create_task(Worker(service, turns_client).serve(end))

    try:
        async with asyncio.timeout(10):
            await swept.wait()
    finally:
        end.set()
        await serving
        await redis.config_set("maxmemory", 0)
        await turns_client.aclose()

    assert len(lease.items) == 1
    lane = service.store.lane_of("demo")
    assert await service.store.expired(lane, lease.lease_end, 10) == []
