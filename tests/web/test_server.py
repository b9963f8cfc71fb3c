"""Over a real connection: what is slow, endless or no HTTP is answered and let go; the rest goes on."""

import asyncio
import json
import socket
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager, contextmanager, suppress

import httpx
import pytest
import uvicorn

from dispatcher.web import audit, server, streams, unread
from dispatcher.web.server import server_config
from tests.policy.event_examples import wire
from tests.web.asking import SECRET, SINGLE, Asking
from tests.web.test_bad_input import problem_in
from tests.web.test_events import unpaid

HEAD = (
    "POST /v1/events HTTP/1.1\r\nHost: x\r\n"
    f"Authorization: Bearer dk_all_{SECRET}\r\nContent-Type: {SINGLE}\r\n"
)


LIVE = b"GET /health/live HTTP/1.1\r\nHost: x\r\n\r\n"
LINES = (
    "GET /v1/audit?shop=demo HTTP/1.1\r\nHost: x\r\nAccept: application/x-ndjson\r\n"
    f"Authorization: Bearer dk_all_{SECRET}\r\n\r\n"
).encode()


@pytest.fixture
def serving(api: Asking) -> uvicorn.Server:
    """The server of the application."""
    return uvicorn.Server(server_config(api.app))


@pytest.fixture
def listening() -> Iterator[socket.socket]:
    """Where connections come in."""
    with socket.create_server(("127.0.0.1", 0)) as opened:
        yield opened


@pytest.fixture
async def port(serving: uvicorn.Server, listening: socket.socket) -> AsyncIterator[int]:
    """Where the application is served; all of it ends with the test."""
    address = listening.getsockname()[1]
    ending = asyncio.create_task(serving.serve(sockets=[listening]))
    yield address
    serving.should_exit = True
    await ending


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


