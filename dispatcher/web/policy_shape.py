"""JSON Schema of a policy document, made by the very reader that reads one."""

from collections.abc import Callable, Iterator
from typing import TypeVar, get_args

from dispatcher.policy import document_values as values
from dispatcher.policy import incentive_values as incentives
from dispatcher.policy import units
from dispatcher.policy.document import default_policy, to_json
from dispatcher.policy.document_reader import policy_in
from dispatcher.policy.document_table import MAX_ROWS, Table
from dispatcher.policy.event_values import MAX_GRADE
from dispatcher.policy.facts import CHANNELS
from dispatcher.policy.incentive_terms import Audience, IncentiveKind, IncentiveUse
from dispatcher.policy.moments import parse_moment
from dispatcher.policy.terms import Locale, Platform
from dispatcher.policy.workdays import WEEKDAYS
from dispatcher.web.meanings_of_policy import POLICY
from dispatcher.web.query import Schema
from dispatcher.web.shapes import MONEY

T = TypeVar("T")

_TIME = "([01][0-9]|2[0-3]):[0-5][0-9]"
_CLOCK: Schema = {"type": "string", "pattern": f"^{_TIME}$", "examples": ["09:00"]}
_END: Schema = {"type": "string", "pattern": f"^({_TIME}|24:00)$", "examples": ["22:00", "24:00"]}
_DURATION: Schema = {
    "type": "string",
    "pattern": "^(0|[1-9][0-9]{0,8})[smhd]$",
    "examples": ["90s", "15m", "2h", "3d"],
}
_SOME_TIME: Schema = {"type": "string", "pattern": "^[1-9][0-9]{0,8}[smhd]$", "examples": ["15m", "2h"]}
_WINDOW: Schema = {
    "type": "array",
    "items": _END,
    "minItems": 2,
    "maxItems": 2,
    "examples": [["09:00", "12:00"]],
}
_CHANNELS: Schema = {
    "type": "array",
    "items": {"type": "string", "enum": list(CHANNELS)},
    "uniqueItems": True,
}

LEAVES: dict[Callable[[object], object], Schema] = {
    values.zone_name: {"type": "string", "examples": ["Asia/Shanghai"]},
    values.platform: {"type": "string", "enum": list(get_args(Platform))},
    values.locale: {"type": "string", "enum": list(get_args(Locale))},
    values.name: {"type": "string", "minLength": 1, "maxLength": values.MAX_NAME},
    values.holidays: {"type": "string", "enum": ["cn"]},
    values.open_days: {
        "anyOf": [
            {"type": "string", "enum": ["every", "workdays"]},
            {
                "type": "array",
                "items": {"type": "string", "enum": list(WEEKDAYS)},
                "minItems": 1,
                "uniqueItems": True,
            },
        ],
        "examples": ["workdays", ["mon", "wed", "fri"]],
    },
    values.currency: {"type": "string", "pattern": "^[A-Z]{3}$", "examples": ["CNY"]},
    values.amount: {"type": "string", "pattern": MONEY, "examples": ["500.00"]},
    values.count: {"type": "integer", "minimum": 0, "maximum": values.MAX_COUNT},
    values.pace: {"type": "integer", "minimum": 1, "maximum": values.MAX_PACE},
    values.one_customer: {"type": "string", "enum": ["customer", "phone"]},
    values.yes_or_no: {"type": "boolean"},
    values.some_time: _SOME_TIME,
    values.gap: _DURATION,
    values.window: _WINDOW,
    values.windows: {"type": "array", "items": _WINDOW, "minItems": 1, "maxItems": MAX_ROWS},
    values.grade: {"type": "integer", "minimum": 0, "maximum": MAX_GRADE},
    values.channels: _CHANNELS | {"minItems": 1},
    values.channels_or_none: _CHANNELS,
    incentives.pool_id: {"type": "string", "pattern": incentives.POOL_ID},
    incentives.kind: {"type": "string", "enum": list(get_args(IncentiveKind))},
    incentives.use: {"type": "string", "enum": list(get_args(IncentiveUse))},
    incentives.some_amount: {"type": "string", "pattern": MONEY, "examples": ["20.00"]},
    incentives.audience: {
        "type": "array",
        "items": {"type": "string", "enum": list(get_args(Audience))},
        "minItems": 1,
        "uniqueItems": True,
    },
    parse_moment: {"type": "string", "examples": ["2026-11-01", "2026-11-01T20:00"]},
    values.hosts: {
        "type": "array",
        "items": {"type": "string", "pattern": f"^{values.HOST}$", "maxLength": values.MAX_HOST},
        "maxItems": MAX_ROWS,
        "uniqueItems": True,
        "examples": [["pay.example.com"]],
    },
    units.parse_duration: _DURATION,
    units.parse_clock: _CLOCK,
    units.parse_end: _END,
}
"""Readers of a policy's values -> the schema of what they read."""


class _Asked(Table):
    """A table that notes what is asked of it instead of reading a document."""

    def __init__(self, at: str = "") -> None:
        super().__init__({}, at, [])
        self.schema: Schema = {
            "type": "object",
            "properties": {},
            "required": [],
            "additionalProperties": False,
        }

    def take(self, key: str, parse: Callable[[object], T], *, required: bool = False) -> T | None:
        """Note a single value."""
        self._note(key, LEAVES[parse], required)
        return None

    def table(self, key: str, *, required: bool = False) -> "_Asked":
        """Note a table, and hand it out to be asked."""
        within = _Asked(self._path(key))
        self._note(key, within.schema, required)
        return within

    def tables(self, key: str, *, required: bool = True) -> Iterator[Table]:
        """Note a list of tables, and hand out one of them."""
        row = _Asked(self._path(key))
        rows = {"type": "array", "items": row.schema, "minItems": 1, "maxItems": MAX_ROWS}
        self._note(key, rows, required)
        yield row

    def _note(self, key: str, schema: Schema, required: bool) -> None:
        schema = schema | {"description": POLICY[self._path(key)]}
        self.schema["properties"][key] = schema
        if required:
            self.schema["required"].append(key)

    def _path(self, key: str) -> str:
        return f"{self.pointer}.{key}".lstrip(".")


def policy_schema() -> Schema:
    """Return the schema of a policy document; a rule that is left out is off."""
    asked = _Asked()
    policy_in(asked)
    return asked.schema | {
        "description": "A policy document. A section or key that is left out is a rule that is off.",
        "examples": [to_json(default_policy())],
    }
