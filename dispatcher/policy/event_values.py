"""Readers of an event's single values: the value in its inner form, or `Expected` saying what was wanted.

What was given is never repeated in an error: it may be personal.
"""

import re
from collections.abc import Callable, Iterable
from datetime import UTC, datetime
from functools import lru_cache

import phonenumbers

from dispatcher.policy.currency import CURRENCIES
from dispatcher.policy.event_text import Expected
from dispatcher.policy.facts import Instant
from dispatcher.policy.zones import zone_names

MAX_URL_CHARS = 2048
MAX_PHONE_CHARS = 32
MAX_TIME_CHARS = 40
MAX_GRADE = 4
"""Member grades run from new (0) to top VIP (4) (textbook)."""

_EARLIEST = int(datetime(2000, 1, 1, tzinfo=UTC).timestamp()) * 1000
_LATEST = int(datetime(2100, 1, 1, tzinfo=UTC).timestamp()) * 1000

_TIME = re.compile(
    r"[0-9]{4}-[0-9]{2}-[0-9]{2}[Tt][0-9]{2}:[0-9]{2}:[0-9]{2}(\.[0-9]+)?([Zz]|[+-][0-9]{2}:[0-9]{2})"
)
_TIME_EXPECTED = "expected a time with an offset, such as 2026-11-11T10:20:30+08:00"
_MONEY = re.compile(r"[0-9]{1,10}(\.[0-9]{1,4})?")
_MAINLAND_MOBILE = re.compile(r"\+861[3-9][0-9]{9}")
_PHONE = re.compile(r"\+[0-9][0-9 ().-]+")
_URL = re.compile(
    r"https?://[A-Za-z0-9]([A-Za-z0-9.-]*[A-Za-z0-9])?(:[0-9]{1,5})?([/?#][A-Za-z0-9._~:/?#\[\]@!$&'()*+,;=%-]*)?"
)


def instant(value: object) -> Instant:
    """Read an RFC 3339 time with an offset, between the years 2000 and 2100."""
    if type(value) is not str or len(value) > MAX_TIME_CHARS:
        raise Expected(_TIME_EXPECTED)
    return _instant(value)


@lru_cache(maxsize=4096)
def _instant(value: str) -> Instant:
    # Orders come in crowds, and an order's own times are often the same: reading one is a tenth of an event.
    if not _TIME.fullmatch(value):
        raise Expected(_TIME_EXPECTED)
    try:
        moment = datetime.fromisoformat(value.upper())
        at = int(moment.timestamp()) * 1000 + moment.microsecond // 1000
    except (ValueError, OverflowError) as wrong:
        raise Expected("expected a time that exists, such as 2026-11-11T10:20:30+08:00") from wrong
    if not _EARLIEST <= at < _LATEST:
        raise Expected("expected a time between the years 2000 and 2100")
    return at


def money(value: object) -> str:
    """Read an amount: a decimal string, not negative, never a float."""
    if type(value) is not str or not _MONEY.fullmatch(value):
        raise Expected('expected an amount as a decimal string, such as "299.00"')
    return value


def currency(value: object) -> str:
    """Read a currency code of ISO 4217."""
    if type(value) is not str or value not in CURRENCIES:
        raise Expected("expected a currency code of ISO 4217, such as CNY")
    return value


def zone_name(value: object) -> str:
    """Read the IANA name of a time zone that is known here."""
    if type(value) is not str or value not in zone_names():
        raise Expected("expected a known IANA time zone, such as Asia/Shanghai")
    return value


def phone(value: object) -> str:
    """Read a possible phone number with its country code; the answer is in E.164."""
    if type(value) is str and len(value) <= MAX_PHONE_CHARS:
        # Parsing takes ten times as long as all else about an ordinary event.
        if _MAINLAND_MOBILE.fullmatch(value):
            return value
        if _PHONE.fullmatch(value):
            number = _parsed_phone(value)
            if number is not None:
                return number
    raise Expected("expected a phone number with its country code, such as +8613800000000")


def _parsed_phone(text: str) -> str | None:
    try:
        number = phonenumbers.parse(text)
    except phonenumbers.NumberParseException:
        return None
    if not phonenumbers.is_possible_number(number):
        return None
    return str(phonenumbers.format_number(number, phonenumbers.PhoneNumberFormat.E164))


def web_address(value: object) -> str:
    """Read an http or https address with a host and without credentials."""
    if type(value) is not str or len(value) > MAX_URL_CHARS or not _URL.fullmatch(value):
        raise Expected(f"expected an http or https address of up to {MAX_URL_CHARS} characters")
    return value


def whole_number(lowest: int, highest: int) -> Callable[[object], int]:
    """Make a reader of integers within inclusive bounds."""

    def read(value: object) -> int:
        if type(value) is not int or not lowest <= value <= highest:
            raise Expected(f"expected a whole number from {lowest} to {highest}")
        return value

    return read


def yes_or_no(value: object) -> bool:
    """Read `true` or `false`."""
    if type(value) is not bool:
        raise Expected("expected true or false")
    return value


def one_of(known: Iterable[str]) -> Callable[[object], str]:
    """Make a reader of one of the given words."""
    words = tuple(known)

    def read(value: object) -> str:
        if type(value) is not str or value not in words:
            raise Expected(f"expected one of {', '.join(words)}")
        return value

    return read
