"""Values made fit for one line, times and amounts in words, and what a text message costs."""

from datetime import datetime, timedelta
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from dispatcher.messages.chinese import CHINESE
from dispatcher.messages.english import ENGLISH
from dispatcher.messages.sms import segments
from dispatcher.messages.values import amount, one_line, shortened
from dispatcher.policy.facts import CHANNELS


@pytest.mark.parametrize(
    ("value", "line"),
    [
        (None, None),
        ("", None),
        (" \n", None),
        ("\u200b\u200e", None),
        ("王女士", "王女士"),
        ("  a \n\n b\t", "a b"),
        ("【别家店】", "[别家店]"),
        ("全角\u3000空格", "全角 空格"),
        ("\u3164\u2800", None),
        ("-0001。", "-0001。"),
        ("︻别家店︼", "[别家店]"),
        ("\u3164", None),
        ("\u2800\u115f\u1160\uffa0\u034f\u17b4\u180b\U000e0101 ", None),
        ("\ufe0f", None),
        ("王\u3164女士", "王 女士"),
        ("太阳☀\ufe0f帽", "太阳☀帽"),
        ("—", None),
        ("...", None),
        ("☀", "☀"),
        ("（7）", "（7）"),
    ],
)
def test_value_is_brought_to_one_line(value: str | None, line: str | None) -> None:
    assert one_line(value) == line


@pytest.mark.parametrize(
    ("value", "columns", "short"),
    [
        ("连衣裙", 6, "连衣裙"),
        ("连衣裙碎", 6, "连衣…"),
        ("abcdef", 6, "abcdef"),
        ("abcdefg", 6, "abcd…"),
        ("夏季 连衣裙", 7, "夏季…"),
        ("ab连衣裙", 6, "ab连…"),
    ],
)
def test_value_is_cut_by_display_width(value: str, columns: int, short: str) -> None:
    assert shortened(value, columns) == short


@pytest.mark.parametrize(
    ("value", "told"),
    [
        ("王女士，", "王女士"),
        (": M码。", "M码"),
        ("Ring the bell.", "Ring the bell"),
        ("明天送？", "明天送？"),
        (".NET入门", ".NET入门"),
        ("🌸", "🌸"),
        ("，。", None),
        ("【】", None),
        ("（ ）", None),
        ("...", None),
        ("-", None),
        ("\u3164", None),
        ("\u2800", None),
        ("\ufe0f", None),
        ("null", None),
        (" None ", None),
        ("N/A", None),
        ("无", None),
        ("无袖", "无袖"),
        ("Nullarbor", "Nullarbor"),
    ],
)
def test_value_loses_the_stops_around_it_and_one_that_says_nothing_is_missing(
    value: str, told: str | None
) -> None:
    assert shortened(value, 40) == told


@given(st.text(max_size=80), st.integers(min_value=2, max_value=40))
def test_shortened_value_never_has_more_characters_than_columns(value: str, columns: int) -> None:
    short = shortened(value, columns)

    assert short is None or 0 < len(short) <= columns


@pytest.mark.parametrize(
    ("total", "currency", "words"),
    [
        ("299.00", "CNY", "299元"),
        ("299", "CNY", "299元"),
        ("299.50", "CNY", "299.50元"),
        ("299.5", "CNY", "299.50元"),
        ("0.01", "CNY", "0.01元"),
        ("300", "CNY", "300元"),
        ("12.345", "CNY", "12.345元"),
        ("20.00", "USD", "20美元"),
        ("20.00", "CHF", "20 CHF"),
        ("0099.50", "CNY", "99.50元"),
        ("00.50", "CNY", "0.50元"),
        ("000", "CNY", "0元"),
    ],
)
def test_amount_in_words(total: str, currency: str, words: str) -> None:
    assert amount(total, currency) == words


NOON = datetime(2026, 7, 8, 12, tzinfo=ZoneInfo("Asia/Shanghai"))


