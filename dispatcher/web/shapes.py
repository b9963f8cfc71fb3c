"""JSON Schema of what the tables of `policy/event_wire.py` read, and of answers, made from what they are."""

from collections.abc import Callable, Mapping, Sequence
from inspect import cleandoc, getclosurevars
from typing import Any

import msgspec

from dispatcher.policy import event_text, event_values, event_wire
from dispatcher.policy.event_text import MAX_ID_BYTES, MAX_SOURCE_BYTES
from dispatcher.policy.event_values import MAX_PHONE_CHARS, MAX_TIME_CHARS, MAX_URL_CHARS
from dispatcher.policy.event_wire import Field, Shape
from dispatcher.policy.events import EventType
from dispatcher.web.describing import ref
from dispatcher.web.meanings import TIMES, meaning
from dispatcher.web.query import SHOP_ID, Schema

MONEY = "^[0-9]{1,10}(\\.[0-9]{1,4})?$"

_LEAVES: dict[Callable[..., Any], Schema] = {
    event_text.shop_id: SHOP_ID,
    event_text.identifier: {"type": "string", "minLength": 1, "maxLength": MAX_ID_BYTES},
    event_text.source: {"type": "string", "minLength": 1, "maxLength": MAX_SOURCE_BYTES},
    event_values.instant: {"type": "string", "format": "date-time", "maxLength": MAX_TIME_CHARS},
    event_values.money: {"type": "string", "pattern": MONEY},
    event_values.currency: {"type": "string", "pattern": "^[A-Z]{3}$"},
    event_values.zone_name: {"type": "string"},
    event_values.phone: {"type": "string", "pattern": "^\\+", "maxLength": MAX_PHONE_CHARS},
    event_values.web_address: {"type": "string", "pattern": "^https?://", "maxLength": MAX_URL_CHARS},
    event_values.yes_or_no: {"type": "boolean"},
}
"""Readers that are one function each."""


def _words(words: Sequence[str]) -> Schema:
    return {"const": words[0]} if len(words) == 1 else {"enum": list(words)}


_MAKERS: dict[str, Callable[[Mapping[str, Any]], Schema]] = {
    "whole_number": lambda of: {"type": "integer", "minimum": of["lowest"], "maximum": of["highest"]},
    "one_of": lambda of: {"type": "string"} | _words(of["words"]),
    "line": lambda of: {"type": "string", "minLength": 1, "maxLength": of["limit"]},
    "line_or_nothing": lambda of: {"type": "string", "maxLength": of["limit"]},
    "note": lambda of: {"type": "string", "maxLength": of["limit"]},
}
"""Functions that make readers: the schema of what theirs read, by the bounds they were made with."""

_COMPONENTS: dict[str, Shape] = {
    "UnpaidData": event_wire.COMPLETE_DATA,
    "EventData": event_wire.PARTIAL_DATA,
    "UnpaidOrder": event_wire.ORDER.requiring(*event_wire.COMPLETE_ORDER),
    "EventOrder": event_wire.ORDER,
    "OrderItem": event_wire.ITEM,
    "Receiver": event_wire.RECEIVER,
    "Promotion": event_wire.PROMOTION,
    "EventCustomer": event_wire.CUSTOMER,
    "Consent": event_wire.CONSENT,
    "Speaker": event_wire.SPEAKER,
    "NamedOrder": event_wire.NAMED_ORDER,
    "RemindedData": event_wire.REMINDED_DATA,
    "OptOutData": event_wire.OPT_OUT_DATA,
    "ReplyData": event_wire.REPLY_DATA,
}
"""The objects in an event's data by the names that they have in the description."""

_MEANT_AS = {"UnpaidOrder": "EventOrder"}
"""Objects whose fields mean what those of another do."""

