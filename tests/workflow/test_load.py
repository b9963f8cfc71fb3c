"""Limits on what one person, one channel and the people of a shop get, from the event to the audit."""

import asyncio
from collections import Counter
from pathlib import Path
from typing import Any

import pytest
from msgspec.structs import replace

from dispatcher.errors import NotNow
from dispatcher.settings import Settings
from dispatcher.storage.client import StoreClient
from dispatcher.storage.keys import META
from dispatcher.storage.ledgers import ledger_of
from dispatcher.storage.people import People
from tests.checkers.promises import caps, open_tasks, paced, per_channel, recompute
from tests.checkers.replay import replay
from tests.workflow.test_recomputing import differences
from tests.worlds import DAY, HOUR, MINUTE, NOON, World, at_once, event, told, world

BY_CHANNEL = """
[caps.per_channel]
sms = 1
[routing]
channels = ["sms", "chat"]
"""
BY_PHONE = """
[caps]
per_day = 2
per = "phone"
[routing]
channels = ["sms", "chat"]
high_value = "500.00"
"""
FEW_CALLS = """
[routing]
channels = ["chat"]
high_value = "500.00"
[phone]
max_open = 2
"""
ZONE = "Asia/Shanghai"


async def take(here: World, *orders: str, **more: Any) -> None:
    now = here.clock.now()
    await here.service.intake.take(
        [event("order.unpaid", order, now, closes_at=NOON + 3 * DAY, **more) for order in orders], "key:test"
    )


async def dispatched(here: World) -> list[dict[str, Any]]:
    """Do all that is due, and return the audit, which is checked."""
    await here.dispatch()
    records = await here.audit()
    assert recompute(records) == []
    assert differences(records) == []
    assert replay(records).problems == []
    return records


def reported(order: str) -> dict[str, Any]:
    return {"order": {"id": order}, "channel": "chat", "agent": "li"}


def went(records: list[dict[str, Any]]) -> Counter[str]:
    return Counter(record["channel"] for record in records if record["kind"] == "reminder.sent")


async def test_a_channel_that_is_used_up_gives_way_to_the_next_one(
    redis: StoreClient, audit_directory: Path
) -> None:
    here = await world(redis, audit_directory, policy=at_once(BY_CHANNEL))
    await take(here, "O-1", "O-2", "O-3")

    records = await dispatched(here)

    assert went(records) == {"sms": 1, "chat": 2}
    assert per_channel(records, {"sms": 1}, ZONE) == []
    assert len(per_channel(records, {"chat": 1}, ZONE)) == 1


async def test_where_every_channel_is_used_up_a_reminder_waits_for_the_next_day(
    redis: StoreClient, audit_directory: Path
) -> None:
    here = await world(redis, audit_directory, policy=at_once(BY_CHANNEL))
    only = at_once(BY_CHANNEL.replace('["sms", "chat"]', '["sms"]'))
    await here.service.put_policy("demo", only, "test", "user:test")
    await take(here, "O-1", "O-2")

    today = await dispatched(here)
    here.clock.advance_to(NOON + 12 * HOUR)
    tomorrow = await dispatched(here)

    (waits,) = (record for record in today if record["kind"] == "reminder.deferred")
    assert went(today) == {"sms": 1}
    assert (waits["reason"], waits["details"]["due"]) == ("daily_cap", "2025-11-11T16:00:00.000Z")
    assert went(tomorrow) == {"sms": 2}


async def test_no_hand_off_by_a_channel_is_allowed_where_its_cap_is_nought(
    redis: StoreClient, audit_directory: Path
) -> None:
    none = BY_CHANNEL.replace("sms = 1", "sms = 0")
    here = await world(redis, audit_directory, policy=at_once(none))
    await take(here, "O-1")
    await take(here, "O-2", chat=None)

    records = await dispatched(here)

    dropped = {one["order"]: one["reason"] for one in records if one["kind"] == "reminder.dropped"}
    assert went(records) == {"chat": 1}
    assert dropped == {"O-2": "daily_cap"}


