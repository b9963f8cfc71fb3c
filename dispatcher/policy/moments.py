"""Moments as people write them in a policy: a local date, a local minute, or an instant with its offset."""

import re
from datetime import date
from functools import lru_cache

from dispatcher.policy import event_values
from dispatcher.policy.event_text import Expected
from dispatcher.policy.facts import Instant
from dispatcher.policy.zones import instant, zone

EARLIEST_YEAR, LATEST_YEAR = 2000, 2099

_LOCAL = re.compile(r"([0-9]{4}-[0-9]{2}-[0-9]{2})(?:T([01][0-9]|2[0-3]):([0-5][0-9]))?", re.ASCII)
_EXPECTED = 'expected a time like "2026-11-01", "2026-11-01T20:00" or "2026-11-01T20:00:00+08:00"'


def parse_moment(value: object) -> str:
    """The text of a moment, as it was given; raises `ValueError`."""
    if not isinstance(value, str):
        raise ValueError(_EXPECTED)
    _read(value, "UTC")
    return value


@lru_cache(maxsize=1024)
def moment_at(text: str, tz: str) -> Instant:
    """The instant of a moment whose local clock is that of a zone; the text was read before."""
    return _read(text, tz)


def _read(text: str, tz: str) -> Instant:
    match = _LOCAL.fullmatch(text)
    if match is None:
        try:
            return event_values.instant(text)
        except Expected as wrong:
            raise ValueError(_EXPECTED) from wrong
    try:
        day = date.fromisoformat(match[1])
    except ValueError as wrong:
        raise ValueError(_EXPECTED) from wrong
    if not EARLIEST_YEAR <= day.year <= LATEST_YEAR:
        raise ValueError(f"expected a year from {EARLIEST_YEAR} to {LATEST_YEAR}")
    return instant(day, int(match[2] or 0) * 60 + int(match[3] or 0), zone(tz))
