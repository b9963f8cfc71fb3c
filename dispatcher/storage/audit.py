"""The audit trail: the newest records in a stream of the store, closed segments before them on disk.

Warning: the closed segments are never removed, so that disk and verification grow with the audit; and
what is not archived stays in the store.
"""

import asyncio
import fcntl
from collections.abc import AsyncIterator, Iterator
from pathlib import Path
from typing import Any, NamedTuple

import msgspec
from redis.asyncio import Redis

from dispatcher.errors import StoreUnavailable
from dispatcher.policy.zones import iso
from dispatcher.storage.audit_filter import Filter, matches
from dispatcher.storage.keys import META, LaneKeys, reminder_id
from dispatcher.storage.records import AuditRecord
from dispatcher.storage.scripts import SCRIPTS
from dispatcher.storage.segments import (
    Segment,
    chain_problems,
    read_segment,
    sealed,
    segments_in,
    write_segment,
)
from dispatcher.storage.store import Store

PAGE = 1_000
"""Records read from the stream at once."""


SEPARATOR = "\x1f"
"""Parts the fields of a record in the stream; no id can hold it, and the details come last."""


class Checked(msgspec.Struct, frozen=True, kw_only=True):
    """What checking a lane found: `records` were read, those in `segments` on disk and those in the store."""

    records: int
    segments: int
    problems: list[str]


class _Head(NamedTuple):
    """What the store knows of a lane's audit: the last record archived, its digest, the newest record."""

    archived: int
    digest: str
    newest: int


class AuditTrail:
    """Reads, archives and verifies the audit of a store; `directory` holds the closed segments."""

    def __init__(self, store: Store, directory: Path, segment_records: int) -> None:
        self._store = store
        self._directory = directory
        self._segment = segment_records

    def _folder(self, lane: int) -> Path:
        return self._directory / f"lane-{lane:02d}"

    async def _head(self, lane: int) -> _Head:
        keys = self._store.keys(lane)
        archived, digest, newest = await self._store.redis.hmget(keys.lane, ["archived", "digest", "seq"])  # type: ignore[misc]
        return _Head(int(archived or 0), (digest or b"").decode(), int(newest or 0))

    async def find(self, wanted: Filter) -> AsyncIterator[AuditRecord]:
        """Yield the wanted records lane by lane, in order within each; raises as `read` does."""
        lanes = range(self._store.lanes) if wanted.shop is None else [self._store.lane_of(wanted.shop)]
        for lane in lanes:
            async for record in self.read(lane):
                if matches(record, wanted):
                    yield record

    async def read(self, lane: int, first: int = 1) -> AsyncIterator[AuditRecord]:
        """Yield a lane's records from `first` on, in order, whether on disk or in the store.

        Raises `StoreUnavailable` when records are in neither.
        """
        expected = first
        segments = await self._closed(lane, (await self._head(lane)).archived)
        while True:
            for record in _closed_records(segments, expected):
                yield record
                expected = record.seq + 1
            page = await self._page(lane, expected, PAGE)
            if page and page[0].seq == expected:
                for record in page:
                    yield record
                expected = page[-1].seq + 1
                continue
            archived = (await self._head(lane)).archived
            segments = await self._closed(lane, archived)
            if any(segment.first <= expected <= segment.last for segment in segments):
                continue  # archived while we looked
            last = page[0].seq - 1 if page else archived
            if last < expected:
                return
            raise StoreUnavailable(f"audit records {expected} to {last} of lane {lane} are not on this disk")

    async def _closed(self, lane: int, archived: int) -> list[Segment]:
        """List the segments whose records the store has let go of; later ones were left by a crash."""
        listed = await asyncio.to_thread(segments_in, self._folder(lane))
        return [segment for segment in listed if segment.last <= archived]

    async def _page(self, lane: int, first: int, count: int) -> list[AuditRecord]:
        keys = self._store.keys(lane)
        entries = await self._store.redis.xrange(keys.audit, min=f"{first}-0", count=count)
        return [_record(keys, entry, fields) for entry, fields in entries]

    async def archive(self, lane: int) -> int:
        """Move full segments to disk and then out of the store; return how many: 0 while another is at it."""
        folder, moved = self._folder(lane), 0
        folder.mkdir(parents=True, exist_ok=True)
        with (folder / "lock").open("ab") as lock:
            try:
                fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
            except BlockingIOError:
                return 0
            while await self._archive_one(lane):
                moved += 1
        return moved

    async def _archive_one(self, lane: int) -> bool:
        head = await self._head(lane)
        first = head.archived + 1
        if head.newest - first + 1 < self._segment:
            return False
        records = await self._page(lane, first, self._segment)
        if len(records) < self._segment or records[0].seq != first:
            return False  # another worker archived it meanwhile
        text = b"".join(line(record) for record in records)
        seal = sealed(lane, first, records[-1].seq, text, head.digest)
        await asyncio.to_thread(write_segment, self._folder(lane), seal, text)
        trim = {
            "now": 0,
            "first": seal.first,
            "last": seal.last,
            "digest": seal.digest,
            "previous": seal.previous,
        }
        keys = list(self._store.keys(lane).fixed)
        answer = await SCRIPTS["trim"](self._store.redis, keys, trim, [])
        return bool(answer == b"trimmed")

    async def verify(self, lane: int) -> list[str]:
        """Return what is wrong with a lane's audit: gaps, time going back, a broken chain."""
        return (await self.check(lane)).problems

    async def check(self, lane: int) -> Checked:
        """Verify a lane's audit, and tell how much of it was looked at; behind a broken chain nothing is."""
        head = await self._head(lane)
        closed = await self._closed(lane, head.archived)
        problems = await asyncio.to_thread(chain_problems, lane, closed, head.archived, head.digest)
        if problems:
            return Checked(records=0, segments=len(closed), problems=problems)
        records, expected, last_at = 0, 1, ""
        try:
            async for record in self.read(lane):
                if record.seq != expected:
                    problems.append(f"lane {lane}: expected record {expected}, got {record.seq}")
                if record.at < last_at:
                    problems.append(f"lane {lane}: record {record.seq} is earlier than the one before it")
                records, expected, last_at = records + 1, record.seq + 1, record.at
        except StoreUnavailable as missing:
            problems.append(f"lane {lane}: {missing}")
        else:
            if expected <= head.newest:
                problems.append(f"lane {lane}: records {expected} to {head.newest} are missing")
            problems += await self._unknown(lane, expected - 1)
        return Checked(records=records, segments=len(closed), problems=problems)

    async def _unknown(self, lane: int, last: int) -> list[str]:
        """Tell of records beyond the newest one that the store counts: it lost some, or is another store."""
        on_disk = await asyncio.to_thread(segments_in, self._folder(lane))
        last = max([last, *(segment.last for segment in on_disk)])
        newest = (await self._head(lane)).newest
        if last <= newest:
            return []
        return [f"lane {lane}: there are records up to {last}, the store counts {newest}"]