async def test_customers_who_share_a_phone_number_are_one_for_the_caps(
    redis: StoreClient, audit_directory: Path
) -> None:
    here = await world(redis, audit_directory, policy=at_once(BY_PHONE))
    for number in range(4):
        await take(here, f"O-{number}", customer=f"C-{number}")
    await take(here, "O-other", customer="C-other", phone="+8613800000001")
    await take(here, "O-chat", customer="C-chat", phone=None)

    records = await dispatched(here)

    assert went(records) == {"sms": 3, "chat": 1}
    assert Counter(r["reason"] for r in records if r["kind"] == "reminder.deferred")["daily_cap"] >= 2
    assert caps(records, 2, ZONE) == []
    assert len({one["details"].get("person") for one in records if one["kind"] == "reminder.sending"}) == 3
    assert (await People(here.service.store).of_customer("demo", "C-0")).instants == ()
    assert not [key for key in await redis.keys("*") if b"138000" in key]


async def test_what_cannot_be_counted_together_is_given_back_one_by_one(
    redis: StoreClient, audit_directory: Path
) -> None:
    here = await world(redis, audit_directory, policy=at_once(BY_PHONE))
    await redis.hset(META, "pseudonyms", "no key")  # type: ignore[misc]
    await take(here, "O-1", "O-2")

    done = await here.dispatch()

    ended = [one for one in await here.audit() if one["kind"] == "reminder.failed"]
    assert done == {"changed": 4, "failed": 2}
    assert {one["details"]["error"] for one in ended} == {"StoreRefused"}


async def test_what_an_agent_reports_counts_for_all_who_share_the_number(
    redis: StoreClient, audit_directory: Path
) -> None:
    here = await world(redis, audit_directory, policy=at_once(BY_PHONE))
    reports = [told("order.reminded", f"hand-{n}", NOON, reported("O-0")) for n in range(2)]
    unpaid = event("order.unpaid", "O-0", NOON, customer="C-0", closes_at=NOON + 3 * DAY)

    results = await here.service.intake.take([unpaid, *reports, *reports], "key:test")
    await take(here, "O-1", customer="C-1")
    await take(here, "O-other", customer="C-other", phone="+8613800000001")
    records = await dispatched(here)

    persons = {one["details"].get("person") for one in records if "by_hand" in one["details"]}
    assert [result.status for result in results] == ["accepted"] * 3 + ["duplicate"] * 2
    assert [one["order"] for one in records if one["kind"] == "reminder.sending"] == ["O-other"]
    assert (await People(here.service.store).of_customer("demo", "C-0")).instants == ()
    assert len(persons) == 1
    assert None not in persons
    assert caps(records, 2, ZONE) == []


async def test_a_report_is_counted_by_the_number_that_the_order_has_and_by_the_policy_in_force(
    redis: StoreClient, audit_directory: Path
) -> None:
    here = await world(redis, audit_directory, policy=at_once(BY_PHONE.replace('per = "phone"', "")))
    await take(here, "O-0")
    await here.service.intake.take([told("order.reminded", "h-0", NOON, reported("O-0"))], "key:test")
    await here.service.put_policy("demo", at_once(BY_PHONE), "test", "user:test")
    new_number = event("order.amended", "O-0", NOON, phone="+8613800000001")

    report = told("order.reminded", "h-1", NOON, reported("O-0"))
    results = await here.service.intake.take([new_number, report], "key:test")
    records = await dispatched(here)

    (capped,) = (
        rule
        for one in records
        if one["kind"] == "reminder.sending"
        for rule in one["details"]["decision"]["rules"]
        if rule["rule"] == "daily_cap"
    )
    assert [result.status for result in results] == ["accepted"] * 2
    assert capped["inputs"]["used"] == 1
    assert (await People(here.service.store).of_customer("demo", "C-1")).instants == (NOON,)


async def test_a_number_whose_hand_offs_cannot_be_read_keeps_no_other_customer_waiting(
    redis: StoreClient, audit_directory: Path
) -> None:
    here = await world(redis, audit_directory, policy=at_once(BY_PHONE), settings=Settings(lanes=1))
    await take(here, "O-1", customer="C-1", phone="+8613800000001")
    await take(here, "O-2", customer="C-2", phone="+8613800000002")
    store = here.service.store
    (broken,) = await People(store).pseudonyms("demo", ["+8613800000001"])
    await redis.set(store.keys(here.lane).shared("demo", broken), b"\xc1")

    await here.dispatch()

    kinds = {record["order"]: record["kind"] for record in await here.audit() if record["reminder"]}
    assert kinds == {"O-1": "reminder.failed", "O-2": "reminder.sent"}


