"""What is known of a field that templates may name."""

from collections.abc import Callable
from typing import Literal, NamedTuple

from dispatcher.messages.subjects import Subject

Value = str | bool

Kind = Literal["text", "name", "link", "time", "money", "yes/no"]
"""A name says who writes and a link is followed, so that neither is cut by a filter."""


class Field(NamedTuple):
    """A template's field: where its value stands in event or policy, its reader (`None`: missing), its
    kind, an example, a sentence on it, and whether it is `optional`.

    Of an optional field a template asks whether it is there and finds other words where it is not; any
    other field without a value stops the message. Where a field of `given_with` is there, or yes, an
    optional one is there too, so that asking for that one is enough.
    """

    path: str
    read: Callable[[Subject], Value | None]
    kind: Kind
    example: str
    meaning: str
    optional: bool = False
    given_with: tuple[str, ...] = ()
