"""A light load generator: requests made before the clock starts, each answer checked.

    python -m tests.benchmarks.load JSON   (see `Load`)

Each connection has one request under way at a time. Prints what it saw as one JSON object.
"""

import asyncio
import gc
import re
import sys
import time
from collections.abc import Iterator

import msgspec
import uvloop

from tests.benchmarks.example import example

WARM_UP = 10
"""One request for so many that are timed goes ahead of them."""

_NUMBER = 987_654_321
_LENGTH = re.compile(rb"content-length: *(\d+)", re.IGNORECASE)


class Load(msgspec.Struct, frozen=True, kw_only=True):
    """What to send: `requests` posts of `batch` events each (0 = single), numbered from `start`.

    `placed_at` and `closes_at` are those of every order.
    """

    port: int
    path: str
    token: str
    requests: int
    connections: int
    batch: int = 0
    start: int
    placed_at: str
    closes_at: str

    @property
    def events(self) -> int:
        """Return the events of one request."""
        return max(1, self.batch)


class Seen(msgspec.Struct, kw_only=True):
    """What came back."""

    seconds: float = 0.0
    answers: int = 0
    accepted: int = 0


class Connection(asyncio.Protocol):
    """Sends the requests it is given one after the other; any answer but 202 ends it all."""

    def __init__(self) -> None:
        self._requests: Iterator[bytes] = iter(())
        self._seen = Seen()
        self._done: asyncio.Future[None] | None = None
        self._got = b""
        self._transport: asyncio.Transport

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]
        """Remember the way out."""
        self._transport = transport

    async def run(self, requests: Iterator[bytes], seen: Seen) -> None:
        """Send requests until there are no more, and note what came back."""
        self._requests, self._seen = requests, seen
        self._done = asyncio.get_running_loop().create_future()
        self._next()
        await self._done

    def close(self) -> None:
        """Close the connection."""
        self._transport.close()

    def data_received(self, data: bytes) -> None:
        """Take an answer, which may come in pieces."""
        self._got += data
        head, parted, body = self._got.partition(b"\r\n\r\n")
        length = _LENGTH.search(head)
        if not parted or length is None or len(body) < int(length[1]):
            return
        self._got = b""
        if not head.startswith(b"HTTP/1.1 202"):
            self._fail(f"expected 202, got {head[:40]!r}")
            return
        self._seen.answers += 1
        self._seen.accepted += body.count(b'"status":"accepted"')
        self._next()

    def connection_lost(self, error: Exception | None) -> None:
        """Tell that the other side closed, if there was still something to do."""
        self._fail("the connection was closed")

    def _next(self) -> None:
        request = next(self._requests, None)
        if request is not None:
            self._transport.write(request)
        elif self._done is not None and not self._done.done():
            self._done.set_result(None)

    def _fail(self, why: str) -> None:
        if self._done is not None and not self._done.done():
            self._done.set_exception(ConnectionError(why))


def requests(load: Load, count: int, start: int) -> list[bytes]:
    """Return so many whole HTTP requests."""
    event = msgspec.json.encode(example(_NUMBER, load.placed_at, load.closes_at))
    pieces = event.split(b"%d" % _NUMBER)
    kind = b"application/cloudevents%s+json" % (b"-batch" if load.batch else b"")
    head = (
        b"POST %s HTTP/1.1\r\nHost: 127.0.0.1\r\nAuthorization: Bearer %s\r\nContent-Type: %s\r\n"
        b"Content-Length: %%d\r\n\r\n" % (load.path.encode(), load.token.encode(), kind)
    )
    made = []
    for first in range(start, start + count * load.events, load.events):
        events = [(b"%d" % number).join(pieces) for number in range(first, first + load.events)]
        body = b"[" + b",".join(events) + b"]" if load.batch else events[0]
        made.append(head % len(body) + body)
    return made


async def send(load: Load) -> Seen:
    """Send the load over its connections, a warm-up first, and return what was timed."""
    loop = asyncio.get_running_loop()
    warm_up = load.requests // WARM_UP
    ahead = requests(load, warm_up, load.start)
    timed = requests(load, load.requests, load.start + warm_up * load.events)
    gc.collect()
    gc.disable()
    connections = [
        (await loop.create_connection(Connection, "127.0.0.1", load.port))[1] for _ in range(load.connections)
    ]
    await _all(connections, iter(ahead), Seen())
    seen = Seen()
    began = time.perf_counter()
    await _all(connections, iter(timed), seen)
    seen.seconds = time.perf_counter() - began
    for connection in connections:
        connection.close()
    return seen


async def _all(connections: list[Connection], queue: Iterator[bytes], seen: Seen) -> None:
    async with asyncio.TaskGroup() as group:
        for connection in connections:
            group.create_task(connection.run(queue, seen))


if __name__ == "__main__":
    found = uvloop.run(send(msgspec.json.decode(sys.argv[1], type=Load)))
    sys.stdout.buffer.write(msgspec.json.encode(found) + b"\n")
