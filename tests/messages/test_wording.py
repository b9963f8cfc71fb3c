"""What the wording rules find in whatever spelling, what they leave alone, and how fast they are."""

from collections.abc import Callable
from time import perf_counter
from typing import get_args

import pytest
from hypothesis import given
from hypothesis import strategies as st

from dispatcher.messages.catalog import WORDS, Catalog
from dispatcher.messages.masking import masked
from dispatcher.messages.wording import Hit, check, load
from dispatcher.policy.terms import Platform
from tests.messages import goldens
from tests.messages.wording_cases import GUILTY, SENTENCES, TITLES

PLATFORMS: tuple[Platform, ...] = get_args(Platform)
GOLDEN = [
    text
    for locale in WORDS
    for texts in (table["texts"] for table in goldens.read(locale).values())
    for text in texts.values()
]
DIRECTORY = Catalog.load().directory
LOADED = load(DIRECTORY)
RULES = {platform: rules.allowing(["pay.example"]) for platform, rules in LOADED.items()}
FORBIDDEN = [(kind, word) for kind, listed in GUILTY.items() for word in listed.split()]
LONGEST = 3_000
HOSTILE_SECONDS = 0.5
"""A hundred times what is needed, so that only what grows with the square of a text's length fails."""
UNWELCOME = {"付款", "宝贝"}
"""What Pinduoduo's rules only advise against."""


def as_is(word: str) -> str:
    return word


def full_width(word: str) -> str:
    return "".join(chr(ord(char) + 0xFEE0) if "!" <= char <= "~" else char for char in word)


def mixed_case(word: str) -> str:
    return "".join(char.upper() if at % 2 else char.lower() for at, char in enumerate(word))


def joined_by(mark: str) -> Callable[[str], str]:
    return mark.join


SPELLINGS: dict[str, Callable[[str], str]] = {
    "as it is": as_is,
    "full width": full_width,
    "mixed case": mixed_case,
    "spaces": joined_by(" "),
    "wide spaces": joined_by("\u3000"),
    "zero width": joined_by("\u200b"),
    "joiners": joined_by("\u200d\ufe0f"),
    "dots": joined_by("."),
    "middle dots": joined_by("·"),
    "hyphens": joined_by(" - "),
    "underscores": joined_by("_"),
    "stars": joined_by("**"),
    "accents": joined_by("\u0301"),
    "fillers": joined_by("\u3164\u2800"),
    "dashes": joined_by("–"),
    "plus signs": joined_by("+"),
    "number signs": joined_by("#&"),
    "stars and hearts": joined_by("★♥"),
    "pictures": joined_by("💰"),
    "katakana dots": joined_by("・‧"),
}


@pytest.mark.parametrize("spelling", SPELLINGS)
def test_forbidden_word_is_found_in_every_spelling_at_its_place(spelling: str) -> None:
    written = {word: SPELLINGS[spelling](word) for _, word in FORBIDDEN}
    texts = {word: f"您好，{text}，今天发出" for word, text in written.items()}

    hits = {word: check(text, RULES["pdd"]) for word, text in texts.items()}

    found = {word: [(hit.kind, hit.level, hit.found) for hit in hits[word]] for word in hits}
    places = {word: [texts[word][hit.start : hit.end] for hit in hits[word]] for word in hits}
    assert found == {word: [(kind, "forbid", written[word])] for kind, word in FORBIDDEN}
    assert places == {word: [text] for word, text in written.items()}


def test_there_are_as_many_cases_as_promised() -> None:
    assert len(set(FORBIDDEN)) >= 100
    assert len({*TITLES, *SENTENCES}) >= 60


@pytest.mark.parametrize("platform", PLATFORMS)
def test_what_is_in_order_is_left_alone(platform: Platform) -> None:
    hits = {text: check(text, RULES[platform]) for text in TITLES + SENTENCES}

    wrong = {text: found for text, found in hits.items() if {hit.word for hit in found} - UNWELCOME}
    assert wrong == {}
    assert {hit.level for found in hits.values() for hit in found} <= {"advise"}


@pytest.mark.parametrize("platform", PLATFORMS)
def test_golden_texts_keep_the_rules_of_every_platform(platform: Platform) -> None:
    hits = [hit for text in GOLDEN for hit in check(text, RULES[platform])]

    assert {hit.word for hit in hits} == ({"付款"} if platform == "pdd" else set())
    assert {hit.level for hit in hits} <= {"advise"}


