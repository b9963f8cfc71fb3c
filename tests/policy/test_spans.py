"""Nights and phone windows as instants, also where clocks change."""

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from dispatcher.policy.spans import night, opening
from dispatcher.policy.terms import Phone, QuietHours
from dispatcher.policy.units import format_clock, parse_clock, parse_end
from dispatcher.policy.zones import FOREVER, iso, zone
from tests.policy.examples import at, in_window
from tests.policy.test_zones import INSTANTS, ZONES

NEW_YORK, LONDON, LORD_HOWE = "America/New_York", "Europe/London", "Australia/Lord_Howe"
MINUTES = st.integers(0, 24 * 60 - 1)
# What a zone does with its clocks happens in the small hours, so windows are drawn there too.
EDGES = st.one_of(MINUTES, st.integers(0, 4 * 60))


def hours(start: str, end: str) -> QuietHours:
    return QuietHours(start=parse_clock(start), end=parse_end(end))


@pytest.mark.parametrize(
    ("zone_name", "start", "end", "now", "expected"),
    [
        (
            "Asia/Shanghai",
            "22:00",
            "09:00",
            "2026-11-11 21:59:59.999",
            ("2026-11-11 22:00", "2026-11-12 09:00"),
        ),
        ("Asia/Shanghai", "22:00", "09:00", "2026-11-11 22:00", ("2026-11-11 22:00", "2026-11-12 09:00")),
        ("Asia/Shanghai", "22:00", "09:00", "2026-11-12 00:00", ("2026-11-11 22:00", "2026-11-12 09:00")),
        (
            "Asia/Shanghai",
            "22:00",
            "09:00",
            "2026-11-12 08:59:59.999",
            ("2026-11-11 22:00", "2026-11-12 09:00"),
        ),
        ("Asia/Shanghai", "22:00", "09:00", "2026-11-12 09:00", ("2026-11-12 22:00", "2026-11-13 09:00")),
        ("Asia/Shanghai", "12:00", "14:00", "2026-11-12 13:00", ("2026-11-12 12:00", "2026-11-12 14:00")),
        ("Asia/Shanghai", "12:00", "14:00", "2026-11-12 14:00", ("2026-11-13 12:00", "2026-11-13 14:00")),
        ("Asia/Shanghai", "22:00", "24:00", "2026-11-11 23:00", ("2026-11-11 22:00", "2026-11-12 00:00")),
        # Spring: an hour less of night.
        (NEW_YORK, "22:00", "09:00", "2026-03-08 01:30", ("2026-03-07 22:00", "2026-03-08 09:00")),
        (NEW_YORK, "22:00", "02:30", "2026-03-08 01:30", ("2026-03-07 22:00", "2026-03-08 03:00")),
        (NEW_YORK, "02:30", "09:00", "2026-03-08 01:30", ("2026-03-08 03:00", "2026-03-08 09:00")),
        (LONDON, "01:15", "01:45", "2026-03-29 00:30", ("2026-03-30 01:15", "2026-03-30 01:45")),
        # Autumn: the night lasts to the second time the clock shows its end, and begins at the first.
        (NEW_YORK, "22:00", "09:00", "2026-11-01 01:30*", ("2026-10-31 22:00", "2026-11-01 09:00")),
        (NEW_YORK, "22:00", "01:30", "2026-11-01 01:40", ("2026-10-31 22:00", "2026-11-01 01:30*")),
        (LONDON, "01:30", "09:00", "2026-10-25 01:10*", ("2026-10-25 01:30", "2026-10-25 09:00")),
        (LORD_HOWE, "22:00", "01:45", "2026-04-05 01:50", ("2026-04-04 22:00", "2026-04-05 01:45*")),
        (LORD_HOWE, "22:00", "02:15", "2026-10-04 01:50", ("2026-10-03 22:00", "2026-10-04 02:30")),
    ],
)
def test_night(zone_name: str, start: str, end: str, now: str, expected: tuple[str, str]) -> None:
    span = night(hours(start, end), at(now, zone_name), zone(zone_name))

    assert span is not None
    assert [iso(bound) for bound in span] == [iso(at(bound, zone_name)) for bound in expected]


