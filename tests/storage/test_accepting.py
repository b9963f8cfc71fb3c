"""New orders written as texts: the same comes of them as of the script that looks at everything."""

from pathlib import Path
from typing import Any
from unittest.mock import patch

import msgspec
import pytest
import redis as blocking

from dispatcher.policy.events import Event
from dispatcher.storage.client import StoreClient
from dispatcher.storage.commands import Intake, IntakeReply
from dispatcher.storage.keys import LaneKeys
from dispatcher.storage.new_orders import rows_of
from dispatcher.storage.store import Store
from dispatcher.workflow import intake
from tests.storage.calls import new_order
from tests.storage.scenes import LATER, Scene, dump, restore, scene
from tests.storage.test_swaps import seen
from tests.worlds import MINUTE, NOON, World, at_once, event, saying, world

BEFORE_CLOSE = """
[before_close]
lead = "2h"
"""
ROUTING = """
[routing]
channels = ["sms", "chat"]
"""

ORDER = LaneKeys(0).order("demo", "N-1")
UNPAID = LaneKeys(0).unpaid("demo", "C-N-1")


SOON = NOON + 20 * MINUTE
"""So soon that there is no time for a second reminder, which is dropped at once."""


def unpaid(order: str, customer: str | None = None, at: int = LATER, **more: Any) -> Event:
    """Return that an order was placed, by a customer of its own unless it is told."""
    return event("order.unpaid", order, at, customer=customer or f"C-{order}", **more)


def named(given: Event, name: str) -> Event:
    """Return an event with another id."""
    return msgspec.structs.replace(given, id=name)


PAID_BEFORE = "a paid order of the customer"

BEFORE: dict[str, list[Event]] = {
    "nothing": [],
    "another order": [unpaid("O-9")],
    "the same event": [unpaid("O-1")],
    "the same order": [named(unpaid("O-1"), "other")],
    "another customer's": [named(unpaid("O-1", "C-9"), "other")],
    "an unpaid order of the customer": [unpaid("O-9", "C-O-1")],
    PAID_BEFORE: [unpaid("O-9", "C-O-1"), event("order.paid", "O-9", LATER)],
    "its payment": [event("order.paid", "O-1", LATER)],
    "its end": [event("order.cancelled", "O-1", LATER)],
    "an opt-out": [saying("opted_out", customer="C-O-1")],
    "another event of this id": [named(unpaid("O-9"), unpaid("O-1").id)],
}
"""What is known before the order."""

TOGETHER: dict[str, list[Event]] = {
    "one": [unpaid("O-1")],
    "several": [unpaid(f"O-{number}") for number in range(1, 20)],
    "of one customer": [unpaid("O-1"), unpaid("O-2", "C-O-1"), unpaid("O-3", "C-O-1")],
    "twice": [unpaid("O-1"), unpaid("O-1")],
    "two of one id": [unpaid("O-1"), named(unpaid("O-2"), unpaid("O-1").id)],
    "then paid": [unpaid("O-1"), event("order.paid", "O-1", LATER)],
    "then amended": [unpaid("O-1"), event("order.amended", "O-1", LATER)],
    "others that are paid": [unpaid("O-1"), event("order.paid", "O-2", LATER), unpaid("O-3")],
    "then a word of its customer": [unpaid("O-1"), saying("opted_out", customer="C-O-1")],
    "paid before": [event("order.paid", "O-1", LATER), unpaid("O-1")],
    "two of one order": [unpaid("O-1"), named(unpaid("O-1", total="88.00"), "other")],
    "two of one order, the first closing soon": [
        unpaid("O-1", closes_at=SOON),
        named(unpaid("O-1", total="88.00"), "other"),
    ],
    "two of one order, of two customers": [
        unpaid("O-1", "C-9", closes_at=SOON),
        named(unpaid("O-1"), "other"),
    ],
    "two of one customer, the first closing soon": [
        unpaid("O-1", closes_at=SOON),
        unpaid("O-2", "C-O-1"),
    ],
    "one that closes soon": [unpaid("O-1"), unpaid("O-2", closes_at=SOON), unpaid("O-3")],
}
"""What comes together."""