@pytest.mark.parametrize(
    ("text", "jd", "taobao", "pdd", "douyin", "own"),
    [
        ("用支付宝付", "forbid", None, "forbid", "advise", None),
        ("用微信付", "forbid", "forbid", "forbid", "forbid", None),
        ("京东同款", None, "forbid", "forbid", "forbid", None),
        ("淘宝同款", "forbid", None, "forbid", "forbid", None),
        ("拼多多同款", "forbid", "forbid", None, "forbid", None),
        ("抖音同款", "forbid", "forbid", "forbid", None, None),
        ("全网低价", "forbid", "forbid", "forbid", "forbid", "forbid"),
        ("再不付款就没了", "forbid", "forbid", "forbid", "forbid", "forbid"),
        ("好评后返现5元", "forbid", "forbid", "forbid", "forbid", "forbid"),
        ("最爱的颜色", "advise", "advise", "advise", "advise", "advise"),
        ("等您付款", None, None, "advise", None, None),
        ("宝贝很好", None, None, "advise", None, None),
        ("付款后给好评", None, None, "forbid", None, None),
        ("加一件", None, None, None, None, None),
        ("电话13800138000", "forbid", "forbid", "forbid", "forbid", None),
        ("看 https://shop.example/a", "forbid", "forbid", "forbid", "forbid", "forbid"),
    ],
)
def test_what_a_platform_forbids_and_advises(
    text: str, jd: str, taobao: str, pdd: str, douyin: str, own: str
) -> None:
    expected = dict(zip(PLATFORMS, (jd, taobao, pdd, douyin, own), strict=True))

    levels = {platform: {hit.level for hit in check(text, RULES[platform])} for platform in PLATFORMS}

    strictest = {
        platform: "forbid" if "forbid" in found else next(iter(found), None)
        for platform, found in levels.items()
    }
    assert strictest == expected


@pytest.mark.parametrize(
    ("text", "found"),
    [
        ("销量冠军", "销量冠军"),
        ("冠军的销量", "冠军的销量"),
        ("销量一直是大赛冠军", None),
        ("五星好评截图领红包", "五星好评截图领红包"),
        ("好 评 后 返 现", "好 评 后 返 现"),
        ("返现给您，记得好评", "返现给您，记得好评"),
        ("好评。" + "不" * 13 + "返现", None),
        ("再不拿就没了", "再不拿就没了"),
    ],
)
def test_two_words_count_only_near_each_other(text: str, found: str | None) -> None:
    hits = [hit for hit in check(text, RULES["jd"]) if "+" in hit.word]

    assert [hit.found for hit in hits[:1]] == ([found] if found else [])


@pytest.mark.parametrize(
    "number",
    [
        "13800138000", "１３８００１３８０００", "138 0013 8000", "138-0013-8000", "138.0013.8000",
        "138 001 38000", "1 3 8 0 0 1 3 8 0 0 0", "1-3-8-0-0-1-3-8-0-0-0", "138\u200b0013\u200b8000",
        "+8613800138000", "+86 138 0013 8000", "一三八零零一三八零零零", "⒈⒊⒏⒍⒍⒈⒊⒏⒍⒍⒍", "0571-88888888",
        "010-88888888", "400-820-8820", "400-8208820", "QQ123456", "QQ-123456", "qq：12345678",
        "扣扣号 12345678", "wx13800", "VX: abc_12345", "V：abcdef88", "微信号：abcdef8",
        "shop@mail.example", "ＳＨＯＰ@mail.example",
        "(138)00000000", "138/0000/0000", "138,0000,0000", "138—0000—0000", "1💰3💰8💰0💰0💰0💰0💰0💰0💰0💰0",
        "壹叁捌零零零零零零零零", "+V", "＋Ｖ",
    ],
)  # fmt: skip
def test_contact_data_is_found_by_its_form(number: str) -> None:
    hits = check(f"有事找{number}，谢谢", RULES["taobao"])

    assert "contact" in {hit.kind for hit in hits}
    assert {hit.level for hit in hits} == {"forbid"}


