"""The channel that a due reminder takes at this moment, of those that it may take."""

from collections.abc import Callable

import msgspec

from dispatcher.policy.channel_caps import channel_limit
from dispatcher.policy.decisions import Decision, Defer, Rule
from dispatcher.policy.facts import Channel, Facts, Instant
from dispatcher.policy.routing import Routes
from dispatcher.policy.terms import Policy
from dispatcher.policy.timing import Timing
from dispatcher.policy.zones import FOREVER, MINUTE, iso

CALLS_WAIT = 5 * MINUTE
"""After so long a call that finds as many tasks open as there may be asks again."""


class Way(msgspec.Struct, frozen=True, gc=False):
    """The channel, or `None` and why; `crowded`: no further call task may be opened now."""

    channel: Channel | None
    refusal: str = ""
    crowded: bool = False


def way(
    facts: Facts, policy: Policy, now: Instant, routes: Routes, timing: Callable[[Channel], Timing]
) -> Way:
    """The best channel that has time before the order closes.

    One that is used up today, and a call for which there are too many tasks, give way to the next one; where
    there is none, the best of them is waited for.
    """
    full: list[Channel] = []
    used_up = crowded = False
    for channel in routes.ranked:
        limit = channel_limit(policy.caps, channel)
        if channel == "phone" or limit is not None:
            times = timing(channel)
            blocked = times.blocked(now)
            over = limit is not None and blocked is not None and blocked.rule == "channel_cap"
            used_up = used_up or over
            if times.first_free(now, facts.order.closes_at).at == FOREVER:
                continue
            many = channel == "phone" and too_many_tasks(facts, policy)
            crowded = crowded or many
            if over or many:
                full.append(channel)
                continue
        return Way(channel, crowded=crowded)
    if full:
        return Way(full[0], crowded=full[0] == "phone" and crowded)
    return Way(None, routes.refusal or no_time(facts, policy, now, used_up=used_up))


def most_open(policy: Policy) -> int | None:
    """So many call tasks may wait for an agent, `None` for no limit."""
    return None if policy.phone is None else policy.phone.max_open


def too_many_tasks(facts: Facts, policy: Policy) -> bool:
    """Whether as many call tasks wait for an agent as there may be, where they were counted."""
    most = most_open(policy)
    return most is not None and facts.open_tasks is not None and facts.open_tasks >= most


def waits_for_agents(decision: Decision, facts: Facts, policy: Policy) -> bool:
    """Whether a call gives way or waits because there are too many tasks."""
    return isinstance(decision, Defer) and decision.reason == "overflow" and too_many_tasks(facts, policy)


def max_open(decision: Decision, facts: Facts, policy: Policy) -> tuple[Rule, ...]:
    """The limit on open tasks as a rule, where it is what a decision waits for."""
    if not (isinstance(decision, Defer) and waits_for_agents(decision, facts, policy)):
        return ()
    inputs = {"open_tasks": facts.open_tasks, "max_open": most_open(policy)}
    return (Rule(rule="max_open", outcome="defer", inputs=inputs, until=iso(decision.until)),)


def no_time(facts: Facts, policy: Policy, now: Instant, *, used_up: bool = False) -> str:
    """Why no instant is left: none is ever allowed, or none before the close, be it for a promise."""
    if used_up or (policy.caps is not None and policy.caps.per_day == 0):
        return "daily_cap"
    promised = facts.promised_until is not None and now < facts.promised_until
    return "promised" if promised else "closes_before_window"
