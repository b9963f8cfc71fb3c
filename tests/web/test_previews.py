"""What a template would say, shown before anybody is sent it."""

import logging
from typing import Any

import httpx
import pytest

from dispatcher.messages.examples import EXAMPLES
from dispatcher.policy.document import to_json
from tests.web.asking import Asking
from tests.web.test_templates import OWN, published, put
from tests.worlds import AT_ONCE, NOON, event

PATH = "/v1/templates/preview"
ABOUT = {"shop": "demo", "locale": "zh-CN", "scenario": "first_time", "channel": "sms"}


async def shown(api: Asking, **more: Any) -> list[dict[str, Any]]:
    answer = await api.client.post(PATH, json=ABOUT | more)
    assert answer.status_code == 200, answer.text
    previews: list[dict[str, Any]] = answer.json()["previews"]
    return previews


async def take(api: Asking, *orders: str, **more: Any) -> None:
    events = [event("order.unpaid", order, NOON, name="王女士", **more) for order in orders]
    await api.world.service.intake.take(events, "key:test")


async def test_an_order_is_shown_as_it_would_be_sent(api: Asking) -> None:
    await take(api, "O-1")

    found = await shown(api, source=OWN, order="O-1")

    assert found == [
        {
            "order": "O-1",
            "text": "【demo】王女士，您今日12:00拍下的示例商品还未付款，不合适可退换，请核对：https://pay.example/O-1",
            "characters": 64,
            "segments": 1,
            "elements": ["shop", "greeting", "product", "time", "pay_link"],
            "missing": ["incentive"],
        }
    ]


async def test_what_is_in_force_a_version_and_the_draft_can_be_shown(api: Asking) -> None:
    await take(api, "O-1")
    await published(api, OWN + "一")
    await put(api, OWN + "二")

    ends = {
        how: (await shown(api, order="O-1", **asked))[0]["text"][-1]
        for how, asked in {
            "in force": {},
            "version 1": {"version": 1},
            "draft": {"draft": True},
            "source": {"source": OWN + "三"},
        }.items()
    }
    (packaged,) = await shown(api, order="O-1", version=0)

    assert ends == {"in force": "一", "version 1": "一", "draft": "二", "source": "三"}
    assert packaged["text"].endswith("https://pay.example/O-1")


async def test_a_source_is_tried_out_though_what_is_in_force_is_gone(api: Asking) -> None:
    await published(api, OWN)
    await api.world.service.store.redis.delete(api.world.service.store.keys(api.world.lane).templates("demo"))

    found = await shown(api, source=OWN)

    assert len(found) == len(EXAMPLES)
    assert (await api.client.post(PATH, json=ABOUT)).status_code == 404


async def test_a_sample_of_a_shop_without_orders_is_empty(api: Asking) -> None:
    assert await shown(api, source=OWN, sample=3) == []


async def test_a_sample_is_of_orders_that_wait_and_of_no_other_shop(api: Asking) -> None:
    policy = to_json(AT_ONCE) | {"cadence": [{"placed": ["00:00", "24:00"], "remind": {"after": "1h"}}]}
    await api.client.put("/v1/shops/demo/policy", json=policy)
    await take(api, "A", "B", "C")
    await take(api, "D", shop=api.world.twin())

    found = await shown(api, sample=2, extremes=True)

    orders = [one["order"] for one in found if "order" in one]
    assert len(orders) == 2
    assert set(orders) < {"A", "B", "C"}
    assert len(found) == 2 + len(EXAMPLES)


async def test_extremes_show_every_built_in_order(api: Asking) -> None:
    found = await shown(api, source=OWN)

    by_name = {one["example"]: one for one in found}
    assert set(by_name) == {example.name for example in EXAMPLES}
    assert by_name["only what is required"]["missing"] == ["customer", "incentive"]
    assert "greeting" not in by_name["only what is required"]["elements"]
    assert "incentive" in by_name["free_shipping for this_order, typical"]["elements"]
    assert "product" not in by_name["sensitive goods"]["elements"]


