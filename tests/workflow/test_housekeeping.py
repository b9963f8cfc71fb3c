"""What time alone does: orders close, retire and are forgotten."""

from pathlib import Path

import pytest

from dispatcher.channels.stub import Behaviour
from dispatcher.settings import Settings
from dispatcher.storage.client import StoreClient
from dispatcher.storage.people import People
from dispatcher.storage.records import StoredOrder
from dispatcher.telemetry import HOUSEKEEPING_REFUSED
from tests.storage.scenes import send, settlement
from tests.worlds import DAY, HOUR, MINUTE, NOON, World, event, saying, world

MONTH = 30 * DAY


@pytest.fixture
async def here(redis: StoreClient, audit_directory: Path) -> World:
    """A shop with one order that was reminded of."""
    here = await world(redis, audit_directory)
    await here.service.intake.take([event("order.unpaid", "O-1", NOON)], "key:test")
    await here.dispatch()
    return here


async def stored(here: World, order: str = "O-1") -> StoredOrder | None:
    return await here.service.store.order("demo", order)


async def state(here: World, order: str = "O-1") -> str | None:
    found = await stored(here, order)
    return None if found is None else str(found.state)


async def test_an_order_closes_at_its_instant_and_not_before(here: World) -> None:
    here.clock.advance_to(NOON + DAY - 1)
    await here.dispatch()
    before = await state(here)

    here.clock.advance_to(NOON + DAY)
    done = await here.service.housekeeping.turn(here.lane)

    assert (before, await state(here)) == ("unpaid", "closed")
    assert done == {"closed": 1}


async def test_a_close_that_was_moved_happens_at_its_new_time(here: World) -> None:
    later = event("order.unpaid", "O-1", NOON + 1, placed_at=NOON, closes_at=NOON + 2 * DAY)
    await here.service.intake.take([later], "key:test")
    here.clock.advance_to(NOON + DAY)
    await here.dispatch()
    before = await state(here)

    here.clock.advance_to(NOON + 2 * DAY)
    await here.dispatch()

    assert (before, await state(here)) == ("unpaid", "closed")


