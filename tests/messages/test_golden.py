"""Every template's text for several orders, word for word, with what it carries and what it costs.

Where a text has changed on purpose: `python -m tests.messages.goldens`, and read what has changed.
"""

from typing import Any

import pytest

from dispatcher.messages import incentives
from dispatcher.messages.catalog import KINDS, WORDS, Catalog
from dispatcher.messages.elements import REFUSAL
from dispatcher.policy.terms import Locale
from tests.messages import goldens

GOLDEN = {locale: goldens.read(locale) for locale in WORDS}
ALL = [(locale, name) for locale, golden in GOLDEN.items() for name in golden]
WRITTEN = [(locale, name) for locale, name in ALL if "/phone@" not in name]

SAID: dict[Locale, dict[str, tuple[str, ...]]] = {
    "zh-CN": {
        "shop": ("云裳服饰",),
        "greeting": ("王女士",),
        "product": ("夏季连衣裙 碎花",),
        "specification": ("M码",),
        "time": ("10:20", "上午10点20分"),
        "order": ("尾号0001",),
        "amount": ("299元",),
        "receiver": ("杭州",),
        "note": ("请放门卫，谢谢",),
        "left": ("25分钟",),
        "close": ("自动关闭", "留到", "10:50关闭"),
        "pay_link": ("https://pay.example/O-1",),
        "self_introduction": ("我是云裳服饰的客服小林，打扰您一分钟可以吗",),
        "orders": ("昨天20:20和今天10:20", "昨日20:20和今日10:20"),
        "service_promise": (
            "告诉我", "我来帮您", "随时问我", "随时在店里找我们", "我会跟到处理好", "一项项帮您核对",
            "我现在就帮您", "我陪您弄", "在店里找我们", "可以随时告诉我", "我可以", "我来处理", "随时来找我",
            "可以来找我们", "帮您看",
        ),
    },
    "en": {
        "shop": ("云裳服饰",),
        "greeting": ("王女士",),
        "product": ("夏季连衣裙 碎花",),
        "specification": ("M码",),
        "time": ("at 10:20", "At 10:20 am"),
        "order": ("order ending in 0001",),
        "amount": ("¥299",),
        "receiver": ("杭州",),
        "note": ("请放门卫，谢谢",),
        "left": ("25 minutes",),
        "close": ("closes", "until 10:20"),
        "pay_link": ("https://pay.example/O-1",),
        "self_introduction": ("This is 小林 from 云裳服饰.",),
        "orders": ("at 20:20 yesterday and 10:20 today",),
        "service_promise": (
            "tell me", "ask me", "write to us", "come to me", "come to us", "I can", "I will", "Write to us",
            "welcome", "I have noted", "help you",
        ),
    },
}  # fmt: skip
"""The words that say an element of the ordinary order; others have promises to ship and incentives."""


def test_golden_texts_cover_every_template(catalog: Catalog) -> None:
    named: dict[Locale, list[str]] = {locale: [] for locale in WORDS}
    for (locale, _, _), template in catalog.templates.items():
        named[locale].append(template.name)

    assert {locale: list(golden) for locale, golden in GOLDEN.items()} == named
    assert len(ALL) == len(WORDS) * sum(map(len, KINDS.values()))


@pytest.mark.parametrize("locale", WORDS)
def test_texts_and_what_they_cost_are_the_golden_ones(catalog: Catalog, locale: Locale) -> None:
    made = goldens.made(catalog, locale)

    for name, table in made.items():
        assert table == GOLDEN[locale][name], name


@pytest.mark.parametrize(("locale", "name"), ALL)
def test_every_element_of_a_template_is_said(locale: Locale, name: str) -> None:
    golden = GOLDEN[locale][name]
    text = golden["texts"]["ordinary"]

    elements = set(golden["elements"]) - {"same_day_shipping", "incentive"}

    unsaid = [each for each in elements if not any(words in text for words in SAID[locale][each])]
    assert unsaid == []


