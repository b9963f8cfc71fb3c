"""Incentives from the pool to the customer and back: never more than there are, however many want one."""

import asyncio
from collections.abc import Callable
from pathlib import Path
from typing import Any

import msgspec
import pytest

from dispatcher.channels.base import Message
from dispatcher.channels.stub import Behaviour
from dispatcher.policy.document import Policy, load_json, to_json
from dispatcher.settings import Settings
from dispatcher.storage.client import StoreClient
from dispatcher.storage.commands import Settlement
from dispatcher.workflow.recomputing import Recomputer
from dispatcher.workflow.recomputing import recompute as again
from dispatcher.workflow.recorded import Record
from tests.checkers.items import never_overdrawn
from tests.checkers.promises import CheckerRules, check_all
from tests.checkers.recompute import recompute
from tests.checkers.replay import replay
from tests.worlds import HOUR, NOON, World, as_json, at_once, event, world

YES: dict[str, Any] = {"consent": {"promotion": True}}
SECOND_STEP = '[before_close]\nlead = "2h"\n'


def gift(quantity: int, *more: str, pool: str = "tea") -> str:
    """Return a pool of gifts for the unpaid order."""
    lines = (f'id = "{pool}"', 'kind = "gift"', 'use = "this_order"', 'name = "茶样2袋"')
    return "\n".join(("[[incentives]]", *lines, f"quantity = {quantity}", *more, ""))


def offering(*tables: str) -> Policy:
    """Return a policy that reminds at once by SMS, and does what the tables say."""
    return at_once('[routing]\nchannels = ["sms"]\n' + "".join(tables))


def unpaid(number: int, at: int = NOON, customer: str | None = None, **more: Any) -> Any:
    """Return an order of a customer of its own who agrees to promotions."""
    return event("order.unpaid", f"O-{number}", at, customer=customer or f"C-{number}", **(YES | more))


async def taken(here: World, customer: str | None = None, pool: str = "tea") -> tuple[int, int]:
    """Return how many items are taken, and how many of them by a customer."""
    found = (await here.service.store.pool_counts("demo", [pool], customer))[pool]
    return found.taken, found.mine


async def named(here: World) -> list[dict[str, Any]]:
    """Return the hand-offs that name an incentive, as they were decided."""
    sending = [record for record in await here.audit() if record["kind"] == "reminder.sending"]
    return [record for record in sending if "incentive" in record["details"]["decision"]]


async def wrong(here: World) -> list[str]:
    """Return what the checkers, which share no code with the product, find in the audit."""
    return check_all(await here.audit(), CheckerRules(zone="Asia/Shanghai"))


async def test_a_pool_of_100_serves_exactly_100_of_10_000_and_30_more_after_30_failures(
    redis: StoreClient, audit_directory: Path
) -> None:
    policy, left = offering(gift(100)), 30

    def behaviour(message: Message) -> Behaviour:
        nonlocal left
        if "茶样" not in message.text or left == 0:
            return Behaviour.ACCEPT
        left -= 1
        return Behaviour.REJECT

    settings = Settings(lanes=1)
    crew = [
        await world(redis, audit_directory, policy=policy, settings=settings, behaviour=behaviour)
        for _ in range(4)
    ]
    here = crew[0]
    for half in range(2):
        for first in range(5_000 * half, 5_000 * (half + 1), 1_000):
            events = [unpaid(number) for number in range(first, first + 1_000)]
            await here.service.intake.take(events, "key:test")
        await asyncio.gather(*(one.dispatch() for one in crew))

    records = [as_json(record) async for record in here.service.audit.read(here.lane)]
    sending = [record for record in records if record["kind"] == "reminder.sending"]
    assert len(sending) == 10_000
    assert sum("incentive" in record["details"]["decision"] for record in sending) == 130
    assert sum("given_back" in record["details"] for record in records) == 30
    assert (await taken(here))[0] == 100
    assert sum(replay(records).pools["demo", "tea"][1].values()) == 100


async def test_a_customer_gets_no_more_than_the_limit(redis: StoreClient, audit_directory: Path) -> None:
    here = await world(redis, audit_directory, policy=offering(gift(100, "per_customer = 2")))
    await here.service.intake.take([unpaid(number, customer="C-1") for number in range(5)], "key:test")

    await here.dispatch()

    assert await taken(here, "C-1") == (2, 2)
    assert here.channels["sms"].handed_over == 5
    assert await wrong(here) == []


