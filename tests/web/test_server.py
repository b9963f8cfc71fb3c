"""Over a real connection: what is slow, endless or no HTTP is answered and let go; the rest goes on."""

import asyncio
import json
import socket
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import httpx
import pytest
import uvicorn

from dispatcher.web import server
from dispatcher.web.server import server_config
from tests.policy.event_examples import wire
from tests.web.asking import SECRET, SINGLE, Asking
from tests.web.test_bad_input import problem_in
from tests.web.test_events import unpaid

HEAD = (
    "POST /v1/events HTTP/1.1\r\nHost: x\r\n"
    f"Authorization: Bearer dk_all_{SECRET}\r\nContent-Type: {SINGLE}\r\n"
)


@pytest.fixture
async def port(api: Asking) -> AsyncIterator[int]:
    """Where the application is served; all of it ends with the test."""
    with socket.create_server(("127.0.0.1", 0)) as listening:
        one = uvicorn.Server(server_config(api.app))
        serving = asyncio.create_task(one.serve(sockets=[listening]))
        yield listening.getsockname()[1]
        one.should_exit = True
        await serving


@asynccontextmanager
async def connection(port: int) -> AsyncIterator[tuple[asyncio.StreamReader, asyncio.StreamWriter]]:
    """A connection of one's own."""
    reader, writer = await asyncio.open_connection("127.0.0.1", port)
    try:
        yield reader, writer
    finally:
        writer.close()


async def answered(reader: asyncio.StreamReader) -> tuple[int, dict[str, str], bytes]:
    """Read one answer."""
    head = (await asyncio.wait_for(reader.readuntil(b"\r\n\r\n"), 20)).decode()
    first, *lines = head.split("\r\n")
    headers = {name.lower(): value for name, _, value in (line.partition(": ") for line in lines if line)}
    return int(first.split()[1]), headers, await reader.readexactly(int(headers.get("content-length", 0)))


async def problem(reader: asyncio.StreamReader, status: int) -> None:
    """Read a problem and the end of the connection."""
    found, headers, body = await answered(reader)
    assert (found, headers["content-type"]) == (status, "application/problem+json")
    assert json.loads(body)["status"] == status


async def test_events_come_in_over_a_real_connection(port: int, api: Asking) -> None:
    async with httpx.AsyncClient(base_url=f"http://127.0.0.1:{port}", headers=api.client.headers) as client:
        answers = await asyncio.gather(
            *(
                client.post("/v1/events", content=wire(unpaid(n)), headers={"content-type": SINGLE})
                for n in range(20)
            )
        )

    assert {answer.status_code for answer in answers} == {202}
    assert len([record for record in await api.records() if record["kind"] == "order.accepted"]) == 20


async def test_a_body_that_comes_too_slowly_is_408(port: int, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(server, "BODY_SECONDS", 0.2)
    async with connection(port) as (reader, writer):
        writer.write(f"{HEAD}Content-Length: 100\r\n\r\n{{".encode())

        await problem(reader, 408)


async def test_headers_that_come_too_slowly_are_408(port: int, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(server, "HEAD_SECONDS", 0.2)
    async with connection(port) as (reader, writer):
        writer.write(b"POST /v1/events HTTP/1.1\r\nHost:")

        await problem(reader, 408)
        assert await reader.read() == b""


async def test_who_connects_and_says_nothing_is_let_go(port: int, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(server, "HEAD_SECONDS", 0.2)
    async with connection(port) as (reader, _):
        assert await asyncio.wait_for(reader.read(), 20) == b""


async def test_the_second_request_of_a_connection_has_its_own_time(
    port: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    async with connection(port) as (reader, writer):
        writer.write(b"GET /health/live HTTP/1.1\r\nHost: x\r\n\r\n")
        first = await answered(reader)
        monkeypatch.setattr(server, "HEAD_SECONDS", 0.2)
        writer.write(b"GET /health/live HT")

        await problem(reader, 408)
        assert first[0] == 200


async def test_headers_without_end_are_431(port: int) -> None:
    async with connection(port) as (reader, writer):
        writer.write(b"GET / HTTP/1.1\r\nX: " + b"x" * 300_000)

        await problem(reader, 431)


async def test_what_is_no_http_is_400(port: int) -> None:
    async with connection(port) as (reader, writer):
        writer.write(b"\x16\x03\x01 hello\r\n\r\n")

        await problem(reader, 400)


async def test_a_path_beyond_ascii_is_400(port: int) -> None:
    async with connection(port) as (reader, writer):
        writer.write("GET /v1/é HTTP/1.1\r\nHost: x\r\n\r\n".encode())

        await problem(reader, 400)


async def test_a_body_nobody_wants_does_not_come_for_ever(port: int, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(server, "BODY_SECONDS", 0.2)
    async with connection(port) as (reader, writer):
        writer.write(b"POST /v1/nothing HTTP/1.1\r\nHost: x\r\nContent-Length: 1000000\r\n\r\nxx")

        await problem(reader, 404)
        assert await asyncio.wait_for(reader.read(), 20) == b""


async def test_a_large_body_is_413_and_the_connection_goes_on(port: int) -> None:
    async with connection(port) as (reader, writer):
        size = 10 * 1024 * 1024
        writer.write(f"{HEAD}Content-Length: {size}\r\n\r\n".encode() + b" " * size)
        await problem(reader, 413)
        writer.write(b"GET /health/live HTTP/1.1\r\nHost: x\r\n\r\n")

        assert (await answered(reader))[0] == 200


async def test_a_connection_too_many_is_503(port: int, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(server, "MAX_CONNECTIONS", 1)
    async with connection(port) as (reader, writer):
        writer.write(b"GET /health/live HTTP/1.1\r\nHost: x\r\n\r\n")
        first = await answered(reader)

        async with connection(port) as (other, _):
            await problem(other, 503)
        assert first[0] == 200


async def test_a_client_that_leaves_in_the_middle_leaves_nothing_behind(port: int, api: Asking) -> None:
    for _ in range(5):
        async with connection(port) as (_, writer):
            writer.write(f"{HEAD}Content-Length: 100\r\n\r\n{{".encode())
            await writer.drain()

    async with httpx.AsyncClient(base_url=f"http://127.0.0.1:{port}") as client:
        answer = await client.get("/health/ready")

    assert answer.status_code == 200
    assert await api.records() == []


async def test_errors_over_a_real_connection_are_problems(port: int, api: Asking) -> None:
    async with httpx.AsyncClient(base_url=f"http://127.0.0.1:{port}", headers=api.client.headers) as client:
        answer = await client.post("/v1/events", content=b"{", headers={"content-type": SINGLE})

    problem_in(answer, 400)