def test_equal_bounds_mean_no_night() -> None:
    assert night(hours("09:00", "09:00"), at("2026-11-11 09:00"), zone("Asia/Shanghai")) is None


def test_a_night_of_the_whole_day_never_ends() -> None:
    span = night(hours("00:00", "24:00"), at("2026-11-11 09:00"), zone("Asia/Shanghai"))

    assert span == (0, FOREVER)


def test_nights_that_touch_are_one() -> None:
    # The only minute between two nights is one that the clock skips.
    span = night(hours("02:16", "02:15"), at("2026-03-08 01:00", NEW_YORK), zone(NEW_YORK))

    assert span == (at("2026-03-07 02:16", NEW_YORK), at("2026-03-09 02:15", NEW_YORK))


@pytest.mark.parametrize(
    ("now", "expected"),
    [
        ("08:00", ("2026-11-11 09:00", "2026-11-11 12:00")),
        ("09:00", ("2026-11-11 09:00", "2026-11-11 12:00")),
        ("11:59:59.999", ("2026-11-11 09:00", "2026-11-11 12:00")),
        ("12:00", ("2026-11-11 14:00", "2026-11-11 20:00")),
        ("20:00", ("2026-11-12 09:00", "2026-11-12 12:00")),
    ],
)
def test_phone_window(now: str, expected: tuple[str, str]) -> None:
    phone = Phone(windows=((540, 720), (840, 1200)))

    span = opening(phone, at(f"2026-11-11 {now}"), zone("Asia/Shanghai"))

    assert span == (at(expected[0]), at(expected[1]))


@pytest.mark.parametrize("phone", [None, Phone(), Phone(windows=((0, 1440),))])
def test_without_windows_calls_may_go_at_any_hour(phone: Phone | None) -> None:
    assert opening(phone, at("2026-11-11 03:00"), zone("Asia/Shanghai")) is None


def test_windows_that_touch_are_one() -> None:
    phone = Phone(windows=((540, 720), (720, 900)))

    span = opening(phone, at("2026-11-11 10:00"), zone("Asia/Shanghai"))

    assert span == (at("2026-11-11 09:00"), at("2026-11-11 15:00"))


@given(INSTANTS, ZONES, EDGES, EDGES)
@example(at("2026-11-01 01:40", NEW_YORK), NEW_YORK, 22 * 60, 90)
@example(at("2026-03-08 03:10", NEW_YORK), NEW_YORK, 22 * 60, 150)
@settings(deadline=None, max_examples=300)
def test_the_night_holds_every_instant_at_which_the_clock_says_so(
    moment: int, name: str, start: int, end: int
) -> None:
    span = night(QuietHours(start=start, end=end), moment, zone(name))

    if in_window(moment, name, format_clock(start), format_clock(end)):
        assert span is not None
        assert span[0] <= moment < span[1]
    if span is not None:
        assert moment < span[1]
        assert not in_window(span[1], name, format_clock(start), format_clock(end))
        assert moment >= span[0] or not in_window(span[0] - 1, name, format_clock(start), format_clock(end))


@given(INSTANTS, ZONES, EDGES, EDGES)
@example(at("2026-11-01 01:10*", NEW_YORK), NEW_YORK, 90, 300)
@example(at("2026-11-01 01:40", NEW_YORK), NEW_YORK, 0, 90)
@settings(deadline=None, max_examples=300)
def test_calls_go_only_while_the_clock_says_so(moment: int, name: str, start: int, end: int) -> None:
    start, end = min(start, end), max(start, end) + 1

    span = opening(Phone(windows=((start, end),)), moment, zone(name))

    if span is not None and span[0] <= moment:
        assert in_window(moment, name, format_clock(start), format_clock(end))
        assert in_window(span[1] - 1, name, format_clock(start), format_clock(end))
    elif span is not None:
        assert in_window(span[0], name, format_clock(start), format_clock(end))
