"""What a channel is: a message goes out, an outcome comes back."""

from typing import Protocol

import msgspec

from dispatcher.policy.facts import Channel as ChannelName


class Message(msgspec.Struct, frozen=True, kw_only=True, gc=False):
    """One message to hand over; `reference` is the reminder's id and the same for every attempt."""

    reference: str
    shop: str
    order: str
    customer: str
    channel: ChannelName
    address: str
    text: str


class Accepted(msgspec.Struct, frozen=True, tag="accepted", gc=False):
    """The provider has the message."""


class Refused(msgspec.Struct, frozen=True, kw_only=True, tag="refused", gc=False):
    """The provider said no, nothing was handed over; `temporary` when asking again may help."""

    reason: str
    temporary: bool


class Unknown(msgspec.Struct, frozen=True, kw_only=True, tag="unknown", gc=False):
    """No answer: the message may or may not have been handed over."""

    reason: str


Outcome = Accepted | Refused | Unknown


class Channel(Protocol):
    """A way to reach customers."""

    @property
    def name(self) -> ChannelName:
        """Name the channel as policies and audit do."""

    async def send(self, message: Message) -> Outcome:
        """Hand the message over; raise nothing but what a broken channel cannot help."""
