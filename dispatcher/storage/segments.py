"""Closed segments of the audit on disk: JSON lines, each file with a seal that chains it to the one before.

Warning: nothing here removes a segment once the store has let go of its records. They grow with the
audit, without bound, and so does the time to list and verify them.
"""

import hashlib
import os
import re
from collections.abc import Iterator, Sequence
from itertools import islice
from pathlib import Path

import msgspec

from dispatcher.errors import StoreUnavailable
from dispatcher.storage.audit_record import AuditRecord

_NAME = re.compile(r"([0-9]{12,})-([0-9]{12,})\.jsonl")
_LINE = msgspec.json.Decoder(AuditRecord)


class Seal(msgspec.Struct, frozen=True, kw_only=True):
    """What stands beside a segment: `digest` chains its `sha256` to the digest before it."""

    lane: int
    first: int
    last: int
    sha256: str
    previous: str
    digest: str


class Segment(msgspec.Struct, frozen=True):
    """A file that holds a lane's records `first` to `last`, as its name states."""

    path: Path
    first: int
    last: int


def segments_in(folder: Path) -> list[Segment]:
    """Return the segments of a lane's folder by their first record; other files are passed over."""
    named = [(path, _NAME.fullmatch(path.name)) for path in folder.glob("*.jsonl")]
    found = [Segment(path, int(name[1]), int(name[2])) for path, name in named if name]
    return sorted(found, key=lambda segment: (segment.first, segment.last))


def read_segment(path: Path, places: Sequence[int] | None = None) -> Iterator[AuditRecord]:
    """Yield the records of a segment, or those at some ascending `places` in it, counted from 0.

    Raises `StoreUnavailable` where it is not readable.
    """
    wanted, end = (None, None) if places is None else (frozenset(places), places[-1] + 1)
    try:
        with path.open("rb") as lines:
            for place, text in enumerate(islice(lines, end)):
                if wanted is None or place in wanted:
                    yield _LINE.decode(text)
    except (OSError, msgspec.MsgspecError) as error:
        raise StoreUnavailable(
            f"{path} is damaged or unreadable ({type(error).__name__}); bring it back from a backup"
        ) from error


def sealed(lane: int, first: int, last: int, text: bytes, previous: str) -> Seal:
    """Return the seal of a segment that follows on the digest `previous`."""
    sha256 = hashlib.sha256(text).hexdigest()
    digest = hashlib.sha256(f"{previous}:{lane}:{first}:{last}:{sha256}".encode()).hexdigest()
    return Seal(lane=lane, first=first, last=last, sha256=sha256, previous=previous, digest=digest)


def write_segment(folder: Path, seal: Seal, text: bytes) -> None:
    """Write a segment and its seal so that each is there whole or not at all, and durable.

    What an earlier attempt left, written but never taken out of the store, goes first.
    """
    for left in segments_in(folder):
        if left.first >= seal.first:
            left.path.unlink()
            _seal_of(left).unlink(missing_ok=True)
    stem = f"{seal.first:012d}-{seal.last:012d}"
    _write_whole(folder / f"{stem}.seal.json", msgspec.json.encode(seal) + b"\n")
    _write_whole(folder / f"{stem}.jsonl", text)


def _seal_of(segment: Segment) -> Path:
    return segment.path.with_suffix(".seal.json")


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


def chain_problems(lane: int, segments: Sequence[Segment], archived: int, digest: str) -> list[str]:
    """Return what is wrong with segments, which must chain up to what the store remembers."""
    expected, previous = 1, ""
    for segment in segments:
        name = segment.path.name
        try:
            seal = msgspec.json.decode(_seal_of(segment).read_bytes(), type=Seal)
        except (OSError, msgspec.MsgspecError):
            return [f"lane {lane}: the seal of {name} is missing or unreadable"]
        if (segment.first, segment.last) != (seal.first, seal.last) or segment.first != expected:
            return [f"lane {lane}: {name} does not follow on record {expected - 1}"]
        try:
            text = segment.path.read_bytes()
        except OSError as error:
            return [f"lane {lane}: {name} is unreadable ({type(error).__name__})"]
        if seal != sealed(lane, segment.first, segment.last, text, previous):
            return [f"lane {lane}: {name} does not match its seal"]
        expected, previous = segment.last + 1, seal.digest
    if expected != archived + 1 or previous != digest:
        return [f"lane {lane}: segments end at record {expected - 1}, the store archived {archived}"]
    return []
