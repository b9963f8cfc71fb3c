"""Reads the store's raw keys, with a decoding of its own (layout `d1`)."""

from collections import defaultdict
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any, Protocol

import msgspec

from tests.checkers.packing import unpacked
from tests.checkers.records import OrderKey, Record, iso
from tests.checkers.state import shared

Scores = dict[str, int]
"""A sorted set: member → score; of a ledger, reminder → instant."""


class Client(Protocol):
    """What is used of a synchronous Redis client, one that does not decode replies."""

    def scan_iter(self, match: str, count: int) -> Iterator[Any]: ...
    def get(self, name: str) -> Any: ...
    def hgetall(self, name: str) -> Any: ...
    def zrange(self, name: str, start: int, end: int, *, withscores: bool) -> Any: ...
    def lrange(self, name: str, start: int, end: int) -> Any: ...
    def xrange(self, name: str) -> Any: ...


@dataclass(kw_only=True)
class Lane:
    """Everything of one lane, decoded."""

    lane: dict[str, str] = field(default_factory=dict)
    orders: dict[OrderKey, dict[str, Any]] = field(default_factory=dict)
    due: dict[str, Scores] = field(default_factory=dict)
    status: dict[str, Scores] = field(default_factory=dict)
    counts: dict[str, int] = field(default_factory=dict)
    customers: dict[tuple[str, str], dict[str, Any]] = field(default_factory=dict)
    ledgers: dict[tuple[str, str], Scores] = field(default_factory=dict)
    unpaid: dict[tuple[str, str], list[str]] = field(default_factory=dict)
    shops: dict[str, dict[str, str]] = field(default_factory=dict)
    blocked: dict[str, dict[str, str]] = field(default_factory=dict)
    templates: dict[str, dict[str, str]] = field(default_factory=dict)
    pauses: dict[str, str] = field(default_factory=dict)
    pools: dict[str, dict[str, int]] = field(default_factory=dict)
    leases: Scores = field(default_factory=dict)
    timers: Scores = field(default_factory=dict)
    ready: Scores = field(default_factory=dict)
    audit: list[Record] = field(default_factory=list)

    def steps(self) -> Iterator[tuple[str, dict[str, Any]]]:
        """Yield (reminder id, stored step) of every reminder."""
        for (shop, order), stored in self.orders.items():
            for number, step in enumerate(stored.get("steps") or [], start=1):
                yield f"{shop}~{order}~{number}", step


PARTED = b"\x1f"
FIELDS = (
    "at",
    "kind",
    "actor",
    "shop",
    "order",
    "customer",
    "step",
    "attempt",
    "channel",
    "reason",
    "policy",
    "template",
    "seen",
    "told",
)
"""A stream entry has a field for each of its records, and the number of the last one for its id.

A record is these, parted by a character that no id can hold.

The last two make up the details: what the script saw is JSON, what it was told packed JSON.
"""


def read(client: Client, lanes: int) -> list[Lane]:
    """Return every lane as it stands; the store must be at rest meanwhile."""
    keys = defaultdict(list)
    for raw in client.scan_iter(match="d1:{*", count=1000):
        prefix, _, rest = raw.decode().partition("}:")
        keys[int(prefix.removeprefix("d1:{"))].append(rest)
    if beyond := [number for number in keys if number >= lanes]:
        raise ValueError(f"expected {lanes} lanes, found keys of {sorted(beyond)}")
    return [_lane(client, number, keys[number]) for number in range(lanes)]


def _lane(client: Client, number: int, keys: list[str]) -> Lane:
    prefix, lane = f"d1:{{{number:02d}}}:", Lane()
    for key in keys:
        kind, _, rest = key.partition(":")
        first, _, second = rest.partition("~")
        match kind:
            case "lane":
                lane.lane = _hash(client, prefix + key)
            case "leases" | "timers" | "ready":
                setattr(lane, kind, _scores(client, prefix + key))
            case "audit":
                lane.audit = [
                    record
                    for entry, fields in client.xrange(prefix + key)
                    for record in _records(number, entry, fields)
                ]
            case "order":
                lane.orders[first, second] = _order(client.get(prefix + key))
            case "customer":
                lane.customers[first, second] = msgspec.msgpack.decode(client.get(prefix + key))
            case "due" | "status":
                getattr(lane, kind)[rest] = _scores(client, prefix + key)
            case "pauses":
                lane.pauses = _hash(client, prefix + key)
            case "blocked":
                lane.blocked[rest] = _hash(client, prefix + key)
            case "templates":
                lane.templates[rest] = _hash(client, prefix + key)
            case "counts":
                lane.counts = {name: int(count) for name, count in _hash(client, prefix + key).items()}
            case "pools":
                lane.pools[rest] = {name: int(count) for name, count in _hash(client, prefix + key).items()}
            case "ledger":
                lane.ledgers[first, second] = _instants(client, prefix + key)
            case "shared":
                lane.ledgers[first, shared(second)] = _instants(client, prefix + key)
            case "unpaid":
                lane.unpaid[first, second] = [order.decode() for order in client.lrange(prefix + key, 0, -1)]
            case "shop":
                lane.shops[rest] = _hash(client, prefix + key)
    return lane


def _order(text: bytes) -> dict[str, Any]:
    """Return an order: behind 1, four bytes of length, one, two of length and the customer comes MessagePack.

    Behind that are the numbers of its records, six bytes each. Once all was MessagePack.
    """
    order: dict[str, Any]
    if text[0] != 1:
        order = msgspec.msgpack.decode(text)
        return order
    size, customer = int.from_bytes(text[1:5], "big"), int.from_bytes(text[6:8], "big")
    end = 8 + customer + size
    order = msgspec.msgpack.decode(text[end - size : end])
    records = [int.from_bytes(text[at : at + 6], "big") for at in range(end, len(text), 6)]
    return order | {"records": records}


def _hash(client: Client, key: str) -> dict[str, str]:
    return {name.decode(): value.decode() for name, value in client.hgetall(key).items()}


def _scores(client: Client, key: str) -> Scores:
    members = client.zrange(key, 0, -1, withscores=True)
    return {member.decode(): int(score) for member, score in members}


def _instants(client: Client, key: str) -> Scores:
    marks = msgspec.msgpack.decode(client.get(key), type=dict[str, int])
    return {reminder: mark // 4 for reminder, mark in marks.items()}


def _records(lane: int, entry: bytes, fields: dict[bytes, bytes]) -> Iterator[Record]:
    last = int(entry.partition(b"-")[0])
    for number, text in enumerate(fields.values(), last - len(fields) + 1):
        yield _record(lane, number, text)


def _record(lane: int, seq: int, raw: bytes) -> Record:
    *values, told = raw.split(PARTED, len(FIELDS) - 1)
    text = {name: value.decode() or None for name, value in zip(FIELDS[:-1], values, strict=True)}
    seen = text.pop("seen")
    number = {name: int(text[name] or 0) if text[name] else None for name in ("step", "attempt", "policy")}
    reminder = f"{text['shop']}~{text['order']}~{text['step']}" if text["step"] else None
    return {
        **text,
        **number,
        "seq": seq,
        "lane": lane,
        "at": iso(int(text["at"] or 0)),
        "reminder": reminder,
        "details": msgspec.json.decode(seen or "{}") | msgspec.json.decode(unpacked(told) if told else b"{}"),
    }
