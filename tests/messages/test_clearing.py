"""A message that is cleared at a glance has nothing in it that the rules would find."""

from typing import get_args

import pytest
from hypothesis import given
from hypothesis import strategies as st

from dispatcher.messages.catalog import Catalog
from dispatcher.messages.clearing import LEFT_OUT, cleared
from dispatcher.messages.contacts import contacts, links, may_lead_out
from dispatcher.messages.folding import fold
from dispatcher.messages.wording import Rules, check, load
from dispatcher.messages.wording_file import Chosen, Group
from dispatcher.policy.terms import Platform

PLATFORMS: tuple[Platform, ...] = get_args(Platform)
LOADED = load(Catalog.load().directory)
PAY_URL = "https://pay.example/O-1688"
PIECES = (
    "微信", "微", "信", "最好", "淘", "宝", "五星好评", "返现", "再不", "没了", "纤维信封", "加v", "+", "qq",
    "QQ：", "138", "00138000", "400-820-8820", "0571-", "88888888", "evil.com", "evil", "。com/a", "https://",
    "shop@mail.example", "您好", "今天", "还没有付款", "一", "9.9", "12:00", "，", "；", "！", "？", "（",
    "）", "\n", "。", "：", "～", " ", "-", ".", "/", "★", "Ｖ", "\u200b", "网", "x.cn", "http:/\\", PAY_URL,
)  # fmt: skip
"""What rules look for and parts of it, marks that end it and marks that only stand in it."""


def allowing(platform: Platform) -> tuple[Rules, ...]:
    rules = LOADED[platform]
    return rules, rules.allowing(["pay.example"]), rules.allowing_any()


@pytest.mark.parametrize("platform", PLATFORMS)
@pytest.mark.parametrize(
    "pattern", ["核对好了就可以付款：%s", "%s 加我微信", "全网第一 %s拒收请回复R", "淘%s宝"]
)
@pytest.mark.parametrize(
    "pay_url",
    [
        "https://pay.example/O-1",
        "https://pay.example",
        "https://pay.example?@evil.com/",
        "https://pay.example:a@evil.com/",
        "https://pay.example/最好",
        "https://pay.example/taobao",
        "https://m.taobao.com/O-1",
        "https://jd.com.example/O-1",
        "https://item.jd.com/13800000000",
        "http://pay.example:80/O-1",
        "https://li@pay.example/O-1",
        "https://pay.example?order=1",
        "HTTPS://PAY.EXAMPLE/O-1",
        "pay.example/O-1",
        "weixin://pay",
        "https:///O-1",
        "https://",
        "微信",
        "",
    ],
)
def test_what_is_cleared_does_not_depend_on_which_link_is_for_paying(
    platform: Platform, pattern: str, pay_url: str
) -> None:
    for rules in allowing(platform):
        assert not cleared(pattern, (pay_url,), rules, pay_url) or check(pattern % pay_url, rules) == ()


@given(
    platform=st.sampled_from(PLATFORMS),
    said=st.lists(st.lists(st.sampled_from(PIECES), max_size=9).map("".join), min_size=1, max_size=4),
    values=st.lists(st.lists(st.sampled_from(PIECES), max_size=3).map("".join), min_size=3, max_size=3),
)
def test_nothing_is_cleared_that_has_a_hit(platform: Platform, said: list[str], values: list[str]) -> None:
    pattern, shown = "%s".join(said), tuple(values[: len(said) - 1])

    hits = [check(pattern % shown, rules) for rules in allowing(platform)]

    seen = [cleared(pattern, shown, rules, PAY_URL) for rules in allowing(platform)]
    assert not any(found for found, clear in zip(hits, seen, strict=True) if clear)


@given(st.lists(st.sampled_from(PIECES), max_size=12).map("".join))
def test_where_nothing_may_lead_out_there_is_no_link_and_no_contact(text: str) -> None:
    folded = fold(text)

    found = [*links(folded), *contacts(folded)]

    assert may_lead_out(folded) or found == []


@pytest.mark.parametrize("platform", PLATFORMS)
@pytest.mark.parametrize(
    "pattern",
    [
        "点这里%s网上付款",
        "点这里：%s 网上付款",
        "请看 x.cn:%s",
        "请看 x.cn：%s",
        "http:/\\⑴&%s",
        "ﬁ%s",
        "a。com:%s",
    ],
)
def test_what_goes_on_over_the_end_of_a_link_is_not_cleared(platform: Platform, pattern: str) -> None:
    for rules in allowing(platform):
        assert not cleared(pattern, (PAY_URL,), rules, PAY_URL) or check(pattern % PAY_URL, rules) == ()


@pytest.mark.parametrize(
    ("pattern", "values", "clear"),
    [
        ("您好，%s的订单还没有付款，点这里：%s", ("王女士", "https://pay.example/O-1"), True),
        ("您好，%s的订单还没有付款，点这里：%s", ("王女士", "https://evil.example/O-1"), False),
        ("您好，微%s，今天发出", ("信",), False),
        ("您好，记得五星好评，%s，今天发出，有返现", ("谢谢",), False),
        ("满100%%退，%s", ("最好",), False),
        ("满100%%退，%s", ("谢谢",), True),
        ("%s。com，谢谢", ("evil",), False),
        ("加%s", ("v：abcdef8",), False),
    ],
)
def test_a_message_is_cleared_by_what_may_not_be_known_of_it(
    pattern: str, values: tuple[str, ...], clear: bool
) -> None:
    rules = LOADED["taobao"].allowing(["pay.example"])

    assert cleared(pattern, values, rules, "https://pay.example/O-1") is clear


def test_what_a_pattern_says_by_itself_is_looked_at_once() -> None:
    rules = LOADED["own"].allowing(["pay.example"])
    pattern = "您好，%s！合计%s元，点这里。有返现，谢谢：%s"

    values = ("王女士", "9.90", "https://pay.example/O-1")

    cleared(pattern, values, rules, None)
    cleared(pattern, values, rules, values[2])

    assert rules.short[pattern, None].split(LEFT_OUT) == ["%s", "合计%s元", "有返现", "谢谢：%s"]
    assert rules.short[pattern, 2].split(LEFT_OUT) == ["%s", "合计%s元", "有返现", "谢谢：", "%.0s"]


def test_a_mark_that_a_word_of_the_rules_has_ends_nothing() -> None:
    group = Group(kind="pressure", words=("我！有",))
    rules = Rules.of(
        "own", Chosen(groups=(("forbid", group),), near=(), exceptions=(), forms={}, hosts=("pay.example",))
    )

    assert not cleared("加我！有惊喜，%s", ("谢谢",), rules, None)