async def test_a_closed_order_drops_what_waits(redis: StoreClient, audit_directory: Path) -> None:
    here = await world(redis, audit_directory, behaviour=lambda message: Behaviour.REFUSE)
    taken = event("order.unpaid", "O-1", NOON, closes_at=NOON + MINUTE // 2)
    await here.service.intake.take([taken], "key:test")
    await here.dispatch()

    here.clock.advance_to(NOON + MINUTE // 2)
    await here.dispatch()

    last = (await here.audit())[-1]
    assert (last["kind"], last["reason"]) == ("reminder.dropped", "closed")
    assert await here.service.store.ready([here.lane], NOON + DAY) == []


async def test_a_paid_order_never_closes(here: World) -> None:
    await here.service.intake.take([event("order.paid", "O-1", NOON)], "key:test")

    here.clock.advance_to(NOON + DAY)
    done = await here.service.housekeeping.turn(here.lane)

    assert done == {}
    assert await state(here) == "paid"


@pytest.mark.parametrize("end", ["order.paid", "order.cancelled", None])
async def test_a_finished_order_leaves_nothing_after_its_retention(
    here: World, redis: StoreClient, end: str | None
) -> None:
    closed = NOON + DAY
    if end:
        await here.service.intake.take([event(end, "O-1", NOON)], "key:test")
    else:
        here.clock.advance_to(closed)
        await here.dispatch()
    here.clock.advance_to(closed + MONTH - 1)
    await here.dispatch()
    before = await state(here)

    here.clock.advance_to(closed + MONTH)
    done = await here.service.housekeeping.turn(here.lane)

    left = {key.decode().partition("}:")[2].partition(":")[0] for key in await redis.keys("d1:{*")}
    assert before is not None
    assert done == {"retired": 1}
    assert left == {"lane", "audit", "counts", "shop", "policies"}
    assert (await here.audit())[-1]["kind"] == "order.retired"


async def test_a_retiring_order_takes_only_its_own_slots_along(here: World) -> None:
    here.clock.advance_to(NOON + HOUR)
    await here.service.intake.take(
        [event("order.unpaid", "O-2", NOON + HOUR), event("order.paid", "O-1", NOON)], "key:test"
    )
    await here.dispatch()

    here.clock.advance_to(NOON + DAY + MONTH)
    await here.service.housekeeping.turn(here.lane)

    assert await state(here) is None
    assert (await People(here.service.store).of_customer("demo", "C-1")).instants == (NOON + HOUR,)


async def test_an_order_that_was_paid_before_it_was_known_retires(here: World, redis: StoreClient) -> None:
    await here.service.intake.take([event("order.paid", "O-9", NOON)], "key:test")

    here.clock.advance_to(NOON + MONTH)
    await here.service.housekeeping.turn(here.lane)

    assert await state(here, "O-9") is None
    assert await redis.keys("*O-9*") == []


async def test_an_order_stays_while_its_message_is_under_way_or_counts_in_the_ledger(
    redis: StoreClient, audit_directory: Path
) -> None:
    here = await world(redis, audit_directory, settings=Settings(lanes=4, retention_days=10 / 86_400))
    await here.service.intake.take([event("order.unpaid", "O-1", NOON)], "key:test")
    store = here.service.store
    lease = await store.lease("demo", "sms", 10, NOON)
    commit = send(lease, lease.items[0])
    await store.commit(here.lane, [commit], NOON)
    await here.service.intake.take([event("order.paid", "O-1", NOON)], "key:test")
    here.clock.advance_to(NOON + DAY + 10_000)
    during = await here.service.housekeeping.turn(here.lane)
    await store.settle(here.lane, [settlement(commit, "sent")], NOON + 10_000)

    here.clock.advance_to(NOON + 7 * DAY)
    counting = await here.service.housekeeping.turn(here.lane)
    slots = (await People(store).of_customer("demo", "C-1")).instants
    here.clock.advance_to(NOON + 9 * DAY)
    after = await here.service.housekeeping.turn(here.lane)

    assert during["later"] == counting["later"] == after["retired"] == 1
    assert len(slots) == 1
    assert (await People(store).of_customer("demo", "C-1")).instants == ()


async def test_many_timers_are_all_given_their_turn(here: World) -> None:
    orders = [event("order.unpaid", f"N-{number}", NOON, customer=f"C-{number}") for number in range(1100)]
    await here.service.intake.take(orders, "key:test")

    here.clock.advance_to(NOON + DAY)
    done = await here.service.housekeeping.turn(here.lane)

    assert done == {"closed": 1101}


async def test_a_turn_that_is_repeated_does_nothing_more(here: World) -> None:
    here.clock.advance_to(NOON + DAY)
    timers = await here.service.store.timers(here.lane, NOON + DAY, 10)

    first = await here.service.store.turn(here.lane, timers, NOON + DAY)
    second = await here.service.store.turn(here.lane, timers, NOON + DAY)

    assert (first, second) == (["closed"], ["later"])


async def test_a_shop_with_no_order_left_may_begin_again(here: World) -> None:
    await here.service.intake.take([event("order.paid", "O-1", NOON)], "key:test")
    here.clock.advance_to(NOON + DAY + MONTH)
    await here.dispatch()

    again = event("order.unpaid", "O-1", NOON + DAY + MONTH)
    (result,) = await here.service.intake.take([again], "key:test")

    assert (result.status, result.reminders) == ("accepted", ("demo~O-1~1",))


async def test_the_log_names_an_order_that_cannot_be_read_and_no_customer(
    here: World, redis: StoreClient, caplog: pytest.LogCaptureFixture
) -> None:
    await here.service.intake.take([saying("replied", customer="wang_8842")], "key:test")
    keys = here.service.store.keys(here.lane)
    await redis.set(keys.customer("demo", "wang_8842"), b"\xc1")
    await redis.set(keys.order("demo", "O-1"), b"\xc1")
    here.clock.advance_to(NOON + 8 * DAY)

    await here.service.housekeeping.turn(here.lane)

    told = [vars(one)["refused"] for one in caplog.records if one.getMessage() == HOUSEKEEPING_REFUSED]
    assert sorted(told) == ["c~demo", "o~demo~O-1"]
