"""What a platform forbids to say is left out or not sent, and the audit tells which."""

import json
from pathlib import Path
from typing import Any

import msgspec
import pytest

from dispatcher.errors import NotNow
from dispatcher.policy.events import Event
from dispatcher.policy.zones import iso
from dispatcher.storage.client import StoreClient
from dispatcher.storage.looking import text_of
from dispatcher.workflow.recomputing import Recomputer
from dispatcher.workflow.recomputing import recompute as again
from dispatcher.workflow.recorded import Record
from tests.checkers.promises import CheckerRules, check_all
from tests.worlds import NOON, World, at_once, event, told, world

REMINDER = "demo~O-1~1"
BY_SMS = """
[routing]
channels = ["sms"]
"""
BY_CALL = """
[routing]
channels = ["phone", "sms"]
[phone]
windows = [["09:00", "20:00"]]
"""
ELSEWHERE = """
[links]
allowed = ["shop.example"]
"""


async def under(redis: StoreClient, directory: Path, sections: str) -> World:
    policy = msgspec.structs.replace(at_once(sections), platform="jd")
    return await world(redis, directory, policy=policy)


async def take(here: World, item: str, **customer: Any) -> None:
    items = [{"name": item, "quantity": 1, "price": "99.00"}]
    await here.service.intake.take([event("order.unpaid", "O-1", NOON, items=items, **customer)], "key:test")


async def last(here: World, kind: str) -> dict[str, Any]:
    return next(record for record in reversed(await here.audit()) if record["kind"] == kind)


def wording(record: dict[str, Any]) -> list[dict[str, Any]]:
    return [rule for rule in record["details"]["decision"]["rules"] if rule["rule"] == "wording"]


async def doubts(here: World) -> list[str]:
    """Return what the checkers and recomputing find in the audit."""
    records = await here.audit()
    known = msgspec.convert(records, list[Record], strict=False)
    return [*check_all(records, CheckerRules(zone="Asia/Shanghai")), *again(known, Recomputer())]


def endless() -> Event:
    """Return an unpaid order whose link for paying no text message can hold."""
    order = {
        "id": "O-1",
        "placed_at": iso(NOON),
        "total": "99.00",
        "currency": "CNY",
        "pay_url": "https://pay.example/" + "a" * 600,
        "items": [{"name": "示例商品", "quantity": 1, "price": "99.00"}],
    }
    customer = {"id": "C-1", "phone": "+8613800000000", "chat": "example_1"}
    return told("order.unpaid", "e-1", NOON, {"order": order, "customer": customer})


async def test_name_is_masked_and_the_hand_off_tells_the_word(
    redis: StoreClient, audit_directory: Path
) -> None:
    here = await under(redis, audit_directory, BY_SMS)
    await take(here, "【淘宝同款】示例商品", name="电13800138000")

    done = await here.dispatch()

    sending = await last(here, "reminder.sending")
    masked = [
        {"word": "phone", "kind": "contact", "field": "customer.name"},
        {"word": "淘宝", "kind": "other_platform", "field": "order.items.0.name"},
    ]
    text = await text_of(here.service.store, "demo", REMINDER)
    assert done == {"send": 1}
    assert wording(sending) == [
        {"rule": "wording", "outcome": "pass", "inputs": {"masked": masked}, "until": None}
    ]
    assert text is not None
    assert "示例商品" in text
    assert "淘宝" not in text
    assert "13800138000" not in text
    assert "13800138000" not in json.dumps(await here.audit(), ensure_ascii=False)


async def test_text_that_keeps_the_rules_adds_no_rule(redis: StoreClient, audit_directory: Path) -> None:
    here = await under(redis, audit_directory, BY_SMS)
    await take(here, "示例商品 第一时间发货")

    await here.dispatch()

    assert wording(await last(here, "reminder.sending")) == []


