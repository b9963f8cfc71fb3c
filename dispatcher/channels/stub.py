"""A channel that reaches nobody: it writes each hand-off to a log that another process can count."""

import asyncio
import os
from collections.abc import Callable
from enum import StrEnum
from pathlib import Path

import msgspec

from dispatcher.channels.base import Accepted, Message, Outcome, Refused
from dispatcher.policy.facts import Channel as ChannelName
from dispatcher.policy.facts import Instant


class Behaviour(StrEnum):
    """What the stub does with a message."""

    ACCEPT = "accept"
    REFUSE = "refuse"
    """Says no for now; nothing is handed over."""
    REJECT = "reject"
    """Says no for good; nothing is handed over."""
    HANG = "hang"
    """Never answers and hands nothing over."""
    SILENT = "silent"
    """Hands over and never answers."""


def accepting(message: Message) -> Behaviour:
    """Accept every message."""
    return Behaviour.ACCEPT


class StubChannel:
    """A channel whose provider is made up.

    `log` gets one JSON line a hand-off (`at` in ms, `reference`, `shop`, `order`, `customer`,
    `channel`; no address and no text), written before the answer. `behaviour` tells what to do with
    a message, `delay_seconds` passes before the hand-off.
    """

    def __init__(
        self,
        name: ChannelName,
        now: Callable[[], Instant],
        log: Path | None = None,
        behaviour: Callable[[Message], Behaviour] = accepting,
        delay_seconds: float = 0.0,
    ) -> None:
        self.name = name
        self.handed_over = 0
        self._now = now
        self._behaviour = behaviour
        self._delay = delay_seconds
        self._log = os.open(log, os.O_WRONLY | os.O_APPEND | os.O_CREAT, 0o600) if log is not None else None

    async def send(self, message: Message) -> Outcome:
        """Do with the message what the stub was told."""
        if self._delay:
            await asyncio.sleep(self._delay)
        match self._behaviour(message):
            case Behaviour.ACCEPT:
                self._hand_over(message)
            case Behaviour.REFUSE:
                return Refused(reason="channel_down", temporary=True)
            case Behaviour.REJECT:
                return Refused(reason="rejected", temporary=False)
            case Behaviour.HANG:
                await asyncio.get_running_loop().create_future()
            case Behaviour.SILENT:
                self._hand_over(message)
                await asyncio.get_running_loop().create_future()
        return Accepted()

    def _hand_over(self, message: Message) -> None:
        self.handed_over += 1
        if self._log is not None:
            line = {
                "at": self._now(),
                "reference": message.reference,
                "shop": message.shop,
                "order": message.order,
                "customer": message.customer,
                "channel": message.channel,
            }
            os.write(self._log, msgspec.json.encode(line) + b"\n")

    def close(self) -> None:
        """Close the log."""
        if self._log is not None:
            os.close(self._log)
            self._log = None
