"""Queries and small bodies, each read by a table: what is read and what is described cannot differ."""

from collections.abc import Callable, Iterable, Mapping
from typing import Any, NamedTuple
from urllib.parse import parse_qsl

from dispatcher.errors import FieldProblem, InvalidInput
from dispatcher.policy import event_text, event_values
from dispatcher.policy.event_text import MAX_ID_BYTES, Expected
from dispatcher.policy.event_wire import Problems, Shape, pointer, read_object
from dispatcher.policy.facts import Instant
from dispatcher.storage.keys import split_reminder_id
from dispatcher.web import bodies
from dispatcher.web.parts import Asked
from dispatcher.web.paths import MAX_ID_BYTES as MAX_PATH_ID_BYTES

MAX_PARAMETERS = 32

REMINDER = "^[^~]+~.+~[1-9][0-9]*$"

Schema = dict[str, Any]
"""A JSON Schema, as OpenAPI 3.1 takes it."""


class Param(NamedTuple):
    """One parameter: how it is read (`read` raises `Expected`), its schema, and what it is for."""

    read: Callable[[str], Any]
    schema: Schema
    says: str
    required: bool = False


Params = Mapping[str, Param]


def read_query(request: Asked, params: Params) -> dict[str, Any]:
    """Return the parameters that are given, read; `InvalidInput` names each that is not right."""
    raw = request.scope["query_string"]
    given, problems = _given(raw) if raw else ([], [])
    found: dict[str, Any] = {}
    for name, text in given:
        param = params.get(name)
        if param is None:
            expected = (
                f"unknown parameter; expected one of {', '.join(params)}" if params else "expected none"
            )
            problems.append(FieldProblem(pointer("", name), expected))
        elif name in found:
            problems.append(FieldProblem(f"/{name}", "expected once"))
        else:
            try:
                found[name] = param.read(text)
            except Expected as wrong:
                found[name] = None
                problems.append(FieldProblem(f"/{name}", str(wrong)))
    missing = [name for name, param in params.items() if param.required and name not in found]
    problems += [FieldProblem(f"/{name}", "required, but missing") for name in missing]
    if problems:
        raise _refusal("query", problems)
    return found


async def read_fields(request: Asked, shape: Shape) -> dict[str, Any]:
    """Return the fields of the JSON object in the body, read; `InvalidInput` names each that is not right.

    Where no field is required, no body means none given.
    """
    if not shape.required and not _has_body(request):
        return {}
    problems: Problems = []
    found = read_object(shape, await bodies.read_object(request), "", problems)
    if problems:
        raise _refusal("body", problems)
    return found


def _has_body(request: Asked) -> bool:
    return request.headers.get("content-length", "0") != "0" or "transfer-encoding" in request.headers


def _refusal(what: str, problems: Problems) -> InvalidInput:
    return InvalidInput(f"the {what} is not right: {problems[0]}", tuple(problems))


def _given(raw: bytes) -> tuple[list[tuple[str, str]], Problems]:
    try:
        pairs = parse_qsl(
            raw.decode(), keep_blank_values=True, errors="strict", max_num_fields=MAX_PARAMETERS
        )
    except ValueError:  # bytes that are no text in UTF-8 among them
        return [], [FieldProblem("", f"expected up to {MAX_PARAMETERS} parameters, percent-encoded in UTF-8")]
    return pairs, []


def identifier(says: str, limit: int = MAX_ID_BYTES, *, required: bool = False) -> Param:
    """Return a parameter that is an id."""
    schema = {"type": "string", "minLength": 1, "maxLength": limit}
    return Param(lambda text: event_text.identifier(text, limit), schema, says, required)


def reminder(says: str) -> Param:
    """Return a parameter that is a reminder's id."""
    schema = {"type": "string", "pattern": REMINDER, "maxLength": MAX_PATH_ID_BYTES}
    return Param(_reminder, schema, says)


def _reminder(text: str) -> str:
    try:
        split_reminder_id(event_text.identifier(text, MAX_PATH_ID_BYTES))
    except ValueError:
        raise Expected("expected a reminder's id, such as demo~O-1~1") from None
    return text


def one_of(words: Iterable[str], says: str) -> Param:
    """Return a parameter that is one of some words."""
    known = tuple(str(word) for word in words)
    return Param(event_values.one_of(known), {"type": "string", "enum": list(known)}, says)


def instant(says: str) -> Param:
    """Return a parameter that is a time with an offset."""
    return Param(_instant, {"type": "string", "format": "date-time", "maxLength": 40}, says)


def _instant(text: str) -> Instant:
    # Unless it is percent-encoded, the + of an offset arrives as a space.
    return event_values.instant(text.replace(" ", "+"))


def line(limit: int, says: str) -> Param:
    """Return a parameter that is a line of text."""
    return Param(event_text.line(limit), {"type": "string", "minLength": 1, "maxLength": limit}, says)


def number(low: int, high: int, says: str) -> Param:
    """Return a parameter that is a whole number within inclusive bounds."""
    read_number = event_values.whole_number(low, high)

    def read(text: str) -> int:
        digits = text.isascii() and text.isdigit() and len(text) <= len(str(high))
        return read_number(int(text) if digits else None)

    return Param(read, {"type": "integer", "minimum": low, "maximum": high}, says)


SHOP_ID: Schema = {"type": "string", "pattern": "^([^~*]|[^~]{2,})$", "maxLength": MAX_ID_BYTES}
SHOP = Param(event_text.shop_id, SHOP_ID, "The shop.", required=True)
