"""How people write times of day and durations in a policy, and how they are read."""

import re

from dispatcher.policy.zones import DAY, DAY_MINUTES, HOUR, MINUTE, SECOND

MAX_DURATION = 366 * DAY

MAX_MIN_GAP = 7 * DAY
"""The longest least time between two hand-offs: so far back the customers' ledgers are kept."""

_DURATION = re.compile(r"(0|[1-9][0-9]{0,8})([smhd])", re.ASCII)
_CLOCK = re.compile(r"([01][0-9]|2[0-3]):([0-5][0-9])", re.ASCII)
_MILLISECONDS = {"s": SECOND, "m": MINUTE, "h": HOUR, "d": DAY}


def parse_duration(text: object) -> int:
    """Milliseconds of `"90s"`, `"15m"`, `"2h"` or `"3d"`; raises `ValueError` saying what was expected."""
    match = _DURATION.fullmatch(text) if isinstance(text, str) else None
    if match is None:
        raise ValueError('expected a duration like "90s", "15m", "2h" or "3d"')
    milliseconds = int(match[1]) * _MILLISECONDS[match[2]]
    if milliseconds > MAX_DURATION:
        raise ValueError("expected a duration of at most 366d")
    return milliseconds


def format_duration(milliseconds: int) -> str:
    """The shortest usual way to write whole seconds; a single day stays `"24h"`."""
    if milliseconds == 0:
        return "0s"
    if milliseconds % DAY == 0 and milliseconds > DAY:
        return f"{milliseconds // DAY}d"
    for unit in ("h", "m"):
        if milliseconds % _MILLISECONDS[unit] == 0:
            return f"{milliseconds // _MILLISECONDS[unit]}{unit}"
    return f"{milliseconds // SECOND}s"


def parse_clock(text: object) -> int:
    """Minutes after midnight of `"HH:MM"`, up to 23:59; raises `ValueError`."""
    match = _CLOCK.fullmatch(text) if isinstance(text, str) else None
    if match is None:
        raise ValueError('expected a time "HH:MM"')
    return int(match[1]) * 60 + int(match[2])


def parse_end(text: object) -> int:
    """As `parse_clock`, and `"24:00"` for the end of the day."""
    return DAY_MINUTES if text == "24:00" else parse_clock(text)


def format_clock(minutes: int) -> str:
    """Minutes after midnight as `"HH:MM"`."""
    return f"{minutes // 60:02d}:{minutes % 60:02d}"
