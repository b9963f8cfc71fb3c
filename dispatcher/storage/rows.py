"""What most calls are about, as rows of texts that scripts write without decoding them.

That are new orders (`lua/accept.lua`), and hand-offs whose order, customer and ledger are to the letter as
they were decided on (`lua/send.lua`, `lua/sent.lua`). What they leave is for the commands, which look at
everything.
"""

from collections.abc import Sequence

import msgspec

from dispatcher.policy.facts import Instant
from dispatcher.storage.packing import Packed

_ENCODER = msgspec.msgpack.Encoder()

AT_COMMIT = 0xFFFF_FFFF_FFFF_FFFF
"""Stands in an order's text for the instant of its commit, until that is known."""
_AT_COMMIT = _ENCODER.encode(AT_COMMIT)


def parted(text: bytes) -> tuple[bytes, bytes]:
    """Return what stands before and behind the `AT_COMMIT` of a text; `ValueError` unless it has just one."""
    before, after = text.split(_AT_COMMIT)
    return before, after


class SendRow(msgspec.Struct, array_like=True, gc=False):
    """A hand-off to be committed between `opens` and `closes`, as `lua/send.lua` reads it.

    What the order's text becomes has the instant of the commit between its parts, what the ledger's does the
    hand-off's mark at its end.
    """

    order: str
    step: int
    customer: str
    said: Packed
    was: Packed
    before: Packed
    after: Packed
    marks_were: Packed
    marks: Packed
    details: Packed
    text: str
    template: str
    attempt: int
    opens: Instant
    closes: Instant


class SentRow(msgspec.Struct, array_like=True, gc=False):
    """A message that was handed over, as `lua/sent.lua` reads it.

    `before`, `after` and `marks` are the commit's.
    """

    order: str
    step: int
    customer: str
    before: Packed
    after: Packed
    becomes: Packed
    marks: Packed
    details: Packed
    attempt: int
    handed: Instant
    due: Instant


class OrderRow(msgspec.Struct, array_like=True, gc=False):
    """A new order with one planned reminder or two, as `lua/accept.lua` reads it.

    `answer` is what a repeated event is answered, `told` what the order's record says of the event.
    Without a second reminder `next_channel` is empty.
    """

    shop: int
    order: str
    customer: str
    seen: str
    answer: Packed
    shop_rev: int
    policy: int
    closes: Instant
    text: Packed
    facts: Packed
    details: Packed
    told: Packed
    channel: str
    due: Instant
    plan: Packed
    next_channel: str
    next_due: Instant
    next_plan: Packed


def encoded(rows: Sequence[SendRow] | Sequence[SentRow] | Sequence[OrderRow]) -> bytes:
    """Return rows one behind the other."""
    return b"".join(map(_ENCODER.encode, rows))
