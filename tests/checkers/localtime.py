"""Local wall-clock time of an instant; an unknown zone is an error, never UTC."""

from datetime import date, datetime, time, timedelta
from functools import lru_cache
from zoneinfo import ZoneInfo

from tests.checkers.records import EPOCH

MINUTE = 60_000
MILLISECOND = timedelta(milliseconds=1)


@lru_cache
def zone_of(zone: str) -> ZoneInfo:
    """Return the zone, `ZoneInfoNotFoundError` when it is unknown."""
    return ZoneInfo(zone)


def local(at: int, zone: str) -> datetime:
    """Return an instant as local time."""
    return (EPOCH + timedelta(milliseconds=at)).astimezone(zone_of(zone))


def instant_of(day: date, of_day: int, zone: str) -> int:
    """Return the instant of a local day at a wall-clock time, in ms of the day."""
    wall = datetime.combine(day, time(), zone_of(zone)) + of_day * MILLISECOND
    return (wall.astimezone(EPOCH.tzinfo) - EPOCH) // MILLISECOND


def of_day(at: int, zone: str) -> int:
    """Return the wall-clock time of an instant, in ms of the day."""
    wall = local(at, zone)
    return ((wall.hour * 60 + wall.minute) * 60 + wall.second) * 1000 + wall.microsecond // 1000


def clock(text: str) -> int:
    """Return "HH:MM" in ms of the day, "24:00" included."""
    hours, minutes = text.split(":")
    return (int(hours) * 60 + int(minutes)) * MINUTE


def within(at: int, start: str, end: str, zone: str) -> bool:
    """Tell whether an instant lies in [start, end) local, which may cross midnight; equal ends mean none."""
    first, last, now = clock(start), clock(end), of_day(at, zone)
    return first <= now < last if first <= last else now >= first or now < last
