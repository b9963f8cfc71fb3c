"""What a message says where a name from outside, or the message itself, breaks the platform's rules."""

from decimal import Decimal
from typing import Any

import msgspec
import pytest

from dispatcher.errors import ForbiddenWording
from dispatcher.messages.catalog import Catalog
from dispatcher.messages.outside import Remark
from dispatcher.messages.rendering import MAX_REMARKS, render
from dispatcher.policy.decisions import Offer
from dispatcher.policy.facts import Channel, Order, Receiver
from dispatcher.policy.terms import Links, Platform
from tests.messages.samples import (
    CUSTOMER,
    DRESS,
    HOUR,
    NOW,
    ORDER,
    PLACED,
    POLICY,
    customer,
    decided,
    offer,
    order,
    rendered,
)

NAME, SPEC = "order.items.0.name", "order.items.0.spec"
TAOBAO = ("淘宝", "other_platform")


def called(name: str, **more: Any) -> Order:
    return order(items=(msgspec.structs.replace(DRESS, name=name, **more),))


@pytest.mark.parametrize(
    ("given", "said", "unsaid", "remark"),
    [
        ({"about": called("【淘宝同款】夏季连衣裙")}, "拍下的夏季连衣裙（", "淘宝", Remark(*TAOBAO, NAME)),
        ({"about": called("夏季连衣裙 淘宝爆款")}, "提交的订单（尾号0001）", "连衣裙", Remark(*TAOBAO, NAME)),
        (
            {"about": called("夏季连衣裙 Ｔａｏ·ｂａｏ")},
            "提交的订单",
            "连衣裙",
            Remark("taobao", "other_platform", NAME),
        ),
        ({"about": called("夏季连衣裙", spec="M码（淘宝）")}, "（M码，", "淘宝", Remark(*TAOBAO, SPEC)),
        ({"to": customer(name="淘宝客")}, "您好，温馨提醒", "淘宝", Remark(*TAOBAO, "customer.name")),
        (
            {"to": customer(name="电13800138000")},
            "您好，温馨提醒",
            "138",
            Remark("phone", "contact", "customer.name"),
        ),
        (
            {"about": order(receiver=Receiver(city="杭州（淘宝）"))},
            "收货地址（杭州）",
            "淘宝",
            Remark(*TAOBAO, "order.receiver.city"),
        ),
    ],
)
def test_name_that_breaks_the_rules_is_masked_or_left_out_and_told(
    catalog: Catalog, given: dict[str, Any], said: str, unsaid: str, remark: Remark
) -> None:
    message = rendered(catalog, 1, "chat", **given)

    assert said in message.text
    assert unsaid not in message.text
    assert message.masked == (remark,)
    assert message.advised == ()


@pytest.mark.parametrize(
    ("order_id", "tail", "word"),
    [
        ("2025111100123-JD", "0123", "jd"),
        ("20251111001-QQ", "1001", "qq"),
        ("TB20251111-WX", "1111", "wx"),
        ("20251111TOP1", "1", "top1"),
        ("2025最好", "2025", "最好"),
        ("O-2025微信号", "2025", "微信"),
        ("20251111-ABC", "-ABC", None),
    ],
)
def test_letters_of_an_id_that_make_a_forbidden_word_are_left_out_of_its_end(
    catalog: Catalog, order_id: str, tail: str, word: str | None
) -> None:
    policy = msgspec.structs.replace(POLICY, platform="pdd")

    message = rendered(catalog, 1, "chat", about=order(id=order_id), policy=policy)

    assert f"尾号{tail}）" in message.text
    assert [(remark.word, remark.field) for remark in message.masked] == (
        [(word, "order.id")] if word else []
    )


def test_id_whose_end_is_forbidden_and_holds_no_digit_is_not_said(catalog: Catalog) -> None:
    with pytest.raises(ForbiddenWording) as caught:
        rendered(catalog, 1, "chat", about=order(id="加我微信"))

    assert caught.value.words == ("微信",)


@pytest.mark.parametrize("channel", ["chat", "sms"])
@pytest.mark.parametrize(
    "promised",
    [offer("gift", name="微信红包"), offer("coupon", name="店铺券", how="微信领取", amount=Decimal(20))],
    ids=["name", "how"],
)
def test_incentive_that_may_not_be_said_leaves_the_message_in_its_plain_form(
    catalog: Catalog, channel: Channel, promised: Offer
) -> None:
    message = rendered(catalog, 1, channel, offer=promised)

    assert message.text == rendered(catalog, 1, channel).text
    assert message.without_offer
    assert message.masked == (Remark("微信", "other_platform", "incentives"),)


def test_incentive_is_still_named_where_names_alone_are_forbidden(catalog: Catalog) -> None:
    message = rendered(catalog, 1, "sms", about=called("淘宝裙"), offer=offer("gift", name="茶样"))

    assert "茶样" in message.text
    assert not message.without_offer
    assert message.masked == (Remark(*TAOBAO, NAME),)


def test_shop_whose_own_name_is_forbidden_sends_no_plain_form_either(catalog: Catalog) -> None:
    policy = msgspec.structs.replace(POLICY, shop_name="淘宝小店")

    with pytest.raises(ForbiddenWording) as caught:
        rendered(catalog, 1, "sms", policy=policy, offer=offer("gift", name="微信红包"))

    assert caught.value.words == ("淘宝",)


def test_agents_name_is_left_out_of_a_call(catalog: Catalog) -> None:
    message = rendered(catalog, 1, "phone", to=customer(agent="淘宝小林"))

    assert "的客服，" in message.text
    assert message.masked == (Remark(*TAOBAO, "customer.agent"),)


