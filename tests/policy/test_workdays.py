"""Days that are worked, and days that a policy opens."""

from datetime import date

import pytest

from dispatcher.policy.terms import OpenDays
from dispatcher.policy.workdays import calendar, is_open, last_known_year, working_day


def test_a_year_the_calendar_does_not_know_has_plain_weekdays() -> None:
    assert working_day(date(2045, 10, 2))
    assert not working_day(date(2045, 10, 1))
    assert not working_day(date(1990, 10, 6))


@pytest.mark.parametrize(
    ("day", "weekdays", "chinese"),
    [
        (date(2026, 11, 11), True, True),  # a Wednesday
        (date(2026, 11, 14), False, False),  # a Saturday
        (date(2026, 10, 1), True, False),  # the National Day, a Thursday
        (date(2026, 10, 10), False, True),  # a Saturday that makes up for it
        (date(2026, 2, 17), True, False),  # the Spring Festival, a Tuesday
    ],
)
def test_workdays_with_and_without_the_chinese_calendar(day: date, weekdays: bool, chinese: bool) -> None:
    assert is_open(day.toordinal(), "workdays", None) is weekdays
    assert is_open(day.toordinal(), "workdays", "cn") is chinese


@pytest.mark.parametrize(
    ("days", "open_on"),
    [
        ("every", [9, 10, 11, 12, 13, 14, 15]),
        ("workdays", [9, 10, 11, 12, 13]),
        (("mon",), [9]),
        (("tue", "sun"), [10, 15]),
    ],
)
def test_the_days_of_a_week_that_begins_on_monday_the_ninth(days: OpenDays, open_on: list[int]) -> None:
    found = [day for day in range(9, 16) if is_open(date(2026, 11, day).toordinal(), days, None)]

    assert found == open_on


def test_only_workdays_by_a_calendar_stand_on_what_it_knows() -> None:
    assert calendar("workdays", "cn") == last_known_year()
    assert calendar("workdays", None) is None
    assert calendar("every", "cn") is None
    assert calendar(("mon",), "cn") is None
    assert calendar(None, "cn") is None
