"""What the store keeps of a customer beside orders: what was said, and the newest payment."""

import msgspec

from dispatcher.policy.facts import CHANNELS, EVERY_CHANNEL, NOTHING_SAID, CustomerStanding, Instant
from dispatcher.storage.unreadable import readable


class StoredCustomer(msgspec.Struct, kw_only=True, omit_defaults=True, gc=False):
    """What a customer said and when: `opted_out` by channel (`*`: all), the last reply, the newest payment;
    and since when an operator has paused reminders to the customer, and who that was if it is known.

    `rev` is never the same for two states of a customer; 0 where nothing is kept.
    """

    rev: int = 0
    opted_out: dict[str, Instant] = {}
    replied: Instant | None = None
    paid: Instant | None = None
    paused: Instant | None = None
    paused_by: str | None = None

    @property
    def standing(self) -> CustomerStanding:
        """What a decision looks at."""
        if self.rev == 0:
            return NOTHING_SAID
        every = EVERY_CHANNEL in self.opted_out
        return CustomerStanding(
            opted_out=tuple(channel for channel in CHANNELS if every or channel in self.opted_out),
            replied_at=self.replied,
            paid_other_at=self.paid,
            paused_since=self.paused,
        )


STRANGER = StoredCustomer()
"""A customer of whom nothing is kept."""

_CUSTOMER = msgspec.msgpack.Decoder(StoredCustomer)


def customer_of(stored: bytes | None) -> StoredCustomer:
    """Return what is kept of a customer, where nothing is a stranger; `StoreRefused` if unreadable."""
    if not stored:
        return STRANGER
    return readable("what is stored of the customer", _CUSTOMER.decode, stored)
