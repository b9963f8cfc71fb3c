"""One message about several orders: which, how many and how much, and no link that pays only one."""

import msgspec
import pytest

from dispatcher.messages.catalog import Catalog
from dispatcher.messages.sms import segments
from dispatcher.policy.facts import Channel, Item
from tests.messages.samples import CLOSES, HOUR, NOW, PLACED, POLICY, SOCKS, customer, order, rendered

EVENING = order(
    id="0002", placed_at=PLACED - 14 * HOUR, closes_at=CLOSES - 14 * HOUR, total="19.80", items=(SOCKS,)
)


def test_a_chat_names_the_orders_and_what_they_come_to(catalog: Catalog) -> None:
    found = rendered(catalog, 1, "chat", others=[EVENING])

    assert found.template == "merged_orders/chat@2"
    assert found.text == (
        "王女士您好，温馨提醒：您昨天20:20和今天10:20拍下的棉袜等3件商品还没有付款，一共2笔，合计318.80元。"
        "规格和收货地址麻烦您看一眼，要改的话直接告诉我，我来帮您处理～\n"
        "核对好了，在订单列表里逐笔付款就可以，最早的一笔今天20:20自动关闭；不需要的那笔不用操作。"
    )


def test_a_text_message_names_them_in_two_segments(catalog: Catalog) -> None:
    found = rendered(catalog, 1, "sms", others=[EVENING])

    assert found.text == (
        "【云裳服饰】王女士，您昨日20:20和今日10:20拍下的棉袜等3件商品（共2笔，合计318.80元）还未付款，"
        "核对无误后请在订单列表里逐笔付款，最早一笔今日20:20自动关闭"
    )
    assert segments(found.text) <= 2


@pytest.mark.parametrize("channel", ["chat", "sms"])
def test_a_later_step_names_several_orders_in_the_same_way(catalog: Catalog, channel: Channel) -> None:
    assert rendered(catalog, 2, channel, others=[EVENING]).template == f"merged_orders/{channel}@2"


@pytest.mark.parametrize("channel", ["chat", "sms"])
def test_no_link_of_one_order_stands_for_all(catalog: Catalog, channel: Channel) -> None:
    assert "pay.example" not in rendered(catalog, 1, channel, others=[EVENING]).text


@pytest.mark.parametrize("channel", ["chat", "sms"])
def test_one_sensitive_item_hides_every_product(catalog: Catalog, channel: Channel) -> None:
    hidden = order(id="0003", items=(Item(name="某药品", sensitive=True),))

    text = rendered(catalog, 1, channel, others=[hidden], to=customer(name=None)).text

    assert "药品" not in text
    assert "连衣裙" not in text
    assert "提交的订单" in text


@pytest.mark.parametrize(("name", "begins"), [(None, "Your orders, "), ("王女士", "王女士, your orders, ")])
def test_an_english_text_message_begins_with_a_capital_or_a_name(
    catalog: Catalog, name: str | None, begins: str
) -> None:
    hidden = order(id="0003", items=(Item(name="某药品", sensitive=True),))
    english = msgspec.structs.replace(POLICY, locale="en")

    text = rendered(catalog, 1, "sms", others=[hidden], to=customer(name=name), policy=english).text

    assert text.startswith(f"【云裳服饰】{begins}")


def test_amounts_add_up_exactly_and_equal_times_are_told_once(catalog: Catalog) -> None:
    cents = [order(id=f"c-{number}", total="0.10") for number in range(3)]

    text = rendered(catalog, 1, "sms", about=order(total="0.30"), others=cents, now=NOW[1]).text

    assert "共4笔，合计0.60元" in text
    assert text.count("10:20") == 2
