"""When a reminder may go, as a table of local clocks: nights, closed days, holidays, and clock changes."""

from typing import Any

import pytest

from dispatcher.policy.decide import decide
from dispatcher.policy.decisions import Decision, Defer, Drop, Send
from dispatcher.policy.document import load_json
from dispatcher.policy.zones import iso
from tests.policy.examples import DAY, HOUR, at, customer, facts, order

SHANGHAI, NEW_YORK, LONDON = "Asia/Shanghai", "America/New_York", "Europe/London"
LORD_HOWE, HONOLULU, KIRITIMATI = "Australia/Lord_Howe", "Pacific/Honolulu", "Pacific/Kiritimati"
SANTIAGO, AZORES = "America/Santiago", "Atlantic/Azores"

GOES, NEVER = "goes", "never"

NIGHT = "22:00-09:00"
WORKDAYS, CHINESE = {"days": "workdays"}, {"days": "workdays", "holidays": "cn"}
EVENLY = {"days": ["mon", "wed"]}
SUNDAYS, NOT_SUNDAYS = {"days": ["sun"]}, {"days": ["mon", "tue", "wed", "thu", "fri", "sat"]}


def decided(zone: str, now: str, channel: str, sections: dict[str, Any]) -> Decision:
    """What is decided about a reminder due now, for a customer in a zone, by these sections alone."""
    rules = load_json(
        {
            "timezone": "Asia/Tokyo",
            "platform": "own",
            "cadence": [{"placed": ["00:00", "24:00"], "remind": {"after": "1h"}}],
            "routing": {"channels": [channel]},
            **sections,
        }
    )
    moment = at(now, zone)
    made = facts(
        moment,
        order=order(moment - HOUR, moment + 20 * DAY),
        customer=customer(timezone=zone),
        channel=channel,
    )
    return decide(made, rules, moment)


def assert_answer(found: Decision, zone: str, expected: str, reason: str) -> None:
    if expected == GOES:
        assert isinstance(found, Send), found
    elif expected == NEVER:
        assert isinstance(found, Drop)
        assert found.reason == "closes_before_window"
    else:
        assert isinstance(found, Defer)
        assert (found.reason, iso(found.until)) == (reason, iso(at(expected, zone)))