async def test_a_call_script_tells_its_seconds(api: Asking) -> None:
    found = await shown(api, channel="phone", version=0)

    assert all(0 < one["seconds"] < 60 for one in found)
    assert not any("segments" in one for one in found)


async def test_a_merged_message_names_the_customers_other_orders(api: Asking) -> None:
    await take(api, "A", "B")

    (found,) = await shown(api, scenario="merged_orders", order="A")

    assert "orders" in found["elements"]
    assert "198元" in found["text"]


async def test_names_that_a_platform_forbids_are_shown_as_they_would_be_sent(api: Asking) -> None:
    await api.client.put("/v1/shops/demo/policy", json=to_json(AT_ONCE) | {"platform": "jd"})
    await take(api, "O-1", items=[{"name": "【淘宝同款】碎花裙", "quantity": 1, "price": "99.00"}])

    (masked,) = await shown(api, source=OWN, order="O-1")
    (refused,) = await shown(api, source=OWN + "淘宝", order="O-1")

    assert "碎花裙" in masked["text"]
    assert "淘宝" not in masked["text"]
    assert masked["masked"][0] == {"word": "淘宝", "kind": "other_platform", "field": "order.items.0.name"}
    assert "text" not in refused
    assert refused["forbidden"] == ["淘宝"]


async def test_a_message_that_would_not_be_sent_says_why(api: Asking) -> None:
    unpayable = event("order.unpaid", "O-1", NOON)
    await api.world.service.intake.take([unpayable], "key:test")

    found = await shown(api, source=OWN + "好" * 480, order="O-1")

    assert "text" not in found[0]
    assert "at most 500 characters" in found[0]["problem"]


async def test_nothing_is_kept_and_no_text_is_logged(api: Asking, caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.DEBUG)
    await take(api, "O-1")
    before = await api.world.audit(), await api.world.service.store.shop("demo")

    await shown(api, source=OWN, order="O-1", extremes=True)

    assert (await api.world.audit(), await api.world.service.store.shop("demo")) == before
    assert "王女士" not in caplog.text


WRONG: dict[str, tuple[dict[str, Any], int, str]] = {
    "no shop": ({"shop": None}, 400, "/shop"),
    "another shop": ({"shop": "other"}, 403, ""),
    "no such scenario": ({"scenario": "guess"}, 404, "unknown-template"),
    "a source for no such scenario": ({"scenario": "guess", "source": OWN}, 404, "unknown-template"),
    "no such channel": ({"channel": "fax"}, 400, "/channel"),
    "no such order": ({"order": "O-9"}, 404, "unknown-order"),
    "no draft": ({"draft": True}, 404, "unknown-template"),
    "no such version": ({"version": 3}, 404, "unknown-template"),
    "two of them": ({"source": OWN, "version": 0}, 400, "/version"),
    "an order and a sample": ({"order": "O-1", "sample": 2}, 400, "/sample"),
    "too many": ({"sample": 21}, 400, "/sample"),
    "wrong source": ({"source": "{{ secret }}"}, 400, "unknown field secret"),
    "an unknown field": ({"guess": 1}, 400, "/guess"),
}


@pytest.mark.parametrize("what", WRONG)
async def test_what_is_not_right_is_refused(api: Asking, what: str) -> None:
    more, status, says = WRONG[what]

    answer = await api.client.post(PATH, json=ABOUT | more)

    assert answer.status_code == status
    assert says in answer.text


async def test_real_orders_need_the_scope_to_read_orders(api: Asking) -> None:
    await take(api, "O-1")
    key = await api.key("writer", scopes=["templates:read"])

    async def ask(**more: Any) -> httpx.Response:
        return await api.client.post(PATH, json=ABOUT | more, headers=key)

    answers = [await ask(order="O-1"), await ask(sample=1), await ask(extremes=True)]

    assert [one.status_code for one in answers] == [403, 403, 200]
    assert "orders:read" in answers[0].text
