"""What `render` promises: elements, honesty about what is missing, and nothing that a value can forge."""

from hashlib import sha256
from typing import Any

import msgspec
import pytest
from hypothesis import given, reject
from hypothesis import strategies as st
from jinja2 import Environment

from dispatcher.errors import ForbiddenWording, MessageTooLong, MissingField
from dispatcher.messages.calls import seconds_to_read
from dispatcher.messages.catalog import Catalog, Kind, Template
from dispatcher.messages.fields import FIELDS
from dispatcher.messages.manifest import Entry
from dispatcher.messages.phrasing import Phrasings
from dispatcher.messages.rendering import render_for
from dispatcher.messages.sms import mainland, segments
from dispatcher.policy.facts import CHANNELS, Channel, Item, Receiver
from dispatcher.policy.unseen import shows
from tests.messages.cases import CASES
from tests.messages.samples import (
    CLOSES,
    DRESS,
    HOUR,
    NOW,
    PLACED,
    POLICY,
    SOCKS,
    about,
    customer,
    order,
    rendered,
)

KIND: dict[int, Kind] = {1: "first_reminder", 2: "before_close"}
ALL = [(step, channel) for step in (1, 2) for channel in CHANNELS]

SAID: dict[str, tuple[str, ...]] = {
    "shop": ("云裳服饰",),
    "greeting": ("王女士",),
    "product": ("夏季连衣裙 碎花",),
    "specification": ("M码",),
    "time": ("10:20", "上午10点20分"),
    "order": ("尾号0001",),
    "amount": ("299元",),
    "receiver": ("杭州",),
    "close": ("自动关闭",),
    "pay_link": ("https://pay.example/O-1",),
    "same_day_shipping": ("17:00前付款", "下午5点前付款"),
    "self_introduction": ("我是云裳服饰的客服小林，打扰您一分钟可以吗",),
    "incentive": ("",),
    "service_promise": ("我来帮您处理", "随时问我", "随时在店里找我们"),
}
TECHNIQUE = {"check_details": ("核对",), "honest_urgency": ("今天10:20", "今日10:20", "今天上午10点20分")}


@pytest.mark.parametrize(("step", "channel"), ALL)
def test_every_element_of_the_manifest_is_said(catalog: Catalog, step: int, channel: Channel) -> None:
    entry = catalog.templates["zh-CN", KIND[step], channel].entry

    text = rendered(catalog, step, channel, ships_today=True).text

    unsaid = [element for element in entry.elements if not any(words in text for words in SAID[element])]
    assert unsaid == []
    assert any(words in text for words in TECHNIQUE[entry.technique])


@pytest.mark.parametrize(
    ("channel", "needed"),
    [
        ("chat", {"order", "pay_link", "service_promise"}),
        ("sms", {"shop", "product", "time", "pay_link"}),
        ("phone", {"self_introduction", "product", "specification", "receiver", "time"}),
    ],
)
@pytest.mark.parametrize("step", [1, 2])
def test_manifest_asks_for_what_the_channel_must_carry(
    catalog: Catalog, step: int, channel: Channel, needed: set[str]
) -> None:
    elements = set(catalog.templates["zh-CN", KIND[step], channel].entry.elements)

    missing = needed - elements

    assert missing == set()


@pytest.mark.parametrize(("step", "channel"), ALL)
@pytest.mark.parametrize("case", CASES)
def test_wording_is_neither_pressing_nor_unprovable(
    catalog: Catalog, case: str, step: int, channel: Channel
) -> None:
    banned = (
        "赶紧",
        "马上",
        "立即",
        "尽快",
        "务必",
        "再不",
        "抓紧",
        "最",
        "第一",
        "唯一",
        "绝对",
        "仅剩",
        "热销",
    )

    text = rendered(catalog, step, channel, **CASES[case]).text

    assert [words for words in banned if words in text] == []


@pytest.mark.parametrize("channel", CHANNELS)
def test_same_day_shipping_is_said_only_when_the_decision_says_so(catalog: Catalog, channel: Channel) -> None:
    with_promise = rendered(catalog, 1, channel, ships_today=True).text

    without = rendered(catalog, 1, channel, ships_today=False).text

    assert "当天" in with_promise
    assert "当天" not in without


def test_same_day_shipping_names_the_close_when_the_order_closes_before_the_cutoff(catalog: Catalog) -> None:
    flash_sale = order(closes_at=PLACED + 3 * HOUR)

    text = rendered(catalog, 1, "chat", about=flash_sale, ships_today=True).text

    assert "今天13:20前付款" in text


