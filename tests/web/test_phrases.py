"""Quick phrases over the API: found by a code, of a group, and about an order."""

from typing import Any

import pytest

from dispatcher.messages.rendering import Rendered, render
from dispatcher.policy.document import to_json
from tests.web.asking import Asking
from tests.worlds import AT_ONCE, NOON, event

PATH = "/v1/phrases"


async def found(api: Asking, **params: Any) -> dict[str, dict[str, Any]]:
    answer = await api.client.get(PATH, params={"shop": "demo", "limit": 200} | params)
    assert answer.status_code == 200, answer.text
    return {one["code"]: one for one in answer.json()["items"]}


async def test_phrases_are_found_by_the_beginning_of_their_code(api: Asking) -> None:
    every = await found(api)

    by_slash = await found(api, code="/b")
    by_letter = await found(api, code="B")
    by_code = await found(api, code="/mm")

    assert len(every) >= 25
    assert set(by_slash) == set(by_letter) == {code for code in every if code.startswith("b")}
    assert list(by_code) == ["mm"]
    assert await found(api, code="/zzz") == {}


async def test_a_group_has_its_own(api: Asking) -> None:
    ending = await found(api, group="ending")

    assert set(ending) == {"bd", "bm", "yd", "xd"}
    assert {one["group_name"] for one in ending.values()} == {"收尾"}
    assert set(await found(api, group="ending", code="b")) == {"bd", "bm"}


async def test_a_group_that_there_is_not_is_refused_naming_those_there_are(api: Asking) -> None:
    answer = await api.client.get(PATH, params={"shop": "demo", "group": "prices"})

    (error,) = answer.json()["errors"]
    assert (answer.status_code, error["pointer"]) == (400, "/group")
    assert error["detail"].startswith("expected one of greeting, ")


async def test_what_says_something_of_an_order_needs_one(api: Asking) -> None:
    await api.world.service.intake.take([event("order.unpaid", "O-1", NOON, name="王女士")], "key:test")

    without, about = await found(api), await found(api, order="O-1")

    assert without["mm"]["text"] == about["mm"]["text"]
    assert (without["lj"]["text"], without["lj"]["fields"]) == (None, ["pay_url"])
    assert "https://pay.example/O-1" in about["lj"]["text"]
    assert about["hl"]["text"] == "欢迎回来，王女士，谢谢您一直照顾我们店。"
    assert not [one["code"] for one in about.values() if one["text"] is None]


async def test_a_name_that_the_platform_forbids_is_left_out(api: Asking) -> None:
    await api.client.put("/v1/shops/demo/policy", json=to_json(AT_ONCE) | {"platform": "jd"})
    items = [{"name": "淘宝爆款裙", "quantity": 1, "price": "99.00"}]
    await api.world.service.intake.take([event("order.unpaid", "O-1", NOON, items=items)], "key:test")

    about = await found(api, order="O-1")

    assert "尾号" in about["hd"]["text"]
    assert "淘宝" not in str(about)


async def test_a_list_goes_on_where_it_ended(api: Asking) -> None:
    every = list(await found(api))
    first = (await api.client.get(PATH, params={"shop": "demo", "limit": 20})).json()

    rest = await found(api, cursor=first["next_cursor"])

    assert [one["code"] for one in first["items"]] + list(rest) == every


async def test_only_what_is_on_the_page_is_written(api: Asking, monkeypatch: pytest.MonkeyPatch) -> None:
    await api.world.service.intake.take([event("order.unpaid", "O-1", NOON)], "key:test")
    written = []

    def noted(*about: Any) -> Rendered:
        written.append(about)
        return render(*about)

    monkeypatch.setattr("dispatcher.workflow.phrases.render", noted)

    page = await found(api, order="O-1", limit=3)

    assert len(page) == len(written) == 3


async def test_a_place_in_another_list_is_refused(api: Asking) -> None:
    of_a_group = await api.client.get(PATH, params={"shop": "demo", "group": "ending", "limit": 1})
    cursor = of_a_group.json()["next_cursor"]

    elsewhere = await api.client.get(PATH, params={"shop": "demo", "group": "greeting", "cursor": cursor})

    assert elsewhere.status_code == 400
    assert [one["pointer"] for one in elsewhere.json()["errors"]] == ["/cursor"]


@pytest.mark.parametrize(
    ("params", "status", "says"),
    [
        ({}, 400, "/shop"),
        ({"shop": "other"}, 403, "shop"),
        ({"shop": "demo", "order": "O-9"}, 404, "unknown-order"),
        ({"shop": "demo", "code": "x" * 21}, 400, "/code"),
        ({"shop": "demo", "cursor": "x"}, 400, "/cursor"),
        ({"shop": "demo", "guess": "1"}, 400, "/guess"),
    ],
)
async def test_what_is_not_right_is_refused(
    api: Asking, params: dict[str, str], status: int, says: str
) -> None:
    answer = await api.client.get(PATH, params=params)

    assert answer.status_code == status
    assert says in answer.text


async def test_an_order_needs_the_scope_to_read_orders(api: Asking) -> None:
    await api.world.service.intake.take([event("order.unpaid", "O-1", NOON)], "key:test")
    key = await api.key("agent", scopes=["templates:read"])

    plain = await api.client.get(PATH, params={"shop": "demo"}, headers=key)
    about = await api.client.get(PATH, params={"shop": "demo", "order": "O-1"}, headers=key)

    assert (plain.status_code, about.status_code) == (200, 403)
