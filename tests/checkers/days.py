"""Which local days are open, by the week and by the Chinese calendar."""

from datetime import date
from functools import lru_cache

from chinese_calendar import is_workday
from chinese_calendar.constants import holidays

from tests.checkers.terms import Days

KNOWN_UNTIL = max(day.year for day in holidays)
"""The last year of which the Chinese calendar is known here."""


@lru_cache(maxsize=10_000)
def open_on(day: int, days: Days | None) -> bool:
    """Tell whether the day of an ordinal is open."""
    if days is None:
        return True
    if isinstance(days, str):
        return works(day, days == "workdays cn")
    return f"{date.fromordinal(day):%a}".lower() in days


@lru_cache(maxsize=10_000)
def works(day: int, chinese: bool) -> bool:
    """Tell whether a day is worked; a year that the calendar does not know has plain weekdays."""
    found = date.fromordinal(day)
    try:
        return bool(is_workday(found)) if chinese else found.weekday() < 5
    except NotImplementedError:  # its calendar ends with the last year that was announced
        return found.weekday() < 5