def test_name_and_version_of_the_template_come_with_the_text(catalog: Catalog) -> None:
    first = rendered(catalog, 1, "sms")

    third = rendered(catalog, 3, "phone", now=NOW[2])

    assert first.template == "first_reminder/sms@3"
    assert first.sha256 == sha256(first.text.encode()).hexdigest()
    assert third.template == "before_close/phone@2"


@pytest.mark.parametrize(("step", "channel"), ALL)
@pytest.mark.parametrize("sensitive_item", [0, 1])
def test_sensitive_goods_hide_every_product_and_its_specification(
    catalog: Catalog, step: int, channel: Channel, sensitive_item: int
) -> None:
    items = [DRESS, SOCKS]
    items[sensitive_item] = msgspec.structs.replace(items[sensitive_item], sensitive=True)

    text = rendered(catalog, step, channel, about=order(items=tuple(items))).text

    assert "订单" in text
    assert not any(word in text for word in ("连衣裙", "棉袜", "M码", "件商品"))


@pytest.mark.parametrize("blank", [None, "", "  ", "\n\t", "\u200b", "\u3000"])
@pytest.mark.parametrize("channel", ["chat", "sms"])
@pytest.mark.parametrize("step", [1, 2])
def test_missing_pay_link_stops_the_message_by_name(
    catalog: Catalog, step: int, channel: Channel, blank: str | None
) -> None:
    without_link = order(pay_url=blank)

    with pytest.raises(MissingField) as caught:
        rendered(catalog, step, channel, about=without_link)

    assert caught.value.field == "order.pay_url"


def made(source: str) -> Template:
    """A template of any source, without looking whether it is allowed: what rendering itself withstands."""
    entry = Entry(version=1, technique="check_details", elements=())
    phrasings = Phrasings(Environment().parse(source))
    fields = tuple(FIELDS)
    return Template(
        name="made",
        source=source,
        locale="zh-CN",
        channel="sms",
        entry=entry,
        fields=fields,
        plain=fields,
        phrasings=phrasings,
    )


@pytest.mark.parametrize(
    ("field", "path"),
    [
        ("customer", "customer.name"),
        ("agent", "customer.agent"),
        ("city", "order.receiver.city"),
        ("spec", "order.items.0.spec"),
        ("product", "order.items.0.name"),
        ("ships_before", "shipping.cutoff"),
    ],
)
@pytest.mark.parametrize(
    "use",
    [
        "{{ NAME }}",
        "{{ NAME|short(8) }}",
        "{{ NAME|clock }}",
        "{% if not NAME is defined %}{{ NAME }}{% endif %}",
    ],
)
def test_any_use_of_a_missing_field_stops_the_message_by_name(field: str, path: str, use: str) -> None:
    bare = about(1, "sms", order(items=(Item(name=" "),), receiver=Receiver()), customer(name="", agent=" "))

    with pytest.raises(MissingField) as caught:
        render_for(made(use.replace("NAME", field)), bare)

    assert caught.value.field == path


@pytest.mark.parametrize("channel", CHANNELS)
def test_blank_name_gets_a_greeting_without_a_hole(catalog: Catalog, channel: Channel) -> None:
    text = rendered(catalog, 1, channel, to=customer(name=" \n")).text

    assert "您好，" in text
    assert "请问是" not in text


def test_shop_without_a_display_name_is_called_by_its_id(catalog: Catalog) -> None:
    unnamed = msgspec.structs.replace(POLICY, shop_name=None)

    text = rendered(catalog, 1, "sms", policy=unnamed).text

    assert text.startswith("【demo】")


def hostile_order(value: str) -> dict[str, Any]:
    """Every text from outside is `value`."""
    return {
        "about": order(
            id=value,
            items=(Item(name=value, spec=value),),
            pay_url=value,
            receiver=Receiver(city=value),
        ),
        "to": customer(name=value, agent=value),
        "policy": msgspec.structs.replace(POLICY, shop_name=value),
    }


@pytest.mark.parametrize(
    "value",
    [
        "a\nb", "a\r\nb", "a\x0bb", "a\x85b", "a\u2028b", "a\u2029b", "a\x00b", "a\x1b[31mb", "a\u202eb",
        "a\u2066b", "a\ufeffb", "a\ud800b",
    ],
)  # fmt: skip
@pytest.mark.parametrize(("step", "channel"), ALL)
def test_control_characters_of_a_value_become_spaces(
    catalog: Catalog, step: int, channel: Channel, value: str
) -> None:
    lines = len(rendered(catalog, step, channel).text.splitlines())

    text = rendered(catalog, step, channel, **hostile_order(value)).text

    assert len(text.splitlines()) == lines
    assert all(char.isprintable() for char in text.replace("\n", ""))


