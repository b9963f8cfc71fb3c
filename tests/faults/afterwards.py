"""What is asked when a fault is over: the promises, and one story from audit, store and log."""

from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Any, NamedTuple

import msgspec
import redis

from tests.checkers.dump import dump
from tests.checkers.promises import CheckerRules, check_all
from tests.checkers.records import Record
from tests.checkers.replay import replay
from tests.checkers.state import diff
from tests.checkers.structure import structure


class Line(NamedTuple):
    """One hand-off as the stub wrote it down; nothing of the product had a part in it."""

    reminder: str
    order: str
    customer: str


def read_log(log: Path) -> list[Line]:
    """Return the hand-offs of a stub's log, in their order."""
    with log.open("rb") as lines:
        found: list[dict[str, Any]] = [msgspec.json.decode(line) for line in lines]
    return [Line(line["reference"], line["order"], line["customer"]) for line in found]


class AtRest:
    """A client for the checkers: it reads all values of a store at rest once, and many at a time."""

    def __init__(self, client: redis.Redis) -> None:
        self._client = client
        self._values: dict[str, Any] = {}
        self._others = [*self._names("hash"), *self._names("stream")]
        for chunk in batched(self._names("string")):
            texts: Any = client.mget(chunk)
            self._values |= zip(chunk, texts, strict=True)
        for chunk in batched(self._names("zset")):
            pipe = client.pipeline(transaction=False)
            for name in chunk:
                pipe.zrange(name, 0, -1, withscores=True)
            self._values |= zip(chunk, pipe.execute(), strict=True)
        for chunk in batched(self._names("list")):
            pipe = client.pipeline(transaction=False)
            for name in chunk:
                pipe.lrange(name, 0, -1)
            self._values |= zip(chunk, pipe.execute(), strict=True)

    def _names(self, kind: str) -> list[str]:
        return [name.decode() for name in self._client.scan_iter(count=1000, _type=kind)]

    def scan_iter(self, match: str, count: int) -> Iterator[Any]:
        """Yield the names of the keys that were there."""
        assert match.endswith("*")
        names = (*self._values, *self._others)
        return (name.encode() for name in names if name.startswith(match[:-1]))

    def get(self, name: str) -> Any:
        """Return a string."""
        return self._values[name]

    def zrange(self, name: str, start: int, end: int, *, withscores: bool) -> Any:
        """Return a whole sorted set."""
        assert (start, end, withscores) == (0, -1, True)
        return self._values[name]

    def lrange(self, name: str, start: int, end: int) -> Any:
        """Return a whole list."""
        assert (start, end) == (0, -1)
        return self._values[name]

    def hgetall(self, name: str) -> Any:
        """Return a hash."""
        return self._client.hgetall(name)

    def xrange(self, name: str) -> Any:
        """Return a stream."""
        return self._client.xrange(name)


def batched(names: list[str]) -> Iterator[list[str]]:
    """Cut names into portions for one call."""
    return (names[start : start + 5_000] for start in range(0, len(names), 5_000))


def contradictions(records: Iterable[Record], client: AtRest, lanes: int, rules: CheckerRules) -> list[str]:
    """Return broken promises and whatever store and audit tell differently; the store must be at rest."""
    records = list(records)
    return [
        *check_all(records, rules),
        *diff(replay(records), dump(client, lanes)),
        *structure(client, lanes),
    ]