@pytest.mark.parametrize(
    ("zone", "night", "now", "expected"),
    [
        # From midnight on.
        (SHANGHAI, "00:00-08:00", "2026-11-10 23:59:59.999", GOES),
        (SHANGHAI, "00:00-08:00", "2026-11-11 00:00", "2026-11-11 08:00"),
        (SHANGHAI, "00:00-08:00", "2026-11-11 07:59:59.999", "2026-11-11 08:00"),
        (SHANGHAI, "00:00-08:00", "2026-11-11 08:00", GOES),
        (SHANGHAI, "00:00-08:00", "2028-02-29 03:00", "2028-02-29 08:00"),
        (SHANGHAI, "00:00-08:00", "2027-01-01 00:00", "2027-01-01 08:00"),
        # Over midnight.
        (SHANGHAI, NIGHT, "2026-11-11 21:59:59.999", GOES),
        (SHANGHAI, NIGHT, "2026-11-11 22:00", "2026-11-12 09:00"),
        (SHANGHAI, NIGHT, "2026-11-12 00:00", "2026-11-12 09:00"),
        (SHANGHAI, NIGHT, "2026-11-12 08:59:59.999", "2026-11-12 09:00"),
        (SHANGHAI, NIGHT, "2026-11-12 09:00", GOES),
        (SHANGHAI, NIGHT, "2026-12-31 23:30", "2027-01-01 09:00"),
        # Up to midnight, and in the middle of the day.
        (SHANGHAI, "22:00-24:00", "2026-11-11 23:00", "2026-11-12 00:00"),
        (SHANGHAI, "22:00-24:00", "2026-11-12 00:00", GOES),
        (SHANGHAI, "22:00-00:00", "2026-11-11 23:00", "2026-11-12 00:00"),
        (SHANGHAI, "12:00-14:00", "2026-11-11 13:00", "2026-11-11 14:00"),
        (SHANGHAI, "12:00-14:00", "2026-11-11 03:00", GOES),
        # Equal bounds are none; the whole day is always; all but a minute is nearly that.
        (SHANGHAI, "09:00-09:00", "2026-11-11 09:00", GOES),
        (SHANGHAI, "00:00-00:00", "2026-11-11 00:00", GOES),
        (SHANGHAI, "00:00-24:00", "2026-11-11 00:00", NEVER),
        (SHANGHAI, "00:00-24:00", "2026-11-11 12:00", NEVER),
        (SHANGHAI, "09:00-08:59", "2026-11-11 09:00", "2026-11-12 08:59"),
        (SHANGHAI, "09:00-08:59", "2026-11-12 08:59", GOES),
        # New York in spring: 02:00 is 03:00.
        (NEW_YORK, NIGHT, "2026-03-08 01:59:59.999", "2026-03-08 09:00"),
        (NEW_YORK, "22:00-02:30", "2026-03-08 01:30", "2026-03-08 03:00"),
        (NEW_YORK, "22:00-02:30", "2026-03-08 03:00", GOES),
        (NEW_YORK, "22:00-03:00", "2026-03-08 01:59:59.999", "2026-03-08 03:00"),
        (NEW_YORK, "22:00-02:00", "2026-03-08 03:00", GOES),
        (NEW_YORK, "02:30-09:00", "2026-03-08 01:59:59.999", GOES),
        (NEW_YORK, "02:30-09:00", "2026-03-08 03:00", "2026-03-08 09:00"),
        (NEW_YORK, "02:15-02:45", "2026-03-08 01:59:59.999", GOES),
        (NEW_YORK, "02:15-02:45", "2026-03-08 03:00", GOES),
        # New York in autumn: 01:00 to 02:00 comes twice (`*` is the second time).
        (NEW_YORK, NIGHT, "2026-11-01 01:30", "2026-11-01 09:00"),
        (NEW_YORK, NIGHT, "2026-11-01 01:30*", "2026-11-01 09:00"),
        (NEW_YORK, "22:00-01:30", "2026-11-01 01:15", "2026-11-01 01:30*"),
        (NEW_YORK, "22:00-01:30", "2026-11-01 01:45", "2026-11-01 01:30*"),
        (NEW_YORK, "22:00-01:30", "2026-11-01 01:30*", GOES),
        (NEW_YORK, "22:00-01:00", "2026-11-01 00:59:59.999", "2026-11-01 01:00*"),
        (NEW_YORK, "22:00-01:00", "2026-11-01 01:00*", GOES),
        (NEW_YORK, "22:00-02:00", "2026-11-01 01:59*", "2026-11-01 02:00"),
        (NEW_YORK, "01:30-09:00", "2026-11-01 01:29:59.999", GOES),
        (NEW_YORK, "01:30-09:00", "2026-11-01 01:10*", "2026-11-01 09:00"),
        (NEW_YORK, "02:00-05:00", "2026-11-01 01:59:59.999*", GOES),
        # London: an hour later than UTC in summer.
        (LONDON, NIGHT, "2026-03-29 00:59", "2026-03-29 09:00"),
        (LONDON, "22:00-01:30", "2026-03-29 00:30", "2026-03-29 02:00"),
        (LONDON, "01:30-06:00", "2026-03-29 00:59:59.999", GOES),
        (LONDON, "01:30-06:00", "2026-03-29 02:00", "2026-03-29 06:00"),
        (LONDON, NIGHT, "2026-10-25 01:30*", "2026-10-25 09:00"),
        (LONDON, "22:00-01:30", "2026-10-25 01:29", "2026-10-25 01:30*"),
        (LONDON, "01:00-02:00", "2026-10-25 00:59:59.999", GOES),
        (LONDON, "01:00-02:00", "2026-10-25 01:00", "2026-10-25 02:00"),
        (LONDON, "01:00-02:00", "2026-10-25 01:00*", "2026-10-25 02:00"),
        # Lord Howe moves its clocks by half an hour.
        (LORD_HOWE, NIGHT, "2026-10-04 02:30", "2026-10-04 09:00"),
        (LORD_HOWE, "22:00-02:15", "2026-10-04 01:50", "2026-10-04 02:30"),
        (LORD_HOWE, "02:00-02:30", "2026-10-04 02:30", GOES),
        (LORD_HOWE, "22:00-01:45", "2026-04-05 01:50", "2026-04-05 01:45*"),
        (LORD_HOWE, "22:00-01:45", "2026-04-05 01:45*", GOES),
        (LORD_HOWE, "01:30-02:00", "2026-04-05 01:30", "2026-04-05 02:00"),
    ],
)
def test_nights(zone: str, night: str, now: str, expected: str) -> None:
    start, end = night.split("-")

    found = decided(zone, now, "sms", {"quiet_hours": {"start": start, "end": end}})

    assert_answer(found, zone, expected, "quiet_hours")


