"""Nights and phone windows as instants, also where clocks change."""

from datetime import datetime
from typing import Any
from zoneinfo import ZoneInfo

import msgspec
import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from dispatcher.policy.spans import call_span, night, opening, quiet_span
from dispatcher.policy.terms import Days, Phone, Policy, QuietHours
from dispatcher.policy.units import format_clock, parse_clock, parse_end
from dispatcher.policy.zones import FOREVER, iso, zone
from tests.checkers.days import open_on
from tests.policy.examples import at, in_window, policy
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


OPEN = st.sampled_from(["workdays", "mon", "sun", "wed sat", "mon tue wed thu fri sat"])
PLAIN = policy(quiet_hours=None, phone=None)


def with_days(days: str, holidays: bool, **sections: Any) -> Policy:
    """A policy that closes days for reminders and for calls alike."""
    named: Any = days if days == "workdays" else tuple(days.split())
    return msgspec.structs.replace(
        PLAIN,
        holidays="cn" if holidays else None,
        days=Days(reminders=named, calls=named),
        **sections,
    )


def is_open_on(moment: int, name: str, days: str, holidays: bool) -> bool:
    today = datetime.fromtimestamp(moment / 1000, ZoneInfo(name)).toordinal()
    if days == "workdays":
        return open_on(today, "workdays cn" if holidays else "workdays")
    return open_on(today, tuple(days.split()))


@given(INSTANTS, ZONES, EDGES, EDGES, OPEN, st.booleans())
@settings(deadline=None, max_examples=200)
def test_a_quiet_span_is_quiet_from_end_to_end_and_not_beyond(
    moment: int, name: str, start: int, end: int, days: str, holidays: bool
) -> None:
    rules = with_days(days, holidays, quiet_hours=QuietHours(start=start, end=end))

    def is_quiet(at: int) -> bool:
        closed = not is_open_on(at, name, days, holidays)
        return closed or in_window(at, name, format_clock(start), format_clock(end))

    span = quiet_span(rules, moment, zone(name))

    assert span is not None
    assert moment < span[1]
    assert span[0] <= moment or not is_quiet(moment)
    assert not is_quiet(span[1])
    assert not is_quiet(span[0] - 1)
    # Where the clock repeats an hour a night holds a little more than the clock says; a day never does.
    assert quiet_span(rules, span[0], zone(name)) == span
    assert quiet_span(rules, span[1] - 1, zone(name)) == span


@given(INSTANTS, ZONES, EDGES, EDGES, OPEN, st.booleans())
@settings(deadline=None, max_examples=200)
def test_calls_go_only_on_open_days_while_the_clock_says_so(
    moment: int, name: str, start: int, end: int, days: str, holidays: bool
) -> None:
    start, end = min(start, end), max(start, end) + 1
    rules = with_days(days, holidays, phone=Phone(windows=((start, end),)))

    span = call_span(rules, moment, zone(name))

    assert span is not None
    assert moment < span[1]
    for at_edge in (max(moment, span[0]), span[1] - 1):
        assert is_open_on(at_edge, name, days, holidays)
        assert in_window(at_edge, name, format_clock(start), format_clock(end))


@pytest.mark.parametrize("days", [None, Days(), Days(reminders="every", calls="every")])
def test_without_closed_days_spans_are_those_of_nights_and_windows(days: Days | None) -> None:
    rules = msgspec.structs.replace(policy(), days=days)
    moment, tz = at("2026-11-14 21:00"), zone("Asia/Shanghai")

    assert quiet_span(rules, moment, tz) == night(rules.quiet_hours, moment, tz)
    assert call_span(rules, moment, tz) == opening(rules.phone, moment, tz)


def test_days_that_are_never_open_are_quiet_as_far_as_is_looked() -> None:
    # No policy can say so: a list of days holds one at least.
    rules = msgspec.structs.replace(PLAIN, days=Days(reminders=()))
    moment, tz = at("2026-11-14 21:00"), zone("Asia/Shanghai")

    span = quiet_span(rules, moment, tz)

    assert span == (at("2026-10-14 00:00"), at("2026-12-16 00:00"))
