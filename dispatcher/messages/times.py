"""Local times in Chinese words, as a customer says them on the day of the message."""

from datetime import datetime
from functools import lru_cache
from zoneinfo import ZoneInfo

from dispatcher.policy.facts import Channel, Instant
from dispatcher.policy.zones import MINUTE, day_number, local

FAR_DAYS = 180
"""A date further away than this is told with its year."""

_TALKED = {-1: "昨天", 0: "今天", 1: "明天"}
_WRITTEN = {-1: "昨日", 0: "今日", 1: "明日"}
_DAY_WORDS: dict[Channel, dict[int, str]] = {"chat": _TALKED, "sms": _WRITTEN, "phone": _TALKED}

_PARTS_OF_DAY = ((6, "凌晨"), (9, "早上"), (12, "上午"), (13, "中午"), (18, "下午"), (24, "晚上"))


class Moment(str):
    """A time in words, such as `今天10:12`; `clock` is its time of day alone, such as `10:12`."""

    __slots__ = ("clock",)

    clock: str


def told(at: Instant, now: Instant, tz: ZoneInfo, channel: Channel) -> Moment:
    """An instant in words as the clock in `tz` shows it, said at the instant `now`."""
    return _told(at // MINUTE, day_number(now, tz), tz, channel)


@lru_cache(maxsize=16_384)
def _told(minute: int, today: int, tz: ZoneInfo, channel: Channel) -> Moment:
    return in_words(local(minute * MINUTE, tz), today, channel)


def in_words(moment: datetime, today: int, channel: Channel) -> Moment:
    """`今天10:12`, `昨日21:05`, `7月8日9:30`; on the phone `今天上午10点12分`.

    `today` is the date there, as `date.toordinal` counts.
    """
    days = moment.toordinal() - today
    day = _DAY_WORDS[channel].get(days) or _date(moment, days)
    spoken = channel == "phone"
    clock = _spoken(moment.hour, moment.minute) if spoken else f"{moment.hour}:{moment.minute:02}"
    words = Moment(day + clock)
    words.clock = clock
    return words


def _date(moment: datetime, days: int) -> str:
    year = f"{moment.year}年" if abs(days) > FAR_DAYS else ""
    return f"{year}{moment.month}月{moment.day}日"


def _spoken(hour: int, minute: int) -> str:
    part = next(word for until, word in _PARTS_OF_DAY if hour < until)
    clock = f"{part}{hour if hour <= 12 else hour - 12}点"
    match minute:
        case 0:
            return clock
        case 30:
            return clock + "半"
        case _ if minute < 10:
            return f"{clock}零{minute}分"
        case _:
            return f"{clock}{minute}分"