async def test_a_slot_of_a_shared_number_stays_where_it_was_taken_when_the_number_changes(
    redis: StoreClient, audit_directory: Path
) -> None:
    here = await world(redis, audit_directory, policy=at_once(BY_PHONE))
    await take(here, "O-1", total="900.00", customer="C-1")
    await here.dispatch()
    await here.service.tasks.claim("demo~O-1~1", "li", "user:li")

    here.clock.advance_to(NOON + MINUTE)
    await here.service.intake.take(
        [
            event(
                "order.amended", "O-1", NOON + MINUTE, placed_at=NOON, total="900.00", phone="+8613900000000"
            )
        ],
        "key:test",
    )
    shared = await redis.keys("*shared:*")
    held = [len(ledger_of(await redis.get(key)).instants) for key in shared]
    await here.service.tasks.release("demo~O-1~1", "li", "user:li")

    assert held == [1]
    assert await redis.keys("*shared:*") == []
    assert (await People(here.service.store).of_customer("demo", "C-1")).instants == ()


async def test_a_retired_order_gives_back_the_slot_of_a_shared_number(
    redis: StoreClient, audit_directory: Path
) -> None:
    here = await world(redis, audit_directory, policy=at_once(BY_PHONE))
    await take(here, "O-1")
    await here.service.intake.take([told("order.reminded", "hand", NOON, reported("O-1"))], "key:test")
    await here.dispatch()
    shared = sum([len(ledger_of(await redis.get(key)).instants) for key in await redis.keys("*shared:*")])
    here.clock.advance_to(NOON + 3 * DAY)
    await here.dispatch()

    here.clock.advance_to(NOON + 400 * DAY)
    await here.dispatch()

    assert (shared, await redis.keys("*shared:*")) == (2, [])


async def test_a_claim_counts_with_all_who_share_the_number(
    redis: StoreClient, audit_directory: Path
) -> None:
    here = await world(redis, audit_directory, policy=at_once(BY_PHONE.replace("per_day = 2", "per_day = 1")))
    await take(here, "O-1", total="900.00", customer="C-1")
    await here.dispatch()
    await take(here, "O-2", customer="C-2")
    await here.dispatch()

    with pytest.raises(NotNow, match="daily_cap"):
        await here.service.tasks.claim("demo~O-1~1", "li", "user:li")

    assert went(await here.audit()) == {"sms": 1}


async def test_calls_beyond_the_limit_of_open_tasks_take_the_next_channel(
    redis: StoreClient, audit_directory: Path
) -> None:
    here = await world(redis, audit_directory, policy=at_once(FEW_CALLS))
    for number in range(5):
        await take(here, f"O-{number}", customer=f"C-{number}", total="900.00")

    records = await dispatched(here)

    kinds = Counter((record["kind"], record["reason"]) for record in records if record["step"])
    assert kinds["task.opened", None] == 2
    assert kinds["reminder.deferred", "overflow"] == 3
    assert went(records) == {"chat": 3}
    assert open_tasks(records, 2) == []
    assert len(open_tasks(records, 1)) == 1


async def test_a_call_without_another_channel_waits_until_a_task_may_be_opened(
    redis: StoreClient, audit_directory: Path
) -> None:
    here = await world(redis, audit_directory, policy=at_once(FEW_CALLS))
    for number in range(3):
        await take(here, f"O-{number}", customer=f"C-{number}", total="900.00", chat=None)
    crowded = await dispatched(here)
    open_one = next(record["reminder"] for record in crowded if record["kind"] == "task.opened")

    await here.service.tasks.claim(open_one, "li", "user:li")
    here.clock.advance_to(NOON + 5 * MINUTE)
    records = await dispatched(here)

    (waits,) = (record for record in crowded if record["kind"] == "reminder.deferred")
    assert (waits["reason"], waits["details"]["due"]) == ("overflow", "2025-11-11T04:05:00.000Z")
    assert sum(record["kind"] == "task.opened" for record in records) == 3
    assert open_tasks(records, 2) == []


