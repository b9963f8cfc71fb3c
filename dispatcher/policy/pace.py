"""How many hand-offs a minute a channel takes, so that people can answer what comes back."""

from collections.abc import Mapping, Sequence
from typing import NamedTuple

from msgspec.structs import replace

from dispatcher.policy.decisions import Rule
from dispatcher.policy.facts import CHANNELS, Channel, Facts, Instant
from dispatcher.policy.terms import Policy
from dispatcher.policy.zones import MINUTE, iso

PACE = "pace"
"""The rule, by the name that the policy has for it."""


class Held(NamedTuple):
    """How many tasks are open, where that is limited; of channels at their pace, the hand-offs that count."""

    open_tasks: int | None
    paced: Mapping[Channel, tuple[int, Instant]]

    def seen_by(self, facts: Facts) -> Facts:
        """Return the facts as a lease of their queue brings them: tasks are counted for calls."""
        return replace(facts, open_tasks=self.open_tasks if facts.channel == "phone" else None)

    def pace(self, channel: Channel) -> tuple[Rule, Instant] | None:
        """Return the rule that holds a channel's due reminders back, and when it stops to."""
        if channel not in self.paced:
            return None
        count, until = self.paced[channel]
        return Rule(rule=PACE, outcome="defer", inputs={"last_minute": count}, until=iso(until)), until


def pace_of(policy: Policy, channel: Channel) -> int | None:
    """The most hand-offs of a shop by a channel within any minute, `None` for no limit."""
    if policy.pace is None or channel == "phone":
        return None
    return policy.pace.chat if channel == "chat" else policy.pace.sms


def paces(policy: Policy) -> dict[Channel, int]:
    """The pace of each channel that has one."""
    return {channel: pace for channel in CHANNELS if (pace := pace_of(policy, channel)) is not None}


def at_pace(pace: int, begun: Sequence[Instant]) -> tuple[int, Instant] | None:
    """How many hand-offs of the last minute count, oldest first, and when one more may; `None`: now."""
    return None if len(begun) < pace else (len(begun), begun[len(begun) - pace] + MINUTE)