async def stored_lanes(redis: Redis) -> int | None:
    """Return the number of lanes a store was first started with; `None` when it never was."""
    lanes = await redis.hget(META, "lanes")  # type: ignore[misc]
    return None if lanes is None else int(lanes)


def _closed_records(segments: list[Segment], first: int) -> Iterator[AuditRecord]:
    """Yield the records from `first` on, as far as the segments follow on one another."""
    expected = first
    for segment in segments:
        if segment.first <= expected <= segment.last:
            for record in read_segment(segment.path):
                if record.seq >= expected:
                    yield record
                    expected = record.seq + 1
            if expected <= segment.last:
                raise StoreUnavailable(f"{segment.path} ends before record {expected}")


def _record(keys: LaneKeys, entry: bytes, fields: dict[bytes, bytes]) -> AuditRecord:
    *names, details = fields[b"r"].decode().split(SEPARATOR, 12)
    at, kind, actor, shop, *rest = names
    order, customer, step, attempt, channel, reason, policy, template = (value or None for value in rest)
    return AuditRecord(
        seq=int(entry.split(b"-")[0]),
        lane=keys.number,
        at=iso(int(at)),
        kind=kind,
        actor=actor,
        shop=shop,
        order=order,
        customer=customer,
        reminder=reminder_id(shop, order, int(step)) if order and step else None,
        step=_number(step),
        attempt=_number(attempt),
        channel=channel,
        reason=reason,
        policy=_number(policy),
        template=template,
        details=msgspec.Raw(details.encode()),
    )


def _number(text: str | None) -> int | None:
    return None if text is None else int(text)


def line(record: AuditRecord) -> bytes:
    """Return a record as a line of JSON."""
    return msgspec.json.encode(record) + b"\n"


def as_json(record: AuditRecord) -> dict[str, Any]:
    """Return a record as plain data."""
    decoded: dict[str, Any] = msgspec.json.decode(line(record))
    return decoded
