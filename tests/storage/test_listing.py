"""Lists page by page: nothing is missed or told twice while nothing moves, and a page's work is bounded."""

from pathlib import Path
from typing import Any

import pytest
from redis.asyncio import Redis

from dispatcher.policy.reminders import Status
from dispatcher.storage import listing as listing_module
from dispatcher.storage.listing import Listed, Listing, Place, Wanted
from dispatcher.wiring import Service
from tests.worlds import HOUR, MINUTE, NOON, World, at_once, event, world

POLICY = at_once(
    """
    [caps]
    per_day = 100
    [routing]
    channels = ["sms", "chat"]
    high_value = "500.00"
    """
)
DEMO = Wanted(shop="demo")
PLANNED = Wanted(shop="demo", status=Status.PLANNED)


@pytest.fixture
async def here(redis: Redis, audit_directory: Path) -> World:
    """A shop without orders whose reminders go at once, in a lane with another shop."""
    return await world(redis, audit_directory, policy=POLICY)


async def take(here: World, *orders: str, at: int = NOON, shop: str = "demo", **more: Any) -> None:
    events = [
        event("order.unpaid", order, at, shop=shop, placed_at=at, closes_at=NOON + 24 * HOUR, **more)
        for order in orders
    ]
    assert {result.status for result in await here.service.intake.take(events, "key:test")} == {"accepted"}


async def pages(service: Service, wanted: Wanted, limit: int) -> list[list[Listed]]:
    """Read a list to its end."""
    found, place = await Listing(service.store).reminders(wanted, limit)
    read = [found]
    while place is not None:
        assert len(read) < 100
        found, place = await Listing(service.store).reminders(wanted, limit, place)
        read.append(found)
    return read


async def names(here: World, wanted: Wanted, limit: int = 50) -> list[str]:
    return [listed.order_id for page in await pages(here.service, wanted, limit) for listed in page]


@pytest.mark.parametrize("limit", [1, 2, 3, 7, 50])
async def test_pages_of_any_size_tell_all_that_waits_in_the_order_it_is_due(here: World, limit: int) -> None:
    await take(here, "B", "A", at=NOON + MINUTE)
    await take(here, "D", "C", "E", at=NOON)
    await take(here, "F", at=NOON + 2 * MINUTE)

    assert await names(here, PLANNED, limit) == ["C", "D", "E", "A", "B", "F"]


@pytest.mark.parametrize("limit", [1, 3, 50])
async def test_queues_of_several_channels_are_one_list(here: World, limit: int) -> None:
    await take(here, "S-1", "S-2", at=NOON)
    await take(here, "C-1", at=NOON, phone=None)
    await take(here, "C-0", at=NOON - MINUTE, phone=None)

    assert await names(here, PLANNED, limit) == ["C-0", "C-1", "S-1", "S-2"]
    assert await names(here, Wanted(shop="demo", status=Status.PLANNED, channel="chat")) == ["C-0", "C-1"]


async def test_what_is_being_decided_about_is_listed_as_planned_still(here: World) -> None:
    await take(here, "A", "B", "C")
    await here.service.store.lease("demo", "sms", 2, NOON)

    assert sorted(await names(here, PLANNED, 1)) == ["A", "B", "C"]


@pytest.mark.parametrize("limit", [1, 2, 50])
async def test_without_a_status_every_order_of_the_shop_alone_is_looked_through(
    here: World, limit: int
) -> None:
    twin = here.twin()
    await take(here, "A", "B")
    await here.dispatch()
    await take(here, "C", "D")
    await here.service.put_policy(twin, POLICY, "test", "user:test")
    await take(here, "X", "Y", shop=twin)

    assert sorted(await names(here, DEMO, limit)) == ["A", "B", "C", "D"]
    assert sorted(await names(here, Wanted(shop=twin), limit)) == ["X", "Y"]


async def test_every_step_of_an_order_is_told_over_pages_of_one(redis: Redis, audit_directory: Path) -> None:
    policy = at_once(
        """
        [before_close]
        lead = "2h"
        [routing]
        channels = ["sms"]
        """
    )
    here = await world(redis, audit_directory, policy=policy)
    await take(here, "A", "B")

    found = [listed.reminder for page in await pages(here.service, DEMO, 1) for listed in page]

    assert sorted(found) == ["demo~A~1", "demo~A~2", "demo~B~1", "demo~B~2"]


async def test_filters_take_what_is_wanted_alone(here: World) -> None:
    await take(here, "A", customer="王女士")
    await take(here, "B", at=NOON + HOUR)
    await take(here, "C", total="900.00")
    await here.dispatch()

    async def found(**wanted: Any) -> list[str]:
        return sorted(await names(here, Wanted(shop="demo", **wanted)))

    assert await found(status=Status.SENT) == ["A"]
    assert await found(status=Status.OPEN) == ["C"]
    assert await found(status=Status.CLAIMED) == []
    assert await found(customer="王女士") == ["A"]
    assert await found(channel="phone") == ["C"]
    assert await found(due_before=NOON + HOUR) == ["A"]
    assert await found(status=Status.PLANNED, due_before=NOON + HOUR) == []
    assert await found(status=Status.PLANNED, due_before=NOON + HOUR + 1) == ["B"]


async def test_a_page_looks_at_so_many_entries_and_may_come_back_empty(
    here: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(listing_module, "CHUNK", 5)
    monkeypatch.setattr(listing_module, "LOOKED_AT", 10)
    await take(here, *(f"A-{number:02}" for number in range(40)))
    await take(here, "Z", customer="C-2")

    read = await pages(here.service, Wanted(shop="demo", customer="C-2"), 50)

    assert read[0] == []
    assert 4 < len(read) <= 8
    assert [listed.order_id for page in read for listed in page] == ["Z"]


async def test_a_list_goes_on_where_its_last_reminder_is_gone(here: World) -> None:
    await take(here, *"ABCDEF")
    listing = Listing(here.service.store)
    first, place = await listing.reminders(PLANNED, 3)

    await here.service.intake.take([event("order.paid", order, NOON) for order in "ABC"], "key:test")
    second, end = await listing.reminders(PLANNED, 3, place)

    assert [listed.order_id for listed in first + second] == list("ABCDEF")
    assert end is None


async def test_a_head_that_goes_while_a_page_is_read_hides_nothing(
    here: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    await take(here, *"ABCDEFGH")
    store = here.service.store
    listing = Listing(store)
    _, place = await listing.reminders(PLANNED, 4)
    whole, key = store.redis.zrange, store.keys(here.lane).due("demo", "sms")

    async def leased_first(name: str, *words: Any, **more: Any) -> Any:
        if name == key:
            monkeypatch.setattr(store.redis, "zrange", whole)
            await store.lease("demo", "sms", 3, NOON)
        return await whole(name, *words, **more)

    monkeypatch.setattr(store.redis, "zrange", leased_first)
    found, _ = await listing.reminders(PLANNED, 4, place)

    assert [listed.order_id for listed in found] == list("EFGH")


@pytest.mark.parametrize("place", [Place(2), Place(1, NOON * 2, "~"), Place(0, 0, "no such~1~1", 3)])
async def test_a_place_that_nothing_stands_at_is_a_place_still(here: World, place: Place) -> None:
    await take(here, "A")

    found, _ = await Listing(here.service.store).reminders(PLANNED, 10, place)

    assert [listed.order_id for listed in found] == (["A"] if place.part == 0 else [])
