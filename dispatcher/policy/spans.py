"""Daily windows of a local clock as spans of instants."""

from datetime import date
from functools import lru_cache
from zoneinfo import ZoneInfo

from dispatcher.policy.facts import Instant
from dispatcher.policy.terms import Phone, QuietHours, Window
from dispatcher.policy.zones import DAY_MINUTES, FOREVER, day_number, instant

Span = tuple[Instant, Instant]
"""`[start, end)`."""

_WHOLE_DAY: Window = (0, DAY_MINUTES)


def night(quiet: QuietHours | None, at: Instant, tz: ZoneInfo) -> Span | None:
    """The quiet span that holds an instant, else the next one; `None` when there are none.

    Where the clock shows a bound twice, the span is the longer one.
    """
    if quiet is None or quiet.start == quiet.end:
        return None
    window = (quiet.start, quiet.end)
    if window == _WHOLE_DAY:
        return 0, FOREVER
    return _ending_after(at, _around(day_number(at, tz), (window,), tz, True))


def opening(phone: Phone | None, at: Instant, tz: ZoneInfo) -> Span | None:
    """The span for calls that holds an instant, else the next one; `None` when calls may go at any hour.

    Where the clock shows a bound twice, the span is the shorter one.
    """
    if phone is None or phone.windows is None or phone.windows == (_WHOLE_DAY,):
        return None
    return _ending_after(at, _around(day_number(at, tz), phone.windows, tz, False))


def _ending_after(at: Instant, spans: tuple[Span, ...]) -> Span:
    for span in spans:
        if at < span[1]:
            return span
    return FOREVER, FOREVER


@lru_cache(maxsize=8192)
def _around(day: int, windows: tuple[Window, ...], tz: ZoneInfo, wide: bool) -> tuple[Span, ...]:
    """The spans of the day before to two days after, joined where they touch."""
    joined: list[Span] = []
    for number in range(day - 1, day + 3):
        for window in windows:
            start, end = _span(number, window, tz, wide=wide)
            if joined and start <= joined[-1][1]:
                joined[-1] = (joined[-1][0], max(end, joined[-1][1]))
            elif start < end:
                # A window that the clock skips, or that lies in a repeated hour, is not there that day.
                joined.append((start, end))
    return tuple(joined)


def _span(day: int, window: Window, tz: ZoneInfo, *, wide: bool) -> Span:
    start, end = window
    last = day if start < end else day + 1
    return (
        instant(date.fromordinal(day), start, tz, later=not wide),
        instant(date.fromordinal(last), end, tz, later=wide),
    )