@given(value=st.text(min_size=1, max_size=60).filter(lambda text: text.isprintable() and shows(text)))
def test_no_value_can_add_a_line_or_a_signature(catalog: Catalog, value: str) -> None:
    try:
        text = rendered(catalog, 1, "sms", **hostile_order(value)).text
    except ForbiddenWording:
        reject()

    assert len(text.splitlines()) == 1
    assert (text.count("【"), text.count("】"), text[0]) == (1, 1, "【")


def test_template_syntax_in_a_value_is_plain_text(catalog: Catalog) -> None:
    text = rendered(catalog, 1, "chat", to=customer(name="{{ 7 * 7 }}{# #}")).text

    assert text.startswith("{{ 7 * 7 }}{# #}您好")


@pytest.mark.parametrize(("step", "channel"), ALL)
def test_long_values_are_shortened(catalog: Catalog, step: int, channel: Channel) -> None:
    long = hostile_order("长" * 5_000)
    long["about"] = msgspec.structs.replace(long["about"], pay_url="https://pay.example/O-1")

    text = rendered(catalog, step, channel, ships_today=True, **long).text

    assert len(text) < 270


def test_text_beyond_the_channels_limit_is_refused(catalog: Catalog) -> None:
    endless = order(pay_url="https://pay.example/" + "a" * 600)

    with pytest.raises(
        MessageTooLong, match="first_reminder/sms@3: expected at most 500 characters"
    ) as caught:
        rendered(catalog, 1, "sms", about=endless)

    told = caught.value
    assert (told.channel, told.limit, told.field) == ("sms", 500, "order.pay_url")
    assert told.characters > 620


def test_text_that_is_too_long_by_itself_blames_no_field(catalog: Catalog) -> None:
    with pytest.raises(MessageTooLong) as caught:
        render_for(made("字" * 501), about(1, "sms"))

    assert (caught.value.characters, caught.value.field) == (501, None)


@pytest.mark.parametrize("step", [1, 2])
def test_ordinary_text_message_is_one_segment(catalog: Catalog, step: int) -> None:
    text = rendered(catalog, step, "sms").text

    assert segments(text) == 1


@pytest.mark.parametrize("case", CASES)
@pytest.mark.parametrize("step", [1, 2])
def test_text_message_is_at_most_two_segments(catalog: Catalog, step: int, case: str) -> None:
    text = rendered(catalog, step, "sms", **CASES[case]).text

    assert segments(text) <= 2


@pytest.mark.parametrize("step", [1, 2])
def test_call_is_read_out_within_a_minute_even_with_long_values(catalog: Catalog, step: int) -> None:
    long = hostile_order("长" * 100)
    long["to"] = msgspec.structs.replace(long["to"], paid_orders=9)

    text = rendered(catalog, step, "phone", ships_today=True, **long).text

    assert seconds_to_read(text) < 60


@pytest.mark.parametrize(
    ("now", "placed"),
    [
        (PLACED + 13 * HOUR, "今天10:20"),
        (PLACED + 14 * HOUR, "昨天10:20"),
        (PLACED + 40 * HOUR, "11月11日10:20"),
        (PLACED + 365 * 24 * HOUR, "2026年11月11日10:20"),
    ],
)
def test_time_of_the_order_is_told_as_of_now(catalog: Catalog, now: int, placed: str) -> None:
    text = rendered(catalog, 1, "chat", now=now).text

    assert f"您{placed}拍下" in text


def test_close_on_the_next_day_is_told_as_tomorrow(catalog: Catalog) -> None:
    text = rendered(catalog, 2, "sms", now=CLOSES - 12 * HOUR).text

    assert "将于明日10:20自动关闭" in text


def test_shops_zone_tells_the_time_of_a_customer_without_one(catalog: Catalog) -> None:
    tokyo = msgspec.structs.replace(POLICY, timezone="Asia/Tokyo")

    text = rendered(catalog, 1, "chat", to=customer(timezone=None), policy=tokyo).text

    assert "今天11:20拍下" in text


def test_text_message_is_as_long_as_it_is_billed() -> None:
    just_fits, beyond = made("字" + "😀" * 249 + "字"), made("字" + "😀" * 250)

    text = render_for(just_fits, about(1, "sms")).text

    assert mainland(text).characters == 500 > len(text)
    with pytest.raises(MessageTooLong, match="expected at most 500 characters, got 501"):
        render_for(beyond, about(1, "sms"))


@pytest.mark.parametrize(
    ("source", "text"),
    [
        ("{{ product|short(12) }}", "夏季连衣裙…"),
        ("{{ product|short(80) }}", "夏季连衣裙 碎花"),
        ("{{ placed|clock }}", "10:20"),
        ("{{ total|symbol }}", "¥299"),
    ],
)
def test_filter_tells_a_value_another_way(source: str, text: str) -> None:
    shown = render_for(made(source), about(1, "sms"))

    assert shown.text == text
