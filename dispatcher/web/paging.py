"""Lists page by page: a cursor is opaque to callers, and stands for where the next page begins."""

from base64 import urlsafe_b64decode, urlsafe_b64encode
from collections.abc import Sequence
from typing import Generic, TypeVar

import msgspec

from dispatcher.policy.event_text import Expected
from dispatcher.web.query import Param, number

T = TypeVar("T")

DEFAULT_LIMIT = 50
MAX_LIMIT = 200
MAX_CURSOR_CHARS = 1_024

LIMIT = number(
    1,
    MAX_LIMIT,
    f"How many at most, {DEFAULT_LIMIT} if not given; a page may hold fewer and still be followed by others.",
)


class Page(msgspec.Struct, Generic[T], frozen=True):
    """Some of a list; the last page has no `next_cursor`."""

    items: Sequence[T]
    next_cursor: str | None


def cursor(place: type[msgspec.Struct]) -> Param:
    """Return the parameter that takes up a list at a place."""

    def read(text: str) -> msgspec.Struct:
        if len(text) <= MAX_CURSOR_CHARS:
            try:
                found = msgspec.json.decode(urlsafe_b64decode(text + "=="), type=place)
                if token(found) == text:
                    return found
            except ValueError:  # of every kind: base64, UTF-8, JSON, and what stands in it
                pass
        raise Expected("expected the next_cursor of an earlier answer")

    schema = {"type": "string", "minLength": 1, "maxLength": MAX_CURSOR_CHARS}
    return Param(read, schema, "The `next_cursor` of the page before.")


def token(place: msgspec.Struct | None) -> str | None:
    """Return a place as a cursor; `None`, where there is no more, stays `None`."""
    if place is None:
        return None
    return urlsafe_b64encode(msgspec.json.encode(place)).rstrip(b"=").decode()
