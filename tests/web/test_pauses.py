"""Pauses over the API."""

from typing import Any

import pytest

from tests.web.asking import Asking
from tests.worlds import NOON, event

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


@pytest.mark.parametrize("body", [{}, {"channel": None}])
async def test_no_channel_means_all_of_them(api: Asking, body: dict[str, Any]) -> None:
    assert (await api.client.post(PATH, json=body)).json() == {"paused": ["*"]}


async def test_a_pause_is_in_the_audit_with_who_made_it(api: Asking) -> None:
    await api.client.post(PATH, json={"channel": "sms"})
    await api.client.delete(f"{PATH}?channel=sms")

    made = [record for record in await api.world.audit() if record["kind"].startswith("operator.")]

    assert [record["actor"] for record in made] == ["key:all", "key:all"]
    assert [record["details"] for record in made] == [{"channel": "sms"}, {"channel": "sms"}]


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
