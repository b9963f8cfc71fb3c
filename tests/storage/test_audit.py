"""The audit trail: complete wherever its records are, and whatever was done to it is found."""

import asyncio
import re
from collections.abc import Callable
from pathlib import Path
from random import Random
from typing import Any

import msgspec
import pytest

from dispatcher.errors import StoreUnavailable
from dispatcher.settings import Settings
from dispatcher.storage import audit_reading
from dispatcher.storage.access import AccessKeys, StoredKey
from dispatcher.storage.audit import AuditTrail, Checked, line
from dispatcher.storage.audit_filter import Filter, matches
from dispatcher.storage.audit_record import AuditRecord
from dispatcher.storage.client import StoreClient
from dispatcher.storage.scripts import FILLER_BYTES, SCRIPTS
from dispatcher.storage.segments import Segment, sealed, segments_in
from tests.storage.scenes import dump
from tests.worlds import HOUR, NOON, World, event, world

SEED = 20251111
SEGMENT = 5
RECORDS = 23
"""The records of the world: one of its policy, two an order."""


@pytest.fixture
async def here(redis: StoreClient, audit_directory: Path) -> World:
    """A lane with 23 audit records, five of which make a segment."""
    here = await world(redis, audit_directory, settings=Settings(lanes=1, segment_records=SEGMENT))
    events = [event("order.unpaid", f"O-{number}", NOON, customer=f"王~{number}") for number in range(11)]
    await here.service.intake.take(events, 'key:"test"')
    return here


@pytest.fixture
def trail(here: World) -> AuditTrail:
    """The audit trail of that world."""
    return here.service.audit


async def records(trail: AuditTrail, first: int = 1) -> list[AuditRecord]:
    return [record async for record in trail.read(0, first)]


async def text(trail: AuditTrail) -> bytes:
    return b"".join(line(record) for record in await records(trail))


async def one_an_entry(redis: StoreClient, key: str) -> None:
    """Write the stream as earlier versions did, which had an entry for each record."""
    entries = await redis.xrange(key)
    await redis.delete(key)
    for entry, fields in entries:
        last = int(entry.split(b"-")[0])
        for seq, record in enumerate(fields.values(), last - len(fields) + 1):
            await redis.xadd(key, {"r": record}, f"{seq}-0")


def told(record: AuditRecord) -> Any:
    assert isinstance(record.details, msgspec.Raw)
    return msgspec.json.decode(record.details)


def segments(directory: Path) -> list[Path]:
    return sorted((directory / "lane-00").glob("*.jsonl"))


async def test_full_segments_move_to_disk_and_the_rest_stays(
    here: World, redis: StoreClient, audit_directory: Path, trail: AuditTrail
) -> None:
    moved = await trail.archive(0)
    again = await trail.archive(0)

    assert (moved, again) == (4, 0)
    assert len(segments(audit_directory)) == 4
    left = await redis.xrange(here.service.store.keys(0).audit)
    assert [(entry, len(fields)) for entry, fields in left] == [(b"23-0", 6)]  # records 18 to 23


async def node_bytes(redis: StoreClient, fields: Any) -> int:
    """Return how long the node of a stream is that begins with an entry, as the server counts."""
    await redis.delete("scratch")
    await redis.xadd("scratch", fields, "1-1")
    dumped: bytes = await redis.dump("scratch")
    # Behind type, number of nodes and the node's id, which is 16 bytes, comes its length in 1, 2 or 5 bytes.
    start = 19 + (1, 2, 5)[dumped[19] >> 6]
    return int.from_bytes(dumped[start : start + 4], "little")


