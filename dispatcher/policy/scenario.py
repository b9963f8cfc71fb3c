"""Which of the kinds of messages suits a reminder: by what is known of order, customer and decision."""

from typing import Literal

from dispatcher.policy.decisions import Send
from dispatcher.policy.facts import Facts, WhyUnpaid
from dispatcher.policy.segments import segment
from dispatcher.policy.terms import Policy
from dispatcher.policy.zones import HOUR

Scenario = Literal[
    "first_reminder", "before_close", "same_day_shipping", "check_details", "first_time", "repeat",
    "high_value", "flash_sale", "merged_orders", "cannot_pay", "forgot", "price", "doubt", "comparing",
    "delivery", "kind_ending",
]  # fmt: skip
"""What a message is about, as the catalog names it."""

FLASH_SALE = HOUR
"""An order that lives no longer is one of a flash sale."""

PLANNED = 2
"""So many reminders of an order have texts of the catalog; what agents send themselves comes after them."""

_TOLD: dict[WhyUnpaid, Scenario] = {
    "cannot_pay": "cannot_pay",
    "forgot": "forgot",
    "price": "price",
    "doubt": "doubt",
    "comparing": "comparing",
    "delivery": "delivery",
    "changed_mind": "kind_ending",
}
"""What answers the reason that a customer told for not having paid."""

_WHY: dict[Scenario, str] = {
    "merged_orders": "merged",
    "flash_sale": "flash_sale",
    "before_close": "step",
    "repeat": "repeat",
    "same_day_shipping": "ships_today",
    "first_time": "first_time",
    "first_reminder": "otherwise",
    **{answer: f"told: {reason}" for reason, answer in _TOLD.items()},
}
"""What of an order leads to a kind; the kinds that are not here are for one of two things."""


def scenario(facts: Facts, policy: Policy, decision: Send) -> Scenario:
    """What the message is about: of all that suits, what is known most particularly.

    A message about several orders is nothing else: none of the others would name them all.
    """
    if decision.carries:
        return "merged_orders"
    if facts.told is not None:
        return _TOLD[facts.told]
    if facts.order.closes_at - facts.order.placed_at <= FLASH_SALE:
        # Its time is short from the beginning; once that was told, the other reminder says something else.
        told = any(handoff.step <= PLANNED for handoff in facts.used)
        return "check_details" if told else "flash_sale"
    return "before_close" if facts.step > 1 else _introducing(facts, policy, decision)


def _introducing(facts: Facts, policy: Policy, decision: Send) -> Scenario:
    """What a first reminder is about."""
    paid = facts.customer.paid_orders
    if segment(facts.order, facts.customer, policy.routing) in ("high_value", "vip"):
        return "high_value"
    if paid >= (policy.routing.repeat_orders or 1):
        return "repeat"
    if decision.ships_today:
        return "same_day_shipping"
    if facts.order.buyer_note:
        return "check_details"
    return "first_reminder" if paid else "first_time"


def why(facts: Facts, policy: Policy, decision: Send) -> str:
    """Which of the facts, as a short code, decided what the message is about; for who explains it."""
    found = scenario(facts, policy, decision)
    short = facts.order.closes_at - facts.order.placed_at <= FLASH_SALE
    return why_of(found, segment(facts.order, facts.customer, policy.routing), short=short)


def why_of(kind: Scenario, fits: str | None, *, short: bool) -> str:
    """The same of a kind that was taken for an order in a segment, `short` if it is one of a flash sale."""
    if kind == "high_value":
        return fits or kind
    if kind == "check_details":
        return "flash_sale" if short else "note"
    return _WHY[kind]
