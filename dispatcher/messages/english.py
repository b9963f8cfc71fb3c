"""English words for times, sums and numbers of things."""

from collections.abc import Sequence
from datetime import datetime

from dispatcher.messages.times import FAR_DAYS, Moment, moment
from dispatcher.messages.values import Money, amount
from dispatcher.messages.words import Words
from dispatcher.policy.facts import Channel
from dispatcher.policy.zones import DAY, HOUR, MINUTE

_DAYS = {-1: "yesterday", 0: "today", 1: "tomorrow"}
_MONTHS = (
    "January", "February", "March", "April", "May", "June", "July", "August", "September", "October",
    "November", "December",
)  # fmt: skip


def in_words(told: datetime, today: int, channel: Channel) -> Moment:
    """`10:12 today`, `9:30 on 8 July`; on the phone `10:12 am today`."""
    days = told.toordinal() - today
    clock = _spoken(told.hour, told.minute) if channel == "phone" else f"{told.hour}:{told.minute:02}"
    return moment(f"{clock} {_DAYS.get(days) or _date(told, days)}", clock)


def _date(told: datetime, days: int) -> str:
    year = f" {told.year}" if abs(days) > FAR_DAYS else ""
    return f"on {told.day} {_MONTHS[told.month - 1]}{year}"


def _spoken(hour: int, minute: int) -> str:
    if minute == 0 and hour in (0, 12):
        return "midnight" if hour == 0 else "noon"
    minutes = f":{minute:02}" if minute else ""
    return f"{hour % 12 or 12}{minutes} {'am' if hour < 12 else 'pm'}"


def _money(total: str, currency: str) -> Money:
    """`¥299`: English has the sign in front, as the filter `symbol` has it."""
    found = amount(total, currency)
    money = Money(found.symbol)
    money.symbol = found.symbol
    return money


def _lasting(milliseconds: int) -> str:
    """`30 days`, `12 hours`, `1 hour 20 minutes`, `25 minutes`."""
    if milliseconds >= DAY:
        units = (_count(milliseconds // DAY, "day"), _count(milliseconds % DAY // HOUR, "hour"))
    else:
        units = (_count(milliseconds // HOUR, "hour"), _count(milliseconds % HOUR // MINUTE, "minute"))
    return " ".join(filter(None, units)) or "0 minutes"


def _count(number: int, unit: str) -> str:
    return f"{number} {unit}{'s' * (number > 1)}" if number else ""


def _listed(told: Sequence[str]) -> str:
    return " and ".join(filter(None, (", ".join(told[:-1]), told[-1])))


ENGLISH = Words(
    coupon="coupon",
    pay="pay",
    pay_on={},
    moment=in_words,
    money=_money,
    lasting=_lasting,
    listed=_listed,
    several=lambda name, pieces: f"{name} and more, {pieces} items",
    pieces=lambda name, pieces: f"{pieces} × {name}",
)
"""The words of en."""
