"""Instants, local days and the clock changes between them."""

from datetime import UTC, date, datetime
from zoneinfo import available_timezones

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from dispatcher.policy.zones import day_bounds, instant, iso, local, zone, zone_names
from tests.policy.examples import DAY, HOUR, MINUTE, at

INSTANTS = st.integers(
    min_value=round(datetime(2020, 1, 1, tzinfo=UTC).timestamp() * 1000),
    max_value=round(datetime(2035, 12, 31, tzinfo=UTC).timestamp() * 1000),
)
ZONES = st.sampled_from(sorted(zone_names()))


@pytest.mark.parametrize(
    "name",
    ["Mars/Olympus", "", "UTC+8", "../etc/passwd", "/etc/localtime", "Asia", "asia/shanghai", "localtime"],
)
def test_an_unknown_zone_is_an_error(name: str) -> None:
    with pytest.raises(KeyError):
        zone(name)


def test_every_place_of_the_zone_database_is_known() -> None:
    missing = available_timezones() - zone_names()

    assert missing <= {"Factory", "localtime", "posixrules"}


@pytest.mark.parametrize(
    ("name", "day", "minutes", "expected"),
    [
        ("Asia/Shanghai", date(2026, 11, 11), 9 * 60, "2026-11-11T01:00:00.000Z"),
        ("Asia/Shanghai", date(2026, 11, 11), 24 * 60, "2026-11-11T16:00:00.000Z"),
        # 02:00 to 03:00 is skipped: any time in it means the end of the gap.
        ("America/New_York", date(2026, 3, 8), 2 * 60, "2026-03-08T07:00:00.000Z"),
        ("America/New_York", date(2026, 3, 8), 2 * 60 + 30, "2026-03-08T07:00:00.000Z"),
        ("America/New_York", date(2026, 3, 8), 3 * 60, "2026-03-08T07:00:00.000Z"),
        # Lord Howe moves its clocks by half an hour.
        ("Australia/Lord_Howe", date(2026, 10, 4), 2 * 60 + 15, "2026-10-03T15:30:00.000Z"),
        # Midnight itself is skipped.
        ("America/Santiago", date(2026, 9, 6), 0, "2026-09-06T04:00:00.000Z"),
    ],
)
def test_a_clock_time_is_one_instant(name: str, day: date, minutes: int, expected: str) -> None:
    assert iso(instant(day, minutes, zone(name))) == expected


@pytest.mark.parametrize(
    ("name", "day", "clock", "apart"),
    [
        ("America/New_York", date(2026, 11, 1), 90, HOUR),
        ("Europe/London", date(2026, 10, 25), 90, HOUR),
        ("Australia/Lord_Howe", date(2026, 4, 5), 105, 30 * MINUTE),
        ("Asia/Shanghai", date(2026, 4, 5), 105, 0),
    ],
)
def test_a_repeated_clock_time_is_the_earlier_instant_unless_the_later_is_asked_for(
    name: str, day: date, clock: int, apart: int
) -> None:
    early, late = instant(day, clock, zone(name)), instant(day, clock, zone(name), later=True)

    assert late - early == apart


@pytest.mark.parametrize(
    ("name", "noon", "hours"),
    [
        ("Asia/Shanghai", "2026-03-08 12:00", 24),
        ("America/New_York", "2026-03-08 12:00", 23),
        ("America/New_York", "2026-11-01 12:00", 25),
        ("Europe/London", "2026-03-29 12:00", 23),
        ("Europe/London", "2026-10-25 12:00", 25),
        ("Australia/Lord_Howe", "2026-10-04 12:00", 23.5),
        ("America/Santiago", "2026-09-06 12:00", 23),
    ],
)
def test_a_local_day_has_the_hours_its_clocks_give_it(name: str, noon: str, hours: float) -> None:
    start, end = day_bounds(at(noon, name), zone(name))

    assert (end - start) / HOUR == hours


@given(INSTANTS, ZONES)
@settings(deadline=None)
def test_the_local_day_holds_its_instant_and_nothing_of_another_date(moment: int, name: str) -> None:
    tz = zone(name)

    start, end = day_bounds(moment, tz)

    assert start <= moment < end <= start + DAY + 3 * HOUR
    assert local(start, tz).date() == local(moment, tz).date() == local(end - 1, tz).date()
    assert local(start - 1, tz).date() < local(moment, tz).date() < local(end, tz).date()


@given(INSTANTS, ZONES, st.integers(0, 1440))
@settings(deadline=None)
def test_a_clock_time_is_the_first_instant_that_shows_it_or_something_later(
    moment: int, name: str, minutes: int
) -> None:
    tz = zone(name)
    day = local(moment, tz).date()

    found = instant(day, minutes, tz)

    before, after = local(found - 1, tz), local(found, tz)
    assert (before.date(), before.hour * 60 + before.minute) < (day, minutes)
    assert after.date() > day or after.hour * 60 + after.minute >= minutes


@given(INSTANTS)
def test_iso_is_utc_with_milliseconds(moment: int) -> None:
    text = iso(moment)

    assert text == datetime.fromtimestamp(moment / 1000, UTC).isoformat(timespec="milliseconds")[:-6] + "Z"


@given(INSTANTS, ZONES)
@settings(deadline=None)
def test_local_keeps_the_instant(moment: int, name: str) -> None:
    assert round(local(moment, zone(name)).timestamp() * 1000) == moment
