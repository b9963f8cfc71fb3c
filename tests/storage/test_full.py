"""A store without memory: what is new is refused as a whole, what ends or goes on is taken as ever."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

import pytest
import redis as blocking

from dispatcher.errors import StoreFull
from dispatcher.policy.document import default_policy
from dispatcher.settings import Settings
from dispatcher.storage.client import StoreClient
from tests.checkers.dump import dump
from tests.checkers.promises import CheckerRules, check_all
from tests.checkers.replay import replay
from tests.checkers.state import diff
from tests.checkers.structure import structure
from tests.storage import scenes
from tests.storage.scenes import LEASE, leased, send, swept
from tests.worlds import DAY, NOON, World, at_once, event, saying, world

POLICY = at_once(
    """
    [routing]
    channels = ["sms"]
    high_value = "500.00"
    """
)
MEGABYTE = 1_048_576
BATCH = 50
MONTH = 31 * DAY


@pytest.fixture
async def here(redis: StoreClient, audit_directory: Path) -> AsyncIterator[World]:
    """A shop on a store of one lane, whose memory is not limited again when the test is done."""
    yield await world(redis, audit_directory, policy=POLICY, settings=Settings(lanes=1, segment_records=5))
    await redis.config_set("maxmemory", 0)


@asynccontextmanager
async def without_memory(here: World) -> AsyncIterator[None]:
    """Let the store be far above its limit."""
    redis = here.service.store.redis
    await redis.config_set("maxmemory", 1)
    yield
    await redis.config_set("maxmemory", 0)


async def take(here: World, kind: str, *orders: str, total: str = "10.00") -> list[str]:
    """Take an event of each order and return what became of it: its status, or its problem's code."""
    events = [event(kind, order, NOON, customer=f"C-{order}", total=total) for order in orders]
    results = await here.service.intake.take(events, "key:test")
    return [result.problem.code if result.problem else result.status for result in results]


async def sound(here: World, reader: blocking.Redis) -> list[str]:
    """Return what contradicts itself in store and audit."""
    records = await here.audit()
    rules = CheckerRules(zone="Asia/Shanghai")
    return [
        *check_all(records, rules),
        *diff(replay(records), dump(reader, 1)),
        *structure(reader, 1),
        *(await here.service.audit.check(0)).problems,
    ]


async def test_a_store_that_fills_up_refuses_new_orders_and_goes_on_with_those_it_has(
    here: World, redis: StoreClient, reader: blocking.Redis
) -> None:
    memory = await redis.info("memory")
    await redis.config_set("maxmemory", memory["used_memory"] + MEGABYTE)
    accepted: list[str] = []
    refused: list[str] = []
    while not refused:
        orders = [f"O-{number}" for number in range(len(accepted), len(accepted) + BATCH)]
        answers = await take(here, "order.unpaid", *orders)
        assert answers in (["accepted"] * BATCH, ["store-full"] * BATCH)
        (accepted if answers[0] == "accepted" else refused).extend(orders)

    ended = await take(here, "order.paid", *accepted[:BATCH])
    done = await here.dispatch()

    assert len(accepted) > BATCH
    assert ended == ["accepted"] * BATCH
    assert done == {"send": len(accepted) - BATCH}
    assert await here.service.store.order("demo", refused[0]) is None
    assert await sound(here, reader) == []


async def test_new_and_amended_orders_are_refused_and_change_nothing(here: World, redis: StoreClient) -> None:
    await take(here, "order.unpaid", "O-1")
    async with without_memory(here):
        before = await scenes.dump(redis)

        answers = await take(here, "order.unpaid", "O-1", "O-2") + await take(here, "order.amended", "O-1")

        assert answers == ["store-full"] * 3
        assert await scenes.dump(redis) == before
    assert await take(here, "order.unpaid", "O-1", "O-2") == ["duplicate", "accepted"]
    assert await take(here, "order.amended", "O-1") == ["accepted"]


async def test_endings_and_opt_outs_are_taken_out_of_a_batch_that_is_refused(
    here: World, reader: blocking.Redis
) -> None:
    await take(here, "order.unpaid", "O-1", "O-2")
    events = [
        event("order.unpaid", "O-3", NOON),
        event("order.paid", "O-1", NOON),
        event("order.unpaid", "O-4", NOON),
        event("order.cancelled", "O-2", NOON),
        event("order.paid", "O-5", NOON),
        saying("opted_out"),
    ]
    async with without_memory(here):
        results = await here.service.intake.take(events, "key:test")

    assert [isinstance(result.problem, StoreFull) for result in results] == [
        True,
        False,
        True,
        False,
        False,
        False,
    ]
    assert [result.stopped for result in results] == [(), ("demo~O-1~1",), (), ("demo~O-2~1",), (), ()]
    assert [result.status for result in results if not result.problem] == ["accepted"] * 4
    assert await sound(here, reader) == []


async def test_reminders_and_tasks_run_their_course_on_a_full_store(
    here: World, reader: blocking.Redis
) -> None:
    service, store = here.service, here.service.store
    await take(here, "order.unpaid", "O-1", "O-2")
    await take(here, "order.unpaid", "call-1", "call-2", total="900.00")
    async with without_memory(here):
        lease = await leased(store, limit=1)
        await store.commit(0, [send(lease, lease.items[0])], NOON)
        done = await here.dispatch()
        claims = [await service.tasks.claim(f"demo~call-{n}~1", "li", "user:li") for n in (1, 2)]
        await service.tasks.complete("demo~call-1~1", "li", "no_answer", "user:li")
        await service.tasks.release("demo~call-2~1", "li", "user:li")
        swept_as = await swept(here, NOON + LEASE)
        await store.pause("demo", "sms", NOON, "user:test")
        await store.resume("demo", "sms", NOON, "user:test")
        version = await service.put_policy("demo", default_policy(), "again", "user:test")

        assert done == {"send": 1, "open": 2}
        assert len(claims) == 2
        assert (swept_as, version) == (["uncertain"], 2)
        assert await service.audit.archive(0) > 1


async def test_finished_orders_leave_a_full_store_and_make_room(
    here: World, redis: StoreClient, reader: blocking.Redis
) -> None:
    await take(here, "order.unpaid", *(f"O-{number}" for number in range(BATCH)))
    await here.dispatch()
    here.clock.advance_to(NOON + DAY)
    async with without_memory(here):
        closed = await here.service.housekeeping.turn(0)
        here.clock.advance_to(NOON + DAY + MONTH)
        retired = await here.service.housekeeping.turn(0)

    assert closed["closed"] == BATCH
    assert retired["retired"] == BATCH
    assert await redis.keys("d1:*order:*") == []
    assert await sound(here, reader) == []
