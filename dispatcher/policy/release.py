"""When a step goes that had to wait for an instant it shares with many others."""

from dispatcher.policy.facts import Customer, Instant, Order
from dispatcher.policy.spread import offset
from dispatcher.policy.timing import Slot, Timing


def released(timing: Timing, slot: Slot, order: Order, customer: Customer, step: int) -> Instant:
    """The slot's instant, plus this step's share of the spread where the instant is a shared one.

    No rule blocks the result, and it is before the order's close.
    """
    if not slot.anchored:
        return slot.at
    room = timing.allowed_until(slot.at, order.closes_at) - slot.at
    later = slot.at + offset(order, customer, step, timing.policy, release=slot.at, room=room)
    # Within the room only the caps can block what comes after a free instant.
    return slot.at if timing.caps is not None and timing.blocked(later) else later