TURN = 62_000
"""A minute, and the time within which a hand-off must start."""

PACED = """
[pace]
chat = 3
[routing]
channels = ["chat"]
"""


async def test_several_workers_share_the_pace_of_a_channel(redis: StoreClient, audit_directory: Path) -> None:
    policy = at_once(PACED)
    crew = [await world(redis, audit_directory, policy=policy, settings=Settings(lanes=1)) for _ in range(4)]
    await take(crew[0], *(f"O-{number}" for number in range(8)))

    sent = []
    for minute in range(3):
        for one in crew:
            one.clock.advance_to(NOON + minute * TURN)
        await asyncio.gather(*(one.dispatch() for one in crew))
        sent.append(went(await crew[0].audit())["chat"])

    records = await crew[0].audit()
    assert sent == [3, 6, 8]
    assert paced(records, "chat", 3) == []
    assert paced(records, "chat", 2) != []
    assert recompute(records) == differences(records) == []


async def test_what_the_pace_holds_is_not_looked_at_before_its_turn(
    redis: StoreClient, audit_directory: Path
) -> None:
    here = await world(redis, audit_directory, policy=at_once(PACED), settings=Settings(lanes=1))
    await take(here, *(f"O-{number}" for number in range(4)))
    await here.dispatch()

    ready = await here.service.store.ready([0], NOON + 59_000)
    again = await here.dispatch()

    stored = await here.service.store.order("demo", "O-3")
    assert (ready, again) == ([], {})
    assert stored is not None
    assert (stored.steps[0].status, stored.steps[0].leases) == ("planned", 0)
    assert await here.service.store.next_turn(0) == NOON + TURN


async def test_hand_offs_by_hand_count_for_a_minute_in_the_pace(
    redis: StoreClient, audit_directory: Path
) -> None:
    here = await world(redis, audit_directory, policy=at_once(PACED), settings=Settings(lanes=1))
    await take(here, "O-0", "O-1", "O-2", placed_at=NOON + 3 * HOUR)
    await take(here, "O-3")
    for number in range(3):
        await here.service.by_hand.hand_over("demo", f"O-{number}", "h-1", "chat", "li", "user:li")

    at_once_sent = await here.dispatch()
    here.clock.advance_to(NOON + MINUTE)
    a_minute_later = await here.dispatch()

    assert (at_once_sent, a_minute_later) == ({}, {"send": 1})
    assert paced(await here.audit(), "chat", 3) == []


async def test_a_commit_clears_a_pace_of_what_is_over_once(redis: StoreClient, audit_directory: Path) -> None:
    here = await world(redis, audit_directory, policy=at_once(PACED), settings=Settings(lanes=1))
    await take(here, *(f"O-{number}" for number in range(3)))
    await redis.config_resetstat()

    sent = await here.dispatch()

    calls = await redis.info("commandstats")
    assert (sent, calls["cmdstat_zremrangebyscore"]["calls"]) == ({"send": 3}, 1)


async def test_what_the_pace_made_too_late_says_so(redis: StoreClient, audit_directory: Path) -> None:
    one_at_a_time = Settings(lanes=1, hands=1)  # batches leased together may be committed in any order
    policy = replace(at_once(PACED), max_late=2 * MINUTE)
    here = await world(redis, audit_directory, policy=policy, settings=one_at_a_time)
    await take(here, *(f"O-{number}" for number in range(10)))
    for minute in range(4):
        here.clock.advance_to(NOON + minute * TURN)
        records = await dispatched(here)

    late = [
        rule["inputs"]["pace"]
        for record in records
        if record["reason"] == "too_late"
        for rule in record["details"]["decision"]["rules"]
        if rule["rule"] == "late"
    ]
    order = [record["order"] for record in records if record["kind"] == "reminder.sending"]
    assert went(records) == {"chat": 6}
    assert order == [f"O-{number}" for number in range(6)]
    assert late == [3] * 4
