"""Pauses over the API."""

from typing import Any

import pytest

from dispatcher.policy.zones import iso
from tests.web.asking import Asking
from tests.worlds import HOUR, MINUTE, NOON, event

PATH = "/v1/shops/demo/pause"


async def sent(api: Asking, order: str) -> bool:
    """Tell whether a new order's reminder goes."""
    await api.world.service.intake.take([event("order.unpaid", order, NOON)], "key:test")
    return (await api.world.dispatch()).get("send", 0) > 0


async def test_nothing_goes_while_a_shop_is_paused_and_all_goes_afterwards(api: Asking) -> None:
    paused = await api.client.post(PATH)
    held = await sent(api, "O-1")

    resumed = await api.client.delete(PATH)

    assert (paused.status_code, paused.json()) == (200, {"paused": ["*"]})
    assert not held
    assert (resumed.status_code, resumed.json()) == (200, {"paused": []})
    assert await api.world.dispatch() == {"send": 1}


async def test_one_channel_is_paused_alone(api: Asking) -> None:
    chat = await api.client.post(PATH, json={"channel": "chat"})
    went = await sent(api, "O-1")
    both = await api.client.post(PATH, json={"channel": "sms"})
    held = await sent(api, "O-2")

    left = await api.client.delete(f"{PATH}?channel=sms")

    assert chat.json() == {"paused": ["chat"]}
    assert went
    assert sorted(both.json()["paused"]) == ["chat", "sms"]
    assert not held
    assert left.json() == {"paused": ["chat"]}


async def test_a_pause_tells_since_when_it_is_and_by_whom(api: Asking) -> None:
    none = await api.client.get(PATH)
    await api.client.post(PATH)
    api.world.clock.advance_to(NOON + MINUTE)
    await api.client.post(PATH, json={"channel": "sms"})
    api.world.clock.advance_to(NOON + HOUR)
    await api.client.post(PATH)  # changes nothing

    told = await api.client.get(PATH)

    assert none.json() == {"paused": [], "pauses": []}
    assert told.json() == {
        "paused": ["*", "sms"],
        "pauses": [
            {"channel": "*", "since": iso(NOON), "actor": "key:all"},
            {"channel": "sms", "since": iso(NOON + MINUTE), "actor": "key:all"},
        ],
    }


async def test_a_pause_that_ended_is_told_no_more(api: Asking) -> None:
    await api.client.post(PATH)
    await api.client.delete(PATH)
    api.world.clock.advance_to(NOON + HOUR)
    await api.client.post(PATH)

    told = await api.client.get(PATH)

    assert [pause["since"] for pause in told.json()["pauses"]] == [iso(NOON + HOUR)]


async def test_of_a_pause_from_before_it_was_kept_only_its_channel_is_known(api: Asking) -> None:
    await api.client.post(PATH)
    store = api.world.service.store
    await store.redis.delete(store.keys(store.lane_of("demo")).pauses)

    told = await api.client.get(PATH)

    assert told.json()["pauses"] == [{"channel": "*", "since": None, "actor": None}]
    assert (await api.client.delete(PATH)).json() == {"paused": []}


@pytest.mark.parametrize("body", [{}, {"channel": None}])
async def test_no_channel_means_all_of_them(api: Asking, body: dict[str, Any]) -> None:
    assert (await api.client.post(PATH, json=body)).json() == {"paused": ["*"]}


async def test_a_pause_is_in_the_audit_with_who_made_it(api: Asking) -> None:
    await api.client.post(PATH, json={"channel": "sms"})
    await api.client.delete(f"{PATH}?channel=sms")

    made = [record for record in await api.world.audit() if record["kind"].startswith("operator.")]

    assert [record["actor"] for record in made] == ["key:all", "key:all"]
    assert [record["details"] for record in made] == [{"channel": "sms"}, {"channel": "sms"}]


@pytest.mark.parametrize("body", [{}, {"channel": "sms"}])
async def test_a_pause_that_is_there_and_an_end_of_none_change_nothing(
    api: Asking, body: dict[str, str]
) -> None:
    query = "?channel=sms" if body else ""
    store = api.world.service.store
    never = await store.shop("demo"), await api.world.audit()
    await api.client.delete(f"{PATH}{query}")
    unpaused = await store.shop("demo"), await api.world.audit()
    await api.client.post(PATH, json=body)
    once = await store.shop("demo"), await api.world.audit()

    again = await api.client.post(PATH, json=body)

    assert unpaused == never
    assert again.json() == {"paused": [body.get("channel", "*")]}
    assert (await store.shop("demo"), await api.world.audit()) == once


async def test_a_pause_of_a_channel_is_kept_when_that_of_all_ends(api: Asking) -> None:
    await api.client.post(PATH, json={"channel": "sms"})
    await api.client.post(PATH)

    left = await api.client.delete(PATH)

    assert left.json() == {"paused": ["sms"]}


@pytest.mark.parametrize(
    ("body", "pointer"),
    [({"channel": "fax"}, "/channel"), ({"channel": 1}, "/channel"), ({"for": "1h"}, "/for")],
)
async def test_a_wrong_body_is_refused_naming_its_field(
    api: Asking, body: dict[str, Any], pointer: str
) -> None:
    answer = await api.client.post(PATH, json=body)

    assert (answer.status_code, answer.json()["errors"][0]["pointer"]) == (400, pointer)
    assert (await api.client.delete(PATH)).json() == {"paused": []}


async def test_a_pause_needs_its_scope(api: Asking) -> None:
    reader = await api.key("reader", scopes=["policy:write", "orders:read"])

    assert (await api.client.post(PATH, headers=reader)).status_code == 403
    assert (await api.client.delete(PATH, headers=reader)).status_code == 403
    assert (await api.client.get(PATH, headers=reader)).status_code == 403


async def test_who_may_read_the_policy_sees_what_is_paused_and_changes_nothing(api: Asking) -> None:
    reader = await api.key("reader", scopes=["policy:read"])
    elsewhere = await api.key("elsewhere", shops=["other"])

    assert (await api.client.get(PATH, headers=reader)).status_code == 200
    assert (await api.client.post(PATH, headers=reader)).status_code == 403
    assert (await api.client.get(PATH, headers=elsewhere)).status_code == 403