@pytest.mark.parametrize(
    ("zone", "night", "on", "now", "expected"),
    [
        # It is the customer's Saturday that counts, ahead of UTC and behind it.
        (KIRITIMATI, None, WORKDAYS, "2026-11-13 23:59:59.999", GOES),
        (KIRITIMATI, None, WORKDAYS, "2026-11-14 00:00", "2026-11-16 00:00"),
        (KIRITIMATI, None, WORKDAYS, "2026-11-16 00:00", GOES),
        (SHANGHAI, None, WORKDAYS, "2026-11-16 07:00", GOES),
        (SHANGHAI, None, WORKDAYS, "2026-11-14 07:00", "2026-11-16 00:00"),
        (HONOLULU, None, WORKDAYS, "2026-11-13 20:00", GOES),
        (HONOLULU, None, WORKDAYS, "2026-11-14 00:00", "2026-11-16 00:00"),
        (HONOLULU, None, WORKDAYS, "2026-11-15 23:00", "2026-11-16 00:00"),
        # A closed day is one with the nights that touch it.
        (SHANGHAI, NIGHT, WORKDAYS, "2026-11-12 22:00", "2026-11-13 09:00"),
        (SHANGHAI, NIGHT, WORKDAYS, "2026-11-13 21:59:59.999", GOES),
        (SHANGHAI, NIGHT, WORKDAYS, "2026-11-13 22:00", "2026-11-16 09:00"),
        (SHANGHAI, NIGHT, WORKDAYS, "2026-11-14 12:00", "2026-11-16 09:00"),
        (SHANGHAI, NIGHT, WORKDAYS, "2026-11-16 08:59:59.999", "2026-11-16 09:00"),
        (SHANGHAI, NIGHT, WORKDAYS, "2026-11-16 09:00", GOES),
        (SHANGHAI, "00:00-08:00", WORKDAYS, "2026-11-13 23:59", GOES),
        (SHANGHAI, "00:00-08:00", WORKDAYS, "2026-11-14 00:00", "2026-11-16 08:00"),
        (SHANGHAI, "22:00-24:00", WORKDAYS, "2026-11-13 22:00", "2026-11-16 00:00"),
        (SHANGHAI, "09:00-09:00", WORKDAYS, "2026-11-14 12:00", "2026-11-16 00:00"),
        (SHANGHAI, "00:00-24:00", WORKDAYS, "2026-11-13 12:00", NEVER),
        (SHANGHAI, NIGHT, {"days": "every"}, "2026-11-14 12:00", GOES),
        # Single weekdays.
        (SHANGHAI, None, EVENLY, "2026-11-16 23:59:59.999", GOES),
        (SHANGHAI, None, EVENLY, "2026-11-17 12:00", "2026-11-18 00:00"),
        (SHANGHAI, None, EVENLY, "2026-11-19 00:00", "2026-11-23 00:00"),
        (SHANGHAI, NIGHT, SUNDAYS, "2026-11-14 23:30", "2026-11-15 09:00"),
        (SHANGHAI, NIGHT, SUNDAYS, "2026-11-15 22:00", "2026-11-22 09:00"),
        # Days of 23 and 25 hours, a midnight that is skipped and one that comes twice.
        (NEW_YORK, None, WORKDAYS, "2026-03-07 12:00", "2026-03-09 00:00"),
        (NEW_YORK, NIGHT, WORKDAYS, "2026-03-08 03:00", "2026-03-09 09:00"),
        (NEW_YORK, None, WORKDAYS, "2026-11-01 01:30*", "2026-11-02 00:00"),
        (NEW_YORK, NIGHT, SUNDAYS, "2026-11-01 01:30*", "2026-11-01 09:00"),
        (LONDON, None, SUNDAYS, "2026-10-24 12:00", "2026-10-25 00:00"),
        (SANTIAGO, None, SUNDAYS, "2026-09-05 12:00", "2026-09-06 01:00"),
        (AZORES, None, SUNDAYS, "2026-10-24 23:59", "2026-10-25 00:00"),
        (AZORES, None, NOT_SUNDAYS, "2026-10-25 00:30*", "2026-10-26 00:00"),
        # The National Day and the Spring Festival, with the days that make up for them.
        (SHANGHAI, NIGHT, CHINESE, "2026-09-20 10:00", GOES),
        (SHANGHAI, NIGHT, CHINESE, "2026-09-30 21:59:59.999", GOES),
        (SHANGHAI, NIGHT, CHINESE, "2026-09-30 22:00", "2026-10-08 09:00"),
        (SHANGHAI, NIGHT, CHINESE, "2026-10-03 12:00", "2026-10-08 09:00"),
        (SHANGHAI, NIGHT, CHINESE, "2026-10-09 22:00", "2026-10-10 09:00"),
        (SHANGHAI, NIGHT, CHINESE, "2026-10-10 12:00", GOES),
        (SHANGHAI, NIGHT, CHINESE, "2026-10-10 22:00", "2026-10-12 09:00"),
        (SHANGHAI, None, CHINESE, "2026-02-14 12:00", GOES),
        (SHANGHAI, None, CHINESE, "2026-02-15 00:00", "2026-02-24 00:00"),
        (NEW_YORK, NIGHT, CHINESE, "2026-10-01 12:00", "2026-10-08 09:00"),
        # Without the calendar they are days like any other.
        (SHANGHAI, NIGHT, WORKDAYS, "2026-10-01 12:00", GOES),
        (SHANGHAI, NIGHT, WORKDAYS, "2026-10-10 12:00", "2026-10-12 09:00"),
        # The calendar makes no difference to a list of weekdays.
        (SHANGHAI, NIGHT, {"days": ["thu"], "holidays": "cn"}, "2026-10-01 12:00", GOES),
        (SHANGHAI, NIGHT, {"holidays": "cn"}, "2026-10-01 12:00", GOES),
        # A year that it does not know has plain weekdays: Sunday the first of October, and Monday.
        (SHANGHAI, NIGHT, CHINESE, "2045-10-01 12:00", "2045-10-02 09:00"),
        (SHANGHAI, NIGHT, CHINESE, "2045-10-02 12:00", GOES),
    ],
)
def test_days(zone: str, night: str | None, on: dict[str, Any], now: str, expected: str) -> None:
    sections = {name: value for name, value in on.items() if name != "days"}
    if "days" in on:
        sections["days"] = {"reminders": on["days"]}
    if night is not None:
        sections["quiet_hours"] = dict(zip(("start", "end"), night.split("-"), strict=True))

    found = decided(zone, now, "sms", sections)

    assert_answer(found, zone, expected, "quiet_hours")


