"""Events and claims beside what cannot be read in the store: each is refused by itself, the others go on."""

from pathlib import Path

import pytest

from dispatcher.errors import InvalidEvent, StoreRefused, UnknownOrder
from dispatcher.policy.events import Event
from dispatcher.storage.client import StoreClient
from dispatcher.telemetry import EVENT_REFUSED
from dispatcher.workflow.policies import PolicyBook
from tests.worlds import CALLS, NOON, World, event, world

UNREADABLE = (b"\xff\x00garbage", b"\x80", b"\xa1\xff", b'\x00{"order": "\xff"}', b"\x00" + b"[" * 20_000)


@pytest.fixture
async def here(redis: StoreClient, audit_directory: Path) -> World:
    """A shop with two orders of which each has an open task."""
    here = await world(redis, audit_directory, policy=CALLS)
    events = [event("order.unpaid", order, NOON, total="900.00") for order in ("O-1", "O-2")]
    await here.service.intake.take(events, "key:test")
    await here.dispatch()
    return here


def amended(order: str) -> Event:
    return event("order.amended", order, NOON + 1, total="800.00", placed_at=NOON)


@pytest.mark.parametrize("stored", UNREADABLE)
@pytest.mark.parametrize("what", ["order", "facts"])
async def test_an_amendment_of_what_cannot_be_read_is_rejected_alone(
    here: World, what: str, stored: bytes, caplog: pytest.LogCaptureFixture
) -> None:
    keys = here.service.store.keys(here.lane)
    await here.service.store.redis.set(getattr(keys, what)("demo", "O-1"), stored)

    wave: list[Event | InvalidEvent] = [amended("O-1"), amended("O-2"), event("order.paid", "O-3", NOON)]
    results = await here.service.intake.take(wave, "key:test")

    assert [result.status for result in results] == ["rejected", "accepted", "accepted"]
    assert isinstance(results[0].problem, StoreRefused)
    assert [record.getMessage() for record in caplog.records] == [EVENT_REFUSED]


async def test_a_policy_that_cannot_be_read_stops_new_orders_of_its_shop_alone(here: World) -> None:
    store = here.service.store
    await store.redis.hset(store.keys(here.lane).policies("demo"), "1", b"{bad")  # type: ignore[misc]
    here.service.intake._policies = PolicyBook(store)

    wave = [event("order.unpaid", "N-1", NOON), event("order.unpaid", "N-2", NOON, shop=here.twin())]
    wave.append(event("order.paid", "O-1", NOON))
    results = await here.service.intake.take(wave, "key:test")

    assert [result.status for result in results] == ["rejected", "accepted", "accepted"]
    assert isinstance(results[0].problem, StoreRefused)


async def test_a_claim_without_what_is_known_of_its_order_is_refused(here: World) -> None:
    store = here.service.store
    await store.redis.delete(store.keys(here.lane).facts("demo", "O-1"))

    with pytest.raises(StoreRefused):
        await here.service.tasks.claim("demo~O-1~1", "小李", "key:test")

    order = await store.order("demo", "O-1")
    assert order is not None
    assert order.steps[0].status == "open"


async def test_a_claim_of_an_order_that_retires_meanwhile_finds_none(
    here: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    store = here.service.store
    whole, keys = store.facts, store.keys(here.lane)

    async def retired_first(ids: list[tuple[str, str]]) -> object:
        await store.redis.delete(keys.facts("demo", "O-1"), keys.order("demo", "O-1"))
        return await whole(ids)

    monkeypatch.setattr(store, "facts", retired_first)

    with pytest.raises(UnknownOrder):
        await here.service.tasks.claim("demo~O-1~1", "小李", "key:test")