@pytest.mark.parametrize(
    "text",
    [
        "213800138000",
        "138001380001",
        "12800138000",
        "2026-11-11 13:20",
        "尾号0001",
        "¥1380.0138",
        "180*2000*1500",
        "1500×600×4000",
        "150★160★17000",
    ],
)
def test_other_numbers_are_no_contact_data(text: str) -> None:
    assert check(text, RULES["taobao"]) == ()


@pytest.mark.parametrize(
    ("link", "allowed"),
    [
        ("https://pay.example/O-1", True),
        ("HTTPS://PAY.EXAMPLE/O-1", True),
        ("pay.example/wx", True),
        ("https://m.pay.example/weixin?qq=13800138000", True),
        ("https://item.jd.com/1.html", True),
        ("https://notpay.example/O-1", False),
        ("https://pay.example.evil.com/", False),
        ("https://pay.example@evil.com/", False),
        ("https://evil.com/pay.example", False),
        ("https://evil.com#pay.example", False),
        ("evil.com", False),
        ("www。evil。com", False),
        ("ｅｖｉｌ．ｃｏｍ／ａ", False),
        ("t.cn/a1B2", False),
        ("weixin://dl/chat", False),
        ("https://10.0.0.1/a", False),
        ("10.0.0.1/a", False),
        ("10.0.0.1:8080/a", False),
        ("pay.example:8080/a", True),
        ("https://pay.example,", True),
        ("https://li@pay.example/a", False),
        ("https://evil.com?@pay.example/a", False),
        ("https://evil.com#@pay.example/a", False),
        ("https://evil.com;@pay.example/a", False),
        ("https://evil.com\\@pay.example/a", False),
        ("https://pay.example\\@evil.com/a", False),
        ("https:\\\\evil.zone/a", False),
        ("https://pay.example:" + "a" * 70 + "@evil.com/", False),
        ("pay.example:a@evil.com/", False),
        ("https://pay.example,.evil.com/", False),
        ("https://pay.example%2eevil.com/", False),
        ("https://pay.example。evil.zone/", False),
        ("淘.evil.com/", False),
        ("evil.icu/a", False),
        ("evil.dev", False),
        ("evil.is/a", False),
        ("a.b.c.d.e.f.g.evil.com", False),
    ],
)
def test_links_only_to_allowed_hosts(link: str, allowed: bool) -> None:
    hits = check(f"点这里：{link} 谢谢", RULES["jd"])

    assert [(hit.kind, hit.level) for hit in hits if hit.kind == "link"] == [("link", "forbid")] * (
        not allowed
    )
    assert not allowed or hits == ()


def test_hosts_of_one_shop_are_not_those_of_another() -> None:
    rules = LOADED["jd"]

    hits = (
        check("https://pay.example/1", rules),
        check("https://pay.example/1", rules.allowing(["Pay.Example"])),
    )

    assert [len(found) for found in hits] == [1, 0]


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("付款：https://pay.example/weixin?qq=13800138000", []),
        ("付款：pay.example/taobao 谢谢", []),
        ("付款：https://m.taobao.com/pay", ["taobao"]),
        ("付款：https://pay.example/1 用支付宝付", ["支付宝"]),
    ],
)
def test_shop_that_names_no_hosts_may_link_anywhere_but_to_a_forbidden_name(
    text: str, words: list[str]
) -> None:
    hits = check(text, LOADED["jd"].allowing_any())

    assert [hit.word for hit in hits] == words