async def test_an_item_is_kept_when_nobody_knows_whether_the_message_went(
    redis: StoreClient, audit_directory: Path
) -> None:
    here = await world(redis, audit_directory, policy=offering(gift(1)))
    await here.service.intake.take([unpaid(1), unpaid(2)], "key:test")
    store = here.service.store
    commit = store.commit

    async def crashing(*args: Any, **kwargs: Any) -> list[str]:
        await commit(*args, **kwargs)
        raise RuntimeError("the worker died")

    store.commit = crashing  # type: ignore[method-assign]
    with pytest.raises(RuntimeError):
        await here.dispatch()
    del store.commit  # type: ignore[method-assign]
    here.clock.advance_to(NOON + HOUR)
    await here.service.intake.take([unpaid(3, NOON + HOUR)], "key:test")
    await here.dispatch()

    uncertain = [record["order"] for record in await here.audit() if record["kind"] == "reminder.uncertain"]
    assert uncertain == ["O-1"]
    assert (await taken(here))[0] == 1
    assert [record["order"] for record in await named(here)] == ["O-1"]
    assert await wrong(here) == []


async def test_a_later_message_of_an_order_names_the_same_item(
    redis: StoreClient, audit_directory: Path
) -> None:
    here = await world(redis, audit_directory, policy=offering(SECOND_STEP, gift(5)), start=NOON - HOUR)
    await here.service.intake.take([unpaid(1, NOON - HOUR)], "key:test")

    await here.dispatch()
    here.clock.advance_to(NOON + 21 * HOUR)
    await here.dispatch()

    told = [record["details"]["decision"]["incentive"] for record in await named(here)]
    assert [(each["pool"], each["again"]) for each in told] == [("tea", False), ("tea", True)]
    assert await taken(here, "C-1") == (1, 1)
    assert await wrong(here) == []


async def test_an_item_that_another_message_named_does_not_go_back(
    redis: StoreClient, audit_directory: Path
) -> None:
    answers = iter((Behaviour.ACCEPT, Behaviour.REJECT))
    policy = offering(SECOND_STEP, gift(5))
    here = await world(redis, audit_directory, policy=policy, behaviour=lambda message: next(answers))
    await here.service.intake.take([unpaid(1)], "key:test")

    await here.dispatch()
    here.clock.advance_to(NOON + 22 * HOUR)
    await here.dispatch()

    assert [record["step"] for record in await named(here)] == [1, 2]
    assert await taken(here, "C-1") == (1, 1)
    assert await wrong(here) == []


async def test_a_settlement_that_comes_too_late_refuses_no_other_one(
    redis: StoreClient, audit_directory: Path
) -> None:
    here = await world(redis, audit_directory, policy=offering(gift(1)))
    await here.service.intake.take([unpaid(1)], "key:test")
    await here.dispatch()
    late = Settlement(
        reminder="demo~O-1~1", order="O-1", customer="C-1", step=1, outcome="fail", token=1, reason="rejected"
    )

    answers = await here.service.store.settle(here.lane, [late], NOON)

    assert answers == ["lost"]
    assert await taken(here, "C-1") == (1, 1)


async def test_an_empty_pool_leaves_the_plain_message(redis: StoreClient, audit_directory: Path) -> None:
    texts: list[str] = []

    def behaviour(message: Message) -> Behaviour:
        texts.append(message.text)
        return Behaviour.ACCEPT

    here = await world(redis, audit_directory, policy=offering(gift(1)), behaviour=behaviour)
    await here.service.intake.take([unpaid(number) for number in range(3)], "key:test")

    await here.dispatch()

    assert sorted("拒收请回复R" in text and "茶样2袋" in text for text in texts) == [False, False, True]
    assert await wrong(here) == []


@pytest.mark.parametrize(
    ("more", "at"),
    [({"consent": {}}, NOON), ({"consent": {"promotion": False}}, NOON), ({}, NOON + 9 * HOUR)],
    ids=["nothing said", "forbidden", "21:00"],
)
async def test_what_may_not_be_a_promotion_goes_plain(
    redis: StoreClient, audit_directory: Path, more: dict[str, Any], at: int
) -> None:
    here = await world(redis, audit_directory, policy=offering(gift(9)), start=at)
    await here.service.intake.take([unpaid(1, at, **more)], "key:test")

    await here.dispatch()

    assert here.channels["sms"].handed_over == 1
    assert await named(here) == []
    assert await wrong(here) == []


async def test_a_promotion_is_not_handed_over_after_its_hours(
    redis: StoreClient, audit_directory: Path
) -> None:
    at = NOON + 9 * HOUR - 1
    here = await world(redis, audit_directory, policy=offering(gift(9)), start=at)
    await here.service.intake.take([unpaid(1, at)], "key:test")

    await here.dispatch()

    (sending,) = await named(here)
    assert sending["details"]["valid_until"] == "2025-11-11T13:00:00.000Z"
    assert sending["details"]["decision"]["rules"][-1]["until"] == "2025-11-11T13:00:00.000Z"


