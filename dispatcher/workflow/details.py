"""How decisions and plans are written into the audit: JSON, instants as UTC text."""

from functools import lru_cache
from typing import Any

import msgspec

from dispatcher.errors import MessageTooLong
from dispatcher.messages.rendering import Rendered
from dispatcher.policy.decisions import Decision, Limits, Offer, Planned, Send, Unplanned
from dispatcher.policy.events import Event
from dispatcher.policy.facts import Instant, OrderFacts
from dispatcher.policy.zones import HOUR, iso
from dispatcher.storage.packing import Packed, pack

LONGEST_DAY = 25 * HOUR
"""The local day on which clocks are put back."""

_ENCODER = msgspec.json.Encoder()
_BUFFER = bytearray()
"""Written anew for each text, so that none has to grow to its length."""


def packed(details: dict[str, Any] | OrderFacts) -> Packed:
    """Return details, or an order's facts, as they are stored; as `pack`, for one thread only."""
    _ENCODER.encode_into(details, _BUFFER)
    return pack(_BUFFER)


def of_order(facts: OrderFacts) -> Packed:
    """Return what an accepted or amended order's record says of it."""
    order, customer = facts.order, facts.customer
    told: dict[str, Any] = {
        "placed_at": iso(order.placed_at),
        "closes_at": iso(order.closes_at),
        "total": order.total,
        "timezone": customer.timezone,
        "paid_orders": customer.paid_orders,
    }
    if customer.grade is not None:
        told["grade"] = customer.grade
    return packed(told)


def of_time(event: Event) -> Packed:
    """Return what the record of an order's end, or of what a customer did, says of it: when it was so."""
    return packed({"time": iso(event.time)})


def of_reported(handed: Instant, agent: str | None, person: str | None = None) -> Packed:
    """Return what the record of a hand-off that an agent made and reported says of it."""
    told = {"handed_at": iso(handed), "by_hand": "reported", **of_person(person)}
    return packed(told if agent is None else told | {"agent": agent})


def of_plan(step: Planned | Unplanned) -> Packed:
    """Return what the record of a planned (or never planned) step says of it."""
    return packed(plan_told(step))


def plan_told(step: Planned | Unplanned) -> dict[str, Any]:
    """Return the same before it is packed."""
    told: dict[str, Any] = {"moment": iso(step.moment), "rules": step.rules}
    if isinstance(step, Planned):
        told["due"] = iso(step.due)
    return told


def of_decision(decision: Decision, **more: Any) -> Packed:
    """Return the record of a decision with every rule that led to it, and `more`."""
    return packed({"decision": decision_told(decision)} | more)


def decision_told(decision: Decision) -> dict[str, Any]:
    """Return what a record says of a decision itself."""
    if not isinstance(decision, Send):
        return {"rules": decision.rules}
    written: dict[str, Any] = {
        "rules": decision.rules,
        "decision": "send",
        "channel": decision.channel,
        "valid_until": iso(decision.valid_until),
        "ships_today": decision.ships_today,
        "limits": _limits_told(decision.limits),
    }
    if decision.carries:
        written["carries"] = [{"order": each.order, "step": each.step} for each in decision.carries]
    if decision.offer is not None:
        written["incentive"] = _offer_told(decision.offer)
    return written


@lru_cache(maxsize=256)
def _limits_told(limits: Limits) -> msgspec.Raw:
    """Return what a record says of limits as JSON; those of a batch are mostly the same."""
    told: dict[str, Any] = {
        "day_start": iso(limits.day_start),
        "day_end": iso(limits.day_end),
        "per_day": limits.per_day,
        "min_gap_ms": limits.min_gap,
    }
    for name in ("per_order", "per_channel", "max_open", "pace"):
        if (limit := getattr(limits, name)) is not None:
            told[name] = limit
    return msgspec.Raw(_ENCODER.encode(told))


def _offer_told(offer: Offer) -> dict[str, Any]:
    """Return what a record says of the item that a message names; one offered again was taken before."""
    told: dict[str, Any] = {"pool": offer.pool.id, "ends": iso(offer.ends), "again": offer.again}
    if offer.net is not None:
        told["net"] = offer.net
    return told


def of_ledger(ledger: tuple[Instant, ...], now: Instant) -> dict[str, Any]:
    """Return the hand-offs a put-off or dropped reminder was decided on: those of the day, else the last."""
    recent = tuple(at for at in ledger if at > now - LONGEST_DAY) or ledger[-1:]
    return {"ledger": [iso(at) for at in recent]} if recent else {}


def of_wording(rendered: Rendered) -> dict[str, Any]:
    """Return what a message's wording met: what names were left out for, and what is better not said."""
    told: dict[str, Any] = {}
    if rendered.masked:
        told["masked"] = [
            {"word": each.word, "kind": each.kind, "field": each.field} for each in rendered.masked
        ]
    if rendered.advised:
        told["advised"] = [{"word": each.word, "kind": each.kind} for each in rendered.advised]
    return told


def of_length(long: MessageTooLong) -> dict[str, Any]:
    """Return how long a message is that its channel does not take, and the field that is to blame."""
    told = {"characters": long.characters, "limit": long.limit, "channel": long.channel}
    return told if long.field is None else told | {"field": long.field}


def of_person(person: str | None) -> dict[str, Any]:
    """Return whose slot a hand-off takes, where that is not its customer's."""
    return {} if person is None else {"person": person}


def moment(at: Instant) -> str:
    """Return an instant as the audit writes it."""
    return iso(at)
