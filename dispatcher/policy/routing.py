"""Which channels a reminder may take, best first."""

from collections.abc import Sequence

import msgspec

from dispatcher.policy.decisions import Rule
from dispatcher.policy.facts import CHANNELS, Channel, Customer, Order
from dispatcher.policy.segments import preferred, segment
from dispatcher.policy.terms import Policy

_ADDRESSES: dict[tuple[bool, bool], tuple[Channel, ...]] = {
    (True, True): CHANNELS,
    (True, False): ("chat",),
    (False, True): ("sms", "phone"),
    (False, False): (),
}
"""The channels with an address, by whether there is one for chat and a phone number."""

_HOW_FAR = ("no_address", "no_consent", "sensitive", "attempts_used_up", "opted_out")
"""Why a channel is of no use: where none is, the reason of the one that came nearest stands for all."""


class Routes(msgspec.Struct, frozen=True, gc=False):
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
    opted_out: Sequence[Channel] = (),
) -> Routes:
    """Channels the policy names that have an address and are not forbidden; those used before come last.

    A call is never used twice (textbook), a channel in `tried` not again, one in `opted_out` not at all.
    """
    fresh: list[Channel] = []
    again: list[Channel] = []
    refusal = "no_address"
    for channel in preferred(order, customer, policy.routing):
        if channel == "phone" and channel in used:
            continue
        unusable = refuse_channel(channel, order, customer, policy, opted_out)
        if unusable is None and channel in tried:
            unusable = "attempts_used_up"
        if unusable is None:
            (again if channel in used else fresh).append(channel)
        else:
            refusal = max(refusal, unusable, key=_HOW_FAR.index)
    ranked = (*fresh, *again)
    return Routes(ranked, None if ranked else refusal)


def refuse_channel(
    channel: Channel,
    order: Order,
    customer: Customer,
    policy: Policy,
    opted_out: Sequence[Channel] = (),
) -> str | None:
    """Why the order's customer may not be reminded there, whatever went before; `None` if that is allowed."""
    if channel in opted_out:
        return "opted_out"
    if channel in customer.blocked or not (customer.chat if channel == "chat" else customer.phone):
        return "no_address"
    suppression = policy.suppression
    consent = None if customer.consent is None else getattr(customer.consent, channel)
    if consent is False:
        return "no_consent"
    if suppression is None:
        return None
    if consent is None and suppression.consent_required and channel in suppression.consent_required:
        return "no_consent"
    allowed = suppression.sensitive_channels
    return "sensitive" if allowed is not None and channel not in allowed and _sensitive(order) else None


def _sensitive(order: Order) -> bool:
    return any(item.sensitive for item in order.items)


def routing_rule(
    order: Order,
    customer: Customer,
    policy: Policy,
    outcome: str,
    *,
    used: Sequence[Channel] = (),
    tried: Sequence[Channel] = (),
    opted_out: Sequence[Channel] = (),
) -> Rule:
    """What routing looked at, without any address."""
    inputs: dict[str, object] = {
        "total": order.total,
        "paid_orders": customer.paid_orders,
        "addresses": _ADDRESSES[bool(customer.chat), bool(customer.phone)],
    }
    if (found := segment(order, customer, policy.routing)) is not None:
        inputs["segment"] = found
    if policy.routing.vip_grade is not None:
        inputs["grade"] = customer.grade
    if forbidden := _consented(customer, said=False):
        inputs["forbidden"] = forbidden
    suppression = policy.suppression
    if suppression is not None and suppression.consent_required:
        inputs["consented"] = _consented(customer, said=True)
    if suppression is not None and suppression.sensitive_channels is not None:
        inputs["sensitive"] = _sensitive(order)
    if used:
        inputs["used"] = list(used)
    if tried:
        inputs["tried"] = list(tried)
    if opted_out:
        inputs["opted_out"] = list(opted_out)
    if customer.blocked:
        inputs["blocked"] = list(customer.blocked)
    return Rule(rule="routing", outcome=outcome, inputs=inputs)


def _consented(customer: Customer, *, said: bool) -> list[Channel]:
    """The channels of which the customer said yes, or no."""
    if customer.consent is None:
        return []
    return [channel for channel in CHANNELS if getattr(customer.consent, channel) is said]
