"""How decisions and plans are written into the audit: JSON, instants as UTC text."""

from typing import Any

import msgspec

from dispatcher.policy.decisions import Decision, Planned, Rule, Send, Unplanned
from dispatcher.policy.facts import Instant, OrderFacts
from dispatcher.policy.zones import HOUR, iso

LONGEST_DAY = 25 * HOUR
"""The local day on which clocks are put back."""

_ENCODER = msgspec.json.Encoder()


def encoded(details: dict[str, Any]) -> str:
    """Return details as a JSON object."""
    return _ENCODER.encode(details).decode()


def _rules(rules: tuple[Rule, ...]) -> list[dict[str, Any]]:
    return [
        {
            "rule": rule.rule,
            "outcome": rule.outcome,
            "inputs": rule.inputs,
            "until": None if rule.until is None else iso(rule.until),
        }
        for rule in rules
    ]


def of_order(facts: OrderFacts) -> str:
    """Return what an accepted or amended order's record says of it."""
    order, customer = facts.order, facts.customer
    return encoded(
        {
            "placed_at": iso(order.placed_at),
            "closes_at": iso(order.closes_at),
            "total": order.total,
            "timezone": customer.timezone,
            "paid_orders": customer.paid_orders,
        }
    )


def of_plan(step: Planned | Unplanned) -> str:
    """Return what the record of a planned (or never planned) step says of it."""
    details: dict[str, Any] = {"moment": iso(step.moment), "rules": _rules(step.rules)}
    if isinstance(step, Planned):
        details["due"] = iso(step.due)
    return encoded(details)


def of_decision(decision: Decision, **more: Any) -> str:
    """Return the record of a decision with every rule that led to it, and `more`."""
    written: dict[str, Any] = {"rules": _rules(decision.rules)}
    if isinstance(decision, Send):
        limits = decision.limits
        written |= {
            "decision": "send",
            "channel": decision.channel,
            "valid_until": iso(decision.valid_until),
            "ships_today": decision.ships_today,
            "limits": {
                "day_start": iso(limits.day_start),
                "day_end": iso(limits.day_end),
                "per_day": limits.per_day,
                "min_gap_ms": limits.min_gap,
            },
        }
    return encoded({"decision": written} | more)


def of_ledger(ledger: tuple[Instant, ...], now: Instant) -> dict[str, Any]:
    """Return the hand-offs a put-off or dropped reminder was decided on: those of the day, else the last."""
    recent = tuple(at for at in ledger if at > now - LONGEST_DAY) or ledger[-1:]
    return {"ledger": [iso(at) for at in recent]} if recent else {}


def moment(at: Instant) -> str:
    """Return an instant as the audit writes it."""
    return iso(at)
