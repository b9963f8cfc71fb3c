"""The timing table: when an order should be reminded of, by the local time it was placed (textbook)."""

from datetime import date, timedelta
from functools import lru_cache
from typing import Literal
from zoneinfo import ZoneInfo

import msgspec

from dispatcher.policy.facts import Instant
from dispatcher.policy.terms import Policy, Remind
from dispatcher.policy.zones import MINUTE, instant, local

Bound = Literal["start", "end"]


class Nominal(msgspec.Struct, frozen=True, gc=False):
    """The nominal instant of a first reminder.

    `bound` tells whether it is a fixed hour, shared with many orders: as a `start` (that hour or a
    little later) or as an `end` (that hour at the latest). `row` counts from 0.
    """

    at: Instant
    bound: Bound | None
    row: int


def nominal(placed_at: Instant, policy: Policy, tz: ZoneInfo) -> Nominal | None:
    """What the first row that holds the local time of placing says, or `None` if no row does."""
    found = _row(policy, placed_at // MINUTE, tz)
    if found is None:
        return None
    number, remind, day = found
    return Nominal(*_moment(remind, placed_at, day, tz), number)


# Orders come in crowds: many are placed within a minute.
@lru_cache(maxsize=8192)
def _row(policy: Policy, placed: int, tz: ZoneInfo) -> tuple[int, Remind, date] | None:
    """The row for a minute since the epoch, and the minute's local day."""
    shown = local(placed * MINUTE, tz)
    minute = shown.hour * 60 + shown.minute
    for number, row in enumerate(policy.cadence):
        if row.placed[0] <= minute < row.placed[1]:
            return number, row.remind, shown.date()
    return None


def _moment(remind: Remind, placed_at: Instant, day: date, tz: ZoneInfo) -> tuple[Instant, Bound | None]:
    if remind.next_day_at is not None:
        return instant(day + timedelta(days=1), remind.next_day_at, tz), "start"
    if remind.at is not None:
        fixed = instant(day, remind.at, tz)
        return (fixed, "start") if placed_at <= fixed else (placed_at, None)
    after = placed_at + (remind.after or 0)
    if remind.before is None:
        return after, None
    latest = instant(day, remind.before, tz)
    if after < latest:
        return after, None
    return (latest, "end") if placed_at < latest else (placed_at, None)