@pytest.mark.parametrize(("locale", "name"), WRITTEN)
def test_an_incentive_is_named_and_by_sms_can_be_refused(locale: Locale, name: str) -> None:
    text = GOLDEN[locale][name]["texts"]["everything"]
    promotes = "merged_orders" not in name and "kind_ending" not in name

    assert ("茶样2袋" in text) is promotes
    assert bool(REFUSAL.search(text)) is ("/sms@" in name and promotes)


@pytest.mark.parametrize(("locale", "name"), ALL)
def test_same_day_shipping_is_said_where_it_is_promised_alone(locale: Locale, name: str) -> None:
    words = {"zh-CN": ("当天就能", "当天发货"), "en": ("the same day",)}[locale]
    texts = GOLDEN[locale][name]["texts"]

    told = {case for case in texts if any(said in texts[case] for said in words)}

    promised = "same_day_shipping" in GOLDEN[locale][name]["elements"]
    assert told == ({"everything", "on_pdd"} & set(texts) if promised else set())


@pytest.mark.parametrize(("locale", "name"), ALL)
def test_sensitive_goods_are_not_named(locale: Locale, name: str) -> None:
    text = GOLDEN[locale][name]["texts"]["sensitive"]

    assert [word for word in ("连衣裙", "棉袜", "M码", "门卫") if word in text] == []
    assert "订单" in text or "order" in text


@pytest.mark.parametrize(("locale", "name"), ALL)
def test_no_text_has_a_hole(locale: Locale, name: str) -> None:
    holes = ("  ", " ,", " .", "，，", "。。", "，。", "（）", "，？", "None", "{", "}", "：。", "~~")
    texts = GOLDEN[locale][name]["texts"]

    found = {(case, hole) for case, text in texts.items() for hole in holes if hole in text}
    assert found == set()
    assert [text for text in texts.values() if text != text.strip() or " \n" in text] == []


@pytest.mark.parametrize(
    ("locale", "case", "several", "expected"),
    [
        ("zh-CN", "ordinary", False, {1}),
        ("zh-CN", "sensitive", False, {1, 2}),
        ("zh-CN", "everything", False, {2}),
        ("zh-CN", "on_pdd", False, {1, 2}),
        ("zh-CN", "ordinary", True, {2}),
        ("en", "ordinary", False, {2}),
        ("en", "sensitive", False, {2, 3}),
        ("en", "ordinary", True, {4}),
    ],
)
def test_text_messages_cost_so_many_segments(
    locale: Locale, case: str, several: bool, expected: set[int]
) -> None:
    written = [(name, table) for name, table in GOLDEN[locale].items() if "/sms@" in name]

    found = {table["segments"][case] for name, table in written if ("merged" in name) is several}

    assert found == expected


@pytest.mark.parametrize("name", GOLDEN["zh-CN"])
def test_on_pdd_nothing_is_said_that_it_advises_against(name: str) -> None:
    assert "付款" not in GOLDEN["zh-CN"][name]["texts"]["on_pdd"]


PRESSING: dict[Locale, tuple[str, ...]] = {
    "zh-CN": (
        "赶紧", "马上", "立即", "尽快", "务必", "再不", "抓紧", "最", "第一", "唯一", "绝对", "仅剩", "热销",
        "保证", "必须",
    ),
    "en": ("hurry up", "immediately", "last chance", "best", "must", "guarantee", "only one", "now or never"),
}  # fmt: skip


@pytest.mark.parametrize(("locale", "name"), ALL)
def test_wording_is_neither_pressing_nor_unprovable(locale: Locale, name: str) -> None:
    texts = " ".join(GOLDEN[locale][name]["texts"].values()).replace("最早", "")

    assert [words for words in PRESSING[locale] if words in texts] == []


@pytest.mark.parametrize("kind", incentives.KINDS)
@pytest.mark.parametrize("locale", WORDS)
def test_every_kind_of_incentive_is_told_in_some_text(catalog: Catalog, locale: Locale, kind: str) -> None:
    template: dict[str, Any] = GOLDEN[locale][catalog.templates[locale, "first_reminder", "sms"].name]

    assert template["texts"][kind] != template["texts"]["ordinary"]
