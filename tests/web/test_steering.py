"""Reminders steered over the API, sent by hand, and customers who are left alone."""

from typing import Any

import pytest

from dispatcher.policy.zones import iso
from dispatcher.storage.people import People
from tests.web.asking import Asking
from tests.web.reasons import BY_SMS, NIGHT, later, take, under
from tests.worlds import DAY, HOUR, MINUTE, NOON

FIRST = "/v1/reminders/demo~A~1"
PAUSE = "/v1/shops/demo/pause"
HAND = {"id": "h-1", "shop": "demo", "order": "A", "channel": "chat", "agent": "li"}


async def planned(api: Asking) -> None:
    """Take an order whose reminder is due in an hour."""
    await under(api, BY_SMS)
    await take(api, placed_at=NOON + HOUR)


async def test_a_cancelled_reminder_ends_with_who_did_it_and_why(api: Asking) -> None:
    await planned(api)

    answer = await api.client.post(f"{FIRST}/cancel", json={"note": "known customer"})

    record = (await api.records())[-1]
    assert (answer.status_code, answer.json()["status"]) == (200, "dropped")
    assert (record["kind"], record["reason"], record["actor"]) == ("reminder.dropped", "operator", "key:all")
    assert record["details"] == {"note": "known customer"}
    later(api, HOUR)
    assert await api.world.dispatch() == {}


async def test_a_reminder_is_cancelled_once(api: Asking) -> None:
    await planned(api)
    await api.client.post(f"{FIRST}/cancel")
    before = await api.records()

    again = await api.client.post(f"{FIRST}/cancel")

    assert (again.status_code, await api.records()) == (200, before)


async def test_what_went_is_not_steered_any_more(api: Asking) -> None:
    await take(api)
    await api.world.dispatch()
    before = await api.records()

    answers = [
        await api.client.post(f"{FIRST}/cancel"),
        await api.client.post(f"{FIRST}/send-now"),
        await api.client.post(f"{FIRST}/postpone", json={"until": iso(NOON + HOUR)}),
    ]

    assert {(answer.status_code, answer.json()["type"]) for answer in answers} == {
        (409, "urn:dispatcher:problem:not-waiting")
    }
    assert await api.records() == before


async def test_what_is_sent_now_goes_at_once(api: Asking) -> None:
    await planned(api)

    answer = await api.client.post(f"{FIRST}/send-now")

    record = (await api.records())[-1]
    assert (answer.status_code, answer.json()["due"]) == (200, iso(NOON))
    assert (record["kind"], record["reason"], record["actor"]) == (
        "operator.sent_now",
        "operator",
        "key:all",
    )
    assert await api.world.dispatch() == {"send": 1}


async def test_what_would_not_go_now_stays_and_the_rules_that_block_are_named(api: Asking) -> None:
    await under(api, NIGHT.format(max_held="2h") + BY_SMS)
    await take(api, placed_at=NOON + 3 * HOUR)
    later(api, 31 * MINUTE)
    before = await api.records()

    answer = await api.client.post(f"{FIRST}/send-now")

    problem = answer.json()
    assert (answer.status_code, problem["type"]) == (409, "urn:dispatcher:problem:not-now")
    assert problem["blocking"] == ["quiet_hours"]
    assert problem["next_eligible"] == iso(NOON + 2 * HOUR)
    assert await api.records() == before


async def test_a_postponed_reminder_waits_until_then(api: Asking) -> None:
    await planned(api)
    until = NOON + 5 * HOUR

    answer = await api.client.post(f"{FIRST}/postpone", json={"until": iso(until), "note": "asked for"})

    record = (await api.records())[-1]
    assert (answer.status_code, answer.json()["due"]) == (200, iso(until))
    assert (record["kind"], record["details"]) == (
        "operator.postponed",
        {"due": iso(until), "note": "asked for"},
    )
    later(api, 2 * HOUR)
    assert await api.world.dispatch() == {}
    later(api, 3 * HOUR)
    assert await api.world.dispatch() == {"send": 1}


@pytest.mark.parametrize("until", [NOON - HOUR, NOON + HOUR - 1, NOON + 25 * HOUR, NOON + 9 * DAY])
async def test_a_reminder_moves_to_no_time_before_its_own_or_after_the_close(api: Asking, until: int) -> None:
    await planned(api)
    before = await api.records()

    answer = await api.client.post(f"{FIRST}/postpone", json={"until": iso(until)})

    assert (answer.status_code, answer.json()["errors"][0]["pointer"]) == (422, "/until")
    assert await api.records() == before


@pytest.mark.parametrize(
    ("verb", "body", "pointer"),
    [
        ("postpone", {}, "/until"),
        ("postpone", {"until": "tomorrow"}, "/until"),
        ("postpone", {"until": "2025-11-11T12:00:00"}, "/until"),
        ("postpone", {"until": None}, "/until"),
        ("cancel", {"note": "a\nb"}, "/note"),
        ("cancel", {"why": "x"}, "/why"),
        ("send-now", {"note": "x"}, "/note"),
    ],
)
async def test_a_wrong_body_is_refused_naming_its_field(
    api: Asking, verb: str, body: dict[str, Any], pointer: str
) -> None:
    await planned(api)
    before = await api.records()

    answer = await api.client.post(f"{FIRST}/{verb}", json=body)

    assert (answer.status_code, answer.json()["errors"][0]["pointer"]) == (400, pointer)
    assert await api.records() == before