@pytest.fixture(params=["", BEFORE_CLOSE], ids=["one reminder", "two reminders"])
async def here(redis: StoreClient, audit_directory: Path, request: pytest.FixtureRequest) -> World:
    """A shop that plans one reminder an order, or two."""
    return await world(redis, audit_directory, policy=at_once(request.param + ROUTING))


def kept(reader: blocking.Redis) -> list[Any]:
    """Return what all lanes hold, but for the order in which records were written at one instant."""
    found: list[Any] = [reader.mget(sorted(reader.keys("*facts:*")) or ["none"])]
    for key in sorted(reader.keys("*seen:*")):
        answers = {event: msgspec.msgpack.decode(answer) for event, answer in reader.hgetall(key).items()}
        found.append((key, answers))
    for lane in seen(reader):
        kinds = {
            record["seq"]: (record["kind"], record["reminder"], record["order"]) for record in lane["audit"]
        }
        for order in lane["orders"].values():
            order["records"] = [kinds[number] for number in order["records"]]
        for customer in lane["customers"].values():
            customer["rev"] = kinds[customer["rev"]]
        for record in lane["audit"]:
            del record["seq"]
        lane["audit"].sort(key=repr)
        found.append(lane)
    return found


async def both_ways(
    here: World, reader: blocking.Redis, events: list[Event]
) -> tuple[tuple[Any, Any], tuple[Any, Any]]:
    """Take events as texts, and by looking at them; return what was answered and what the store holds."""
    redis = here.service.store.redis
    before = await dump(redis)
    as_texts = await here.service.intake.take(events, "key:test"), kept(reader)
    await restore(redis, before)
    with patch.object(intake, "rows_of", return_value={}):
        looked_at = await here.service.intake.take(events, "key:test"), kept(reader)
    return as_texts, looked_at


@pytest.mark.parametrize("before", BEFORE.values(), ids=BEFORE)
@pytest.mark.parametrize("events", TOGETHER.values(), ids=TOGETHER)
async def test_a_new_order_written_as_texts_is_what_looking_at_it_makes(
    here: World, reader: blocking.Redis, before: list[Event], events: list[Event]
) -> None:
    await here.service.intake.take(before, "key:test")

    as_texts, looked_at = await both_ways(here, reader, events)

    assert as_texts == looked_at


async def accept(full: Scene, events: list[Intake]) -> dict[int, IntakeReply]:
    """Take events as texts, as far as they have rows."""
    return await full.store.accept(0, events, rows_of(events), LATER, "key:test")


@pytest.mark.parametrize("name", BEFORE)
async def test_only_what_is_quite_new_is_written_as_texts(here: World, name: str) -> None:
    quite_new = {"nothing", "another order", "an opt-out", PAID_BEFORE}
    await here.service.intake.take(BEFORE[name], "key:test")
    accepted: list[dict[int, IntakeReply]] = []
    accept = Store.accept

    async def noted(*given: Any) -> dict[int, IntakeReply]:
        accepted.append(await accept(*given))
        return accepted[-1]

    with patch.object(Store, "accept", noted):
        await here.service.intake.take([unpaid("O-1")], "key:test")

    assert [set(taken) for taken in accepted] == [{0} if name in quite_new else set()]


async def test_what_another_policy_planned_is_left(redis: StoreClient, audit_directory: Path) -> None:
    full = await scene(redis, audit_directory)
    await full.store.pause("demo", "chat", LATER, "user:li")
    before = await dump(redis)

    taken = await accept(full, [new_order("N-1")])

    assert taken == {}
    assert await dump(redis) == before


@pytest.mark.parametrize("key", [ORDER, UNPAID])
@pytest.mark.parametrize("kind", ["text", "empty text", "list"])
async def test_what_holds_something_else_is_left(
    redis: StoreClient, audit_directory: Path, key: str, kind: str
) -> None:
    full = await scene(redis, audit_directory)
    texts = {"text": "garbage", "empty text": ""}
    await (redis.set(key, texts[kind]) if kind in texts else redis.rpush(key, "x"))  # type: ignore[misc]
    there = await redis.dump(key)

    taken = await accept(full, [new_order("N-1"), new_order("N-2")])

    assert set(taken) == {1}
    assert await redis.dump(key) == there
