"""A decision to hand over: until when it stands, what its commit asks again, and what its message carries."""

from functools import lru_cache
from typing import NamedTuple
from zoneinfo import ZoneInfo

from msgspec.structs import replace

from dispatcher.policy.caps import limits
from dispatcher.policy.channel_caps import channel_limit
from dispatcher.policy.decisions import Limits, Rule, Send
from dispatcher.policy.facts import Channel, Facts, Instant
from dispatcher.policy.incentives import offer
from dispatcher.policy.pace import pace_of
from dispatcher.policy.rivals import carried
from dispatcher.policy.shipping import all_in_stock, shipping_until
from dispatcher.policy.terms import Policy
from dispatcher.policy.timing import Timing
from dispatcher.policy.zones import FOREVER

SHIPS_TODAY = Rule(rule="shipping", outcome="pass", inputs={"ships_today": True})
SHIPS_LATER = Rule(rule="shipping", outcome="pass", inputs={"ships_today": False})


class Day(NamedTuple):
    """What a hand-off at an instant stands on, whoever the customer is.

    It may go until `until`; what is in stock ships that day if it is paid before `ships`.
    """

    limits: Limits
    until: Instant
    ships: Instant | None


def send(facts: Facts, timing: Timing, now: Instant, rules: list[Rule], *, by_person: bool) -> Send:
    """A hand-off now with all that its commit must find as it is here.

    What a person hands over opens no task, and its words are the person's own: it names no incentive.
    """
    carries = carried(facts, timing, now, rules)
    policy, closes_at = timing.policy, facts.order.closes_at
    for each in carries:
        closes_at = min(closes_at, each.closes_at)
    bounds, valid_until, ships_until = _day(policy, timing.tz, timing.channel, now)
    valid_until = min(valid_until, closes_at)
    ships = ships_until is not None and all_in_stock(facts.order)
    if policy.shipping is not None:
        rules.append(SHIPS_TODAY if ships else SHIPS_LATER)
        if ships_until is not None and ships:  # at the cut-off the text would not be true any more
            valid_until = min(valid_until, ships_until)
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


@lru_cache(maxsize=256)
def _day(policy: Policy, tz: ZoneInfo, channel: Channel, now: Instant) -> Day:
    bounds = replace(limits(policy.caps, now, tz), pace=pace_of(policy, channel))
    if policy.caps is not None:
        bounds = replace(bounds, per_channel=channel_limit(policy.caps, channel))
    until = Timing(policy, tz, channel).allowed_until(now, FOREVER)
    return Day(bounds, min(until, bounds.day_end), shipping_until(policy, now))
