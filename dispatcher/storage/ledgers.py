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


def ledger_of(marked: Iterable[int]) -> Ledger:
    """Return the ledger of hand-offs, each four times its instant and the quarters of its channel."""
    found = tuple(marked)
    if not found:
        return NOBODY
    by_channel: dict[Channel, list[Instant]] = {}
    for mark in found:
        channel = QUARTERS[mark & 3]
        if channel is not None:
            by_channel.setdefault(channel, []).append(mark >> 2)
    instants = tuple(mark >> 2 for mark in found)
    return Ledger(instants, {channel: tuple(each) for channel, each in by_channel.items()})
