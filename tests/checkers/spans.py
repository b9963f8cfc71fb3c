"""Local days and daily windows as spans of instants, also where clocks are changed."""

from bisect import bisect_left
from datetime import date, datetime, time, timedelta
from functools import lru_cache

from tests.checkers.days import open_on
from tests.checkers.localtime import instant_of, local
from tests.checkers.terms import DAY, MINUTE, Days, Window

Span = tuple[int, int]
"""[start, end)."""

FOREVER = 253_402_300_799_999
"""The last millisecond that an instant may name."""

ALWAYS: Window = (0, 24 * 60)


@lru_cache(maxsize=100_000)
def day_of(at: int, zone: str) -> int:
    """Return the ordinal of the local day that holds an instant."""
    return local(at, zone).toordinal()


@lru_cache(maxsize=100_000)
def shown(day: int, minutes: int, zone: str, *, last: bool = False) -> int:
    """Return when a clock first or `last` shows a time of a day; a skipped time is the end of the skip."""
    wall = datetime.combine(date.fromordinal(day), time()) + timedelta(minutes=minutes)
    about = instant_of(wall.date(), _ms(wall), zone)
    offsets = {local(about + side, zone).utcoffset() for side in (-DAY, DAY)}
    in_utc = [wall - offset for offset in offsets if offset is not None]
    guesses = sorted(instant_of(guess.date(), _ms(guess), "UTC") for guess in in_utc)
    hits = [guess for guess in guesses if _wall(guess, zone) == wall]
    if hits:
        return hits[-1] if last else hits[0]
    minute = bisect_left(
        range(guesses[0] // MINUTE, guesses[-1] // MINUTE + 1),
        True,
        key=lambda minute: _wall(minute * MINUTE, zone) >= wall,
    )
    return guesses[0] + minute * MINUTE


def _ms(wall: datetime) -> int:
    return (wall.hour * 60 + wall.minute) * MINUTE


def _wall(at: int, zone: str) -> datetime:
    return local(at, zone).replace(tzinfo=None, fold=0)


@lru_cache(maxsize=100_000)
def day_span(at: int, zone: str) -> Span:
    """Return the local day that holds an instant."""
    day = day_of(at, zone)
    return shown(day, 0, zone), shown(day + 1, 0, zone)


def night_at(at: int, quiet: Window | None, zone: str, days: Days | None = None) -> Span | None:
    """Return the night that holds an instant, else the next one; the longer of two readings.

    A day that is not one of `days` is night as a whole.
    """
    if days is not None and quiet != ALWAYS:
        return _nearest(at, _nights_and_closed_days(day_of(at, zone), quiet, zone, days))
    if quiet is None:
        return None
    return (0, FOREVER) if quiet == ALWAYS else _next(at, (quiet,), zone, wide=True)


def opening_at(
    at: int, windows: tuple[Window, ...] | None, zone: str, days: Days | None = None
) -> Span | None:
    """Return the span for calls that holds an instant, else the next one; the shorter of two readings.

    A day that is not one of `days` has none.
    """
    if days is not None:
        return _nearest(at, _windows_of_open_days(day_of(at, zone), windows, zone, days))
    return None if windows is None else _next(at, windows, zone, wide=False)


def _next(at: int, windows: tuple[Window, ...], zone: str, *, wide: bool) -> Span:
    spans = _spans(day_of(at, zone), windows, zone, wide)
    return next((span for span in spans if at < span[1]), (FOREVER, FOREVER))


@lru_cache(maxsize=10_000)
def _spans(day: int, windows: tuple[Window, ...], zone: str, wide: bool) -> list[Span]:
    """The spans from yesterday to the day after tomorrow; those that touch are one."""
    merged: list[Span] = []
    for number in range(day - 1, day + 3):
        for start, end in windows:
            first = shown(number, start, zone, last=not wide)
            until = shown(number if start < end else number + 1, end, zone, last=wide)
            if merged and first <= merged[-1][1]:
                merged[-1] = merged[-1][0], max(until, merged[-1][1])
            elif first < until:
                merged.append((first, until))
    return merged


FAR = 40
"""So many days around an instant hold every row of open or closed days that touches it, and the next one."""


def _nearest(at: int, pieces: list[Span]) -> Span:
    """The piece that holds an instant or comes next, with all that touch it on either side."""
    start, end = min((piece for piece in pieces if at < piece[1]), default=(FOREVER, FOREVER))
    while touching := [
        piece for piece in pieces if piece[0] < start <= piece[1] or piece[0] <= end < piece[1]
    ]:
        start, end = min(start, *(each[0] for each in touching)), max(end, *(each[1] for each in touching))
    return start, end


@lru_cache(maxsize=10_000)
def _nights_and_closed_days(day: int, quiet: Window | None, zone: str, days: Days) -> list[Span]:
    around = range(day - FAR, day + FAR)
    pieces = [(shown(each, 0, zone), shown(each + 1, 0, zone)) for each in around if not open_on(each, days)]
    if quiet is not None:
        start, end = quiet
        pieces += [
            (shown(each, start, zone), shown(each if start < end else each + 1, end, zone, last=True))
            for each in around
        ]
    return [piece for piece in pieces if piece[0] < piece[1]]


@lru_cache(maxsize=10_000)
def _windows_of_open_days(day: int, windows: tuple[Window, ...] | None, zone: str, days: Days) -> list[Span]:
    opened = [each for each in range(day - FAR, day + FAR) if open_on(each, days)]
    if windows is None:
        return [(shown(each, 0, zone), shown(each + 1, 0, zone)) for each in opened]
    pieces = [
        (shown(each, start, zone, last=True), shown(each, end, zone))
        for each in opened
        for start, end in windows
    ]
    return [piece for piece in pieces if piece[0] < piece[1]]
