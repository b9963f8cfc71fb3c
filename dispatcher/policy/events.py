"""What the shop's order system tells us: bytes in, a typed event out, and its effect on an order's facts."""

from enum import StrEnum
from hashlib import blake2b
from typing import Any, NoReturn

import msgspec

from dispatcher.errors import FieldProblem, InvalidEvent
from dispatcher.policy import event_json, event_wire
from dispatcher.policy.event_text import shop_of_source
from dispatcher.policy.event_wire import Problems, read_object
from dispatcher.policy.facts import Channel, Consent, Customer, Instant, Order, OrderFacts, Receiver
from dispatcher.policy.terms import Policy

MAX_PROBLEMS = 50
"""An event that is wrong all over is answered with its first so many problems."""

MAX_EVENTS = 1_000
"""Events in one batch."""

DIGEST_BYTES = 16


class EventType(StrEnum):
    """What happened to an order, or what a customer did."""

    UNPAID = "order.unpaid"
    AMENDED = "order.amended"
    PAID = "order.paid"
    CANCELLED = "order.cancelled"
    OPTED_OUT = "customer.opted_out"
    REPLIED = "customer.replied"
    REMINDED = "order.reminded"


class OrderPatch(msgspec.Struct, frozen=True, kw_only=True, gc=False):
    """The fields of order and customer that an event gives, in the facts' own types.

    A field given as null has its default here; `receiver` and `consent` are the fields given of them.
    """

    order: dict[str, Any]
    customer: dict[str, Any]


class Event(msgspec.Struct, frozen=True, kw_only=True, gc=False):
    """One event; two with the same `digest` have the same content.

    `order` is the order's id, and `patch` is there for `order.unpaid` and `order.amended` only. What a
    customer did is about no order but has the id of the `customer`, and an opt-out its `channel`, `None`
    for all; a reminder sent by hand has the `channel` it took, and maybe the `agent` who sent it.
    """

    id: str
    source: str
    shop: str
    type: EventType
    time: Instant
    order: str | None
    digest: str
    patch: OrderPatch | None
    customer: str | None = None
    channel: Channel | None = None
    agent: str | None = None


_TYPES = {str(kind): kind for kind in EventType}
_ENVELOPE = event_wire.envelope(tuple(_TYPES))
CHANGES_FACTS = frozenset({EventType.UNPAID, EventType.AMENDED})
BY_CUSTOMER = frozenset({EventType.OPTED_OUT, EventType.REPLIED})

_SHAPES = {
    EventType.UNPAID: event_wire.COMPLETE_DATA,
    EventType.OPTED_OUT: event_wire.OPT_OUT_DATA,
    EventType.REPLIED: event_wire.REPLY_DATA,
    EventType.REMINDED: event_wire.REMINDED_DATA,
}
"""What an event's data holds; of any other type `PARTIAL_DATA`."""


def decode_event(raw: bytes | dict[str, Any]) -> Event:
    """Return the event in a CloudEvent's JSON, or in its object; `InvalidEvent` names each wrong field."""
    content = event_json.parse(raw) if isinstance(raw, bytes) else raw
    problems: Problems = []
    if isinstance(content, list):
        expected = "expected an object; an array of events is sent as application/cloudevents-batch+json"
        _refuse([FieldProblem("", expected)], None)
    given = read_object(_ENVELOPE, content, "", problems)
    kind = _TYPES.get(given.get("type", ""))
    data = _read_data(kind, given["data"], problems) if kind and "data" in given else {}
    if problems or kind is None:
        _refuse(problems, given.get("id"))
    canonical = event_json.canonical(content)
    # Nothing that was accepted has a shorter text than the canonical one, and a name given twice adds to it.
    if isinstance(raw, bytes) and len(raw) != len(canonical):
        twice = event_json.repeated_name(raw, canonical)
        if twice is not None:
            _refuse([FieldProblem("", f"the field {twice} is given more than once")], given["id"])
    patch = None
    if kind in CHANGES_FACTS:
        patch = OrderPatch(order=data["order"], customer=data.get("customer") or {})
    return Event(
        id=given["id"],
        source=given["source"],
        shop=shop_of_source(given["source"]),
        type=kind,
        time=given["time"],
        order=None if kind in BY_CUSTOMER else data["order"]["id"],
        digest=blake2b(canonical, digest_size=DIGEST_BYTES).hexdigest(),
        patch=patch,
        customer=data["customer"]["id"] if kind in BY_CUSTOMER else None,
        channel=data.get("channel"),
        agent=data.get("agent"),
    )


def decode_batch(body: bytes) -> list[Event | InvalidEvent]:
    """Return each element of a JSON array as an event or a refusal.

    No array raises `InvalidEvent`, one of more than `MAX_EVENTS` raises `TooLarge`.
    """
    return [_event_or_refusal(raw) for raw in event_json.split(body, MAX_EVENTS)]


