"""Lists of reminders, and why one stands where it does."""

from typing import Any

import pytest

from tests.web.asking import Asking
from tests.worlds import HOUR, MINUTE, NOON, at_once, event

NIGHT = at_once(
    """
    [quiet_hours]
    start = "12:30"
    end = "14:00"
    [routing]
    channels = ["sms", "chat"]
    """
)


async def take(api: Asking, *orders: str, **more: Any) -> None:
    events = [event("order.unpaid", order, api.world.clock.now(), **more) for order in orders]
    await api.world.service.intake.take(events, "key:test")


async def listed(api: Asking, query: str) -> list[str]:
    answer = await api.client.get(f"/v1/reminders?shop=demo&{query}")
    assert answer.status_code == 200, answer.text
    return [item["order"] for item in answer.json()["items"]]


async def test_pages_follow_on_one_another_until_there_is_no_cursor(api: Asking) -> None:
    await take(api, *"ABCDE")
    seen, cursor = [], ""

    while True:
        page = (await api.client.get(f"/v1/reminders?shop=demo&status=planned&limit=2{cursor}")).json()
        seen.append([item["order"] for item in page["items"]])
        if page["next_cursor"] is None:
            break
        cursor = f"&cursor={page['next_cursor']}"

    assert seen == [["A", "B"], ["C", "D"], ["E"]]


async def test_filters_are_taken(api: Asking) -> None:
    await take(api, "A", customer="张 三")
    await take(api, "B", phone=None)
    await api.world.dispatch()
    api.world.clock.advance_to(NOON + HOUR)
    await take(api, "C")

    assert await listed(api, "status=sent") == ["A", "B"]
    assert await listed(api, "status=sent&channel=chat") == ["B"]
    assert await listed(api, "customer=%E5%BC%A0+%E4%B8%89") == ["A"]
    assert await listed(api, "status=planned&due_before=2025-11-11T13:00:00.001+08:00") == ["C"]
    assert await listed(api, "status=planned&due_before=2025-11-11T05:00:00Z") == []


@pytest.mark.parametrize(
    ("query", "pointer"),
    [
        ("", "/shop"),
        ("shop=", "/shop"),
        ("shop=de~mo", "/shop"),
        ("shop=*", "/shop"),
        ("shop=demo&shop=demo", "/shop"),
        ("shop=demo&status=asleep", "/status"),
        ("shop=demo&channel=pigeon", "/channel"),
        ("shop=demo&customer=a%00b", "/customer"),
        ("shop=demo&customer=%FF", ""),
        ("shop=demo&due_before=2025-11-11T12:00:00", "/due_before"),
        ("shop=demo&due_before=tomorrow", "/due_before"),
        ("shop=demo&limit=0", "/limit"),
        ("shop=demo&limit=201", "/limit"),
        ("shop=demo&limit=1.5", "/limit"),
        ("shop=demo&limit=%C2%B2", "/limit"),
        ("shop=demo&limit=" + "9" * 5000, "/limit"),
        ("shop=demo&cursor=", "/cursor"),
        ("shop=demo&cursor=W10", "/cursor"),
        ("shop=demo&cursor=%E2%82%AC", "/cursor"),
        ("shop=demo&cursor=" + "A" * 2000, "/cursor"),
        ("shop=demo&cursor=Wy0xLDAsIiIsMF0", "/cursor"),
        ("shop=demo&colour=red", "/colour"),
        ("&".join(f"shop{number}=demo" for number in range(60)), ""),
    ],
)
async def test_a_wrong_query_is_refused_naming_its_field(api: Asking, query: str, pointer: str) -> None:
    answer = await api.client.get(f"/v1/reminders?{query}")

    assert answer.status_code == 400
    assert answer.headers["content-type"] == "application/problem+json"
    assert pointer in [wrong["pointer"] for wrong in answer.json()["errors"]]


async def test_a_reminder_is_found_by_its_id(api: Asking) -> None:
    await take(api, "O/1")

    answer = await api.client.get("/v1/reminders/demo~O%2F1~1")

    assert answer.json()["id"] == "demo~O/1~1"
    assert answer.json()["status"] == "planned"


