"""What cannot be read stops only what is about it; no place in a list names an order of another shop."""

import logging
from pathlib import Path

import msgspec
import pytest

from dispatcher.policy.reminders import Status
from dispatcher.storage import listing as listing_module
from dispatcher.storage.client import StoreClient
from dispatcher.storage.listing import Listing, Place, Wanted
from dispatcher.storage.looking import lane_figures
from dispatcher.telemetry import PASSED_OVER
from tests.worlds import AT_ONCE, DAY, HOUR, NOON, World, event, world

NO_NAMES = (b"garbage", b"demo~fax", b"\xff\xfe~sms", b"o~demo", b"e~demo~x", b"z~demo~O-1", b"demo~O-1~01")
"""Members that name neither a queue nor a timer nor a reminder."""


def passed_over(caplog: pytest.LogCaptureFixture) -> int:
    return sum(record.getMessage() == PASSED_OVER for record in caplog.records)


async def spoil(here: World, key: str, score: int = 0) -> None:
    await here.service.store.redis.zadd(key, dict.fromkeys(NO_NAMES, score))


async def test_what_names_no_queue_stops_no_shop(here: World, caplog: pytest.LogCaptureFixture) -> None:
    await spoil(here, here.service.store.keys(here.lane).ready)

    done = await here.dispatch()

    assert done == {"send": 2}
    assert passed_over(caplog) == len(NO_NAMES)


async def test_what_names_no_timer_and_no_lease_stops_no_housekeeping(here: World) -> None:
    keys = here.service.store.keys(here.lane)
    await here.service.store.lease("demo", "sms", 1, NOON)
    await spoil(here, keys.leases)
    await spoil(here, keys.timers)

    here.clock.advance_to(NOON + DAY)
    done = await here.service.housekeeping.tidy(range(here.service.store.lanes))

    assert done == {"back": 1, "closed": 2}


async def test_a_page_full_of_what_is_no_name_hides_no_timer(here: World) -> None:
    store = here.service.store
    await spoil(here, store.keys(here.lane).timers)

    found = await store.timers(here.lane, NOON + DAY, 2)

    assert sorted(found) == ["o~demo~O-1", "o~demo~O-2"]


async def test_each_is_logged_once(here: World, caplog: pytest.LogCaptureFixture) -> None:
    await spoil(here, here.service.store.keys(here.lane).timers)

    for _ in range(3):
        await here.service.store.timers(here.lane, NOON, 10)

    assert passed_over(caplog) == len(NO_NAMES)
    assert {record.levelno for record in caplog.records} == {logging.ERROR}


async def test_figures_are_told_without_what_cannot_be_read(here: World) -> None:
    keys = here.service.store.keys(here.lane)
    await spoil(here, keys.ready)
    await here.service.store.redis.hset(keys.pauses, mapping={"demo~sms": b"\xff", "demo~fax": b"{}"})  # type: ignore[misc]

    figures = (await lane_figures(here.service.store))[here.lane]

    assert figures.oldest == {"sms": NOON}
    assert figures.paused == ()


@pytest.mark.parametrize("wanted", [Wanted(shop="demo"), Wanted(shop="demo", status=Status.PLANNED)])
@pytest.mark.parametrize("stored", [b"\xff\x00", b"\x80", b"\xa1\xff", b"\x91" * 5_000])
async def test_an_order_that_cannot_be_read_is_left_out_of_a_list(
    here: World, wanted: Wanted, stored: bytes
) -> None:
    keys = here.service.store.keys(here.lane)
    await here.service.store.redis.set(keys.order("demo", "O-1"), stored)
    await spoil(here, keys.timers)
    await spoil(here, keys.leases)

    found, place = await Listing(here.service.store).reminders(wanted, 50)

    assert [listed.order_id for listed in found] == ["O-2"]
    assert place is None


@pytest.fixture
async def shared(redis: StoreClient, audit_directory: Path, monkeypatch: pytest.MonkeyPatch) -> World:
    """A lane with few orders of `demo` among many of another shop, some of which close at one instant."""
    monkeypatch.setattr(listing_module, "CHUNK", 6)
    monkeypatch.setattr(listing_module, "LOOKED_AT", 6)
    here = await world(redis, audit_directory)
    twin = here.twin()
    await here.service.put_policy(twin, AT_ONCE, "test", "user:test")
    events = [
        event("order.unpaid", f"X-{number:02}", NOON, shop=twin, closes_at=NOON + DAY + max(0, number - 23))
        for number in range(30)
    ]
    events += [
        event("order.unpaid", f"A-{number}", NOON, closes_at=NOON + DAY + 4 * number + 1)
        for number in range(3)
    ]
    await here.service.intake.take(events, "key:test")
    return here


async def read(here: World, wanted: Wanted, limit: int, places: list[Place]) -> list[str]:
    found: list[str] = []
    place: Place | None = Place()
    while place is not None:
        listed, place = await Listing(here.service.store).reminders(wanted, limit, place)
        found += [one.order_id for one in listed]
        places += [place] if place is not None else []
        assert len(places) < 60
    return found


@pytest.mark.parametrize("limit", [1, 2, 50])
@pytest.mark.parametrize("shop", ["demo", "twin"])
async def test_no_place_names_an_order_of_another_shop_and_all_are_told_once(
    shared: World, limit: int, shop: str
) -> None:
    places: list[Place] = []

    found = await read(shared, Wanted(shop=shared.twin() if shop == "twin" else "demo"), limit, places)

    mine, foreign = ("X-", b"A-") if shop == "twin" else ("A-", b"X-")
    assert len(found) == len(set(found)) == (30 if shop == "twin" else 3)
    assert all(order.startswith(mine) for order in found)
    assert len(places) > 2
    assert not any(foreign in msgspec.json.encode(place) for place in places)


async def test_a_place_that_counts_hides_nothing_when_some_of_what_it_counts_is_gone(shared: World) -> None:
    listing = Listing(shared.service.store)
    wanted = Wanted(shop="demo")
    counting = place = Place()
    found, after = await listing.reminders(wanted, 50)
    while after is not None and not found:
        counting, place = place, after
        found, after = await listing.reminders(wanted, 50, place)
    key = shared.service.store.keys(shared.lane).timers
    await shared.service.store.redis.zrem(key, *await shared.service.store.redis.zrange(key, 1, 3))

    again, _ = await listing.reminders(wanted, 50, place)

    assert place.passed > counting.passed > 0
    assert [one.order_id for one in found] == ["A-0"]
    assert [one.order_id for one in again][:1] == ["A-0"]


async def test_what_is_leased_of_other_shops_is_in_no_place(shared: World) -> None:
    twin = shared.twin()
    await shared.service.store.lease(twin, "sms", 20, NOON + HOUR)
    places: list[Place] = []

    found = await read(shared, Wanted(shop="demo", status=Status.PLANNED), 50, places)

    assert sorted(found) == ["A-0", "A-1", "A-2"]
    assert places
    assert not any(place.member.startswith(twin) for place in places)