async def test_what_begins_a_node_fits_what_the_server_allocates_or_follows_on_a_full_one(
    here: World, redis: StoreClient, trail: AuditTrail
) -> None:
    chance = Random(SEED)
    opened = [f"shop-{chance.getrandbits(64):x}" for _ in range(500)]  # more than packing makes small
    key = StoredKey(sha256="0" * 64, shops=tuple(opened), scopes=("audit:read",), created_at=NOON)
    many = [event("order.unpaid", f"N-{number}", NOON, customer=f"C-{number}") for number in range(50)]

    for name in ("first", "second"):
        await AccessKeys(here.service.store).create(name, key, NOON, "user:test")
    await here.service.intake.take(many, "key:test")
    await here.dispatch()

    stream = here.service.store.keys(0).audit
    allocated = int((await redis.config_get("stream-node-max-bytes"))["stream-node-max-bytes"])
    sizes = [(len(fields), await node_bytes(redis, fields)) for _, fields in await redis.xrange(stream)]
    assert [count for count, size in sizes if size > allocated] == [1, 1]
    assert allocated - 400 < max(size for count, size in sizes if count > 1)
    assert allocated - 40 < await node_bytes(redis, {"": "." * FILLER_BYTES}) <= allocated
    known = await redis.xinfo_stream(stream)
    assert known["entries-added"] == known["length"] + 2  # one before each long record
    found = await records(trail)
    assert [record.seq for record in found] == list(range(1, len(found) + 1))
    assert [told(record)["shops"] for record in found if record.kind == "access.key_created"] == [opened] * 2
    assert (await trail.check(0)).problems == []


async def test_the_same_records_are_read_before_and_after_archiving(trail: AuditTrail) -> None:
    before = await text(trail)

    await trail.archive(0)

    assert await text(trail) == before
    assert [record.seq for record in await records(trail)] == list(range(1, RECORDS + 1))


@pytest.mark.parametrize("first", [1, 3, 5, 6, 20, 21, 23, 24])
async def test_reading_begins_anywhere(trail: AuditTrail, first: int) -> None:
    await trail.archive(0)

    found = await records(trail, first)

    assert [record.seq for record in found] == list(range(first, RECORDS + 1))


@pytest.mark.parametrize("stop", [1, 4, 5, 6, 12, 20])
async def test_reading_goes_on_while_records_are_archived(
    trail: AuditTrail, monkeypatch: pytest.MonkeyPatch, stop: int
) -> None:
    monkeypatch.setattr(audit_reading, "PAGE", 3)
    seen = []

    async for record in trail.read(0):
        seen.append(record.seq)
        if record.seq == stop:
            await trail.archive(0)

    assert seen == list(range(1, RECORDS + 1))


@pytest.mark.parametrize("first", [1, 2, 17, 18, 23])
async def test_a_store_of_an_earlier_version_is_read_from_anywhere(
    here: World, redis: StoreClient, trail: AuditTrail, first: int
) -> None:
    now = [line(record) for record in await records(trail, first)]

    await one_an_entry(redis, here.service.store.keys(0).audit)

    assert [line(record) for record in await records(trail, first)] == now
    assert [record.seq for record in await trail.pick(0, [first, 23])] == sorted({first, 23})


async def test_reading_goes_on_while_records_are_added(here: World, trail: AuditTrail) -> None:
    seen = []

    async for record in trail.read(0):
        seen.append(record.seq)
        if record.seq == RECORDS - 1:
            await here.service.intake.take([event("order.paid", "O-1", NOON)], "key:test")

    assert seen[:RECORDS] == list(range(1, RECORDS + 1))
    assert seen == sorted(set(seen))


async def test_a_record_keeps_what_it_says(here: World, trail: AuditTrail) -> None:
    await trail.archive(0)

    record = (await here.audit())[1]

    assert {name: record[name] for name in record if name != "details"} == {
        "seq": 2,
        "lane": 0,
        "at": "2025-11-11T04:00:00.000Z",
        "kind": "order.accepted",
        "actor": 'key:"test"',
        "shop": "demo",
        "order": "O-0",
        "customer": "王~0",
        "reminder": None,
        "step": None,
        "attempt": None,
        "channel": None,
        "reason": None,
        "policy": None,
        "template": None,
    }
    assert record["details"]["closes_at"] == "2025-11-12T04:00:00.000Z"


