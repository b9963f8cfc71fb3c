"""How often a customer may be reminded: per local day, and how long after the last time."""

from bisect import bisect_left
from zoneinfo import ZoneInfo

from dispatcher.policy.decisions import Limits
from dispatcher.policy.facts import Instant
from dispatcher.policy.terms import Caps
from dispatcher.policy.zones import FOREVER, day_bounds


def used_in_day(ledger: tuple[Instant, ...], at: Instant, tz: ZoneInfo) -> int:
    """Hand-offs within the local day that holds `at`."""
    if not ledger:
        return 0
    start, end = day_bounds(at, tz)
    return bisect_left(ledger, end) - bisect_left(ledger, start)


def day_full_until(
    caps: Caps | None, ledger: tuple[Instant, ...], at: Instant, tz: ZoneInfo
) -> Instant | None:
    """The end of the local day if its hand-offs are used up, `None` while one is left."""
    if caps is None or caps.per_day is None:
        return None
    if caps.per_day == 0:
        return FOREVER
    if len(ledger) < caps.per_day or used_in_day(ledger, at, tz) < caps.per_day:
        return None
    return day_bounds(at, tz)[1]


def gap_until(caps: Caps | None, ledger: tuple[Instant, ...], at: Instant) -> Instant | None:
    """When the least time since the last hand-off is over, `None` if it is."""
    if caps is None or caps.min_gap is None or not ledger:
        return None
    free = ledger[-1] + caps.min_gap
    return free if at < free else None


def limits(caps: Caps | None, at: Instant, tz: ZoneInfo) -> Limits:
    """What the commit is to check again for a hand-off at `at`."""
    start, end = day_bounds(at, tz)
    if caps is None:
        return Limits(day_start=start, day_end=end)
    return Limits(
        day_start=start,
        day_end=end,
        per_day=caps.per_day,
        min_gap=caps.min_gap,
        per_order=caps.per_order,
    )