async def test_a_connection_too_many_takes_the_place_of_the_one_longest_at_rest(
    port: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(server, "MAX_CONNECTIONS", 2)
    async with connection(port) as oldest, connection(port) as older:
        for reader, writer in (older, oldest, older):
            writer.write(LIVE)
            assert (await answered(reader))[0] == 200

        async with connection(port) as newest:
            for reader, writer in (newest, older):
                writer.write(LIVE)
                assert (await answered(reader))[0] == 200
            assert await asyncio.wait_for(oldest[0].read(), 20) == b""


async def test_a_connection_too_many_is_429_where_none_is_at_rest(
    port: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(server, "MAX_CONNECTIONS", 1)
    async with connection(port) as (reader, writer):
        writer.write(f"{HEAD}Content-Length: 2\r\nExpect: 100-continue\r\n\r\n".encode())
        told_to_go_on = await reader.readuntil(b"\r\n\r\n")

        async with connection(port) as (other, _):
            await problem(other, 429)
        writer.write(b"{}")
        assert told_to_go_on.startswith(b"HTTP/1.1 100 ")
        assert (await answered(reader))[0] == 400


@pytest.mark.parametrize("kind", ["many", "long"])
async def test_what_trails_a_body_without_end_is_431(port: int, kind: str) -> None:
    async with connection(port) as (reader, writer):
        writer.write(f"{HEAD}Transfer-Encoding: chunked\r\n\r\n0\r\nX: y".encode())

        for _ in range(100):
            writer.write(b"\r\nX: y" * 1_000 if kind == "many" else b"y" * 6_000)
            await asyncio.sleep(0)
        await problem(reader, 431)


async def test_what_trails_a_body_is_ignored(port: int) -> None:
    async with connection(port) as (reader, writer):
        event = wire(unpaid(1))
        writer.write(f"{HEAD}Transfer-Encoding: chunked\r\n\r\n{len(event):x}\r\n".encode() + event)
        writer.write(b"\r\n0\r\nAuthorization: Bearer x\r\n\r\n" + LIVE)

        assert (await answered(reader))[0] == 202
        assert (await answered(reader))[0] == 200


@pytest.mark.parametrize("apart", [False, True])
@pytest.mark.parametrize("protocol", ["h2c", "websocket"])
async def test_an_offer_to_change_the_protocol_is_ignored(
    port: int, api: Asking, caplog: pytest.LogCaptureFixture, protocol: str, apart: bool
) -> None:
    event = wire(unpaid(1))
    offer = f"Connection: Upgrade, HTTP2-Settings\r\nUpgrade: {protocol}\r\nHTTP2-Settings: AAMAAABk\r\n"
    head = f"{HEAD}{offer}Content-Length: {len(event)}\r\n"
    async with connection(port) as (reader, writer):
        if apart:
            writer.write(f"{head}Expect: 100-continue\r\n\r\n".encode())
            await reader.readuntil(b"\r\n\r\n")
        else:
            writer.write(f"{head}\r\n".encode())
        writer.write(event + f"{head}\r\n".encode() + event + LIVE)

        assert (await answered(reader))[0] == 202
        assert (await answered(reader))[0] == 202
        assert (await answered(reader))[0] == 200
    assert len([record for record in await api.records() if record["kind"] == "order.accepted"]) == 1
    assert not [record for record in caplog.records if record.levelname != "INFO"]


async def test_connect_is_answered_and_let_go(port: int) -> None:
    async with connection(port) as (reader, writer):
        writer.write(b"CONNECT x:1 HTTP/1.1\r\nHost: x:1\r\n\r\nabc")

        assert (await answered(reader))[0] in {400, 404, 405}
        assert await asyncio.wait_for(reader.read(), 20) == b""


@pytest.fixture
def endless(monkeypatch: pytest.MonkeyPatch) -> asyncio.Event:
    """The audit as lines has no end; set once such an answer has ended."""
    ended = asyncio.Event()

    async def lines(*_: object) -> AsyncIterator[bytes]:
        try:
            while True:
                yield b"{}\n" * 100_000
                await asyncio.sleep(0)
        finally:
            ended.set()

    monkeypatch.setattr(audit, "_lines", lines)
    return ended


async def test_who_stops_reading_a_long_answer_is_let_go(
    port: int, monkeypatch: pytest.MonkeyPatch, endless: asyncio.Event, caplog: pytest.LogCaptureFixture
) -> None:
    monkeypatch.setattr(unread, "STALLED_SECONDS", 0.2)
    async with connection(port) as (_, writer):
        writer.write(LINES)

        await asyncio.wait_for(endless.wait(), 20)
    assert not [record for record in caplog.records if record.levelname != "INFO"]


@contextmanager
def narrow(port: int, listening: socket.socket, room: int) -> Iterator[socket.socket]:
    """A connection of which the kernel holds little; what is beyond that waits in the server."""
    listening.setsockopt(socket.SOL_SOCKET, socket.SO_SNDBUF, room)
    with socket.socket() as client:
        client.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, room)
        client.settimeout(0.05)  # what the kernel holds comes much sooner
        client.connect(("127.0.0.1", port))
        yield client


async def test_who_does_not_read_the_last_answer_of_a_connection_is_let_go(
    port: int, listening: socket.socket, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(unread, "STALLED_SECONDS", 0.2)
    lost, end = asyncio.Event(), server.BoundedProtocol.connection_lost
    looked_before_it_ended, see = [], unread.Watch._see

    async def lines(*_: object) -> AsyncIterator[bytes]:
        yield b"{}\n" * 15_000  # more than the kernel takes here, less than a server waits for

    def tell(protocol: server.BoundedProtocol, error: Exception | None) -> None:
        end(protocol, error)
        lost.set()

    def look(watch: unread.Watch) -> None:
        looked_before_it_ended.append(not lost.is_set())
        see(watch)

    monkeypatch.setattr(audit, "_lines", lines)
    monkeypatch.setattr(server.BoundedProtocol, "connection_lost", tell)
    monkeypatch.setattr(unread.Watch, "_see", look)
    with narrow(port, listening, 4_096) as client:
        client.sendall(LINES.replace(b"Host", b"Connection: close\r\nHost"))

        await asyncio.wait_for(lost.wait(), 20)
    assert looked_before_it_ended[:1] == [True]


async def test_who_reads_slowly_is_not_let_go(
    port: int, listening: socket.socket, monkeypatch: pytest.MonkeyPatch, endless: asyncio.Event
) -> None:
    monkeypatch.setattr(unread, "STALLED_SECONDS", 0.05)
    looked: list[unread.Watch] = []
    enough, see = asyncio.Event(), unread.Watch._see
    with narrow(port, listening, 65_536) as client:

        def read_and_look(watch: unread.Watch) -> None:
            with suppress(TimeoutError):
                while client.recv(65_536):
                    pass
            see(watch)
            looked.append(watch)
            if len(looked) == 5:
                enough.set()

        monkeypatch.setattr(unread.Watch, "_see", read_and_look)
        client.sendall(LINES)

        await asyncio.wait_for(enough.wait(), 20)
        assert not endless.is_set()


async def test_a_long_answer_too_many_is_429(
    port: int, monkeypatch: pytest.MonkeyPatch, endless: asyncio.Event
) -> None:
    monkeypatch.setattr(streams, "MAX_STREAMS", 1)
    async with connection(port) as (other, asking):
        async with connection(port) as (reader, writer):
            writer.write(LINES)
            await reader.readuntil(b"\r\n\r\n")
            asking.write(LINES)
            await problem(other, 429)

        # That other one ended with its connection.
        await asyncio.wait_for(endless.wait(), 20)
        asking.write(LINES)
        assert (await answered(other))[0] == 200


async def test_a_long_answer_ends_with_the_server_at_once_and_without_its_end(
    port: int, serving: uvicorn.Server, endless: asyncio.Event, caplog: pytest.LogCaptureFixture
) -> None:
    async with connection(port) as (reader, writer):
        writer.write(LINES)
        await reader.readuntil(b"\r\n\r\n")

        serving.should_exit = True
        await asyncio.wait_for(endless.wait(), server.SHUTDOWN_SECONDS / 2)
        rest = await asyncio.wait_for(reader.read(), 20)
    assert not rest.endswith(b"0\r\n\r\n")
    assert not [record for record in caplog.records if record.levelname != "INFO"]


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