async def test_topped_up_items_are_given_too(redis: StoreClient, audit_directory: Path) -> None:
    here = await world(redis, audit_directory, policy=offering(gift(1)))
    await here.service.intake.take([unpaid(number) for number in range(5)], "key:test")
    add = here.service.incentives.top_up

    first = await add("demo", "tea", 2, "more", "T-1", "user:test")
    again = await add("demo", "tea", 2, "more", "T-1", "user:test")
    await here.dispatch()

    assert first == again
    assert (first.granted, first.added, first.left) == (3, 2, 3)
    assert [msgspec.structs.asdict(pool)["left"] for pool in await here.service.incentives.pools("demo")] == [
        0
    ]
    assert len(await named(here)) == 3
    assert await wrong(here) == []


async def test_a_policy_without_incentives_asks_for_no_counts(
    redis: StoreClient, audit_directory: Path
) -> None:
    here = await world(redis, audit_directory, policy=offering(gift(1)))
    await here.service.put_policy("demo", offering(), "none any more", "user:test")
    await here.service.intake.take([unpaid(1)], "key:test")

    lease = await here.service.store.lease("demo", "sms", 10, NOON)

    assert lease.counted is None
    assert len(lease.items) == 1


ALTERED: dict[str, Any] = {
    "agreed": None,
    "zone": "Asia/Tokyo",
    "start": "2025-11-11T01:00:00.000Z",
    "end": "2025-11-11T12:00:00.000Z",
    "promoted": True,
    "pools": {},
    "refused": {"tea": "not_for"},
    "pool": "cup",
    "price": ["50.00"],
    "quantity": [0],
    "offered": "cup",
    "offer_ends": "2025-11-12T03:00:00.000Z",
}


def differing(records: list[dict[str, Any]]) -> list[list[str]]:
    """Return what the product finds in deciding again, and what the checkers do."""
    own = again((msgspec.convert(record, Record) for record in records), Recomputer())
    return [list(own), recompute(records)]


async def test_of_what_a_choice_stood_on_any_altered_input_is_found(
    redis: StoreClient, audit_directory: Path
) -> None:
    document = to_json(offering(SECOND_STEP, gift(1))) | {"platform": "pdd"}
    change = {"kind": "price_change", "use": "this_order", "quantity": 9, "approved": True}
    for pool, amount in (("big", "35.00"), ("off", "9.00")):
        document["incentives"].append(change | {"id": pool, "amount": amount})
    here = await world(redis, audit_directory, policy=load_json(document))
    await here.service.intake.take([unpaid(1), unpaid(2)], "key:test")
    await here.dispatch()
    here.clock.advance_to(NOON + 22 * HOUR)
    await here.dispatch()
    records = await here.audit()
    told = [rule for record in await named(here) for rule in record["details"]["decision"]["rules"]]
    rules = [rule for rule in told if rule["rule"] == "incentive"]
    missed = []

    tried = set()
    for record in records:
        for rule in record["details"].get("decision", {}).get("rules", ()):
            for key, was in list(rule["inputs"].items()) if rule["rule"] == "incentive" else ():
                if key in {"price", "quantity"} and "offered" in rule["inputs"]:
                    continue  # of the small change, which any price of the goods allows
                tried.add(key)
                rule["inputs"][key] = ALTERED[key]
                if not all(differing(records)):
                    missed.append((record["reminder"], key))
                rule["inputs"][key] = was

    assert [rule["inputs"]["pool"] for rule in rules] == ["tea", "off", "tea", "off"]
    assert differing(records) == [[], []]
    assert tried == set(ALTERED)
    assert missed == []


@pytest.mark.parametrize(
    ("alter", "tells"),
    [
        (
            lambda policy, record: policy["incentives"][0].update(quantity=1),
            "takes item 2 of tea, granted are 1",
        ),
        (
            lambda policy, record: policy["incentives"][0].update(per_customer=1),
            "takes item 2 of tea for its customer, the limit is 1",
        ),
        (lambda policy, record: policy.pop("incentives"), "which its policy does not have"),
        (
            lambda policy, record: record["details"]["decision"]["incentive"].update(again=True),
            "names an item of tea again, the order has None",
        ),
    ],
)
async def test_the_checkers_find_items_that_were_not_there(
    redis: StoreClient, audit_directory: Path, alter: Callable[[Any, Any], Any], tells: str
) -> None:
    here = await world(redis, audit_directory, policy=offering(gift(2, "per_customer = 2")))
    await here.service.intake.take([unpaid(1, customer="C-1"), unpaid(2, customer="C-1")], "key:test")
    await here.dispatch()
    records = await here.audit()
    sound = never_overdrawn(records)
    (changed,) = (record for record in records if record["kind"] == "policy.changed")

    alter(changed["details"]["policy"], [one for one in records if one["kind"] == "reminder.sending"][-1])

    assert sound == []
    assert any(tells in violation for violation in never_overdrawn(records))
