"""How often a customer may be reminded by one channel in a local day."""

from zoneinfo import ZoneInfo

from dispatcher.policy.caps import day_full_until
from dispatcher.policy.decisions import Rule
from dispatcher.policy.facts import CHANNELS, Channel, Facts, Instant
from dispatcher.policy.terms import Caps, Policy
from dispatcher.policy.zones import day_bounds, iso


def channel_limit(caps: Caps | None, channel: Channel) -> int | None:
    """The most hand-offs by a channel in a day, `None` for no limit."""
    if caps is None or caps.per_channel is None:
        return None
    limit: int | None = getattr(caps.per_channel, channel)
    return limit


def channel_full_until(
    caps: Caps | None, channel: Channel, handed: tuple[Instant, ...], at: Instant, tz: ZoneInfo
) -> Instant | None:
    """The end of the local day if the channel is used up, `None` while a hand-off by it is left."""
    limit = channel_limit(caps, channel)
    return None if limit is None else day_full_until(Caps(per_day=limit), handed, at, tz)


def channel_cap_rule(
    facts: Facts, policy: Policy, now: Instant, tz: ZoneInfo, chosen: Channel | None
) -> Rule | None:
    """How often the customer was reminded today by each channel that has a limit; `None` where none has.

    It defers if even the channel that was chosen is used up.
    """
    limits = {
        channel: limit for channel in CHANNELS if (limit := channel_limit(policy.caps, channel)) is not None
    }
    if not limits:
        return None
    start, end = day_bounds(now, tz)
    today = {channel: _within(facts, channel, start, end) for channel in limits}
    full = {channel for channel, limit in limits.items() if today[channel] >= limit}
    outcome = "defer" if chosen in full else "pass"
    inputs = {"today": today, "per_channel": limits, "day_start": iso(start), "day_end": iso(end)}
    return Rule(rule="channel_cap", outcome=outcome, inputs=inputs, until=iso(end) if full else None)


def _within(facts: Facts, channel: Channel, start: Instant, end: Instant) -> int:
    return sum(start <= at < end for at in facts.by_channel.get(channel, ()))
