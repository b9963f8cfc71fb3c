"""Reading the audit, wherever its records are: the newest in a stream of the store, others on disk."""

import asyncio
from collections.abc import AsyncIterator, Iterable, Sequence
from pathlib import Path
from typing import NamedTuple

import msgspec

from dispatcher.errors import StoreUnavailable
from dispatcher.policy.facts import Instant
from dispatcher.policy.zones import iso
from dispatcher.storage.audit_filter import Filter, matches
from dispatcher.storage.audit_record import ENTRY_RECORDS, AuditRecord
from dispatcher.storage.keys import LaneKeys, reminder_id
from dispatcher.storage.packing import unpack
from dispatcher.storage.reading import Reader
from dispatcher.storage.segments import Segment, read_segment, segments_in

PAGE = 1_000
"""Records read at once, so that whoever else is served in between does not wait long."""


ENTRIES = 64
"""Entries of the stream read at once, at least, of which each may hold one record alone or several."""


SEPARATOR = b"\x1f"
"""Parts the fields of a record in the stream; no id can hold it, and the details come last."""


class Head(NamedTuple):
    """What the store knows of a lane's audit: the last record archived, its digest, the newest record."""

    archived: int
    digest: str
    newest: int


class AuditReader:
    """Reads the audit of a store; `directory` holds the closed segments."""

    def __init__(self, store: Reader, directory: Path) -> None:
        self._store = store
        self._directory = directory
        self._listed: dict[int, list[Segment]] = {}

    def _folder(self, lane: int) -> Path:
        return self._directory / f"lane-{lane:02d}"

    async def head(self, lane: int) -> Head:
        """Return how far a lane's audit goes."""
        keys = self._store.keys(lane)
        archived, digest, newest = await self._store.redis.hmget(keys.lane, ["archived", "digest", "seq"])  # type: ignore[misc]
        return Head(int(archived or 0), (digest or b"").decode(), int(newest or 0))

    async def find(self, wanted: Filter) -> AsyncIterator[AuditRecord]:
        """Yield the wanted records lane by lane, in order within each; raises as `page` does."""
        lanes = range(self._store.lanes) if wanted.shop is None else [self._store.lane_of(wanted.shop)]
        for lane in lanes:
            async for record in self.read(lane, await self.first_since(lane, wanted.since)):
                if matches(record, wanted):
                    yield record

    async def read(self, lane: int, first: int = 1) -> AsyncIterator[AuditRecord]:
        """Yield a lane's records from `first` on, in order; raises as `page` does."""
        while page := await self.page(lane, first):
            for record in page:
                yield record
            first = page[-1].seq + 1

    async def page(self, lane: int, first: int, count: int | None = None) -> list[AuditRecord]:
        """Return up to `count` (else `PAGE`) of a lane's records from `first` on, none where it ends.

        A page that is shorter may be followed by others. Raises `StoreUnavailable` when records are
        neither in the store nor on this disk.
        """
        count = count or PAGE
        head = await self.head(lane)
        while first > head.archived:
            found = await self._stream(lane, first, count)
            if found and found[0].seq == first:
                return found
            before, head = head, await self.head(lane)
            if head.archived == before.archived:  # else it was archived while we looked
                if found:
                    raise _missing(lane, first, found[0].seq - 1)
                return []
        return await asyncio.to_thread(self._on_disk, lane, first, count, head.archived)

    async def pick(self, lane: int, wanted: Sequence[int]) -> list[AuditRecord]:
        """Return the records of these numbers, in their order; raises as `page` does."""
        numbers = sorted(set(wanted))
        archived = -1
        found: dict[int, AuditRecord] = {}
        while left := [seq for seq in numbers if seq > archived and seq not in found]:
            before, archived = archived, (await self.head(lane)).archived
            if archived == before:
                raise _missing(lane, left[0], left[-1])
            found |= await self._in_store(lane, [seq for seq in left if seq > archived])
        on_disk = [seq for seq in numbers if seq not in found]
        if on_disk:
            found |= await asyncio.to_thread(self._picked, lane, on_disk, archived)
        return [found[seq] for seq in numbers]

    async def first_since(self, lane: int, since: Instant | None) -> int:
        """Return the number of a lane's first record at `since` or later, the next one's if there is none.

        Time never goes back within a lane, so that a few records tell; raises as `page` does.
        """
        if since is None:
            return 1
        low, high = 1, (await self.head(lane)).newest + 1
        while low < high:
            middle = (low + high) // 2
            found = await self.page(lane, middle, 1)
            if found and found[0].at < iso(since):
                low = middle + 1
            else:
                high = middle
        return low

    async def _stream(self, lane: int, first: int, count: int) -> list[AuditRecord]:
        """Return up to `count` records from `first` on, as they stand at one moment."""
        keys = self._store.keys(lane)
        most = max(min(count, ENTRIES), count // ENTRY_RECORDS + 1)
        entries = await self._store.redis.xrange(keys.audit, min=f"{first}-0", count=most)
        numbered = [(seq, text) for entry in entries for seq, text in _numbered(*entry) if seq >= first]
        return [_record(keys, seq, text) for seq, text in numbered[:count]]

    async def _in_store(self, lane: int, numbers: Sequence[int]) -> dict[int, AuditRecord]:
        keys = self._store.keys(lane)
        async with self._store.redis.pipeline(transaction=False) as pipe:
            for seq in numbers:
                pipe.xrange(keys.audit, min=f"{seq}-0", count=1)  # the entry that holds it, if one does
            entries = [entry for answer in await pipe.execute() for entry in answer]
        texts = {seq: text for entry in entries for seq, text in _numbered(*entry)}
        return {seq: _record(keys, seq, texts[seq]) for seq in numbers if seq in texts}

    def _on_disk(self, lane: int, first: int, count: int, archived: int) -> list[AuditRecord]:
        segment = self._holding(lane, first, archived)
        return _lines(segment, range(first, min(first + count, segment.last + 1)))

    def _picked(self, lane: int, numbers: Sequence[int], archived: int) -> dict[int, AuditRecord]:
        """Return records that lie on disk by number; each segment is read once."""
        found: dict[int, AuditRecord] = {}
        for seq in numbers:
            if seq not in found:
                segment = self._holding(lane, seq, archived)
                wanted = [number for number in numbers if segment.first <= number <= segment.last]
                found |= {record.seq: record for record in _lines(segment, wanted)}
        return found

    def _holding(self, lane: int, seq: int, archived: int) -> Segment:
        """Return the segment a record is in; those the store has not let go of were left by a crash."""
        for anew in (False, True):
            if anew or lane not in self._listed:
                listed = segments_in(self._folder(lane))
                self._listed[lane] = [segment for segment in listed if segment.last <= archived]
            for segment in self._listed[lane]:
                if segment.first <= seq <= segment.last:
                    return segment
        raise _missing(lane, seq, archived)


def _missing(lane: int, first: int, last: int) -> StoreUnavailable:
    return StoreUnavailable(f"audit records {first} to {last} of lane {lane} are not on this disk")


def _lines(segment: Segment, wanted: Sequence[int]) -> list[AuditRecord]:
    """Return the records of a segment that have ascending numbers; only they are decoded."""
    records = list(read_segment(segment.path, [seq - segment.first for seq in wanted]))
    for place, seq in enumerate(wanted):
        if place >= len(records) or records[place].seq != seq:
            raise StoreUnavailable(f"{segment.path} ends before record {seq}")
    return records


def _details(seen: bytes, packed: bytes) -> bytes:
    """Return a record's details as one JSON object: what the script saw, then what it was told."""
    told = unpack(packed) if packed else b"{}"
    if not seen or seen == b"{}":
        return told
    return seen if told == b"{}" else seen[:-1] + b"," + told[1:]


def _numbered(entry: bytes, fields: dict[bytes, bytes]) -> Iterable[tuple[int, bytes]]:
    """Return the records of an entry, whose id is the number of the last of them."""
    last = int(entry.split(b"-")[0])
    return enumerate(fields.values(), last - len(fields) + 1)


def _record(keys: LaneKeys, seq: int, text: bytes) -> AuditRecord:
    *texts, packed = text.split(SEPARATOR, 13)
    *names, seen = (text.decode() for text in texts)
    at, kind, actor, shop, *rest = names
    order, customer, step, attempt, channel, reason, policy, template = (value or None for value in rest)
    return AuditRecord(
        seq=seq,
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
        details=msgspec.Raw(_details(seen.encode(), packed)),
    )


def _number(text: str | None) -> int | None:
    return None if text is None else int(text)
