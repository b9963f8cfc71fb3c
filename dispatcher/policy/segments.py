"""The customers a shop treats in their own way, and the channels they get."""

from decimal import Decimal
from functools import lru_cache
from typing import Literal

from dispatcher.policy.facts import Channel, Customer, Order
from dispatcher.policy.terms import Routing

Segment = Literal["high_value", "vip", "repeat", "first_time"]


def segment(order: Order, customer: Customer, routing: Routing) -> Segment | None:
    """The first segment whose bound is reached; `first_time` is one only where it has channels of its own."""
    if routing.high_value is not None and _decimal(order.total) >= routing.high_value:
        return "high_value"
    if routing.vip_grade is not None and customer.grade is not None and customer.grade >= routing.vip_grade:
        return "vip"
    if routing.repeat_orders is not None and customer.paid_orders >= routing.repeat_orders:
        return "repeat"
    own = routing.segments is not None and routing.segments.first_time is not None
    return "first_time" if own and customer.paid_orders == 0 else None


@lru_cache(maxsize=4096)
def _decimal(total: str) -> Decimal:
    return Decimal(total)


def valuable(order: Order, customer: Customer, routing: Routing) -> bool:
    """Whether the customer is of a segment that pays or has paid."""
    return segment(order, customer, routing) not in (None, "first_time")


def preferred(order: Order, customer: Customer, routing: Routing) -> tuple[Channel, ...]:
    """The channels the policy names for the customer, best first."""
    found = segment(order, customer, routing)
    if found is None:
        return routing.channels
    own: tuple[Channel, ...] | None = getattr(routing.segments, found, None)
    return own or _call_first(routing.channels)


@lru_cache(maxsize=16)
def _call_first(channels: tuple[Channel, ...]) -> tuple[Channel, ...]:
    return ("phone", *(channel for channel in channels if channel != "phone"))
