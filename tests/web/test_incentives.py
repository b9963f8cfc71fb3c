"""Incentives over the API: what the pools hold, and topping one up with a permission of its own."""

import pytest

from dispatcher.policy.document import Policy, load_json, to_json
from tests.web.asking import Asking
from tests.worlds import AT_ONCE

PATH = "/v1/shops/demo/incentives"
TEA = {"id": "tea", "kind": "gift", "use": "this_order", "name": "茶样", "quantity": 10}
HELD = {"id": "tea", "kind": "gift", "use": "this_order", "added": 0, "taken": 0}


def offering() -> Policy:
    """Return a policy with one pool."""
    return load_json(to_json(AT_ONCE) | {"incentives": [TEA]})


async def test_a_pool_is_topped_up_once_for_a_reference(api: Asking) -> None:
    await api.world.service.put_policy("demo", offering(), "", "user:test")
    body = {"quantity": 5, "note": "more tea", "reference": "T-1"}

    answers = [await api.client.post(f"{PATH}/tea/top-up", json=body) for _ in range(2)]

    assert [answer.status_code for answer in answers] == [200, 200]
    assert [answer.json() for answer in answers] == [HELD | {"granted": 15, "added": 5, "left": 15}] * 2
    (record,) = [one for one in await api.world.audit() if one["kind"] == "incentive.topped_up"]
    assert record["details"] == {"pool": "tea"} | body
    assert record["actor"].startswith("key:")


async def test_a_reference_that_was_given_with_another_quantity_is_refused(api: Asking) -> None:
    await api.world.service.put_policy("demo", offering(), "", "user:test")
    await api.client.post(f"{PATH}/tea/top-up", json={"quantity": 5, "reference": "T-1"})

    answer = await api.client.post(f"{PATH}/tea/top-up", json={"quantity": 6, "reference": "T-1"})

    assert (answer.status_code, answer.json()["type"]) == (409, "urn:dispatcher:problem:reference-reused")
    assert (await api.client.get(PATH)).json()["incentives"][0]["added"] == 5


async def test_what_the_pools_hold_is_told(api: Asking) -> None:
    without = await api.client.get(PATH)
    await api.world.service.put_policy("demo", offering(), "", "user:test")

    told = await api.client.get(PATH)

    assert without.json() == {"incentives": []}
    assert told.json() == {"incentives": [HELD | {"granted": 10, "left": 10}]}


async def test_a_pool_that_the_policy_does_not_have_is_not_topped_up(api: Asking) -> None:
    answer = await api.client.post(f"{PATH}/tea/top-up", json={"quantity": 5})

    assert answer.status_code == 404
    assert answer.json()["type"] == "urn:dispatcher:problem:unknown-incentive"


@pytest.mark.parametrize("quantity", [0, -1, 1.5, "5", None, 1_000_001])
async def test_a_quantity_that_is_none_is_refused_by_name(api: Asking, quantity: object) -> None:
    answer = await api.client.post(f"{PATH}/tea/top-up", json={"quantity": quantity})

    assert answer.status_code == 400
    assert [error["pointer"] for error in answer.json()["errors"]] == ["/quantity"]


async def test_who_may_write_the_policy_may_not_top_up(api: Asking) -> None:
    headers = await api.key("writer", scopes=("policy:write", "policy:read", "events:write"))

    answer = await api.client.post(f"{PATH}/tea/top-up", json={"quantity": 5}, headers=headers)

    assert answer.status_code == 403
