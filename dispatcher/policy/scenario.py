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


def scenarios(facts: Facts, policy: Policy, decision: Send) -> tuple[Scenario, ...]:
    """What the message may be about, the most special first; the last is to be had on every channel.

    A message about several orders is nothing else: none of the others would name them all.
    """
    if decision.carries:
        return ("merged_orders",)
    found: list[Scenario] = []
    if facts.told is not None:
        found.append(_TOLD[facts.told])
    if facts.order.closes_at - facts.order.placed_at <= FLASH_SALE:
        # Its time is short from the beginning; once that was told, a later reminder says something else.
        found.append("check_details" if facts.used else "flash_sale")
    if facts.step > 1:
        found.append("before_close")
    else:
        found += _introducing(facts, policy, decision)
    return tuple(found)


def _introducing(facts: Facts, policy: Policy, decision: Send) -> list[Scenario]:
    """What a first reminder may be about."""
    found: list[Scenario] = []
    paid = facts.customer.paid_orders
    if segment(facts.order, facts.customer, policy.routing) in ("high_value", "vip"):
        found.append("high_value")
    if paid >= (policy.routing.repeat_orders or 1):
        found.append("repeat")
    if decision.ships_today:
        found.append("same_day_shipping")
    if facts.order.buyer_note:
        found.append("check_details")
    if not paid:
        found.append("first_time")
    found.append("first_reminder")
    return found
