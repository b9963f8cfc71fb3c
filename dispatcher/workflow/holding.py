"""What holds a shop's reminders back beside decisions and pauses: calls that wait, and a channel's pace."""

from collections.abc import Mapping
from typing import NamedTuple

from msgspec.structs import replace

from dispatcher.policy.decisions import Decision, Defer, Rule
from dispatcher.policy.facts import Channel, Facts, Instant
from dispatcher.policy.pace import paces
from dispatcher.policy.terms import Policy
from dispatcher.policy.way import too_many_tasks
from dispatcher.policy.zones import MINUTE, iso
from dispatcher.workflow.ports import Store

MAX_OPEN, PACE = "max_open", "pace"
"""The rules, by the names that the policy has for them."""


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


async def held_back(store: Store, shop: str, policy: Policy, now: Instant) -> Held:
    """Look at what holds a shop's queues back at an instant."""
    limited = policy.phone is not None and policy.phone.max_open is not None
    paced: dict[Channel, tuple[int, Instant]] = {}
    for channel, pace in paces(policy).items():
        begun = await store.begun_since(shop, channel, now - MINUTE)
        if len(begun) >= pace:
            paced[channel] = len(begun), begun[len(begun) - pace] + MINUTE
    return Held(await store.open_tasks(shop) if limited else None, paced)


def waits_for_agents(decision: Decision, facts: Facts, policy: Policy) -> bool:
    """Tell whether a call gives way or waits because there are too many tasks."""
    return isinstance(decision, Defer) and decision.reason == "overflow" and too_many_tasks(facts, policy)


def max_open(decision: Decision, facts: Facts, policy: Policy) -> tuple[Rule, ...]:
    """Return the limit on open tasks as a rule, where it is what a decision waits for."""
    if not (isinstance(decision, Defer) and waits_for_agents(decision, facts, policy)):
        return ()
    assert policy.phone is not None
    inputs = {"open_tasks": facts.open_tasks, "max_open": policy.phone.max_open}
    return (Rule(rule=MAX_OPEN, outcome="defer", inputs=inputs, until=iso(decision.until)),)
