"""The description of the API: complete, made of what the code does, and leading nowhere else."""

import json
from typing import Any

import pytest
from jsonschema import Draft202012Validator
from litestar.routes import HTTPRoute

from dispatcher.errors import InvalidEvent
from dispatcher.policy.events import EventType, decode_event
from dispatcher.web.access import SCOPES
from dispatcher.web.problems import KINDS
from dispatcher.web.shapes import event_schema
from tests.policy.event_examples import customer, event, order
from tests.web.asking import Asking

PROBLEM = "application/problem+json"


async def document(api: Asking) -> dict[str, Any]:
    answer = await api.client.get("/schema/openapi.json", headers={"authorization": ""})
    assert answer.status_code == 200
    told: dict[str, Any] = answer.json()
    return told


def operations(told: dict[str, Any]) -> list[tuple[str, str, dict[str, Any]]]:
    return [(path, verb, about) for path, verbs in told["paths"].items() for verb, about in verbs.items()]


async def test_every_route_is_described_with_its_scope(api: Asking) -> None:
    served = {
        (route.path_format.replace(":str", ""), method.lower())
        for route in api.app.routes
        if isinstance(route, HTTPRoute)
        for method in route.methods - {"OPTIONS"}
    }

    told = operations(await document(api))

    assert {(path, verb) for path, verb, _ in told} == served
    assert {scope for _, _, about in told for one in about["security"] for scope in one["key"]} == set(SCOPES)
    assert len({about["operationId"] for _, _, about in told}) == len(told)


async def test_every_error_is_described_as_a_problem(api: Asking) -> None:
    for path, verb, about in operations(await document(api)):
        answers = about["responses"]
        errors = {int(status) for status in answers if int(status) >= 400}
        assert errors >= {400}, path
        assert not about["security"] or errors >= {400, 401, 403, 503}, path
        assert ("requestBody" not in about) or errors >= {408, 413, 415}, path
        assert 500 not in errors
        assert errors <= {kind.status for kind in KINDS.values()}
        for status in errors:
            assert list(answers[str(status)]["content"]) == [PROBLEM], (path, verb, status)
        if 503 in errors:
            assert "Retry-After" in answers["503"]["headers"]


async def test_bodies_name_their_fields_and_allow_no_others(api: Asking) -> None:
    told = await document(api)
    claim = told["paths"]["/v1/tasks/{reminder}/claim"]["post"]["requestBody"]
    pause = told["paths"]["/v1/shops/{shop}/pause"]["post"]["requestBody"]

    schema = claim["content"]["application/json"]["schema"]

    assert (claim["required"], pause["required"]) == (True, False)
    assert schema["required"] == ["agent"]
    assert schema["additionalProperties"] is False


async def test_every_reference_leads_somewhere_in_the_document(api: Asking) -> None:
    told = await document(api)
    names = {f"#/components/schemas/{name}" for name in told["components"]["schemas"]}

    text = json.dumps(told)

    assert told["openapi"] == "3.1.0"
    assert {part.split('"')[0] for part in text.split('"$ref": "')[1:]} <= names
    assert "http://" not in text.replace("^https?://", "")


def _resolved(schema: dict[str, Any], kind: str) -> dict[str, Any]:
    """Return the alternative of the event's schema for a type of event."""
    return next(one for one in schema["oneOf"] if kind in one["properties"]["type"]["enum"])


@pytest.mark.parametrize("kind", list(EventType))
def test_an_event_has_the_fields_that_the_decoder_reads(kind: EventType) -> None:
    schema = _resolved(event_schema(), kind)
    data = schema["properties"]["data"]

    assert schema["required"] == ["specversion", "id", "source", "type", "time", "data"]
    assert data["additionalProperties"] is False
    complete = kind is EventType.UNPAID
    order = data["properties"]["order"]
    assert order["required"] == (["id", "placed_at", "total", "items"] if complete else ["id"])
    assert ("customer" in data["required"]) is complete


def test_every_field_of_an_event_says_what_it_takes() -> None:
    def bare(schema: Any, at: str) -> list[str]:
        if not isinstance(schema, dict):
            return []
        found = [at] if schema == {} else []
        for name, part in schema.get("properties", {}).items():
            found += bare(part, f"{at}/{name}")
        for part in schema.get("anyOf", []) + schema.get("oneOf", []):
            found += bare(part, at)
        return found + bare(schema.get("items"), at)

    assert bare(event_schema(), "") == []


EVENTS = [
    event(),
    event("order.paid", order={"id": "O-1"}),
    event("order.amended", order={"id": "O-1", "total": "1.00", "receiver": None}, customer={"id": "C-1"}),
    event("order.unpaid", order=order() | {"promotion": {"name": "A", "saves": "1"}}, customer=customer()),
    event() | {"type": "order.eaten"},
    event() | {"colour": "red"},
    event("order.unpaid", order={"id": "O-1"}, customer=customer()),
    event("order.unpaid", order=order() | {"total": 299.0}, customer=customer()),
    event("order.unpaid", order=order() | {"items": []}, customer=customer()),
    event("order.unpaid", order=order() | {"items": [{"price": "1.00"}]}, customer=customer()),
    event("order.unpaid", order=order() | {"total": None}, customer=customer()),
    event("order.unpaid", order=order(), customer=customer() | {"paid_orders": -1}),
    event("order.unpaid", order=order(), customer=customer() | {"consent": {"fax": True}}),
]


@pytest.mark.parametrize("given", EVENTS)
def test_the_schema_of_an_event_and_the_decoder_agree(given: dict[str, Any]) -> None:
    try:
        decode_event(given)
        decoded = True
    except InvalidEvent:
        decoded = False

    assert Draft202012Validator(event_schema()).is_valid(given) is decoded
