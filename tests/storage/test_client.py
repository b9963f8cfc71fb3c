"""The client: every failure is one of our own errors, and no answer goes to another's question."""

import asyncio
import os
import signal
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager, suppress
from pathlib import Path
from random import Random
from typing import Any

import pytest

from dispatcher.errors import StoreFull, StoreRefused, StoreUnavailable
from dispatcher.storage.client import CONNECTIONS, SCRIPTS_AT_ONCE, StoreClient
from dispatcher.storage.embedded import EmbeddedStore
from dispatcher.storage.scripts import SCRIPTS
from dispatcher.wiring import connect

SEED = 20251111
WAITING = 3 * CONNECTIONS
MOMENTS = 100
"""Turns of the event loop, a command taking a few."""
ASKED = 500
"""Far more commands at once than there are connections."""


async def command(client: StoreClient) -> Any:
    return await client.set("a", "1")


async def pipeline(client: StoreClient) -> Any:
    async with client.pipeline(transaction=False) as pipe:
        pipe.set("a", "1")
        pipe.get("a")
        return await pipe.execute()


async def transaction(client: StoreClient) -> Any:
    async with client.pipeline(transaction=True) as pipe:
        pipe.set("a", "1")
        return await pipe.execute()


async def script(client: StoreClient) -> Any:
    keys = [
        f"d1:{{00}}:{name}" for name in ("lane", "audit", "ready", "leases", "timers", "counts", "access")
    ]
    head = {"now": 1, "actor": "user:test", "most": 1}
    item = {"kind": "revoke", "id": "k1", "key": 7, "details": "{}"}
    return await SCRIPTS["access"](client, keys, head, [item])


WAYS: list[Callable[[StoreClient], Awaitable[Any]]] = [command, pipeline, transaction, script]


@asynccontextmanager
async def connected(server: EmbeddedStore, timeout_seconds: float = 5.0) -> AsyncIterator[StoreClient]:
    client = connect(socket=server.socket, timeout_seconds=timeout_seconds)
    try:
        yield client
    finally:
        await client.aclose()


@pytest.mark.parametrize("way", WAYS)
async def test_a_store_that_is_stopped_is_unavailable_and_answers_again_when_it_is_back(
    tmp_path: Path, way: Callable[[StoreClient], Awaitable[Any]]
) -> None:
    server = EmbeddedStore(tmp_path / "store", durable=False)
    with server:
        async with connected(server) as client:
            before = await way(client)
            server.stop()

            with pytest.raises(StoreUnavailable) as refusal:
                await way(client)
            server.start()

            assert not isinstance(refusal.value, StoreFull)
            assert await way(client) == before


@asynccontextmanager
async def silent(client: StoreClient) -> AsyncIterator[None]:
    """Stop the server's process, which keeps its connections and answers nobody, and let it go on."""
    process = (await client.info("server"))["process_id"]
    os.kill(process, signal.SIGSTOP)
    try:
        yield
    finally:
        os.kill(process, signal.SIGCONT)


async def test_a_store_that_does_not_answer_in_time_is_unavailable(tmp_path: Path) -> None:
    loop = asyncio.get_running_loop()
    with EmbeddedStore(tmp_path / "store", durable=False) as server:
        async with connected(server, timeout_seconds=0.2) as client:
            await client.mset({str(number): number for number in range(WAITING)})
            async with silent(client):
                began = loop.time()
                answers = await asyncio.gather(
                    *(client.get(str(number)) for number in range(WAITING)), return_exceptions=True
                )
                took = loop.time() - began

            assert {type(answer) for answer in answers} == {StoreUnavailable}
            assert took < 2  # all wait for the same time, not one after the other
            assert [await client.get(str(number)) for number in range(WAITING)] == [
                str(number).encode() for number in range(WAITING)
            ]


async def test_few_script_calls_are_under_way_at_once(
    redis: StoreClient, monkeypatch: pytest.MonkeyPatch
) -> None:
    under_way = most = 0
    send = StoreClient.execute_command

    async def counted(client: StoreClient, *args: Any, **options: Any) -> Any:
        nonlocal under_way, most
        under_way += 1
        most = max(most, under_way)
        try:
            return await send(client, *args, **options)
        finally:
            under_way -= 1

    monkeypatch.setattr(StoreClient, "execute_command", counted)
    answers = await asyncio.gather(*(script(redis) for _ in range(WAITING)))

    assert answers == [[b"unknown"]] * WAITING
    assert most == SCRIPTS_AT_ONCE


async def test_script_calls_that_wait_for_others_hear_with_them_that_the_store_is_away(
    tmp_path: Path,
) -> None:
    loop = asyncio.get_running_loop()
    with EmbeddedStore(tmp_path / "store", durable=False) as server:
        async with connected(server, timeout_seconds=0.2) as client:
            await script(client)
            async with silent(client):
                began = loop.time()
                answers = await asyncio.gather(
                    *(script(client) for _ in range(WAITING)), return_exceptions=True
                )
                took = loop.time() - began

            assert {type(answer) for answer in answers} == {StoreUnavailable}
            assert took < 2
            assert await script(client) == [b"unknown"]


ONLY_FOR_READING = {
    "a replica": ("replicaof 127.0.0.1 1", "replicaof no one"),
    "a primary without its replicas": (
        "config set min-replicas-to-write 1",
        "config set min-replicas-to-write 0",
    ),
}


