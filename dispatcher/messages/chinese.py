"""Chinese words for times, sums and numbers of things."""

from collections.abc import Sequence
from datetime import datetime

from dispatcher.messages.times import FAR_DAYS, Moment, moment
from dispatcher.messages.values import amount
from dispatcher.messages.words import Words
from dispatcher.policy.facts import Channel
from dispatcher.policy.zones import DAY, HOUR, MINUTE

_TALKED = {-1: "昨天", 0: "今天", 1: "明天"}
_WRITTEN = {-1: "昨日", 0: "今日", 1: "明日"}
_DAY_WORDS: dict[Channel, dict[int, str]] = {"chat": _TALKED, "sms": _WRITTEN, "phone": _TALKED}

_PARTS_OF_DAY = ((6, "凌晨"), (9, "早上"), (12, "上午"), (13, "中午"), (18, "下午"), (24, "晚上"))


def in_words(told: datetime, today: int, channel: Channel) -> Moment:
    """`今天10:12`, `昨日21:05`, `7月8日9:30`; on the phone `今天上午10点12分`."""
    days = told.toordinal() - today
    day = _DAY_WORDS[channel].get(days) or _date(told, days)
    clock = _spoken(told.hour, told.minute) if channel == "phone" else f"{told.hour}:{told.minute:02}"
    return moment(day + clock, clock)


def _date(told: datetime, days: int) -> str:
    year = f"{told.year}年" if abs(days) > FAR_DAYS else ""
    return f"{year}{told.month}月{told.day}日"


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


def _lasting(milliseconds: int) -> str:
    """`30天`, `12小时`, `1小时20分钟`, `25分钟`."""
    if milliseconds >= DAY:
        days, hours = milliseconds // DAY, milliseconds % DAY // HOUR
        return f"{days}天{hours}小时" if hours else f"{days}天"
    hours, minutes = milliseconds // HOUR, milliseconds % HOUR // MINUTE
    return f"{hours}小时" * (hours > 0) + f"{minutes}分钟" * (minutes > 0 or not hours)


def _listed(told: Sequence[str]) -> str:
    return "和".join(filter(None, ("、".join(told[:-1]), told[-1])))


CHINESE = Words(
    coupon="优惠券",
    pay="付款",
    pay_on={"pdd": "支付"},
    moment=in_words,
    money=amount,
    lasting=_lasting,
    listed=_listed,
    several=lambda name, pieces: f"{name}等{pieces}件商品",
    pieces=lambda name, pieces: f"{name}共{pieces}件",
)
"""The words of zh-CN."""
