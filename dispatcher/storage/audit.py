"""The audit trail: the newest records in a stream of the store, closed segments before them on disk."""

import asyncio
import fcntl
import hashlib
import os
from collections.abc import AsyncIterator, Iterator
from pathlib import Path
from typing import Any

import msgspec

from dispatcher.errors import StoreUnavailable
from dispatcher.policy.zones import iso
from dispatcher.storage.keys import LaneKeys, reminder_id
from dispatcher.storage.records import AuditRecord
from dispatcher.storage.scripts import SCRIPTS
from dispatcher.storage.store import Store

PAGE = 1_000
"""Records read from the stream at once."""


SEPARATOR = "\x1f"
"""Parts the fields of a record in the stream; no id can hold it, and the details come last."""


class Seal(msgspec.Struct, frozen=True, kw_only=True):
    """What stands beside a segment: `digest` chains its `sha256` to the digest before it."""

    lane: int
    first: int
    last: int
    sha256: str
    previous: str
    digest: str


class AuditTrail:
    """Reads, archives and verifies the audit of a store; `directory` holds the closed segments."""

    def __init__(self, store: Store, directory: Path, segment_records: int) -> None:
        self._store = store
        self._directory = directory
        self._segment = segment_records

    def _folder(self, lane: int) -> Path:
        return self._directory / f"lane-{lane:02d}"

    async def read(self, lane: int, first: int = 1) -> AsyncIterator[AuditRecord]:
        """Yield a lane's records from `first` on, in order, whether on disk or in the store.

        Raises `StoreUnavailable` when records are in neither.
        """
        expected = first
        while True:
            segment = self._segment_with(lane, expected)
            if segment is not None:
                for record in read_segment(segment):
                    if record.seq >= expected:
                        yield record
                        expected = record.seq + 1
                continue
            page = await self._page(lane, expected, PAGE)
            if not page or page[0].seq != expected:
                if self._segment_with(lane, expected) is not None:
                    continue  # archived while we looked
                if not page:
                    return
                raise StoreUnavailable(
                    f"audit records {expected} to {page[0].seq - 1} of lane {lane} are not on this disk"
                )
            for record in page:
                yield record
            expected = page[-1].seq + 1

    def _segment_with(self, lane: int, seq: int) -> Path | None:
        for path in sorted(self._folder(lane).glob("*.jsonl")):
            first, last = bounds(path)
            if first <= seq <= last:
                return path
        return None

    async def _page(self, lane: int, first: int, count: int) -> list[AuditRecord]:
        keys = self._store.keys(lane)
        entries = await self._store.redis.xrange(keys.audit, min=f"{first}-0", count=count)
        return [_record(keys, entry, fields) for entry, fields in entries]

    async def archive(self, lane: int) -> int:
        """Move full segments to disk and then out of the store; return how many.

        None when another process is at it.
        """
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
        keys = self._store.keys(lane)
        archived, digest, seq = await self._store.redis.hmget(keys.lane, ["archived", "digest", "seq"])  # type: ignore[misc]
        first = int(archived or 0) + 1
        if int(seq or 0) - first + 1 < self._segment:
            return False
        records = await self._page(lane, first, self._segment)
        if len(records) < self._segment or records[0].seq != first:
            return False  # another worker archived it meanwhile
        text = b"".join(line(record) for record in records)
        seal = sealed(lane, first, records[-1].seq, text, (digest or b"").decode())
        await asyncio.to_thread(_write_segment, self._folder(lane), seal, text)
        head = {
            "now": 0,
            "first": seal.first,
            "last": seal.last,
            "digest": seal.digest,
            "previous": seal.previous,
        }
        answer = await SCRIPTS["trim"](self._store.redis, list(keys.fixed), head, [])
        return bool(answer == b"trimmed")

    async def verify(self, lane: int) -> list[str]:
        """Return what is wrong with a lane's audit: gaps, time going back, a broken chain."""
        keys = self._store.keys(lane)
        archived, digest, seq = await self._store.redis.hmget(keys.lane, ["archived", "digest", "seq"])  # type: ignore[misc]
        problems = verify_segments(self._folder(lane), lane, int(archived or 0), (digest or b"").decode())
        if problems:
            return problems
        expected, last_at = 1, ""
        try:
            async for record in self.read(lane):
                if record.seq != expected:
                    problems.append(f"lane {lane}: expected record {expected}, got {record.seq}")
                if record.at < last_at:
                    problems.append(f"lane {lane}: record {record.seq} is earlier than the one before it")
                expected, last_at = record.seq + 1, record.at
        except StoreUnavailable as missing:
            return [*problems, f"lane {lane}: {missing}"]
        if expected <= int(seq or 0):
            problems.append(f"lane {lane}: records {expected} to {int(seq)} are missing")
        return problems


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


