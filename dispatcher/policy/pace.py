"""How many hand-offs a minute a channel takes, so that people can answer what comes back."""

from dispatcher.policy.facts import CHANNELS, Channel
from dispatcher.policy.terms import Policy


def pace_of(policy: Policy, channel: Channel) -> int | None:
    """The most hand-offs of a shop by a channel within any minute, `None` for no limit."""
    if policy.pace is None or channel == "phone":
        return None
    return policy.pace.chat if channel == "chat" else policy.pace.sms


def paces(policy: Policy) -> dict[Channel, int]:
    """The pace of each channel that has one."""
    return {channel: pace for channel in CHANNELS if (pace := pace_of(policy, channel)) is not None}
