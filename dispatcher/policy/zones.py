"""Instants and local clocks: the only place where a zone's rules are applied.

A clock time that a zone skips means the first instant after the gap. One that comes twice means the
earlier instant, or the later one when asked for. An unknown zone is an error, never UTC.
"""

from datetime import UTC, date, datetime, time, timedelta
from functools import lru_cache
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError, available_timezones

from dispatcher.policy.facts import Instant

SECOND = 1_000
MINUTE = 60 * SECOND
HOUR = 60 * MINUTE
DAY = 24 * HOUR
DAY_MINUTES = 24 * 60

FOREVER: Instant = 253_402_300_799_999
"""Later than anything that happens: the last millisecond of the year 9999."""

# An audit record holds a dozen instants, so that formatting them would cost a third of a decision.
_ISO_SECONDS = tuple(f":{second:02d}." for second in range(60))
_ISO_MILLISECONDS = tuple(f"{millisecond:03d}Z" for millisecond in range(SECOND))

# These depend on the machine or stand for "not set", so they name no place.
_NO_PLACE = frozenset({"Factory", "localtime", "posixrules"})


@lru_cache(maxsize=1)
def zone_names() -> frozenset[str]:
    """The IANA names that `zone` knows."""
    return frozenset(available_timezones()) - _NO_PLACE


@lru_cache(maxsize=1024)
def zone(name: str) -> ZoneInfo:
    """The zone of an IANA name; raises `KeyError` for any other text."""
    if name not in zone_names():
        raise ZoneInfoNotFoundError("unknown time zone")
    return ZoneInfo(name)


def local(at: Instant, tz: ZoneInfo) -> datetime:
    """What clock and calendar show in `tz` at an instant, to the millisecond."""
    shown = datetime.fromtimestamp(at // 1000, tz)
    milliseconds = at % 1000
    return shown.replace(microsecond=milliseconds * 1000) if milliseconds else shown


def day_number(at: Instant, tz: ZoneInfo) -> int:
    """The local date at an instant, as `date.toordinal` counts."""
    # Offsets are whole minutes and change on whole minutes, and a batch is decided at one instant.
    return _day_number(at // MINUTE, tz)


@lru_cache(maxsize=16_384)
def _day_number(minute: int, tz: ZoneInfo) -> int:
    return datetime.fromtimestamp(minute * 60, tz).toordinal()


@lru_cache(maxsize=16_384)
def instant(day: date, minutes: int, tz: ZoneInfo, *, later: bool = False) -> Instant:
    """The instant at which the clock in `tz` shows `minutes` (0 to 1440) after midnight of `day`."""
    wall = datetime.combine(day, time()) + timedelta(minutes=minutes)
    early = int(wall.replace(tzinfo=tz).timestamp())
    late = int(wall.replace(tzinfo=tz, fold=1).timestamp())
    if early > late:
        return _end_of_gap(late, early, tz) * SECOND
    return (late if later else early) * SECOND


def _end_of_gap(before: int, after: int, tz: ZoneInfo) -> int:
    """The second of the one change of offset in `(before, after]`."""
    old = datetime.fromtimestamp(before, tz).utcoffset()
    while after - before > 1:
        middle = (before + after) // 2
        if datetime.fromtimestamp(middle, tz).utcoffset() == old:
            before = middle
        else:
            after = middle
    return after


def day_bounds(at: Instant, tz: ZoneInfo) -> tuple[Instant, Instant]:
    """The local day `[start, end)` that holds an instant; 23 to 25 hours where clocks change."""
    return _bounds(day_number(at, tz), tz)


def yesterday_start(at: Instant, tz: ZoneInfo) -> Instant:
    """When the local day before the one that holds an instant began."""
    return _bounds(day_number(at, tz) - 1, tz)[0]


@lru_cache(maxsize=8192)
def _bounds(day: int, tz: ZoneInfo) -> tuple[Instant, Instant]:
    return instant(date.fromordinal(day), 0, tz), instant(date.fromordinal(day + 1), 0, tz)


@lru_cache(maxsize=16_384)
def iso(at: Instant) -> str:
    """An instant as the audit writes it: `2026-11-11T02:20:31.004Z`."""
    rest = at % MINUTE
    return _iso_minute(at // MINUTE) + _ISO_SECONDS[rest // SECOND] + _ISO_MILLISECONDS[rest % SECOND]


@lru_cache(maxsize=16_384)
def _iso_minute(minute: int) -> str:
    return datetime.fromtimestamp(minute * 60, UTC).isoformat()[:16]