def bounds(segment: Path) -> tuple[int, int]:
    """Return the first and last `seq` that a segment's name states."""
    first, last = segment.stem.split("-")
    return int(first), int(last)


_LINE = msgspec.json.Decoder(AuditRecord)


def read_segment(path: Path) -> Iterator[AuditRecord]:
    """Yield the records of a segment."""
    with path.open("rb") as lines:
        for text in lines:
            yield _LINE.decode(text)


def sealed(lane: int, first: int, last: int, text: bytes, previous: str) -> Seal:
    """Return the seal of a segment that follows on the digest `previous`."""
    sha256 = hashlib.sha256(text).hexdigest()
    digest = hashlib.sha256(f"{previous}:{lane}:{first}:{last}:{sha256}".encode()).hexdigest()
    return Seal(lane=lane, first=first, last=last, sha256=sha256, previous=previous, digest=digest)


def _write_segment(folder: Path, seal: Seal, text: bytes) -> None:
    """Write a segment and its seal so that each is there whole or not at all, and durable.

    What an earlier attempt left, written but never taken out of the store, goes first.
    """
    for path in folder.glob("*.jsonl"):
        if bounds(path)[0] >= seal.first:
            path.unlink()
            path.with_suffix(".seal.json").unlink(missing_ok=True)
    stem = f"{seal.first:012d}-{seal.last:012d}"
    _write_whole(folder / f"{stem}.seal.json", msgspec.json.encode(seal) + b"\n")
    _write_whole(folder / f"{stem}.jsonl", text)


def _write_whole(path: Path, text: bytes) -> None:
    part = path.with_suffix(".part")
    with part.open("wb") as file:
        file.write(text)
        file.flush()
        os.fsync(file.fileno())
    part.replace(path)
    folder = os.open(path.parent, os.O_RDONLY)
    try:
        os.fsync(folder)
    finally:
        os.close(folder)


def verify_segments(folder: Path, lane: int, archived: int, digest: str) -> list[str]:
    """Return what is wrong with the segments on disk, which must chain up to what the store remembers."""
    problems: list[str] = []
    expected, previous = 1, ""
    for path in sorted(folder.glob("*.jsonl")):
        first, last = bounds(path)
        if first > archived:
            break  # written, but not yet taken out of the store
        try:
            seal = msgspec.json.decode(path.with_suffix(".seal.json").read_bytes(), type=Seal)
        except (OSError, msgspec.MsgspecError):
            return [f"lane {lane}: the seal of {path.name} is missing or unreadable"]
        if (first, last) != (seal.first, seal.last) or first != expected:
            return [f"lane {lane}: {path.name} does not follow on record {expected - 1}"]
        if seal != sealed(lane, first, last, path.read_bytes(), previous):
            return [f"lane {lane}: {path.name} does not match its seal"]
        expected, previous = last + 1, seal.digest
    if expected != archived + 1 or previous != digest:
        problems.append(f"lane {lane}: segments end at record {expected - 1}, the store archived {archived}")
    return problems


def as_json(record: AuditRecord) -> dict[str, Any]:
    """Return a record as plain data."""
    decoded: dict[str, Any] = msgspec.json.decode(line(record))
    return decoded
