"""Release of what falls on one instant: over some minutes, the most urgent and valuable first."""

from hashlib import blake2b

from dispatcher.policy.facts import Customer, Instant, Order
from dispatcher.policy.segments import valuable
from dispatcher.policy.terms import Policy
from dispatcher.policy.zones import HOUR, SECOND

URGENT_WITHIN = 4 * HOUR
"""An order that closes this soon after the release is urgent."""

_FIRST_PART = 4
"""Urgent and valuable ones share the first quarter of the time."""


def share(text: str) -> float:
    """A number in [0, 1) that the same text always gives, evenly spread over different ones."""
    digest = blake2b(text.encode("utf-8", "surrogatepass"), digest_size=6).digest()
    return int.from_bytes(digest, "big") / (1 << 48)


def offset(
    order: Order, customer: Customer, step: int, policy: Policy, *, release: Instant, room: int
) -> int:
    """How long after `release` this step goes: whole seconds within `spread.over` and below `room` (ms)."""
    over = min(policy.spread.over, room) if policy.spread else 0
    if over <= 0:
        return 0
    first = over // _FIRST_PART
    place = share(f"{order.id}\0{step}")
    if order.closes_at - release <= URGENT_WITHIN or valuable(order, customer, policy.routing):
        milliseconds = place * first
    else:
        milliseconds = first + place * (over - first)
    return int(milliseconds) // SECOND * SECOND
