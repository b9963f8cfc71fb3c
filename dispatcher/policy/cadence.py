"""The timing table: when an order should be reminded of, by the local time it was placed (textbook)."""

from datetime import date, timedelta
from typing import Literal, NamedTuple
from zoneinfo import ZoneInfo

from dispatcher.policy.facts import Instant
from dispatcher.policy.terms import Policy, Remind
from dispatcher.policy.zones import MINUTE, instant, local

Bound = Literal["start", "end"]


class Nominal(NamedTuple):
    """The nominal instant of a first reminder.

    `bound` tells whether it is a fixed hour, shared with many orders: as a `start` (that hour or a
    little later) or as an `end` (that hour at the latest). `row` counts from 0.
    """

    at: Instant
    bound: Bound | None
    row: int


def nominal(placed_at: Instant, policy: Policy, tz: ZoneInfo) -> Nominal | None:
    """What the first row that holds the local time of placing says, or `None` if no row does."""
    placed = local(placed_at - placed_at % MINUTE, tz)
    minute = placed.hour * 60 + placed.minute
    for number, row in enumerate(policy.cadence):
        if row.placed[0] <= minute < row.placed[1]:
            return Nominal(*_moment(row.remind, placed_at, placed.date(), tz), number)
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
