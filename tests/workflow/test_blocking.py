"""Blocked addresses: as none for every decision, whenever they were blocked; the checkers look at it."""

from pathlib import Path
from typing import Any

import msgspec
import pytest
import redis as blocking

from dispatcher.errors import NotNow, TooManyBlocked
from dispatcher.policy.events import Event
from dispatcher.storage.client import StoreClient
from dispatcher.storage.people import People
from dispatcher.storage.records import MOST_BLOCKED
from dispatcher.workflow.blocking import masked
from dispatcher.workflow.recomputing import Recomputer, recompute
from dispatcher.workflow.recorded import Record
from tests.checkers.dump import dump
from tests.checkers.recompute import recompute as recompute_apart
from tests.checkers.replay import replay
from tests.checkers.state import diff
from tests.checkers.structure import structure
from tests.worlds import NOON, World, at_once, event, world

PHONE, HANDLE = "+8613800000000", "example_1"

BOTH = at_once(
    """
    [routing]
    channels = ["sms", "chat"]
    high_value = "500.00"
    """
)


@pytest.fixture
async def here(redis: StoreClient, audit_directory: Path) -> World:
    return await world(redis, audit_directory, policy=BOTH)


async def take(here: World, *events: Event) -> None:
    await here.service.intake.take(list(events), "key:test")


async def block(here: World, phone: str = PHONE) -> None:
    await here.service.blocking.block("demo", "phone", phone, "user:wang")


async def newest(here: World) -> dict[str, Any]:
    return [record for record in await here.audit() if record["order"]][-1]


async def violations(here: World, reader: blocking.Redis) -> list[str]:
    """Return what the checkers, and deciding again, find wrong."""
    records = await here.audit()
    again = recompute(msgspec.convert(records, list[Record]), Recomputer())
    lanes = here.service.store.lanes
    return [
        *diff(replay(records), dump(reader, lanes)),
        *replay(records).problems,
        *structure(reader, lanes),
        *recompute_apart(records),
        *again,
    ]


async def test_another_channel_is_taken_and_without_one_none(here: World, reader: blocking.Redis) -> None:
    await block(here)
    await take(here, event("order.unpaid", "A", NOON))
    await here.dispatch()
    by_chat = await newest(here)

    await here.service.blocking.block("demo", "chat", HANDLE, "user:wang")
    await take(here, event("order.unpaid", "B", NOON))
    await here.dispatch()

    dropped = await newest(here)
    routing = dropped["details"]["decision"]["rules"][-1]
    assert (by_chat["kind"], by_chat["channel"]) == ("reminder.sent", "chat")
    assert (dropped["kind"], dropped["reason"]) == ("reminder.dropped", "no_address")
    assert routing["inputs"]["blocked"] == ["chat", "sms", "phone"]
    assert await violations(here, reader) == []


async def test_other_addresses_and_other_shops_are_not_blocked(here: World, reader: blocking.Redis) -> None:
    await block(here, "+8613800000001")
    await here.service.blocking.block("demo", "chat", PHONE, "user:wang")
    await here.service.blocking.block(here.twin(), "phone", PHONE, "user:wang")

    await take(here, event("order.unpaid", "A", NOON))
    await here.dispatch()

    assert (await newest(here))["channel"] == "sms"
    assert await violations(here, reader) == []


async def test_what_was_decided_before_a_block_is_decided_again(here: World, reader: blocking.Redis) -> None:
    await take(here, event("order.unpaid", "A", NOON))
    judge_all = here.service.dispatcher._judge_all

    async def meanwhile(lease: Any) -> Any:
        judged = await judge_all(lease)
        await block(here)
        return judged

    here.service.dispatcher._judge_all = meanwhile  # type: ignore[method-assign]

    done = await here.dispatch()

    assert done["changed"] == 1
    assert (await newest(here))["channel"] == "chat"
    assert await violations(here, reader) == []


async def test_an_open_task_is_not_claimed_for_a_blocked_number(here: World, reader: blocking.Redis) -> None:
    await take(here, event("order.unpaid", "A", NOON, total="900.00"))
    await here.dispatch()
    await block(here)

    with pytest.raises(NotNow, match="no_address"):
        await here.service.tasks.claim("demo~A~1", "li", "user:li")
    await here.service.blocking.unblock("demo", "phone", PHONE, "user:wang")
    await here.service.tasks.claim("demo~A~1", "li", "user:li")

    assert (await newest(here))["kind"] == "task.claimed"
    assert await violations(here, reader) == []