async def test_reading_says_when_a_segment_is_not_on_this_disk(
    trail: AuditTrail, audit_directory: Path
) -> None:
    await trail.archive(0)
    for path in segments(audit_directory):
        path.unlink()

    with pytest.raises(StoreUnavailable, match="audit records 1 to 20 of lane 0 are not on this disk"):
        await records(trail)


async def test_a_sound_trail_is_verified_quietly(trail: AuditTrail) -> None:
    problems = [(await trail.check(0)).problems]
    await trail.archive(0)
    problems.append((await trail.check(0)).problems)

    assert problems == [[], []]


async def test_an_empty_trail_is_sound(redis: StoreClient, audit_directory: Path) -> None:
    here = await world(redis, audit_directory)
    other = (here.lane + 1) % 4

    assert (await here.service.audit.check(other)).problems == []
    assert await here.service.audit.archive(other) == 0


def _change_a_byte(path: Path) -> None:
    content = bytearray(path.read_bytes())
    content[content.index(b"O-") + 2] ^= 1
    path.write_bytes(content)


def _seal(path: Path) -> Path:
    return path.with_suffix(".seal.json")


def _remove(path: Path) -> None:
    path.unlink()
    _seal(path).unlink()


def _empty(path: Path) -> None:
    path.write_bytes(b"")


def _garble_the_seal(path: Path) -> None:
    _seal(path).write_bytes(b"{}")


def _drop_a_line(path: Path) -> None:
    path.write_bytes(b"".join(path.read_bytes().splitlines(keepends=True)[:-1]))


def _forge(path: Path) -> None:
    """Change a byte and seal it anew: the chain of the later segments still tells."""
    _change_a_byte(path)
    first, last = (int(part) for part in path.stem.split("-"))
    seal = sealed(0, first, last, path.read_bytes(), "")
    _seal(path).write_bytes(msgspec.json.encode(seal))


DAMAGE: dict[str, tuple[Callable[[Path], None], str]] = {
    "a changed byte": (_change_a_byte, "does not match its seal"),
    "a missing line": (_drop_a_line, "does not match its seal"),
    "a removed segment": (_remove, "does not follow on|segments end at"),
    "a removed seal": (lambda path: _seal(path).unlink(), "the seal of .* is missing or unreadable"),
    "an unreadable seal": (_garble_the_seal, "is missing or unreadable"),
    "a forged segment": (_forge, "does not match its seal|segments end at"),
    "an emptied segment": (_empty, "does not match its seal"),
}


@pytest.mark.parametrize("place", [0, 1, -1], ids=["first", "middle", "last"])
@pytest.mark.parametrize(("damage", "told"), DAMAGE.values(), ids=DAMAGE.keys())
async def test_damage_on_disk_is_found(
    trail: AuditTrail,
    audit_directory: Path,
    damage: Callable[[Path], None],
    told: str,
    place: int,
) -> None:
    await trail.archive(0)
    damage(segments(audit_directory)[place])

    (problem,) = (await trail.check(0)).problems

    assert re.search(told, problem)


async def test_a_gap_in_the_store_is_found(here: World, redis: StoreClient, trail: AuditTrail) -> None:
    await one_an_entry(redis, here.service.store.keys(0).audit)
    await trail.archive(0)
    await redis.xdel(here.service.store.keys(0).audit, "22-0")

    problems = (await trail.check(0)).problems

    assert problems == ["lane 0: expected record 22, got 23"]


async def test_a_gap_of_several_records_in_the_store_is_found(
    here: World, redis: StoreClient, trail: AuditTrail
) -> None:
    await redis.xdel(here.service.store.keys(0).audit, "17-0")

    problems = (await trail.check(0)).problems

    assert problems == ["lane 0: expected record 2, got 18"]


