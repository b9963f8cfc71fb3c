"""A time in words, of whatever language."""

from collections.abc import Callable
from datetime import datetime
from functools import lru_cache
from zoneinfo import ZoneInfo

from dispatcher.policy.facts import Channel
from dispatcher.policy.zones import MINUTE, local

FAR_DAYS = 180
"""A date further away than this is told with its year."""


class Moment(str):
    """A time in words, such as `今天10:12`; `clock` is its time of day alone, such as `10:12`."""

    __slots__ = ("clock",)

    clock: str


def moment(words: str, clock: str) -> Moment:
    """The words with the time of day that is in them."""
    told = Moment(words)
    told.clock = clock
    return told


InWords = Callable[[datetime, int, Channel], Moment]
"""Says a local time on the day of that ordinal (as `date.toordinal` counts) there."""


@lru_cache(maxsize=16_384)
def said(in_words: InWords, minute: int, today: int, tz: ZoneInfo, channel: Channel) -> Moment:
    """A minute since the epoch in words as the clock in `tz` shows it, said on the day `today` there."""
    return in_words(local(minute * MINUTE, tz), today, channel)