@pytest.mark.parametrize("reminder", ["demo~A~2", "demo~A~0", "demo~A~01", "demo~A~x", "demo~B~1", "demo~A"])
@pytest.mark.parametrize("rest", ["", "/explain"])
async def test_a_reminder_that_is_none_is_not_found(api: Asking, reminder: str, rest: str) -> None:
    await take(api, "A")

    answer = await api.client.get(f"/v1/reminders/{reminder}{rest}")

    assert (answer.status_code, answer.json()["type"]) == (404, "urn:dispatcher:problem:unknown-order")


async def test_a_text_that_names_no_shop_is_not_found(api: Asking) -> None:
    answer = await api.client.get("/v1/reminders/nothing")

    assert answer.status_code == 404


async def test_a_reminder_put_off_is_explained_by_the_rule_that_did_it(api: Asking) -> None:
    await api.world.service.put_policy("demo", NIGHT, "test", "user:test")
    await take(api, "A")
    api.world.clock.advance_to(NOON + 31 * MINUTE)
    await api.world.dispatch()

    told = (await api.client.get("/v1/reminders/demo~A~1/explain")).json()

    assert (told["status"], told["kind"], told["decision"]) == ("planned", "reminder.deferred", "defer")
    assert (told["reason"], told["blocking"]) == ("quiet_hours", ["quiet_hours"])
    assert told["due"] == "2025-11-11T06:00:00.000Z"
    assert told["decided_at"] == "2025-11-11T04:31:00.000Z"
    rule = next(rule for rule in told["rules"] if rule["rule"] == "quiet_hours")
    assert rule["outcome"] == "defer"
    assert rule["until"] == "2025-11-11T06:00:00.000Z"
    assert [step["kind"] for step in told["history"]] == ["reminder.planned", "reminder.deferred"]


async def test_a_reminder_that_waits_is_explained_by_its_plan(api: Asking) -> None:
    await take(api, "A")

    told = (await api.client.get("/v1/reminders/demo~A~1/explain")).json()

    assert (told["kind"], told["decision"], told["blocking"]) == ("reminder.planned", "plan", [])
    assert "cadence" in [rule["rule"] for rule in told["rules"]]
    assert told["policy"] == 1


@pytest.mark.parametrize(
    ("body", "held"), [({}, True), ({"channel": "sms"}, True), ({"channel": "chat"}, False)]
)
async def test_a_reminder_that_a_pause_holds_names_it(api: Asking, body: dict[str, str], held: bool) -> None:
    await take(api, "A")
    await api.client.post("/v1/shops/demo/pause", json=body)

    told = (await api.client.get("/v1/reminders/demo~A~1/explain")).json()

    assert (told["status"], told["blocking"]) == ("planned", ["paused"] if held else [])


async def test_a_reminder_put_off_and_paused_names_both(api: Asking) -> None:
    await api.world.service.put_policy("demo", NIGHT, "test", "user:test")
    await take(api, "A")
    api.world.clock.advance_to(NOON + 31 * MINUTE)
    await api.world.dispatch()
    await api.client.post("/v1/shops/demo/pause")

    told = (await api.client.get("/v1/reminders/demo~A~1/explain")).json()

    assert told["blocking"] == ["quiet_hours", "paused"]


async def test_what_has_gone_is_held_by_no_pause(api: Asking) -> None:
    await take(api, "A")
    await api.world.dispatch()
    await api.client.post("/v1/shops/demo/pause")

    told = (await api.client.get("/v1/reminders/demo~A~1/explain")).json()

    assert (told["status"], told["blocking"]) == ("sent", [])


async def test_a_reminder_that_is_sent_is_explained_by_the_decision_to_send(api: Asking) -> None:
    await take(api, "A", "B")
    await api.world.dispatch()

    told = (await api.client.get("/v1/reminders/demo~A~1/explain")).json()

    assert (told["status"], told["kind"], told["decision"]) == ("sent", "reminder.sending", "send")
    assert told["rules"]
    assert {step["kind"] for step in told["history"]} == {
        "reminder.planned",
        "reminder.sending",
        "reminder.sent",
    }


async def test_a_reminder_that_its_order_ended_says_so(api: Asking) -> None:
    await take(api, "A")
    await api.world.service.intake.take([event("order.paid", "A", NOON)], "key:test")

    told = (await api.client.get("/v1/reminders/demo~A~1/explain")).json()

    assert (told["status"], told["decision"], told["reason"], told["rules"]) == (
        "dropped",
        "drop",
        "paid",
        [],
    )
