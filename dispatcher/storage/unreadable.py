"""What the store holds and nobody can read: it stops only what is about it, and is logged once each."""

import logging
from collections.abc import Callable, Iterable
from typing import TypeVar

from dispatcher.errors import StoreRefused
from dispatcher.telemetry import PASSED_OVER

S = TypeVar("S")
T = TypeVar("T")

UNREADABLE = (ValueError, RecursionError)
"""What decoding raises; the errors of msgspec and of UTF-8 are a `ValueError` each."""

MAX_TOLD = 1_000
"""So many are logged by one process."""

MAX_CHARACTERS = 200
"""So much of a name is logged."""

_log = logging.getLogger(__name__)


class Passed:
    """Passes over what cannot be read, and logs where it stands."""

    def __init__(self) -> None:
        self._told: set[tuple[str, bytes]] = set()

    def names(
        self, key: str, members: Iterable[bytes], read: Callable[[str], T]
    ) -> list[tuple[bytes, str, T]]:
        """Return the members of a set that are names, each as it is, as text and as read."""
        found = []
        for member in members:
            try:
                name = member.decode()
                found.append((member, name, read(name)))
            except UNREADABLE:
                self.tell(key, member)
        return found

    def tell(self, key: str, member: bytes = b"") -> None:
        """Log that what stands at a key, or a member there, cannot be read."""
        if (key, member) not in self._told and len(self._told) < MAX_TOLD:
            self._told.add((key, member))
            name = member.decode(errors="backslashreplace")[:MAX_CHARACTERS]
            _log.error(PASSED_OVER, extra={"key": key, "member": name})


def readable(what: str, decode: Callable[[S], T], text: S) -> T:
    """Return what a stored text tells; raises `StoreRefused`, which names `what` it is."""
    try:
        return decode(text)
    except UNREADABLE as error:
        raise StoreRefused(f"{what} cannot be read") from error


def if_readable(decode: Callable[[S], T], text: S | None) -> T | None:
    """Return what a stored text tells, `None` where there is none or it cannot be read."""
    try:
        return None if text is None else decode(text)
    except (*UNREADABLE, StoreRefused):
        return None
