"""What holds a shop's reminders back beside decisions and pauses: calls that wait, a channel's pace."""

from dispatcher.policy.facts import Channel, Instant
from dispatcher.policy.pace import Held, at_pace, paces
from dispatcher.policy.terms import Policy
from dispatcher.policy.way import most_open
from dispatcher.policy.zones import MINUTE
from dispatcher.workflow.ports import Store


async def held_back(store: Store, shop: str, policy: Policy, now: Instant) -> Held:
    """Look at what holds a shop's queues back at an instant."""
    paced: dict[Channel, tuple[int, Instant]] = {}
    for channel, pace in paces(policy).items():
        if held := at_pace(pace, await store.begun_since(shop, channel, now - MINUTE)):
            paced[channel] = held
    return Held(None if most_open(policy) is None else await store.open_tasks(shop), paced)