async def test_a_body_without_fields_says_that_none_is_expected(api: Asking) -> None:
    await planned(api)

    answer = await api.client.post(f"{FIRST}/send-now", json={"note": "x"})

    assert answer.json()["detail"] == "the body is not right: /note: unknown field; expected none"


@pytest.mark.parametrize("verb", ["cancel", "send-now", "postpone"])
async def test_steering_needs_its_scope_the_shop_and_a_reminder(api: Asking, verb: str) -> None:
    await planned(api)
    other = await api.key("other", scopes=["orders:read", "reminders:send", "tasks:work", "shop:pause"])
    elsewhere = await api.key("elsewhere", shops=["other"])
    body = {"until": iso(NOON + 2 * HOUR)} if verb == "postpone" else {}
    path = f"{FIRST}/{verb}"

    assert (await api.client.post(path, json=body, headers=other)).status_code == 403
    assert (await api.client.post(path, json=body, headers=elsewhere)).status_code == 403
    assert (await api.client.post(f"/v1/reminders/demo~A~9/{verb}", json=body)).status_code == 404


async def test_a_hand_off_by_an_agent_takes_a_slot_once(api: Asking) -> None:
    await planned(api)

    first = await api.client.post("/v1/reminders", json=HAND)
    again = await api.client.post("/v1/reminders", json=HAND)

    record = (await api.records())[-1]
    assert (first.status_code, first.json()["status"], first.json()["id"]) == (200, "sent", "demo~A~2")
    assert again.json() == first.json()
    assert (record["kind"], record["actor"], record["details"]["agent"]) == (
        "reminder.sent",
        "key:all",
        "li",
    )
    assert record["details"]["handed_at"] == iso(NOON)
    assert (await People(api.world.service.store).of_customer("demo", "C-1")).instants == (NOON,)


async def test_an_id_of_a_hand_off_is_not_used_for_another(api: Asking) -> None:
    await planned(api)
    await api.client.post("/v1/reminders", json=HAND)

    other = await api.client.post("/v1/reminders", json=HAND | {"channel": "sms"})

    assert (other.status_code, other.json()["type"]) == (409, "urn:dispatcher:problem:event-id-reused")


async def test_a_hand_off_that_the_policy_forbids_names_what_blocks_and_until_when(api: Asking) -> None:
    await under(api, "[caps]\nmin_gap = '3h'\n" + BY_SMS)
    await take(api)
    await api.world.dispatch()
    before = await api.records()

    answer = await api.client.post("/v1/reminders", json=HAND)

    problem = answer.json()
    assert (answer.status_code, problem["blocking"]) == (409, ["min_gap"])
    assert problem["next_eligible"] == iso(NOON + 3 * HOUR)
    assert await api.records() == before


@pytest.mark.parametrize(
    ("change", "pointer"),
    [
        ({"id": ""}, "/id"),
        ({"channel": "fax"}, "/channel"),
        ({"agent": None}, "/agent"),
        ({"shop": "*"}, "/shop"),
        ({"order": 1}, "/order"),
        ({"text": "x"}, "/text"),
    ],
)
async def test_a_wrong_hand_off_is_refused_naming_its_field(
    api: Asking, change: dict[str, Any], pointer: str
) -> None:
    answer = await api.client.post("/v1/reminders", json=HAND | change)

    assert (answer.status_code, answer.json()["errors"][0]["pointer"]) == (400, pointer)


async def test_a_hand_off_needs_its_scope_and_an_order(api: Asking) -> None:
    other = await api.key("other", scopes=["orders:read", "reminders:steer", "tasks:work"])

    assert (await api.client.post("/v1/reminders", json=HAND, headers=other)).status_code == 403
    assert (await api.client.post("/v1/reminders", json=HAND)).status_code == 404


async def test_a_customer_is_left_alone_until_the_pause_ends(api: Asking) -> None:
    paused = await api.client.post(PAUSE, json={"customer": "C-1"})
    await take(api, "A")
    await take(api, "B", customer="C-2")
    went = await api.world.dispatch()

    resumed = await api.client.delete(f"{PAUSE}?customer=C-1")

    await take(api, "C")
    assert paused.json() == {
        "paused": [],
        "customer_paused_since": iso(NOON),
        "customer_paused_by": "key:all",
    }
    assert went == {"drop": 1, "send": 1}
    assert resumed.json() == {"paused": []}
    assert await api.world.dispatch() == {"send": 1}


async def test_a_customers_pause_tells_since_when_it_is_and_who_made_it(api: Asking) -> None:
    await api.client.post(PAUSE, json={"customer": "C-1"})
    later(api, HOUR)
    await api.client.post(PAUSE, json={"customer": "C-1"})  # changes nothing

    told = (await api.client.get(f"{PAUSE}?customer=C-1")).json()

    made = [record for record in await api.world.audit() if record["kind"].startswith("operator.")]
    assert (told["customer_paused_since"], told["customer_paused_by"]) == (iso(NOON), "key:all")
    assert told["pauses"] == []
    assert [(record["kind"], record["customer"], record["actor"]) for record in made] == [
        ("operator.paused", "C-1", "key:all")
    ]
    assert "customer_paused_since" not in (await api.client.get(f"{PAUSE}?customer=C-2")).json()


async def test_a_customer_and_a_channel_are_not_paused_together(api: Asking) -> None:
    answer = await api.client.post(PAUSE, json={"customer": "C-1", "channel": "sms"})

    assert (answer.status_code, answer.json()["errors"][0]["pointer"]) == (400, "/customer")
    assert (await api.client.get(f"{PAUSE}?customer=C-1")).json()["paused"] == []