async def test_text_that_may_not_be_said_is_dropped_by_its_words(
    redis: StoreClient, audit_directory: Path
) -> None:
    here = await under(redis, audit_directory, BY_SMS + ELSEWHERE)
    await take(here, "示例商品")

    done = await here.dispatch()

    dropped = await last(here, "reminder.dropped")
    assert done == {"drop": 1}
    assert dropped["reason"] == "wording"
    assert wording(dropped) == [
        {
            "rule": "wording",
            "outcome": "drop",
            "inputs": {"words": ["link"], "kinds": ["link"], "hosts": ["pay.example"]},
            "until": None,
        }
    ]
    assert here.channels["sms"].handed_over == 0


async def test_task_whose_script_may_no_longer_be_said_cannot_be_claimed(
    redis: StoreClient, audit_directory: Path
) -> None:
    here = await under(redis, audit_directory, BY_CALL)
    await take(here, "示例商品", paid_orders=1)
    await here.dispatch()
    named = msgspec.structs.replace(at_once(BY_CALL), platform="jd", shop_name="淘宝小店")
    await here.service.put_policy("demo", named, "test", "user:test")

    with pytest.raises(NotNow) as refused:
        await here.service.tasks.claim(REMINDER, "li", "user:li")

    assert refused.value.reason == "wording"


async def test_claim_tells_what_was_left_out_of_the_script(redis: StoreClient, audit_directory: Path) -> None:
    here = await under(redis, audit_directory, BY_CALL)
    await take(here, "淘宝同款", paid_orders=1)
    await here.dispatch()

    await here.service.tasks.claim(REMINDER, "li", "user:li")

    opened, claimed = await last(here, "task.opened"), await last(here, "task.claimed")
    masked = [{"word": "淘宝", "kind": "other_platform", "field": "order.items.0.name"}]
    assert [rule["inputs"] for rule in wording(opened)] == [{"masked": masked}]
    assert [rule["inputs"] for rule in wording(claimed)] == [{"masked": masked}]


async def test_text_too_long_for_its_channel_goes_by_the_next_one(
    redis: StoreClient, audit_directory: Path
) -> None:
    here = await under(redis, audit_directory, '[routing]\nchannels = ["sms", "chat"]\n')
    await here.service.intake.take([endless()], "key:test")

    await here.dispatch()

    deferred, sending = await last(here, "reminder.deferred"), await last(here, "reminder.sending")
    rule = deferred["details"]["decision"]["rules"][-1]
    assert (deferred["reason"], deferred["channel"], sending["channel"]) == ("changed", "chat", "chat")
    assert (rule["rule"], rule["outcome"]) == ("length", "defer")
    assert rule["inputs"]["characters"] > 620
    assert rule["inputs"] | {"characters": 0} == {
        "characters": 0,
        "limit": 500,
        "channel": "sms",
        "field": "order.pay_url",
    }
    assert await doubts(here) == []


async def test_text_too_long_for_the_last_channel_is_dropped(
    redis: StoreClient, audit_directory: Path
) -> None:
    here = await under(redis, audit_directory, BY_SMS)
    await here.service.intake.take([endless()], "key:test")

    done = await here.dispatch()

    dropped = await last(here, "reminder.dropped")
    rule = dropped["details"]["decision"]["rules"][-1]
    assert done == {"drop": 1}
    assert (dropped["reason"], rule["rule"], rule["outcome"]) == ("rejected", "length", "drop")
    assert await doubts(here) == []


async def test_incentive_that_may_not_be_named_is_not_taken(
    redis: StoreClient, audit_directory: Path
) -> None:
    pool = '[[incentives]]\nid = "tea"\nkind = "gift"\nuse = "this_order"\nname = "微信红包"\nquantity = 5\n'
    here = await under(redis, audit_directory, BY_SMS + pool)
    await take(here, "示例商品", consent={"promotion": True})

    await here.dispatch()

    decision = (await last(here, "reminder.sending"))["details"]["decision"]
    (rule,) = (rule for rule in decision["rules"] if rule["rule"] == "incentive")
    counts = (await here.service.store.pool_counts("demo", ["tea"], "C-1"))["tea"]
    assert "incentive" not in decision
    assert (rule["outcome"], rule["inputs"]["refused"]) == ("plain", {"tea": "wording"})
    assert counts.taken == 0
    assert here.channels["sms"].handed_over == 1
    assert await doubts(here) == []
