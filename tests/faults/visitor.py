"""Talks to a site's API as a shop's order system does, and notes how long each answer took."""

import asyncio
import time
from collections.abc import Sequence
from types import TracebackType
from typing import Any, NamedTuple
from urllib.parse import urlencode

import msgspec

from dispatcher.policy.facts import Instant
from dispatcher.policy.zones import iso
from tests.checkers.records import Record
from tests.faults.site import Site

SINGLE = "application/cloudevents+json"
BATCH = "application/cloudevents-batch+json"
SOON_SECONDS = 1.0
"""However the store is, an answer comes within so long."""
ANSWER_SECONDS = 30.0
"""After so long a test gives up."""

Wire = dict[str, Any]
"""An event as it is posted."""


class Answer(NamedTuple):
    """What was answered, after how long."""

    status: int
    seconds: float
    retry_after: str | None
    body: Any


class Connection:
    """One connection to the API: requests go over it one after the other."""

    def __init__(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter, token: str) -> None:
        self._reader = reader
        self._writer = writer
        self._token = token

    async def ask(self, method: str, path: str, body: bytes, **headers: str) -> Answer:
        """Send a request and return the answer, its body being bytes."""
        began = time.monotonic()
        lines = [f"{method} {path} HTTP/1.1", "host: api.example", f"authorization: Bearer {self._token}"]
        lines += [f"{name.replace('_', '-')}: {value}" for name, value in headers.items()]
        lines += [f"content-length: {len(body)}", "", ""]
        self._writer.write("\r\n".join(lines).encode() + body)
        status = int((await self._reader.readline()).split()[1])
        told = {}
        while line := (await self._reader.readline()).strip():
            name, _, value = line.decode().partition(": ")
            told[name.lower()] = value
        content = await self._body(told)
        return Answer(status, time.monotonic() - began, told.get("retry-after"), content)

    async def _body(self, told: dict[str, str]) -> bytes:
        if "content-length" in told:
            return await self._reader.readexactly(int(told["content-length"]))
        pieces = []
        while size := int(await self._reader.readline(), 16):
            pieces.append(await self._reader.readexactly(size))
            await self._reader.readline()
        await self._reader.readline()
        return b"".join(pieces)

    async def close(self) -> None:
        """Close it."""
        self._writer.close()
        await self._writer.wait_closed()


class Visitor:
    """Any number of connections to a site's API; `answers` are all it got so far.

    It is small, since a client that is busy itself cannot tell how long an answer took.
    """

    def __init__(self, site: Site) -> None:
        self.answers: list[Answer] = []
        self._site = site
        self._all: list[Connection] = []
        self._idle: list[Connection] = []

    async def __aenter__(self) -> "Visitor":
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        for connection in self._all:
            await connection.close()

    async def post(self, events: Sequence[Wire]) -> Answer:
        """Post one event as such, and several as a batch."""
        content, kind = (events[0], SINGLE) if len(events) == 1 else (events, BATCH)
        return await self.ask("POST", "/v1/events", msgspec.json.encode(content), content_type=kind)

    async def get(self, path: str) -> Answer:
        """Get something."""
        return await self.ask("GET", path)

    async def ask(self, method: str, path: str, body: bytes = b"", **headers: str) -> Answer:
        """Ask anything and note the answer; its body is decoded where it is JSON."""
        answer = await self._exchange(method, path, body, **headers)
        if answer.body.startswith(b"{"):
            answer = answer._replace(body=msgspec.json.decode(answer.body))
        self.answers.append(answer)
        return answer

    async def audit(self, **wanted: str) -> list[Record]:
        """Return the audit as the API exports it."""
        answer = await self._exchange(
            "GET", f"/v1/audit?{urlencode(wanted)}", b"", accept="application/x-ndjson"
        )
        assert answer.status == 200, answer
        return [msgspec.json.decode(line) for line in answer.body.splitlines()]

    async def _exchange(self, method: str, path: str, body: bytes, **headers: str) -> Answer:
        connection = self._idle.pop() if self._idle else await self._connect()
        async with asyncio.timeout(ANSWER_SECONDS):
            answer = await connection.ask(method, path, body, **headers)
        self._idle.append(connection)
        return answer

    async def _connect(self) -> Connection:
        reader, writer = await asyncio.open_connection("127.0.0.1", self._site.port)
        self._all.append(Connection(reader, writer, self._site.token))
        return self._all[-1]


def unpaid(order: str, customer: str, at: Instant, shop: str = "demo") -> Wire:
    """Return the event of an order placed at an instant."""
    data = {
        "order": {
            "id": order,
            "placed_at": iso(at),
            "total": "99.00",
            "currency": "CNY",
            "pay_url": f"https://pay.example/{order}",
            "items": [{"name": "示例商品", "quantity": 1, "price": "99.00"}],
        },
        "customer": {"id": customer, "phone": "+8613800000000", "chat": "example_1", "paid_orders": 0},
    }
    return _event("order.unpaid", order, at, shop, data)


def paid(order: str, at: Instant, shop: str = "demo") -> Wire:
    """Return the event of an order's payment."""
    return _event("order.paid", order, at, shop, {"order": {"id": order}})


def _event(kind: str, order: str, at: Instant, shop: str, data: Wire) -> Wire:
    return {
        "specversion": "1.0",
        "id": f"{order}-{kind}",
        "source": f"/shops/{shop}",
        "type": kind,
        "time": iso(at),
        "data": data,
    }


def not_soon(answers: Sequence[Answer]) -> list[Answer]:
    """Return those that took too long, or told that the store is away without telling when to come again."""
    return [
        answer._replace(body=None)
        for answer in answers
        if answer.seconds > SOON_SECONDS or (answer.status == 503) != (answer.retry_after == "1")
    ]