@pytest.mark.parametrize(
    ("text", "found"),
    [
        ("全網最佳", ["全网", "最佳"]),
        ("支付寶", ["支付宝"]),
        ("趕緊付", ["赶紧付"]),
        ("№1", ["no1"]),
        ("ⓦⓔⓘⓧⓘⓝ", ["weixin"]),
        ("𝐰𝐞𝐢𝐱𝐢𝐧", ["weixin"]),
        ("wеixin", ["weixin"]),
        ("🅦🅔🅘🅧🅘🅝", ["weixin"]),
        ("Νο1", ["no1"]),
        ("淘寳", ["淘宝"]),
        ("支付寳", ["支付宝"]),
        ("第壹", ["第一"]),
        ("详细微信咨询", ["微信"]),
        ("这些微信好友", ["微信"]),
        ("去京东方便下单", ["京东"]),
        ("加v领券", ["加v"]),
        ("上淘宝贝贝店", ["淘宝", "宝贝"]),
        ("小红书包邮", ["小红书"]),
        ("绝对值得买", ["绝对值得"]),
        ("全国首选项目", ["首选项目"]),
        ("https://pay.example/O—taobao", ["taobao"]),
        ("https://pay.example/O★taobao", ["taobao"]),
        ("最\n好", ["最"]),
        ("全，网", []),
        ("awx", []),
        ("wxy", []),
        ("a wx b", ["wx"]),
        ("jdk", []),
        ("第一时间就是全网第一", ["全网", "第一"]),
        ("最后一波", ["最后一波"]),
        ("㌀ 全网", ["全网"]),
    ],
)
def test_words_by_how_they_are_read(text: str, found: list[str]) -> None:
    hits = check(text, RULES["pdd"])

    assert [hit.word for hit in hits] == found


def test_place_of_a_hit_is_that_of_the_text_even_behind_a_character_that_unfolds() -> None:
    text = "㌀№ 全\u200b网"

    (hit,) = check(text, RULES["pdd"])

    assert hit == Hit("全网", "全\u200b网", 3, 6, "forbid", "superlative")


@given(st.text(alphabet="最好全网第一时间微信wxqq13800.@:/㌀№ \u200b\n付款评返现", max_size=60))
def test_every_hit_stands_where_it_says(text: str) -> None:
    hits = check(text, RULES["pdd"])

    assert all(hit.found == text[hit.start : hit.end] and hit.found for hit in hits)
    assert [hit.start for hit in hits] == sorted(hit.start for hit in hits)


@pytest.mark.parametrize(
    ("name", "said"),
    [
        ("夏季连衣裙 碎花", "夏季连衣裙 碎花"),
        ("【全网最低】夏季连衣裙 碎花", "夏季连衣裙 碎花"),
        ("夏季连衣裙（微信同款）碎花", "夏季连衣裙碎花"),
        ("[TOP1] 雪平锅【顺丰包邮】", "雪平锅【顺丰包邮】"),
        ("（京东同款）（顺丰包邮）雪平锅", "（顺丰包邮）雪平锅"),
        ("【顺丰包邮】（全网第一）", None),
        ("全网最低夏季连衣裙", None),
        ("夏季连衣裙 全网最低", None),
        ("不是最好吃的酱油", None),
        ("【全网最低】顶级酱油", None),
        ("【全网最低】 500g", None),
        ("《最好的我们》 精装", None),
        ("极致茶杯", "极致茶杯"),
    ],
)
def test_name_loses_guilty_brackets_or_is_not_said_at_all(name: str, said: str | None) -> None:
    named = masked(name, RULES["pdd"])

    assert named.text == said
    assert bool(named.hits) == (named.text != name)


@pytest.mark.parametrize("platform", PLATFORMS)
def test_name_in_order_is_said_as_it_is(platform: Platform) -> None:
    said = [masked(name, RULES[platform]) for name in TITLES]

    assert [(named.text, named.hits) for named in said] == [(name, ()) for name in TITLES]


@pytest.mark.parametrize(
    "piece",
    [
        "全 ",
        "全" + " " * 500,
        "第一时间",
        "好评",
        "再不",
        "1 ",
        "1" + " " * 500,
        "a.",
        "a@",
        "v:",
        "扣扣 ",
        "【",
        "http://",
        "㌀",
        "🎉",
    ],
)
def test_hostile_text_is_checked_in_time(piece: str) -> None:
    text = (piece * LONGEST)[:LONGEST]
    started = perf_counter()

    masked(text, RULES["pdd"])

    assert perf_counter() - started < HOSTILE_SECONDS


@pytest.mark.parametrize("platform", PLATFORMS)
def test_no_word_that_is_advised_against_hides_a_forbidden_one(platform: Platform) -> None:
    entries = RULES[platform].entries
    forbidden = {word for word, entry in entries.items() if entry and entry.level == "forbid"}
    advised = {word for word, entry in entries.items() if entry and entry.level == "advise"}

    hiding = {word for word in advised for length in range(1, len(word)) if word[:length] in forbidden}

    assert len(forbidden) > 200
    assert hiding == set()