SPLIT = [["09:00", "12:00"], ["14:00", "20:00"]]


@pytest.mark.parametrize(
    ("zone", "windows", "on", "now", "expected"),
    [
        # On a closed day there are no windows.
        (SHANGHAI, SPLIT, WORKDAYS, "2026-11-13 12:00", "2026-11-13 14:00"),
        (SHANGHAI, SPLIT, WORKDAYS, "2026-11-13 19:59:59.999", GOES),
        (SHANGHAI, SPLIT, WORKDAYS, "2026-11-13 20:00", "2026-11-16 09:00"),
        (SHANGHAI, SPLIT, WORKDAYS, "2026-11-14 10:00", "2026-11-16 09:00"),
        (SHANGHAI, SPLIT, EVENLY, "2026-11-18 20:00", "2026-11-23 09:00"),
        (HONOLULU, SPLIT, WORKDAYS, "2026-11-13 19:00", GOES),
        # Without windows an open day is open as a whole.
        (SHANGHAI, None, WORKDAYS, "2026-11-13 23:59:59.999", GOES),
        (SHANGHAI, None, WORKDAYS, "2026-11-14 00:00", "2026-11-16 00:00"),
        (SHANGHAI, [["00:00", "24:00"]], WORKDAYS, "2026-11-14 12:00", "2026-11-16 00:00"),
        (AZORES, None, {"days": ["sat", "sun"]}, "2026-10-25 00:30", GOES),
        (SANTIAGO, None, SUNDAYS, "2026-09-05 12:00", "2026-09-06 01:00"),
        # A window that the clock skips is not there that day.
        (NEW_YORK, [["02:15", "02:45"]], SUNDAYS, "2026-03-07 12:00", "2026-03-15 02:15"),
        # Holidays, make-up days, and a year that is not known.
        (SHANGHAI, SPLIT, CHINESE, "2026-10-01 10:00", "2026-10-08 09:00"),
        (SHANGHAI, SPLIT, CHINESE, "2026-10-10 10:00", GOES),
        (SHANGHAI, SPLIT, CHINESE, "2045-10-01 10:00", "2045-10-02 09:00"),
    ],
)
def test_days_for_calls(
    zone: str, windows: list[list[str]] | None, on: dict[str, Any], now: str, expected: str
) -> None:
    sections = {**on, "days": {"calls": on["days"]}, "phone": {} if windows is None else {"windows": windows}}

    found = decided(zone, now, "phone", sections)

    assert_answer(found, zone, expected, "phone_window")


def test_calls_need_a_day_that_is_open_for_both() -> None:
    # Open for reminders on Mondays and Wednesdays, for calls on Tuesdays and Wednesdays.
    days = {"days": {"reminders": ["mon", "wed"], "calls": ["tue", "wed"]}}

    assert_answer(
        decided(SHANGHAI, "2026-11-16 10:00", "phone", days), SHANGHAI, "2026-11-18 00:00", "phone_window"
    )
    assert_answer(
        decided(SHANGHAI, "2026-11-17 10:00", "phone", days), SHANGHAI, "2026-11-18 00:00", "quiet_hours"
    )
    assert_answer(decided(SHANGHAI, "2026-11-16 10:00", "sms", days), SHANGHAI, GOES, "")


def test_no_day_that_is_open_for_both_is_never() -> None:
    days = {"days": {"reminders": ["mon"], "calls": ["tue"]}}

    found = decided(SHANGHAI, "2026-11-16 10:00", "phone", days)

    assert_answer(found, SHANGHAI, NEVER, "")