async def test_an_agent_sends_nothing_by_hand_to_a_blocked_number(here: World) -> None:
    await take(here, event("order.unpaid", "A", NOON))
    await block(here)

    with pytest.raises(NotNow, match="no_address"):
        await here.service.by_hand.hand_over("demo", "A", "h-1", "sms", "li", "user:li")
    await here.service.by_hand.hand_over("demo", "A", "h-2", "chat", "li", "user:li")


async def test_another_order_is_seen_with_its_own_block(here: World, reader: blocking.Redis) -> None:
    capped = at_once("[caps]\nper_day = 1\n[routing]\nchannels = ['sms']")
    await here.service.put_policy("demo", capped, "test", "user:test")
    await block(here)
    better = event("order.unpaid", "B", NOON, total="900.00")
    await take(here, event("order.unpaid", "A", NOON, phone="+8613800000001"), better)

    await here.dispatch()

    ends = {record["order"]: record["kind"] for record in await here.audit() if record["order"]}
    assert ends == {"A": "reminder.sent", "B": "reminder.dropped"}
    assert await violations(here, reader) == []


async def test_a_wrong_number_is_blocked_once(here: World, reader: blocking.Redis) -> None:
    for order in "AB":
        await take(here, event("order.unpaid", order, NOON, total="900.00", customer=f"C-{order}"))
    await here.dispatch()
    tasks = here.service.tasks
    for order in "AB":
        await tasks.claim(f"demo~{order}~1", "li", "user:li")

    for order in "ABB":
        await tasks.complete(f"demo~{order}~1", "li", "wrong_number", "user:li")

    records = await here.audit()
    kinds = [record["kind"] for record in records]
    assert not [record for record in records if "blocked" in record["details"]]
    assert (kinds.count("task.completed"), kinds.count("operator.blocked")) == (2, 1)
    assert (await here.service.store.shop("demo")).blocked == 1
    assert await violations(here, reader) == []


async def test_the_number_that_was_called_is_blocked_when_the_order_has_another_one_by_then(
    here: World, reader: blocking.Redis
) -> None:
    await take(here, event("order.unpaid", "A", NOON, total="900.00"))
    await here.dispatch()
    await here.service.tasks.claim("demo~A~1", "li", "user:li")
    await take(
        here, event("order.amended", "A", NOON + 1, placed_at=NOON, total="900.00", phone="+8613900000001")
    )

    await here.service.tasks.complete("demo~A~1", "li", "wrong_number", "user:li")

    (called,) = await People(here.service.store).pseudonyms("demo", [PHONE])
    (told,) = (one["details"] for one in await here.audit() if one["kind"] == "operator.blocked")
    block = await here.service.blocks.one("demo", "phone", called)
    assert told["person"] == called
    assert block is not None
    assert block.masked == masked("phone", PHONE)
    assert await violations(here, reader) == []


async def test_a_shop_blocks_no_more_than_it_may_and_a_call_ends_all_the_same(here: World) -> None:
    await take(here, event("order.unpaid", "A", NOON, total="900.00"))
    await here.dispatch()
    await here.service.tasks.claim("demo~A~1", "li", "user:li")
    key = here.service.store.keys(here.lane).blocked("demo")
    many = {f"phone:{number}": b"{}" for number in range(MOST_BLOCKED)}
    await here.service.store.redis.hset(key, mapping=many)  # type: ignore[misc]

    with pytest.raises(TooManyBlocked):
        await block(here)
    await here.service.tasks.complete("demo~A~1", "li", "wrong_number", "user:li")

    completed = await newest(here)
    assert (completed["kind"], completed["details"]["blocked"]) == ("task.completed", False)


async def test_a_shop_that_blocks_nothing_is_asked_nothing(here: World) -> None:
    async def never(shop: str, rev: int) -> frozenset[str]:
        raise AssertionError("was asked")

    here.service.dispatcher._people.blocked = never  # type: ignore[method-assign]
    await take(here, event("order.unpaid", "A", NOON))

    assert await here.dispatch() == {"send": 1}