def facts_of(event: Event, policy: Policy) -> OrderFacts:
    """Return the facts a complete event gives; `InvalidEvent` if one is missing or against the policy."""
    patch = _patch(event)
    # An event that makes an order was read as a complete one.
    if event.type is not EventType.UNPAID:
        _refuse_incomplete(patch, event)
    fields = {"closes_at": None, "currency": None} | patch.order
    if "receiver" in fields:
        fields["receiver"] = _part(Receiver, None, fields["receiver"])
    customer = patch.customer
    if "consent" in customer:
        customer = customer | {"consent": _part(Consent, None, customer["consent"])}
    return OrderFacts(order=_order(fields, event, policy), customer=Customer(**customer))


def _refuse_incomplete(patch: OrderPatch, event: Event) -> None:
    problems = [
        FieldProblem(f"/data/order/{name}", "required, but missing")
        for name in event_wire.COMPLETE_ORDER
        if name not in patch.order
    ]
    if not patch.customer:
        problems.append(FieldProblem("/data/customer", "required, but missing"))
    if problems:
        _refuse(problems, event.id)


def merged(facts: OrderFacts, event: Event, policy: Policy) -> OrderFacts:
    """Return the facts with what the event gives in place of what was; `InvalidEvent` if that is not right.

    Items and promotion are replaced as a whole, receiver and consent field by field. Another customer's id
    begins a new customer: nothing of the former one carries over.
    """
    patch = _patch(event)
    fields = msgspec.structs.asdict(facts.order) | patch.order
    if "receiver" in patch.order:
        fields["receiver"] = _part(Receiver, facts.order.receiver, patch.order["receiver"])
    return OrderFacts(
        order=_order(fields, event, policy), customer=_merged_customer(facts.customer, patch.customer)
    )


def _merged_customer(before: Customer, given: dict[str, Any]) -> Customer:
    if not given:
        return before
    if given["id"] != before.id:
        before = Customer(id=given["id"])
    if "consent" in given:
        given = given | {"consent": _part(Consent, before.consent, given["consent"])}
    return msgspec.structs.replace(before, **given)


def _part(kind: type[Any], before: Any, given: dict[str, Any] | None) -> Any:
    if given is None:
        return None
    return kind(**given) if before is None else msgspec.structs.replace(before, **given)


def _order(fields: dict[str, Any], event: Event, policy: Policy) -> Order:
    problems: Problems = []
    fields["closes_at"] = _closes_at(fields, policy, problems)
    given = _patch(event).order.get("currency")
    # An order taken while the policy had another currency keeps its own.
    if given is not None and policy.currency not in (None, given):
        expected = f"expected {policy.currency}, the policy's currency"
        problems.append(FieldProblem("/data/order/currency", expected))
    fields["currency"] = fields["currency"] or policy.currency
    if fields["currency"] is None:
        problems.append(FieldProblem("/data/order/currency", "required, since the policy has no currency"))
    if problems:
        _refuse(problems, event.id)
    return Order(**fields)


def _closes_at(fields: dict[str, Any], policy: Policy, problems: Problems) -> Instant | None:
    closes_at: Instant | None = fields["closes_at"]
    if closes_at is None and policy.pay_within is not None:
        closes_at = fields["placed_at"] + policy.pay_within
    if closes_at is None:
        expected = "required, since the policy has no pay_within"
        problems.append(FieldProblem("/data/order/closes_at", expected))
    elif closes_at <= fields["placed_at"]:
        problems.append(_closes_too_early())
    return closes_at


def _patch(event: Event) -> OrderPatch:
    if event.patch is None:
        expected = "expected order.unpaid or order.amended"
        _refuse([FieldProblem("/type", expected)], event.id)
    return event.patch


def _read_data(kind: EventType, data: object, problems: Problems) -> dict[str, Any]:
    given = read_object(_SHAPES.get(kind, event_wire.PARTIAL_DATA), data, "/data", problems)
    order = given.get("order", {})
    placed_at, closes_at = order.get("placed_at"), order.get("closes_at")
    if placed_at is not None and closes_at is not None and closes_at <= placed_at:
        problems.append(_closes_too_early())
    return given


def _closes_too_early() -> FieldProblem:
    return FieldProblem("/data/order/closes_at", "expected a time after placed_at")


def _event_or_refusal(raw: bytes) -> Event | InvalidEvent:
    try:
        return decode_event(raw)
    except InvalidEvent as refusal:
        return refusal


def _refuse(problems: Problems, event_id: str | None) -> NoReturn:
    first = problems[0]
    where = f"{first.pointer}: " if first.pointer else ""
    more = f" (and {len(problems) - 1} more)" if len(problems) > 1 else ""
    message = f"the event is not right: {where}{first.detail}{more}"
    raise InvalidEvent(message, tuple(problems[:MAX_PROBLEMS]), event_id=event_id)
