"""Single records and pages of the audit, wherever they are."""

from pathlib import Path
from typing import Any

import pytest
from redis.asyncio import Redis

from dispatcher.errors import StoreUnavailable
from dispatcher.settings import Settings
from dispatcher.storage import audit_reading
from dispatcher.storage.audit import AuditTrail
from dispatcher.storage.audit_filter import Filter
from dispatcher.storage.audit_record import AuditRecord
from tests.worlds import MINUTE, NOON, World, event, world

RECORDS = 23


@pytest.fixture
async def here(redis: Redis, audit_directory: Path) -> World:
    """A lane with 23 records, two of each order in a minute of its own; five make a segment."""
    here = await world(redis, audit_directory, settings=Settings(lanes=1, segment_records=5))
    for number in range(11):
        here.clock.advance_to(NOON + number * MINUTE)
        await here.service.intake.take([event("order.unpaid", f"O-{number}", here.clock.now())], "key:test")
    return here


@pytest.fixture
def trail(here: World) -> AuditTrail:
    """The audit trail of that world."""
    return here.service.audit


def numbers(records: list[AuditRecord]) -> list[int]:
    return [record.seq for record in records]


async def test_records_are_picked_by_number_from_store_and_disk(trail: AuditTrail) -> None:
    before = await trail.pick(0, [23, 2, 9, 9, 21, 6])
    await trail.archive(0)

    after = await trail.pick(0, [23, 2, 9, 9, 21, 6])

    assert numbers(before) == [2, 6, 9, 21, 23]
    assert numbers(after) == [2, 6, 9, 21, 23]
    assert [record.at for record in after] == [record.at for record in before]
    assert await trail.pick(0, []) == []


async def test_picking_reads_only_the_segments_it_needs(
    trail: AuditTrail, monkeypatch: pytest.MonkeyPatch
) -> None:
    await trail.archive(0)
    read, whole = [], audit_reading.read_segment

    def counting(path: Path, places: Any = None) -> Any:
        read.append(path.name)
        return whole(path, places)

    monkeypatch.setattr(audit_reading, "read_segment", counting)
    await trail.pick(0, [6, 7, 10, 22])

    assert read == ["000000000006-000000000010.jsonl"]


async def test_picking_finds_what_is_archived_while_it_looks(
    redis: Redis, trail: AuditTrail, monkeypatch: pytest.MonkeyPatch
) -> None:
    whole = trail.head

    async def archived_after(lane: int) -> Any:
        head = await whole(lane)
        monkeypatch.setattr(trail, "head", whole)
        await trail.archive(0)
        return head

    monkeypatch.setattr(trail, "head", archived_after)

    assert numbers(await trail.pick(0, [1, 12, 23])) == [1, 12, 23]


@pytest.mark.parametrize("wanted", [[24], [3, 24], [0]])
async def test_a_record_that_is_nowhere_is_told(trail: AuditTrail, wanted: list[int]) -> None:
    await trail.archive(0)

    with pytest.raises(StoreUnavailable, match="of lane 0 are not on this disk"):
        await trail.pick(0, wanted)


@pytest.mark.parametrize("archived", [False, True])
async def test_a_page_holds_so_many_records_at_most(trail: AuditTrail, archived: bool) -> None:
    if archived:
        await trail.archive(0)

    assert numbers(await trail.page(0, 1, 4)) == [1, 2, 3, 4]
    assert numbers(await trail.page(0, 4, 100))[:2] == [4, 5]
    assert numbers(await trail.page(0, 21, 100)) == [21, 22, 23]
    assert await trail.page(0, 24, 100) == []


@pytest.mark.parametrize("archived", [False, True])
async def test_the_first_record_since_a_time_is_found(trail: AuditTrail, archived: bool) -> None:
    if archived:
        await trail.archive(0)

    found = [await trail.first_since(0, NOON + minute * MINUTE) for minute in (-5, 0, 1, 10, 11)]

    assert found == [1, 1, 4, 22, 24]
    assert await trail.first_since(0, None) == 1
    assert await trail.first_since(0, NOON + MINUTE + 1) == 6


async def test_finding_since_a_time_leaves_out_what_was_before(trail: AuditTrail) -> None:
    await trail.archive(0)

    found = [record.seq async for record in trail.find(Filter(since=NOON + 9 * MINUTE))]

    assert found == [20, 21, 22, 23]


async def test_an_empty_lane_has_no_records(redis: Redis, audit_directory: Path) -> None:
    here = await world(redis, audit_directory, settings=Settings(lanes=2))
    empty = 1 - here.lane

    assert await here.service.audit.page(empty, 1) == []
    assert await here.service.audit.first_since(empty, NOON) == 1
