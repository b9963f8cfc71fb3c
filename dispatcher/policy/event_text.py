"""Readers of an event's texts: ids, the source, lines and notes, each with a limit."""

import unicodedata
from collections.abc import Callable
from functools import lru_cache
from typing import TypeGuard

from dispatcher.policy.unseen import UNSEEN, shows

MAX_ID_BYTES = 128
MAX_SOURCE_BYTES = 256

ID_SEPARATOR = "~"
"""Stands between the parts of a reminder's id; no shop id holds it, so that they split without doubt."""

EVERY_SHOP = "*"
"""Stands for every shop, among what a key opens and in records about keys; no shop is called so."""

_INVISIBLE = frozenset({"Cc", "Cf", "Cs", "Zl", "Zp"})
_CONTROL = frozenset({"Cc", "Cs", "Zl", "Zp"})
_LINE_BREAKS = str.maketrans("\r\n\t", "   ")


class Expected(Exception):
    """A value is not of its kind; the text says what was expected."""


def _holds(text: str, categories: frozenset[str]) -> bool:
    # `isprintable` answers for nearly all text; it also refuses characters newer than Python's tables and
    # wide spaces, so that only the categories decide.
    return not text.isprintable() and any(unicodedata.category(char) in categories for char in text)


def _is_blank(text: str) -> bool:
    # What is seen of a text shows nearly always in its first character.
    first = text[:1]
    if not (first.isspace() or first in UNSEEN):
        return False
    return text.isspace() or (text.strip()[:1] in UNSEEN and not shows(text))


def identifier(value: object, limit: int = MAX_ID_BYTES) -> str:
    """Read an id: printable Unicode, 1 to `limit` bytes in UTF-8, not blank."""
    if (
        type(value) is str
        and 0 < len(value) <= limit
        and (value.isprintable() or not _holds(value, _INVISIBLE))
        and not value.isspace()
        and (value.isascii() or len(value.encode()) <= limit)
    ):
        return value
    raise Expected(f"expected printable text of 1 to {limit} bytes, without control characters")


def source(value: object) -> str:
    """Read an event's `source`, whose last part is the shop."""
    text = identifier(value, MAX_SOURCE_BYTES)
    shop_of_source(text)
    return text


@lru_cache(maxsize=4096)
def shop_of_source(text: str) -> str:
    """Return the id of the shop that a source ends in; raises `Expected`."""
    try:
        return shop_id(text.rpartition("/")[2])
    except Expected as wrong:
        raise Expected(f"expected a source that ends in a shop's id, such as /shops/demo: {wrong}") from wrong


def shop_id(value: object) -> str:
    """Read a shop's id."""
    shop = identifier(value)
    if ID_SEPARATOR in shop or shop == EVERY_SHOP:
        raise Expected(f"expected a shop id, without {ID_SEPARATOR} and not {EVERY_SHOP}")
    return shop


def shop_or_every(value: object) -> str:
    """Read a shop's id, or what stands for every shop."""
    return EVERY_SHOP if value == EVERY_SHOP else shop_id(value)


def line(limit: int) -> Callable[[object], str]:
    """Make a reader of one line of text that says something, of up to `limit` characters."""

    def read(value: object) -> str:
        if _is_line(value, limit) and not _is_blank(value):
            return value
        raise Expected(f"expected a line of text of up to {limit} characters, not blank")

    return read


def _is_line(value: object, limit: int) -> TypeGuard[str]:
    return (
        type(value) is str
        and 0 < len(value) <= limit
        and (value.isprintable() or not _holds(value, _CONTROL))
    )


def line_or_nothing(limit: int) -> Callable[[object], str | None]:
    """Make a reader of an optional line of text: a blank one is as good as none."""
    read_line = line(limit)

    def read(value: object) -> str | None:
        if type(value) is str and (not value or _is_blank(value)):
            return None
        return value if _is_line(value, limit) else read_line(value)  # which says what is wrong

    return read


def note(limit: int) -> Callable[[object], str | None]:
    """Make a reader of an optional text of several lines; a blank one is as good as none."""

    def read(value: object) -> str | None:
        if type(value) is str:
            flat = value.translate(_LINE_BREAKS)
            if len(flat) <= limit and not _holds(flat, _CONTROL):
                return value if flat and not _is_blank(flat) else None
        raise Expected(f"expected text of up to {limit} characters, without control characters")

    return read