@pytest.mark.parametrize("gone", [["23-0"], ["21-0", "22-0", "23-0"]])
async def test_missing_newest_records_are_found(
    here: World, redis: StoreClient, trail: AuditTrail, gone: list[str]
) -> None:
    await one_an_entry(redis, here.service.store.keys(0).audit)
    await trail.archive(0)
    await redis.xdel(here.service.store.keys(0).audit, *gone)

    problems = (await trail.check(0)).problems

    assert problems == [f"lane 0: records {gone[0][:2]} to 23 are missing"]


async def test_time_that_goes_back_is_found(here: World, redis: StoreClient, trail: AuditTrail) -> None:
    keys = here.service.store.keys(0)
    await one_an_entry(redis, keys.audit)
    ((_, fields),) = await redis.xrange(keys.audit, "23-0", "23-0")
    earlier = {
        name: value.replace(str(NOON).encode(), str(NOON - 1).encode()) for name, value in fields.items()
    }
    await redis.xadd(keys.audit, earlier, "24-0")
    await redis.hset(keys.lane, "seq", "24")  # type: ignore[misc]

    problems = (await trail.check(0)).problems

    assert problems == ["lane 0: record 24 is earlier than the one before it"]


async def test_two_archivers_at_once_move_each_record_once(
    here: World, redis: StoreClient, audit_directory: Path, trail: AuditTrail
) -> None:
    before = await text(trail)
    others = [AuditTrail(here.service.store, audit_directory, SEGMENT) for _ in range(4)]

    moved = await asyncio.gather(*(other.archive(0) for other in others))

    assert sum(moved) + await trail.archive(0) == 4
    assert await text(trail) == before
    assert (await trail.check(0)).problems == []


class _Crash(Exception):
    pass


@pytest.fixture
async def crashed(trail: AuditTrail, monkeypatch: pytest.MonkeyPatch) -> None:
    """An archiver that died after it wrote a segment and before it trimmed the store."""

    async def die(*arguments: Any) -> None:
        raise _Crash

    with monkeypatch.context() as patched:
        patched.setitem(SCRIPTS, "trim", die)
        with pytest.raises(_Crash):
            await trail.archive(0)


@pytest.mark.usefixtures("crashed")
async def test_a_crash_before_the_trim_loses_and_doubles_nothing(
    trail: AuditTrail, audit_directory: Path
) -> None:
    assert len(segments(audit_directory)) == 1
    during = [record.seq for record in await records(trail)]
    problems = (await trail.check(0)).problems

    moved = await trail.archive(0)

    assert during == [record.seq for record in await records(trail)] == list(range(1, RECORDS + 1))
    assert (problems, moved) == ([], 4)
    assert (await trail.check(0)).problems == []


async def test_a_trim_that_does_not_follow_on_changes_nothing(
    here: World, redis: StoreClient, trail: AuditTrail
) -> None:
    await trail.archive(0)
    before = await dump(redis)
    keys = list(here.service.store.keys(0).fixed)
    wrong: list[dict[str, object]] = [
        {"first": 1, "last": 5, "previous": ""},
        {"first": 22, "last": 23, "previous": "x"},
        {"first": 21, "last": 23, "previous": "x"},
        {"first": 21, "last": 99, "previous": "x"},
    ]

    answers = [await SCRIPTS["trim"](redis, keys, {"now": NOON, "digest": "d", **head}, []) for head in wrong]

    assert answers == [b"lost"] * 4
    assert await dump(redis) == before


async def test_time_in_the_audit_never_goes_back(
    here: World, redis: StoreClient, audit_directory: Path
) -> None:
    here.clock.advance_to(NOON + HOUR)
    await here.service.intake.take([event("order.paid", "O-1", NOON)], "key:test")
    slow = await world(redis, audit_directory, start=NOON - HOUR)

    await slow.service.intake.take([event("order.paid", "O-2", NOON)], "key:test")

    instants = [record.at for record in await records(here.service.audit)]
    assert instants == sorted(instants)
    assert instants[-1] == "2025-11-11T05:00:00.000Z"
    assert (await here.service.audit.check(0)).problems == []


