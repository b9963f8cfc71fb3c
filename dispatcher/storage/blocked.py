"""What is kept of an address that a shop blocks, and what the audit tells of it."""

from typing import Literal

import msgspec

from dispatcher.policy.facts import Instant
from dispatcher.storage.packing import Packed, pack
from dispatcher.storage.unreadable import readable

Kind = Literal["phone", "chat"]
"""What is blocked: a number, for SMS and calls, or a chat handle."""


class Block(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """Since when an address is blocked and by whom, and the address as people may see it.

    `agent` is who found a number wrong in a call.
    """

    at: Instant
    actor: str
    masked: str
    agent: str | None = None

    @property
    def stored(self) -> str:
        """The block as the store keeps it."""
        return msgspec.json.encode(self).decode()


_BLOCK = msgspec.json.Decoder(Block)


def block_of(shop: str, stored: bytes) -> Block:
    """Return a block as the store keeps it; `StoreRefused` if unreadable."""
    return readable(f"what is stored of a block of {shop}", _BLOCK.decode, stored)


def address(kind: Kind, person: str) -> str:
    """Return the name under which an address is kept."""
    return f"{kind}:{person}"


def told(kind: Kind, person: str, **of_call: str) -> Packed:
    """Return what the audit tells of an address: what it is, its pseudonym, and the call that told."""
    return pack(msgspec.json.encode({"address": kind, "person": person, **of_call}))
