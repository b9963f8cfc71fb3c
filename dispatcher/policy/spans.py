"""Daily windows and closed days of a local calendar as spans of instants."""

from collections.abc import Iterable
from datetime import date
from functools import lru_cache
from zoneinfo import ZoneInfo

from dispatcher.policy.facts import Instant
from dispatcher.policy.terms import Holidays, OpenDays, Phone, Policy, QuietHours, Window
from dispatcher.policy.workdays import is_open
from dispatcher.policy.zones import DAY_MINUTES, FOREVER, MINUTE, day_number, instant

Span = tuple[Instant, Instant]
"""`[start, end)`."""

LOOK_AHEAD_DAYS = 31
"""So many days before and after an instant are searched for where a row of open or closed days ends."""

_WHOLE_DAY: Window = (0, DAY_MINUTES)


def quiet_span(policy: Policy, at: Instant, tz: ZoneInfo) -> Span | None:
    """The night that holds an instant, else the next one; days closed for reminders are part of it."""
    return _quiet_span(policy, at // MINUTE, tz)


# Spans begin and end on whole minutes, and orders come in crowds: within a minute the answer is the same.
@lru_cache(maxsize=8192)
def _quiet_span(policy: Policy, minute: int, tz: ZoneInfo) -> Span | None:
    at = minute * MINUTE
    quiet, days = policy.quiet_hours, policy.days
    if days is None or days.reminders is None or days.reminders == "every":
        return night(quiet, at, tz)
    window = _window(quiet)
    if window == _WHOLE_DAY:
        return 0, FOREVER
    return _ending_after(at, _closed_around(day_number(at, tz), window, days.reminders, policy.holidays, tz))


def call_span(policy: Policy, at: Instant, tz: ZoneInfo) -> Span | None:
    """The span for calls that holds an instant, else the next one, on the days open for calls."""
    return _call_span(policy, at // MINUTE, tz)


@lru_cache(maxsize=8192)
def _call_span(policy: Policy, minute: int, tz: ZoneInfo) -> Span | None:
    at = minute * MINUTE
    phone, days = policy.phone, policy.days
    if days is None or days.calls is None or days.calls == "every":
        return opening(phone, at, tz)
    windows = (_WHOLE_DAY,) if phone is None or phone.windows is None else phone.windows
    return _ending_after(at, _open_around(day_number(at, tz), windows, days.calls, policy.holidays, tz))


def night(quiet: QuietHours | None, at: Instant, tz: ZoneInfo) -> Span | None:
    """The quiet span that holds an instant, else the next one; `None` when there are none.

    Where the clock shows a bound twice, the span is the longer one.
    """
    window = _window(quiet)
    if window is None:
        return None
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


def _window(quiet: QuietHours | None) -> Window | None:
    return None if quiet is None or quiet.start == quiet.end else (quiet.start, quiet.end)


def _ending_after(at: Instant, spans: tuple[Span, ...]) -> Span:
    for span in spans:
        if at < span[1]:
            return span
    return FOREVER, FOREVER


@lru_cache(maxsize=8192)
def _around(day: int, windows: tuple[Window, ...], tz: ZoneInfo, wide: bool) -> tuple[Span, ...]:
    """The spans of the day before to two days after, joined where they touch."""
    return _joined(
        _span(number, window, tz, wide=wide) for number in range(day - 1, day + 3) for window in windows
    )


@lru_cache(maxsize=8192)
def _closed_around(
    day: int, window: Window | None, days: OpenDays, holidays: Holidays | None, tz: ZoneInfo
) -> tuple[Span, ...]:
    """The nights and closed days that touch a day, and the first after it."""
    spans: list[Span] = []
    for number in _near(day):
        if not is_open(number, days, holidays):
            spans.append(_whole(number, tz))
        if window is not None:
            spans.append(_span(number, window, tz, wide=True))
    return _from_day(day, _joined(spans), tz)


@lru_cache(maxsize=8192)
def _open_around(
    day: int, windows: tuple[Window, ...], days: OpenDays, holidays: Holidays | None, tz: ZoneInfo
) -> tuple[Span, ...]:
    """The windows on open days that touch a day, and the first after it."""
    spans = [
        _whole(number, tz) if window == _WHOLE_DAY else _span(number, window, tz, wide=False)
        for number in _near(day)
        if is_open(number, days, holidays)
        for window in windows
    ]
    return _from_day(day, _joined(spans), tz)


def _near(day: int) -> range:
    return range(day - LOOK_AHEAD_DAYS, day + LOOK_AHEAD_DAYS + 1)


def _from_day(day: int, spans: tuple[Span, ...], tz: ZoneInfo) -> tuple[Span, ...]:
    """Of two months only what an instant of the day can ask for."""
    start, end = _whole(day, tz)
    left = [span for span in spans if span[1] > start]
    within = sum(span[0] < end for span in left)
    return tuple(left[: within + 1])


def _joined(spans: Iterable[Span]) -> tuple[Span, ...]:
    joined: list[Span] = []
    for start, end in spans:
        if joined and start <= joined[-1][1]:
            joined[-1] = (joined[-1][0], max(end, joined[-1][1]))
        elif start < end:
            # A window that the clock skips, or that lies in a repeated hour, is not there that day.
            joined.append((start, end))
    return tuple(joined)


def _whole(day: int, tz: ZoneInfo) -> Span:
    """A local day; where midnight comes twice, both belong to the new day."""
    return instant(date.fromordinal(day), 0, tz), instant(date.fromordinal(day + 1), 0, tz)


def _span(day: int, window: Window, tz: ZoneInfo, *, wide: bool) -> Span:
    start, end = window
    last = day if start < end else day + 1
    return (
        instant(date.fromordinal(day), start, tz, later=not wide),
        instant(date.fromordinal(last), end, tz, later=wide),
    )
