"""Which days are worked, by the week or by a calendar of holidays."""

from datetime import date
from functools import lru_cache
from typing import get_args

from dispatcher.policy.terms import Holidays, OpenDays, Weekday

WEEKDAYS: tuple[Weekday, ...] = get_args(Weekday)
"""As a policy names them, Monday first."""


def is_open(day: int, days: OpenDays, holidays: Holidays | None) -> bool:
    """Whether the day of that ordinal is one of `days`."""
    found = date.fromordinal(day)
    if days == "workdays":
        return working_day(found, chinese=holidays == "cn")
    return days == "every" or WEEKDAYS[found.weekday()] in days


@lru_cache(maxsize=1024)
def working_day(day: date, *, chinese: bool = True) -> bool:
    """Whether a day is worked: by the Chinese calendar of holidays and make-up days, else Monday to Friday.

    For a year whose calendar is not known yet it is Monday to Friday too.
    """
    if chinese:
        # Its tables cost some milliseconds, which only shops that need them pay.
        from chinese_calendar import is_workday  # noqa: PLC0415

        try:
            return bool(is_workday(day))
        except NotImplementedError:
            pass
    return day.weekday() < 5


@lru_cache(maxsize=1)
def last_known_year() -> int:
    """The last year whose Chinese holidays are known."""
    from chinese_calendar.constants import holidays  # noqa: PLC0415

    return int(max(holidays).year)


def calendar(days: OpenDays | None, holidays: Holidays | None) -> int | None:
    """The last year that the calendar knows which `days` stand on, `None` where they stand on none."""
    return last_known_year() if days == "workdays" and holidays == "cn" else None
