"""The single values a policy holds: each reader raises `ValueError` with what was expected."""

import re
from decimal import Decimal
from itertools import pairwise
from typing import Literal, get_args

from dispatcher.policy.currency import CURRENCIES
from dispatcher.policy.document_table import MAX_ROWS
from dispatcher.policy.event_values import MAX_GRADE
from dispatcher.policy.facts import CHANNELS, Channel
from dispatcher.policy.naming import says_something
from dispatcher.policy.terms import Holidays, Locale, OpenDays, Platform, Window
from dispatcher.policy.units import MAX_MIN_GAP, parse_clock, parse_duration, parse_end
from dispatcher.policy.unseen import UNSEEN
from dispatcher.policy.workdays import WEEKDAYS
from dispatcher.policy.zones import zone

MAX_COUNT = 1_000_000
MAX_PACE = 10_000
MAX_NAME = 40

MAX_HOST = 253
HOST = r"([A-Za-z0-9-]{1,63}\.)+[A-Za-z0-9-]{1,63}"

_HOST = re.compile(HOST, re.ASCII)
_AMOUNT = re.compile(r"[0-9]{1,10}(\.[0-9]{1,4})?", re.ASCII)
_PLATFORMS: tuple[Platform, ...] = get_args(Platform)
_LOCALES: tuple[Locale, ...] = get_args(Locale)
_NAMED_DAYS: tuple[Literal["every", "workdays"], ...] = ("every", "workdays")


def zone_name(value: object) -> str:
    """An IANA zone name."""
    try:
        if isinstance(value, str):
            return zone(value).key
    except KeyError:
        pass
    raise ValueError('expected an IANA time zone like "Asia/Shanghai"')


def platform(value: object) -> Platform:
    """One of the platforms whose wording rules are known."""
    for known in _PLATFORMS:
        if value == known:
            return known
    raise ValueError(f"expected one of {', '.join(_PLATFORMS)}")


def locale(value: object) -> Locale:
    """One of the languages that there are texts in."""
    for known in _LOCALES:
        if value == known:
            return known
    raise ValueError(f"expected one of {', '.join(_LOCALES)}")


def holidays(value: object) -> Holidays:
    """The only calendar of holidays that is known."""
    if value == "cn":
        return "cn"
    raise ValueError('expected "cn"')


def open_days(value: object) -> OpenDays:
    """`"every"`, `"workdays"`, or a list of weekdays, each once."""
    for known in _NAMED_DAYS:
        if value == known:
            return known
    if isinstance(value, list) and value and all(isinstance(each, str) for each in value):
        read = tuple(day for day in WEEKDAYS if day in value)
        if len(read) == len(value):
            return "every" if read == WEEKDAYS else read
    raise ValueError(
        f'expected "every", "workdays" or a list of one or more of {", ".join(WEEKDAYS)}, each once'
    )


def currency(value: object) -> str:
    """An ISO 4217 code."""
    if isinstance(value, str) and value in CURRENCIES:
        return value
    raise ValueError('expected an ISO 4217 currency code like "CNY"')


def name(value: object) -> str:
    """A name to show customers."""
    if (
        isinstance(value, str)
        and value.isprintable()
        and UNSEEN.isdisjoint(value)
        and says_something(value)
        and len(value) <= MAX_NAME
    ):
        return value.strip()
    raise ValueError(
        f"expected a name of 1 to {MAX_NAME} characters that all can be seen, and not of signs alone"
    )


def hosts(value: object) -> tuple[str, ...]:
    """Names of hosts in small letters, each once; the empty list means none of them."""
    if isinstance(value, list) and len(value) <= MAX_ROWS and all(map(_is_host, value)):
        read = tuple(dict.fromkeys(each.lower() for each in value))
        if len(read) == len(value):
            return read
    raise ValueError(f'expected a list of at most {MAX_ROWS} hosts like "pay.example.com", each once')


def _is_host(value: object) -> bool:
    return isinstance(value, str) and len(value) <= MAX_HOST and bool(_HOST.fullmatch(value))


def amount(value: object) -> Decimal:
    """A decimal string; a number could be a float, so it is refused."""
    if isinstance(value, str) and _AMOUNT.fullmatch(value):
        return Decimal(value)
    raise ValueError('expected an amount in quotes like "500.00"')


def count(value: object) -> int:
    """A whole number from 0."""
    if isinstance(value, int) and not isinstance(value, bool) and 0 <= value <= MAX_COUNT:
        return value
    raise ValueError("expected a whole number, 0 or more")


def pace(value: object) -> int:
    """How many a minute; none at all would hold everything until it closes."""
    if isinstance(value, int) and not isinstance(value, bool) and 1 <= value <= MAX_PACE:
        return value
    raise ValueError(f"expected a whole number from 1 to {MAX_PACE}; leave out a channel in routing for none")


def one_customer(value: object) -> Literal["customer", "phone"]:
    """Who counts as one customer."""
    if value == "customer":
        return "customer"
    if value == "phone":
        return "phone"
    raise ValueError("expected one of customer, phone")


def grade(value: object) -> int:
    """A member's grade."""
    if isinstance(value, int) and not isinstance(value, bool) and 0 <= value <= MAX_GRADE:
        return value
    raise ValueError(f"expected a member grade from 0 to {MAX_GRADE}")


def yes_or_no(value: object) -> bool:
    """`true` or `false`."""
    if isinstance(value, bool):
        return value
    raise ValueError("expected true or false")


def some_time(value: object) -> int:
    """A duration above zero, in milliseconds."""
    milliseconds = parse_duration(value)
    if milliseconds == 0:
        raise ValueError("expected a duration above zero")
    return milliseconds


def gap(value: object) -> int:
    """A duration that the ledger can look back on, in ms."""
    milliseconds = parse_duration(value)
    if milliseconds > MAX_MIN_GAP:
        raise ValueError("expected a duration of at most 7d")
    return milliseconds


def window(value: object) -> Window:
    """`["HH:MM", "HH:MM"]` within one day."""
    if isinstance(value, list) and len(value) == 2:
        start, end = parse_clock(value[0]), parse_end(value[1])
        if start < end:
            return start, end
    raise ValueError('expected two times ["HH:MM", "HH:MM"], the second later the same day, at most "24:00"')


def windows(value: object) -> tuple[Window, ...]:
    """Windows of a day that do not overlap, in the order of the day."""
    if not isinstance(value, list) or not 1 <= len(value) <= MAX_ROWS:
        raise ValueError(f'expected a list of 1 to {MAX_ROWS} windows like ["09:00", "12:00"]')
    read = tuple(sorted(window(each) for each in value))
    for (_, end), (start, _) in pairwise(read):
        if start < end:
            raise ValueError("expected windows that do not overlap")
    return read


def channels(value: object) -> tuple[Channel, ...]:
    """Channels in order of preference, each once."""
    if value == [] or (read := _channels(value)) is None:
        raise ValueError(f"expected a list of one or more of {', '.join(CHANNELS)}, each once")
    return read


def channels_or_none(value: object) -> tuple[Channel, ...]:
    """Channels, each once; the empty list means none of them."""
    if (read := _channels(value)) is None:
        raise ValueError(f"expected a list of {', '.join(CHANNELS)}, each once, or an empty one")
    return read


def _channels(value: object) -> tuple[Channel, ...] | None:
    known: dict[object, Channel] = {channel: channel for channel in CHANNELS}
    if not isinstance(value, list) or not all(isinstance(each, str) for each in value):
        return None
    read = tuple(known[each] for each in value if each in known)
    return read if len(set(read)) == len(value) else None