_EVENTS = {
    EventType.UNPAID: ("UnpaidEvent", "UnpaidData"),
    EventType.AMENDED: ("AmendedEvent", "EventData"),
    EventType.PAID: ("PaidEvent", "EventData"),
    EventType.CANCELLED: ("CancelledEvent", "EventData"),
    EventType.OPTED_OUT: ("OptedOutEvent", "OptOutData"),
    EventType.REPLIED: ("RepliedEvent", "ReplyData"),
    EventType.REMINDED: ("RemindedEvent", "RemindedData"),
}
"""Types of events -> the names of the event's and its data's schemas."""


def schema_of(shape: Shape, name: str) -> Schema:
    """Return the schema of an object; its fields mean what those of the component of that name do."""
    properties = {}
    for field, how in shape.fields.items():
        properties[field] = _field(how) | {"description": meaning(name, field)}
    return {
        "type": "object",
        "properties": properties,
        "required": [field for field in shape.fields if field in shape.required],
        "additionalProperties": False,
    }


def event_schemas() -> dict[str, Schema]:
    """Return the components that describe events, `Event` being any of them."""
    found = {name: schema_of(shape, _MEANT_AS.get(name, name)) for name, shape in _COMPONENTS.items()}
    for kind, (name, data) in _EVENTS.items():
        found[name] = schema_of(event_wire.envelope((str(kind),)), "Event")
        found[name]["properties"]["data"] |= ref(data)
    names = {str(kind): name for kind, (name, _) in _EVENTS.items()}
    mapping = {kind: ref(name)["$ref"] for kind, name in names.items()}
    found["Event"] = {
        "oneOf": [ref(name) for name in names.values()],
        "discriminator": {"propertyName": "type", "mapping": mapping},
    }
    return found


def answer_schemas(types: Sequence[Any]) -> tuple[tuple[Schema, ...], dict[str, Schema]]:
    """Return references to the schemas of types that are answered, and these as components."""
    template = ref("{name}")["$ref"]
    refs, components = msgspec.json.schema_components(types, ref_template=template)
    for name, schema in components.items():
        schema["description"] = cleandoc(schema["description"])
        for field, written in schema.get("properties", {}).items():
            written["description"] = meaning(name.partition("_")[0], field)
            if field in TIMES:
                _string_in(written)["format"] = "date-time"
    policy = components["PolicyVersion"]["properties"]
    policy["policy"] = ref("Policy") | {"description": meaning("PolicyVersion", "policy")}
    return refs, components


def _string_in(schema: Schema) -> Schema:
    """Return the part of a schema that is about text."""
    parts: list[Schema] = [schema, *schema.get("anyOf", ())]
    return next(part for part in parts if part.get("type") == "string")


def _field(field: Field) -> Schema:
    schema = _leaf(field.leaf) if field.leaf is not None else _branch(field)
    return {"anyOf": [schema, {"type": "null"}]} if field.nullable else schema


def _leaf(read: Callable[..., Any]) -> Schema:
    known = _LEAVES.get(read)
    if known is not None:
        return known
    bounds = getclosurevars(read).nonlocals
    maker = read.__qualname__.partition(".")[0]
    if maker == "line_or_nothing":
        bounds = getclosurevars(bounds["read_line"]).nonlocals
    written = _MAKERS.get(maker)
    return {} if written is None else written(bounds)  # what has no schema is looked into elsewhere


def _branch(field: Field) -> Schema:
    if field.branch is event_wire.ORDER.fields["items"].branch:
        items = ref("OrderItem")
        return {"type": "array", "items": items, "minItems": 1, "maxItems": event_wire.MAX_ITEMS}
    if field.branch is event_wire.ORDER.fields["promotion"].branch:
        return ref("Promotion")
    assert field.branch is not None
    shape = getclosurevars(field.branch).nonlocals["shape"]
    same = [name for name, known in _COMPONENTS.items() if known is shape]
    (name,) = same or (name for name, known in _COMPONENTS.items() if known == shape)
    return ref(name)
