"""Audit records as the outside sees them: dictionaries, one a state change."""

import re
from collections.abc import Iterable
from datetime import UTC, datetime, timedelta
from functools import lru_cache
from pathlib import Path
from typing import Any

import msgspec

Record = dict[str, Any]
OrderKey = tuple[str, str]
"""(shop, order)."""

FIELDS = frozenset(
    (
        "seq",
        "lane",
        "at",
        "kind",
        "actor",
        "shop",
        "order",
        "customer",
        "reminder",
        "step",
        "attempt",
        "channel",
        "reason",
        "policy",
        "template",
        "details",
    )
)
EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
AT = re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z")
ACTOR = re.compile(r"system|(key|user):.+")
PHONE = re.compile(r"\+\d{8,15}(?!\d)|(?<![\w.-])1[3-9]\d{9}(?![\w.-])")


@lru_cache(maxsize=100_000)
def instant(text: str) -> int:
    """Return milliseconds since the epoch of `2026-11-11T02:20:31.004Z`; any other form is a `ValueError`."""
    if not AT.fullmatch(text):
        raise ValueError(f"expected an instant like 2026-11-11T02:20:31.004Z, got {text!r}")
    return (datetime.fromisoformat(text) - EPOCH) // timedelta(milliseconds=1)


def iso(milliseconds: int) -> str:
    """Return the audit's form of an instant."""
    moment = EPOCH + timedelta(milliseconds=milliseconds)
    return moment.replace(tzinfo=None).isoformat(timespec="milliseconds") + "Z"


def load(path: Path | str) -> list[Record]:
    """Return the records of a JSONL file."""
    with Path(path).open("rb") as lines:
        return [msgspec.json.decode(line) for line in lines if line.strip()]


def in_order(records: Iterable[Record]) -> list[Record]:
    """Return the records lane by lane in the order of their `seq`."""
    return sorted(records, key=lambda record: (record["lane"], record["seq"]))


def order_key(record: Record) -> OrderKey:
    """Return (shop, order) of a record."""
    return record["shop"], record["order"]


def split_reminder(reminder: str) -> tuple[str, str, int]:
    """Return (shop, order, step) of a reminder id; a shop's id has no `~`, an order's may."""
    shop, _, rest = reminder.partition("~")
    order, _, step = rest.rpartition("~")
    return shop, order, int(step)


def name(record: Record) -> str:
    """Return what a violation calls a record: where it stands, its kind and what it is about."""
    about = record["reminder"] or "~".join(filter(None, (record["shop"], record["order"])))
    return f"lane {record['lane']} seq {record['seq']} {record['kind']} {about}".rstrip()


def form(records: Iterable[Record]) -> list[str]:
    """Find records that do not have the contract's form; other checkers may stumble over those."""
    return [
        f"record {record.get('seq')!r}: {problem}" for record in records for problem in _misformed(record)
    ]


def _misformed(record: Record) -> Iterable[str]:
    if missing := sorted(FIELDS - record.keys()):
        yield f"misses {', '.join(missing)}"
        return
    if not AT.fullmatch(str(record["at"])):
        yield f"at is {record['at']!r}"
    if not ACTOR.fullmatch(str(record["actor"])):
        yield f"actor is {record['actor']!r}"
    if not isinstance(record["details"], dict):
        yield "details is no object"
    if str(record["kind"]).startswith(("reminder.", "task.")):
        expected = f"{record['shop']}~{record['order']}~{record['step']}"
        if record["reminder"] != expected:
            yield f"reminder is {record['reminder']!r}, expected {expected!r}"


def no_phone_numbers(records: Iterable[Record]) -> list[str]:
    """Find phone numbers in the clear; no audit record may hold one."""
    return [
        f"{name(record)}: holds a phone number in the clear"
        for record in records
        if PHONE.search(msgspec.json.encode(record).decode())
    ]
