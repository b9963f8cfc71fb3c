"""JSON Schema of what the tables of `policy/event_wire.py` read, made from the tables themselves."""

from collections.abc import Callable, Mapping
from inspect import getclosurevars
from typing import Any

from dispatcher.policy import event_text, event_values, event_wire
from dispatcher.policy.event_text import MAX_ID_BYTES, MAX_SOURCE_BYTES
from dispatcher.policy.event_values import MAX_PHONE_CHARS, MAX_TIME_CHARS, MAX_URL_CHARS
from dispatcher.policy.event_wire import Field, Shape
from dispatcher.policy.events import EventType
from dispatcher.web.query import Schema

MONEY = "^[0-9]{1,10}(\\.[0-9]{1,4})?$"

_LEAVES: dict[Callable[..., Any], Schema] = {
    event_text.identifier: {"type": "string", "minLength": 1, "maxLength": MAX_ID_BYTES},
    event_text.source: {"type": "string", "minLength": 1, "maxLength": MAX_SOURCE_BYTES},
    event_values.instant: {"type": "string", "format": "date-time", "maxLength": MAX_TIME_CHARS},
    event_values.money: {"type": "string", "pattern": MONEY},
    event_values.currency: {"type": "string", "pattern": "^[A-Z]{3}$"},
    event_values.zone_name: {"type": "string", "description": "An IANA name."},
    event_values.phone: {"type": "string", "pattern": "^\\+", "maxLength": MAX_PHONE_CHARS},
    event_values.web_address: {"type": "string", "pattern": "^https?://", "maxLength": MAX_URL_CHARS},
    event_values.yes_or_no: {"type": "boolean"},
}
"""Readers that are one function each."""

_MAKERS: dict[str, Callable[[Mapping[str, Any]], Schema]] = {
    "whole_number": lambda of: {"type": "integer", "minimum": of["lowest"], "maximum": of["highest"]},
    "one_of": lambda of: {"type": "string", "enum": list(of["words"])},
    "line": lambda of: {"type": "string", "minLength": 1, "maxLength": of["limit"]},
    "line_or_nothing": lambda of: {"type": "string", "maxLength": of["limit"]},
    "note": lambda of: {"type": "string", "maxLength": of["limit"]},
}
"""Functions that make readers: the schema of what theirs read, by the bounds they were made with."""


def schema_of(shape: Shape) -> Schema:
    """Return the schema of an object."""
    return {
        "type": "object",
        "properties": {name: _field(field) for name, field in shape.fields.items()},
        "required": [name for name in shape.fields if name in shape.required],
        "additionalProperties": False,
    }


def event_schema() -> Schema:
    """Return the schema of an event: what its data must hold depends on its type."""
    others = tuple(kind for kind in EventType if kind is not EventType.UNPAID)
    return {
        "oneOf": [
            _event((EventType.UNPAID,), event_wire.COMPLETE_DATA),
            _event(others, event_wire.PARTIAL_DATA),
        ]
    }


def _event(kinds: tuple[EventType, ...], data: Shape) -> Schema:
    schema = schema_of(event_wire.envelope(tuple(str(kind) for kind in kinds)))
    schema["properties"]["data"] = schema_of(data)
    return schema


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
        items = schema_of(event_wire.ITEM)
        return {"type": "array", "items": items, "minItems": 1, "maxItems": event_wire.MAX_ITEMS}
    if field.branch is event_wire.ORDER.fields["promotion"].branch:
        return schema_of(event_wire.PROMOTION)
    assert field.branch is not None
    return schema_of(getclosurevars(field.branch).nonlocals["shape"])
