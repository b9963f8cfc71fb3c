"""Times of a local clock that come once, twice or never."""

import pytest

from tests.checkers.records import instant, iso
from tests.checkers.spans import shown
from tests.checkers.terms import DAY


@pytest.mark.parametrize(
    ("day", "minutes", "last", "at"),
    [
        ("2026-11-11", 22 * 60, False, "2026-11-12T03:00:00.000Z"),
        ("2026-03-08", 2 * 60 + 30, False, "2026-03-08T07:00:00.000Z"),
        ("2026-11-01", 60 + 30, False, "2026-11-01T05:30:00.000Z"),
        ("2026-11-01", 60 + 30, True, "2026-11-01T06:30:00.000Z"),
        ("2026-11-01", 24 * 60, False, "2026-11-02T05:00:00.000Z"),
    ],
)
def test_a_clock_shows_a_time_once_twice_or_never(day: str, minutes: int, last: bool, at: str) -> None:
    ordinal = (instant(f"{day}T00:00:00.000Z") // DAY) + 719_163

    found = shown(ordinal, minutes, "America/New_York", last=last)

    assert iso(found) == at
