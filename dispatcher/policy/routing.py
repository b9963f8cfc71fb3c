"""Which channels a reminder may take, best first."""

from collections.abc import Sequence
from typing import NamedTuple

from dispatcher.policy.decisions import Rule
from dispatcher.policy.facts import CHANNELS, Channel, Customer, Order
from dispatcher.policy.spread import valuable
from dispatcher.policy.terms import Policy

_ADDRESSES: dict[tuple[bool, bool], tuple[Channel, ...]] = {
    (True, True): CHANNELS,
    (True, False): ("chat",),
    (False, True): ("sms", "phone"),
    (False, False): (),
}
"""The channels with an address, by whether there is one for chat and a phone number."""


class Routes(NamedTuple):
    """The usable channels, best first; where there is none, `refusal` is the reason."""

    ranked: tuple[Channel, ...]
    refusal: str | None


def routes(
    order: Order,
    customer: Customer,
    policy: Policy,
    *,
    used: Sequence[Channel] = (),
    tried: Sequence[Channel] = (),
) -> Routes:
    """Channels the policy names that have an address and are not forbidden; those used before come last.

    A call is never used twice (textbook), a channel in `tried` not again.
    """
    fresh: list[Channel] = []
    again: list[Channel] = []
    refusal = "no_address"
    for channel in _preferred(order, customer, policy):
        if (channel == "phone" and channel in used) or not has_address(customer, channel):
            continue
        if customer.consent is not None and not consents(customer, channel):
            refusal = "no_consent" if refusal == "no_address" else refusal
        elif channel in tried:
            refusal = "attempts_used_up"
        else:
            (again if channel in used else fresh).append(channel)
    ranked = (*fresh, *again)
    return Routes(ranked, None if ranked else refusal)


def has_address(customer: Customer, channel: Channel) -> bool:
    """Whether the customer can be reached there at all."""
    return bool(customer.chat if channel == "chat" else customer.phone)


def consents(customer: Customer, channel: Channel) -> bool:
    """Whether the customer has not forbidden the channel."""
    return customer.consent is None or getattr(customer.consent, channel) is not False


def routing_rule(
    order: Order,
    customer: Customer,
    outcome: str,
    *,
    used: Sequence[Channel] = (),
    tried: Sequence[Channel] = (),
) -> Rule:
    """What routing looked at, without any address."""
    inputs: dict[str, object] = {
        "total": order.total,
        "paid_orders": customer.paid_orders,
        "addresses": _ADDRESSES[bool(customer.chat), bool(customer.phone)],
    }
    forbidden = customer.consent and [channel for channel in CHANNELS if not consents(customer, channel)]
    if forbidden:
        inputs["forbidden"] = forbidden
    if used:
        inputs["used"] = list(used)
    if tried:
        inputs["tried"] = list(tried)
    return Rule(rule="routing", outcome=outcome, inputs=inputs)


def _preferred(order: Order, customer: Customer, policy: Policy) -> tuple[Channel, ...]:
    channels = policy.routing.channels
    if not valuable(order, customer, policy.routing):
        return channels
    return ("phone", *(channel for channel in channels if channel != "phone"))