@pytest.mark.parametrize(
    ("days", "clock", "chat", "sms", "phone"),
    [
        (0, (10, 12), "今天10:12", "今日10:12", "今天上午10点12分"),
        (-1, (21, 5), "昨天21:05", "昨日21:05", "昨天晚上9点零5分"),
        (1, (9, 30), "明天9:30", "明日9:30", "明天上午9点半"),
        (0, (0, 0), "今天0:00", "今日0:00", "今天凌晨0点"),
        (0, (5, 59), "今天5:59", "今日5:59", "今天凌晨5点59分"),
        (0, (8, 0), "今天8:00", "今日8:00", "今天早上8点"),
        (0, (12, 15), "今天12:15", "今日12:15", "今天中午12点15分"),
        (0, (13, 0), "今天13:00", "今日13:00", "今天下午1点"),
        (0, (17, 59), "今天17:59", "今日17:59", "今天下午5点59分"),
        (0, (18, 0), "今天18:00", "今日18:00", "今天晚上6点"),
        (0, (23, 59), "今天23:59", "今日23:59", "今天晚上11点59分"),
        (-2, (10, 0), "7月6日10:00", "7月6日10:00", "7月6日上午10点"),
        (2, (10, 0), "7月10日10:00", "7月10日10:00", "7月10日上午10点"),
        (-200, (10, 0), "2025年12月20日10:00", "2025年12月20日10:00", "2025年12月20日上午10点"),
    ],
)
def test_local_time_in_words(days: int, clock: tuple[int, int], chat: str, sms: str, phone: str) -> None:
    moment = (NOON + timedelta(days=days)).replace(hour=clock[0], minute=clock[1])

    words = tuple(CHINESE.moment(moment, NOON.toordinal(), channel) for channel in CHANNELS)

    assert words == (chat, sms, phone)


@pytest.mark.parametrize(
    ("days", "clock", "written", "spoken"),
    [
        (0, (10, 12), "10:12 today", "10:12 am today"),
        (-1, (21, 5), "21:05 yesterday", "9:05 pm yesterday"),
        (1, (9, 0), "9:00 tomorrow", "9 am tomorrow"),
        (0, (0, 0), "0:00 today", "midnight today"),
        (0, (0, 30), "0:30 today", "12:30 am today"),
        (0, (12, 0), "12:00 today", "noon today"),
        (0, (12, 15), "12:15 today", "12:15 pm today"),
        (-2, (10, 0), "10:00 on 6 July", "10 am on 6 July"),
        (-200, (10, 0), "10:00 on 20 December 2025", "10 am on 20 December 2025"),
    ],
)
def test_local_time_in_english_words(days: int, clock: tuple[int, int], written: str, spoken: str) -> None:
    moment = (NOON + timedelta(days=days)).replace(hour=clock[0], minute=clock[1])

    words = tuple(ENGLISH.moment(moment, NOON.toordinal(), channel) for channel in CHANNELS)

    assert words == (written, written, spoken)


@pytest.mark.parametrize(
    ("milliseconds", "chinese", "english"),
    [
        (0, "0分钟", "0 minutes"),
        (59_999, "0分钟", "0 minutes"),
        (60_000, "1分钟", "1 minute"),
        (25 * 60_000, "25分钟", "25 minutes"),
        (3_600_000, "1小时", "1 hour"),
        (80 * 60_000, "1小时20分钟", "1 hour 20 minutes"),
        (24 * 3_600_000, "1天", "1 day"),
        (36 * 3_600_000, "1天12小时", "1 day 12 hours"),
        (30 * 24 * 3_600_000, "30天", "30 days"),
    ],
)
def test_how_long_something_lasts_in_words(milliseconds: int, chinese: str, english: str) -> None:
    assert (CHINESE.lasting(milliseconds), ENGLISH.lasting(milliseconds)) == (chinese, english)


@pytest.mark.parametrize(
    ("told", "chinese", "english"),
    [(["a"], "a", "a"), (["a", "b"], "a和b", "a and b"), (["a", "b", "c"], "a、b和c", "a, b and c")],
)
def test_several_are_told_one_after_the_other(told: list[str], chinese: str, english: str) -> None:
    assert (CHINESE.listed(told), ENGLISH.listed(told)) == (chinese, english)


def test_english_has_the_sign_of_the_currency_in_front() -> None:
    total = ENGLISH.money("299.50", "CNY")

    assert (total, total.symbol) == ("¥299.50", "¥299.50")


@pytest.mark.parametrize(
    ("characters", "billed"),
    [(0, 0), (1, 1), (70, 1), (71, 2), (134, 2), (135, 3), (201, 3), (202, 4)],
)
def test_mainland_segments(characters: int, billed: int) -> None:
    assert segments("a" * characters) == billed
    assert segments("字" * characters) == billed