@pytest.mark.parametrize("way", WAYS)
@pytest.mark.parametrize(("put", "back"), ONLY_FOR_READING.values(), ids=ONLY_FOR_READING.keys())
async def test_a_store_that_takes_no_writes_for_now_is_unavailable(
    redis: StoreClient, way: Callable[[StoreClient], Awaitable[Any]], put: str, back: str
) -> None:
    await redis.execute_command(*put.split())
    try:
        with pytest.raises(StoreUnavailable) as refusal:
            await way(redis)
    finally:
        await redis.execute_command(*back.split())

    assert not isinstance(refusal.value, StoreFull)
    await way(redis)


@pytest.mark.parametrize("way", [command, pipeline, transaction])
async def test_a_store_without_memory_is_full_for_a_plain_write(
    redis: StoreClient, way: Callable[[StoreClient], Awaitable[Any]]
) -> None:
    await redis.config_set("maxmemory", 1)
    try:
        with pytest.raises(StoreFull):
            await way(redis)
    finally:
        await redis.config_set("maxmemory", 0)


async def test_a_command_that_does_not_fit_what_is_stored_is_refused(redis: StoreClient) -> None:
    await redis.set("text", "x")

    with pytest.raises(StoreRefused, match="WRONGTYPE"):
        await redis.hget("text", "field")  # type: ignore[misc]
    async with redis.pipeline(transaction=False) as pipe:
        pipe.get("text")
        pipe.zcard("text")
        with pytest.raises(StoreRefused, match="WRONGTYPE"):
            await pipe.execute()

    assert await redis.get("text") == b"x"


async def test_a_script_that_refuses_its_arguments_says_why(redis: StoreClient) -> None:
    keys = [f"d1:{{00}}:{name}" for name in ("lane", "audit", "ready", "leases", "timers", "counts")]

    with pytest.raises(StoreRefused, match=r"BADARG head\.now"):
        await SCRIPTS["trim"](redis, keys, {}, [])


async def test_a_script_that_the_store_has_lost_is_loaded_again(redis: StoreClient) -> None:
    await script(redis)
    await redis.script_flush()

    assert await script(redis) == [b"unknown"]


async def test_more_commands_at_once_than_connections_are_all_answered(redis: StoreClient) -> None:
    await redis.mset({str(number): number for number in range(ASKED)})

    async def ask(number: int) -> list[bytes]:
        if number % 2:
            return [await redis.get(str(number))]
        async with redis.pipeline(transaction=False) as pipe:
            pipe.get(str(number))
            return list(await pipe.execute())

    answers = await asyncio.gather(*(ask(number) for number in range(ASKED)))

    assert answers == [[str(number).encode()] for number in range(ASKED)]
    assert 1 < len(await redis.client_list()) <= CONNECTIONS


async def test_who_waits_for_a_place_is_not_refused_because_another_is_cut_short(redis: StoreClient) -> None:
    await redis.mset({str(number): number for number in range(WAITING)})
    asked = [asyncio.create_task(redis.get(str(number))) for number in range(WAITING)]
    await asyncio.sleep(0)  # the first of them have all places now

    for task in asked[:CONNECTIONS]:
        task.cancel()
    answers = await asyncio.gather(*asked, return_exceptions=True)

    assert {type(answer) for answer in answers[:CONNECTIONS]} == {asyncio.CancelledError}
    assert answers[CONNECTIONS:] == [str(number).encode() for number in range(CONNECTIONS, WAITING)]


async def test_commands_that_are_cancelled_at_any_moment_never_mix_answers(redis: StoreClient) -> None:
    chance = Random(SEED)
    await redis.mset({str(number): number for number in range(ASKED)})
    answered: list[tuple[int, list[bytes]]] = []
    cut_short = 0

    async def ask(number: int) -> None:
        if number % 3:
            answered.append((number, [await redis.get(str(number))]))
            return
        async with redis.pipeline(transaction=False) as pipe:
            pipe.get(str(number))
            pipe.get(str(number))
            answered.append((number, [*await pipe.execute()][:1]))

    for _ in range(60):
        tasks = [asyncio.create_task(ask(number)) for number in chance.sample(range(ASKED), 40)]
        for task in chance.sample(tasks, 20):
            for _ in range(chance.randrange(4)):
                await asyncio.sleep(0)  # each lets every task go one step further
            cut_short += task.cancel()
        for task in tasks:
            with suppress(asyncio.CancelledError):
                await task

    assert cut_short > 100
    assert len(answered) > 1000
    assert [number for number, answer in answered if answer != [str(number).encode()]] == []
    assert len(await redis.client_list()) <= CONNECTIONS


async def test_a_command_that_is_cancelled_at_any_moment_is_cancelled(valkey: EmbeddedStore) -> None:
    async with connected(valkey) as client:

        async def ask_on() -> None:
            while True:
                await client.ping()

        gone_on = []
        for moment in range(MOMENTS):
            asking = asyncio.create_task(ask_on())
            for _ in range(moment):
                await asyncio.sleep(0)
            asking.cancel()
            await asyncio.wait({asking}, timeout=1)
            if not asking.done():
                gone_on.append(moment)
            while not asking.done():
                asking.cancel()
                await asyncio.sleep(0)

        assert gone_on == []
