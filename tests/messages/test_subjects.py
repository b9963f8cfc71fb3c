"""What single fields say, where that is more than a value of the order."""

from typing import Any

import msgspec
import pytest

from dispatcher.messages.catalog import WORDS, Catalog
from dispatcher.messages.fields import values
from dispatcher.messages.subjects import subject
from dispatcher.policy.facts import Channel, Receiver
from dispatcher.policy.terms import Locale
from tests.messages.samples import CUSTOMER, DRESS, NOW, PLACED, POLICY, SOCKS, decided, order

MINUTE = 60_000


def said(
    catalog: Catalog, field: str, channel: Channel = "chat", locale: Locale = "zh-CN", **changes: Any
) -> object:
    """The value of a field for the ordinary order with changes."""
    now, policy = changes.pop("now", NOW[1]), changes.pop("policy", POLICY)
    facts, send = decided(1, channel, order(**changes), CUSTOMER, now)
    return values([field], subject(facts, send, policy, now, catalog.speeches[locale])).get(field)


@pytest.mark.parametrize(
    ("minutes", "chinese", "english"),
    [
        (0, "0分钟", "0 minutes"),
        (1, "1分钟", "1 minute"),
        (9, "9分钟", "9 minutes"),
        (10, "10分钟", "10 minutes"),
        (14, "10分钟", "10 minutes"),
        (29, "25分钟", "25 minutes"),
        (64, "1小时", "1 hour"),
        (89, "1小时25分钟", "1 hour 25 minutes"),
        (26 * 60 + 59, "1天2小时", "1 day 2 hours"),
    ],
)
def test_time_left_is_never_told_as_more(catalog: Catalog, minutes: int, chinese: str, english: str) -> None:
    closes = {"now": PLACED, "closes_at": PLACED + minutes * MINUTE + MINUTE // 2}

    told = [said(catalog, "left", locale=locale, **closes) for locale in WORDS]

    assert told == [chinese, english]


@pytest.mark.parametrize(
    ("field", "chat", "sms", "phone"),
    [("note", "请放门卫", None, "请放门卫"), ("receiver", "王**", "王**", None)],
)
def test_details_are_told_where_the_channel_allows(
    catalog: Catalog, field: str, chat: str | None, sms: str | None, phone: str | None
) -> None:
    about = {"buyer_note": " 请放门卫\n", "receiver": Receiver(name="王小明")}
    channels: tuple[Channel, ...] = ("chat", "sms", "phone")

    assert [said(catalog, field, channel, **about) for channel in channels] == [chat, sms, phone]


def test_note_beside_sensitive_goods_is_not_told(catalog: Catalog) -> None:
    hidden = (DRESS, msgspec.structs.replace(SOCKS, sensitive=True))

    assert said(catalog, "note", items=hidden, buyer_note="送药时请按门铃") is None


def test_pieces_are_those_of_all_items(catalog: Catalog) -> None:
    assert said(catalog, "pieces", items=(DRESS, SOCKS)) == "3"


@pytest.mark.parametrize(
    ("platform", "locale", "word"),
    [("jd", "zh-CN", "付款"), ("pdd", "zh-CN", "支付"), ("own", "zh-CN", "付款"), ("pdd", "en", "pay")],
)
def test_word_for_paying_is_one_that_the_platform_likes(
    catalog: Catalog, platform: Any, locale: Locale, word: str
) -> None:
    policy = msgspec.structs.replace(POLICY, platform=platform)

    assert said(catalog, "pay_word", locale=locale, policy=policy) == word
