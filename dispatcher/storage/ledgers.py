"""Hand-offs to a customer, or to all who share a phone number, as the store keeps them."""

from collections.abc import Iterable

import msgspec

from dispatcher.policy.facts import Channel, Instant

QUARTERS: tuple[Channel | None, ...] = (None, "chat", "sms", "phone")
"""The channel of a hand-off by the quarters of a millisecond at its end, as in `lua/lib/ledgers.lua`."""


class Ledger(msgspec.Struct, frozen=True, gc=False):
    """Instants of hand-offs, oldest first; of those whose channel is known, by channel too."""

    instants: tuple[Instant, ...] = ()
    by_channel: dict[Channel, tuple[Instant, ...]] = {}


NOBODY = Ledger()
"""The ledger of who was not reminded yet."""

_MARKS = msgspec.msgpack.Decoder(dict[str, int])
_ENCODER = msgspec.msgpack.Encoder()


def ledger_of(stored: bytes | None) -> Ledger:
    """Return a ledger as it is stored; raises as decoding does."""
    return ledger_with(_MARKS.decode(stored).values()) if stored else NOBODY


def before_mark(stored: bytes, reminder: str) -> bytes:
    """Return a stored ledger with a reminder that is not in it, but for its mark, which comes last."""
    if not stored:
        return b"\x81" + _ENCODER.encode(reminder)  # a map of one
    marks = _MARKS.decode(stored)
    if reminder in marks:
        raise ValueError("the reminder is in the ledger")
    return _ENCODER.encode(marks | {reminder: 0})[:-1]


def ledger_with(marks: Iterable[int]) -> Ledger:
    """Return the ledger of hand-offs, each four times its instant and the quarters of its channel."""
    found = sorted(marks)
    by_channel: dict[Channel, list[Instant]] = {}
    for mark in found:
        channel = QUARTERS[mark & 3]
        if channel is not None:
            by_channel.setdefault(channel, []).append(mark >> 2)
    instants = tuple(mark >> 2 for mark in found)
    return Ledger(instants, {channel: tuple(each) for channel, each in by_channel.items()})