async def test_records_count_without_gaps_over_all_that_happens(here: World, trail: AuditTrail) -> None:
    await here.dispatch()
    await here.service.intake.take([event("order.paid", "O-1", NOON)], "key:test")
    here.clock.advance_to(NOON + 24 * HOUR)
    await here.dispatch()

    sequence = [record.seq for record in await records(trail)]

    assert sequence == list(range(1, len(sequence) + 1))
    assert len(sequence) > RECORDS + 22


async def test_reading_misses_nothing_that_is_archived_just_before_a_page(
    redis: StoreClient, audit_directory: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    here = await world(redis, audit_directory, settings=Settings(lanes=1, segment_records=5))
    await here.service.intake.take([event("order.unpaid", f"O-{n}", NOON) for n in range(12)], "key:test")
    trail, whole = here.service.audit, redis.xrange

    async def archived_first(*args: Any, **options: Any) -> Any:
        monkeypatch.setattr(redis, "xrange", whole)
        await trail.archive(0)
        return await whole(*args, **options)

    monkeypatch.setattr(redis, "xrange", archived_first)
    seen = [record.seq async for record in trail.read(0)]

    assert seen == list(range(1, 26))


async def test_verify_tells_of_a_gap_at_the_head_of_the_stream(
    redis: StoreClient, audit_directory: Path
) -> None:
    here = await world(redis, audit_directory, settings=Settings(lanes=1, segment_records=5))
    await here.service.intake.take([event("order.unpaid", "O-1", NOON)], "key:test")
    await redis.xdel(here.service.store.keys(0).audit, "1-0")

    problems = (await here.service.audit.check(0)).problems

    assert len(problems) == 1


async def test_a_segment_left_by_a_crash_gives_way_to_one_of_another_size(
    redis: StoreClient, audit_directory: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    here = await world(redis, audit_directory, settings=Settings(lanes=1, segment_records=10))
    await here.service.intake.take([event("order.unpaid", f"O-{n}", NOON) for n in range(10)], "key:test")

    async def die(*args: Any) -> None:
        raise ConnectionError

    with monkeypatch.context() as patched:
        patched.setitem(SCRIPTS, "trim", die)
        with pytest.raises(ConnectionError):
            await here.service.audit.archive(0)

    trail = AuditTrail(here.service.store, audit_directory, 5)
    moved = await trail.archive(0)

    assert moved == 4
    assert (await trail.check(0)).problems == []


async def test_checking_tells_how_much_was_looked_at(trail: AuditTrail) -> None:
    before = await trail.check(0)
    await trail.archive(0)
    after = await trail.check(0)

    assert before == Checked(records=RECORDS, segments=0, problems=[])
    assert after == Checked(records=RECORDS, segments=4, problems=[])


async def test_the_folder_is_listed_once_and_not_for_each_segment(
    trail: AuditTrail, monkeypatch: pytest.MonkeyPatch
) -> None:
    await trail.archive(0)
    listed = []

    def counting(folder: Path) -> list[Segment]:
        listed.append(folder)
        return segments_in(folder)

    monkeypatch.setattr(audit_reading, "segments_in", counting)
    found = await records(trail)

    assert len(found) == RECORDS
    assert len(listed) == 1


async def test_files_that_are_no_segments_are_passed_over(trail: AuditTrail, audit_directory: Path) -> None:
    await trail.archive(0)
    (audit_directory / "lane-00" / "notes.jsonl").write_bytes(b"no record\n")

    assert await trail.check(0) == Checked(records=RECORDS, segments=4, problems=[])


async def test_a_missing_last_segment_is_told_even_when_nothing_is_left_in_the_store(
    here: World, audit_directory: Path
) -> None:
    trail = AuditTrail(here.service.store, audit_directory, RECORDS)
    await trail.archive(0)
    for path in segments(audit_directory):
        path.unlink()

    with pytest.raises(StoreUnavailable, match="audit records 1 to 23 of lane 0 are not on this disk"):
        await records(trail)


@pytest.mark.parametrize(
    ("damage", "told"),
    [(_empty, "ends before record 6"), (_drop_a_line, "ends before record 10")],
    ids=["emptied", "cut"],
)
async def test_reading_says_where_a_segment_ends_too_early(
    trail: AuditTrail, audit_directory: Path, damage: Callable[[Path], None], told: str
) -> None:
    await trail.archive(0)
    damage(segments(audit_directory)[1])

    with pytest.raises(StoreUnavailable, match=told):
        await records(trail)


@pytest.mark.usefixtures("crashed")
async def test_a_segment_that_the_store_has_not_let_go_of_is_not_believed(
    trail: AuditTrail, audit_directory: Path
) -> None:
    (left,) = segments(audit_directory)
    before = await text(trail)

    _change_a_byte(left)

    assert await text(trail) == before
    assert await trail.check(0) == Checked(records=RECORDS, segments=0, problems=[])


async def test_segments_of_a_store_that_lost_everything_are_told(
    redis: StoreClient, trail: AuditTrail, audit_directory: Path
) -> None:
    await trail.archive(0)
    await redis.flushall()
    here = await world(redis, audit_directory, settings=Settings(lanes=1, segment_records=SEGMENT))

    problems = (await here.service.audit.check(0)).problems

    assert problems == ["lane 0: there are records up to 20, the store counts 1"]


async def test_finding_keeps_to_the_lane_of_a_shop(redis: StoreClient, audit_directory: Path) -> None:
    here = await world(redis, audit_directory, settings=Settings(lanes=4))
    others = [f"shop-{number}" for number in range(8)]
    await here.service.intake.take(
        [event("order.unpaid", "O-1", NOON, shop=shop) for shop in others], "key:test"
    )
    trail = here.service.audit

    everything = [record async for record in trail.find(Filter())]
    mine = [record async for record in trail.find(Filter(shop="shop-3"))]

    assert {record.shop for record in everything} == {"demo", *others}
    assert mine == [record for record in everything if record.shop == "shop-3"]
    assert {record.lane for record in mine} == {here.service.store.lane_of("shop-3")}


RECORD = AuditRecord(
    seq=1,
    lane=0,
    at="2025-11-11T04:00:00.000Z",
    kind="reminder.sent",
    actor="system",
    shop="demo",
    order="O-1",
    customer="C-1",
    reminder="demo~O-1~1",
    step=1,
    attempt=1,
    channel="sms",
    reason=None,
    policy=1,
    template=None,
    details={},
)


@pytest.mark.parametrize(
    ("wanted", "found"),
    [
        (Filter(), True),
        (Filter(shop="demo"), True),
        (Filter(shop="other"), False),
        (Filter(order="O-1"), True),
        (Filter(order="O-2"), False),
        (Filter(customer="C-1"), True),
        (Filter(customer="C-2"), False),
        (Filter(reminder="demo~O-1~1"), True),
        (Filter(reminder="demo~O-1~2"), False),
        (Filter(kind="reminder.sent"), True),
        (Filter(kind="reminder"), False),
        (Filter(since=NOON), True),
        (Filter(since=NOON + 1), False),
        (Filter(until=NOON), False),
        (Filter(until=NOON + 1), True),
        (Filter(since=NOON, until=NOON + 1, shop="demo", order="O-1", kind="reminder.sent"), True),
        (Filter(since=NOON, until=NOON + 1, shop="demo", order="O-1", kind="order.paid"), False),
    ],
)
def test_a_filter_takes_what_is_wanted_in_every_respect(wanted: Filter, found: bool) -> None:
    assert matches(RECORD, wanted) is found


def test_a_record_about_no_order_is_not_what_was_asked_for() -> None:
    about_the_shop = msgspec.structs.replace(RECORD, order=None, customer=None, reminder=None)

    assert not matches(about_the_shop, Filter(order="O-1"))
    assert matches(about_the_shop, Filter(shop="demo"))
