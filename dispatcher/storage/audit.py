"""The audit trail: the newest records in a stream of the store, closed segments before them on disk.

Warning: the closed segments are never removed, so that disk and verification grow with the audit; and
what is not archived stays in the store.
"""

import asyncio
import fcntl
from pathlib import Path

import msgspec

from dispatcher.errors import StoreUnavailable
from dispatcher.storage.audit_reading import AuditReader
from dispatcher.storage.audit_record import AuditRecord
from dispatcher.storage.scripts import SCRIPTS
from dispatcher.storage.segments import (
    Segment,
    chain_problems,
    sealed,
    segments_in,
    write_segment,
)
from dispatcher.storage.store import Store


class Checked(msgspec.Struct, frozen=True, kw_only=True):
    """What checking a lane found: `records` were read, those in `segments` on disk and those in the store."""

    records: int
    segments: int
    problems: list[str]


class AuditTrail(AuditReader):
    """Reads, archives and verifies the audit of a store; `directory` holds the closed segments."""

    def __init__(self, store: Store, directory: Path, segment_records: int) -> None:
        super().__init__(store, directory)
        self._segment = segment_records

    async def _closed(self, lane: int, archived: int) -> list[Segment]:
        """List the segments whose records the store has let go of; later ones were left by a crash."""
        listed = await asyncio.to_thread(segments_in, self._folder(lane))
        return [segment for segment in listed if segment.last <= archived]

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
        head = await self.head(lane)
        first = head.archived + 1
        if head.newest - first + 1 < self._segment:
            return False
        records: list[AuditRecord] = []
        while left := self._segment - len(records):
            begin = first + len(records)
            more = await self._stream(lane, begin, left)
            if not more or more[-1].seq != begin + len(more) - 1:
                return False  # another worker archived it meanwhile, or a record is missing
            records += more
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

    async def check(self, lane: int) -> Checked:
        """Tell what is wrong with a lane's audit: gaps, time going back, a broken chain.

        Also how much of it was looked at; behind a broken chain nothing is.
        """
        head = await self.head(lane)
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
        newest = (await self.head(lane)).newest
        if last <= newest:
            return []
        return [f"lane {lane}: there are records up to {last}, the store counts {newest}"]


def line(record: AuditRecord) -> bytes:
    """Return a record as a line of JSON."""
    return msgspec.json.encode(record) + b"\n"
