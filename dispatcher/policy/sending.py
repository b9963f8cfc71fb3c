"""A decision to hand over: until when it stands, what its commit asks again, and what its message carries."""

from msgspec.structs import replace

from dispatcher.policy.caps import limits
from dispatcher.policy.channel_caps import channel_limit
from dispatcher.policy.decisions import Rule, Send
from dispatcher.policy.facts import Facts, Instant
from dispatcher.policy.incentives import offer
from dispatcher.policy.pace import pace_of
from dispatcher.policy.rivals import carried
from dispatcher.policy.shipping import cutoff_of_day, ships_today
from dispatcher.policy.timing import Timing

SHIPS_TODAY = Rule(rule="shipping", outcome="pass", inputs={"ships_today": True})
SHIPS_LATER = Rule(rule="shipping", outcome="pass", inputs={"ships_today": False})


def send(facts: Facts, timing: Timing, now: Instant, rules: list[Rule], *, by_person: bool) -> Send:
    """A hand-off now with all that its commit must find as it is here.

    What a person hands over opens no task, and its words are the person's own: it names no incentive.
    """
    carries = carried(facts, timing, now, rules)
    policy, closes_at = timing.policy, facts.order.closes_at
    for each in carries:
        closes_at = min(closes_at, each.closes_at)
    bounds = limits(policy.caps, now, timing.tz)
    if policy.caps is not None and policy.caps.per_channel is not None:
        bounds = replace(bounds, per_channel=channel_limit(policy.caps, timing.channel))
    ships = ships_today(facts.order, policy, now)
    valid_until = min(timing.allowed_until(now, closes_at), bounds.day_end)
    if policy.shipping is not None:
        rules.append(SHIPS_TODAY if ships else SHIPS_LATER)
        if ships:  # at the cut-off the text would not be true any more
            valid_until = min(valid_until, cutoff_of_day(policy.shipping, policy.timezone, now))
    if (pace := pace_of(policy, timing.channel)) is not None:
        bounds = replace(bounds, pace=pace)
    overflow_at = None
    if timing.channel == "phone" and not by_person and policy.phone is not None:
        if policy.phone.overflow_after is not None:
            overflow_at = min(now + policy.phone.overflow_after, closes_at)
        if policy.phone.max_open is not None:
            bounds = replace(bounds, max_open=policy.phone.max_open)
    offered = None
    if policy.incentives is not None and timing.channel != "phone" and not by_person and not carries:
        offered = offer(facts, policy, now, timing.tz, rules)
        valid_until = valid_until if offered is None else min(valid_until, offered.until)
    return Send(
        channel=timing.channel,
        valid_until=valid_until,
        limits=bounds,
        ships_today=ships,
        rules=tuple(rules),
        overflow_at=overflow_at,
        carries=carries,
        offer=offered,
    )