def test_names_of_carried_orders_are_masked_too(catalog: Catalog) -> None:
    earlier = msgspec.structs.replace(called("【淘宝同款】棉袜"), id="0002", placed_at=PLACED - HOUR)

    message = rendered(catalog, 1, "sms", others=[earlier])

    assert "拍下的棉袜等2件商品" in message.text
    assert message.masked == (Remark(*TAOBAO, NAME),)


@pytest.mark.parametrize(
    ("channel", "platform", "name", "word"),
    [
        # Cut to the width of a text message, an exception is no longer one.
        ("sms", "jd", "夏季连衣裙碎花第一时间发货新款", "第一"),
        # Neither the name has both words, nor its specification.
        ("chat", "pdd", "好评连衣裙", "付款+好评"),
    ],
)
def test_name_that_only_breaks_the_rules_where_it_stands_is_left_out(
    catalog: Catalog, channel: Channel, platform: Platform, name: str, word: str
) -> None:
    policy = msgspec.structs.replace(POLICY, platform=platform)

    items = tuple(msgspec.structs.replace(item, spec="付款时选色") for item in called(name).items)

    message = rendered(catalog, 1, channel, about=order(items=items), policy=policy)

    assert "提交的订单（尾号0001）" in message.text
    assert [(remark.word, remark.field) for remark in message.masked] == [(word, None)]


def test_what_is_only_advised_against_is_said_and_told(catalog: Catalog) -> None:
    policy = msgspec.structs.replace(POLICY, platform="pdd")

    message = rendered(catalog, 1, "sms", about=called("宝贝连衣裙"), policy=policy)

    assert "宝贝连衣裙" in message.text
    assert message.masked == ()
    assert message.advised == (Remark("宝贝", "platform_term"),)


@pytest.mark.parametrize(
    ("link", "hosts"),
    [
        ("https://pay.example/orders/O-1?phone=13800000000", ("pay.example",)),
        # Who reads user info can be led astray about the host, so none is told.
        ("https://" + "w" * 65 + "@pay.example/O-1", ()),
    ],
    ids=["path", "user"],
)
def test_link_that_may_not_be_is_refused_naming_its_host_alone(
    catalog: Catalog, link: str, hosts: tuple[str, ...]
) -> None:
    policy = msgspec.structs.replace(POLICY, links=Links(allowed=("shop.example",)))

    with pytest.raises(ForbiddenWording) as caught:
        rendered(catalog, 1, "sms", about=order(pay_url=link), policy=policy)

    assert (caught.value.words, caught.value.hosts) == (("link",), hosts)
    told = "to pay.example, which links.allowed does not name" in str(caught.value)
    assert told is (hosts != ())
    assert "www" not in str(caught.value)


def test_shop_whose_own_name_is_forbidden_sends_nothing(catalog: Catalog) -> None:
    policy = msgspec.structs.replace(POLICY, shop_name="淘宝全网第一店")

    with pytest.raises(ForbiddenWording) as caught:
        rendered(catalog, 1, "sms", about=called("淘宝裙"), policy=policy)

    assert caught.value.words == ("淘宝", "全网", "第一")
    assert caught.value.kinds == ("other_platform", "superlative")


@pytest.mark.parametrize(
    ("platform", "links", "url", "refused"),
    [
        ("jd", None, "https://pay.example/O-1", False),
        ("own", None, "https://pay.example/O-1", False),
        ("jd", Links(allowed=("pay.example",)), "https://pay.example/O-1", False),
        ("jd", Links(allowed=("pay.example",)), "https://m.pay.example/O-1", False),
        ("jd", Links(allowed=("pay.example",)), "https://u.jd.com/O-1", False),
        ("jd", Links(allowed=("pay.example",)), "https://notpay.example/O-1", True),
        ("jd", Links(allowed=()), "https://pay.example/O-1", True),
        ("jd", Links(allowed=()), "https://u.jd.com/O-1", False),
        ("own", Links(allowed=("pay.example",)), "https://pay.example/O-1", False),
        ("own", Links(allowed=("pay.example",)), "https://shop.example/O-1", True),
        ("jd", None, "https://m.taobao.com/O-1", True),
        ("own", None, "https://m.taobao.com/O-1", False),
    ],
)
def test_links_go_where_platform_and_policy_allow(
    catalog: Catalog, platform: Platform, links: Links | None, url: str, refused: bool
) -> None:
    policy = msgspec.structs.replace(POLICY, platform=platform, links=links)

    try:
        sent = rendered(catalog, 1, "sms", about=order(pay_url=url), policy=policy).text.endswith(url)
    except ForbiddenWording:
        sent = False

    assert sent is not refused


def test_no_more_words_are_told_than_fit(catalog: Catalog) -> None:
    words = (
        "淘宝 天猫 拼多多 抖音 快手 微信 支付宝 全网 绝对 终极 顶级 极品 唯一 "
        "首家 独家 销冠 顶尖 最佳 最好 最优 最强 最美"
    )

    message = rendered(catalog, 1, "chat", about=called(words))

    assert len(words.split()) > MAX_REMARKS == len(message.masked)


def test_message_without_a_hit_is_told_as_before(catalog: Catalog) -> None:
    message = rendered(catalog, 1, "chat", about=ORDER)

    assert (message.masked, message.advised) == ((), ())


def test_note_of_a_buyer_is_left_out_whole_where_it_is_forbidden(catalog: Catalog) -> None:
    noted = order(buyer_note="加我微信发图")
    facts, send = decided(1, "chat", noted, CUSTOMER, NOW[1])

    message = render(catalog, facts, send, POLICY, NOW[1])

    assert message.template == "check_details/chat@1"
    assert "微信" not in message.text
    assert "备注" not in message.text
    assert {remark.field for remark in message.masked} == {"order.buyer_note"}
