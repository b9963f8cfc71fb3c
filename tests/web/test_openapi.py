"""The description of the API: complete, made of what the code does, and leading nowhere else."""

import json
import re
import tomllib
from collections.abc import Iterator
from typing import Any

import pytest
from jsonschema import Draft202012Validator
from litestar.routes import HTTPRoute
from openapi_spec_validator import OpenAPIV31SpecValidator

from dispatcher.errors import InvalidEvent, InvalidPolicy
from dispatcher.policy.document import DEFAULT_TOML, load_json, to_json
from dispatcher.policy.events import BY_CUSTOMER, EventType, decode_event
from dispatcher.web.access import SCOPES
from dispatcher.web.describing import ref
from dispatcher.web.meanings import FIELDS
from dispatcher.web.meanings_of_policy import POLICY
from dispatcher.web.policy_shape import LEAVES, policy_schema
from dispatcher.web.problems import KINDS
from dispatcher.web.shapes import event_schemas
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
        (route.path_format, method.lower())
        for route in api.app.routes
        if isinstance(route, HTTPRoute)
        for method in route.methods - {"OPTIONS"}
    }

    told = operations(await document(api))

    assert {(path, verb) for path, verb, _ in told} == served
    assert {scope for _, _, about in told for one in about["security"] for scope in one["key"]} == set(SCOPES)
    assert len({about["operationId"] for _, _, about in told}) == len(told)


async def test_it_is_a_valid_openapi_document(api: Asking) -> None:
    told = await document(api)

    OpenAPIV31SpecValidator(told).validate()  # type: ignore[no-untyped-call]

    assert told["openapi"] == "3.1.0"


async def test_every_part_of_a_path_is_described(api: Asking) -> None:
    told = operations(await document(api))

    for path, _, about in told:
        described = [one["name"] for one in about["parameters"] if one["in"] == "path"]
        assert described == re.findall(r"{(\w+)}", path)
        assert ("414" in about["responses"]) is bool(described), path
    assert sum("{" in path for path, _, _ in told) > 10


async def test_a_method_that_a_path_does_not_have_is_answered_as_described(api: Asking) -> None:
    told = await document(api)

    for path, verbs in told["paths"].items():
        answer = await api.client.request("PATCH", path.replace("{", "").replace("}", ""))
        described = [about["responses"][str(answer.status_code)] for about in verbs.values()]
        assert answer.status_code == 405
        assert set(answer.headers["allow"].lower().split(", ")) == set(verbs) | {"head", "options"} - (
            set() if "get" in verbs else {"head"}
        )
        assert all("Allow" in one["headers"] for one in described)


async def test_every_field_says_what_it_means(api: Asking) -> None:
    told = await document(api)
    bodies = {
        about["operationId"]: content["schema"]
        for _, _, about in operations(told)
        for content in about.get("requestBody", {"content": {}})["content"].values()
    }

    silent = [
        f"{name}: {at}"
        for name, schema in (told["components"]["schemas"] | bodies).items()
        for at, field in fields_of(schema)
        if not field.get("description", "").endswith(".")
    ]

    assert silent == []
    assert len(list(fields_of(told["components"]["schemas"]["Policy"]))) == len(POLICY)


async def test_what_is_said_of_fields_is_about_fields_that_there_are(api: Asking) -> None:
    told = await document(api)
    bodies = {
        about["operationId"]: about["requestBody"]["content"]["application/json"]["schema"]
        for _, _, about in operations(told)
        if "requestBody" in about
    }
    fields = {
        (MEANT_AS.get(name, name.partition("_")[0] if name in told["components"]["schemas"] else name), field)
        for name, schema in (told["components"]["schemas"] | bodies).items()
        for field in schema.get("properties", ())
        if name != "Policy"
    }

    needed = {f"{name}.{field}" if f"{name}.{field}" in FIELDS else field for name, field in fields}

    assert needed == FIELDS.keys()


MEANT_AS = dict.fromkeys(
    (
        "UnpaidEvent",
        "AmendedEvent",
        "PaidEvent",
        "CancelledEvent",
        "OptedOutEvent",
        "RepliedEvent",
        "RemindedEvent",
    ),
    "Event",
)
MEANT_AS |= {"UnpaidOrder": "EventOrder"}


def fields_of(schema: Any, at: str = "") -> Iterator[tuple[str, dict[str, Any]]]:
    """Yield the fields of a schema, and those of fields that are objects."""
    for name, field in schema.get("properties", {}).items():
        yield f"{at}/{name}", field
        yield from fields_of(field, f"{at}/{name}")
    if "items" in schema:
        yield from fields_of(schema["items"], at)


async def test_every_error_is_described_as_a_problem(api: Asking) -> None:
    for path, verb, about in operations(await document(api)):
        answers = about["responses"]
        errors = {int(status) for status in answers if int(status) >= 400}
        assert errors >= {400, 405}, path
        assert not about["security"] or errors >= {400, 401, 403, 503}, path
        assert ("requestBody" not in about) or errors >= {408, 413, 415}, path
        assert 500 not in errors
        assert errors <= {kind.status for kind in KINDS.values()}
        for status in errors:
            assert list(answers[str(status)]["content"]) == [PROBLEM], (path, verb, status)
        for status in {429, 503} & errors:
            assert "Retry-After" in answers[str(status)]["headers"]


async def test_a_caller_is_told_what_may_be_repeated(api: Asking) -> None:
    told = (await document(api))["paths"]

    contended = {
        (path, verb)
        for path, verbs in told.items()
        for verb, about in verbs.items()
        if "`contended`" in about["responses"].get("409", {}).get("description", "")
    }

    assert contended == {
        ("/v1/events", "post"),
        ("/v1/explain", "get"),
        ("/v1/reminders", "get"),
        ("/v1/reminders", "post"),
        ("/v1/reminders/{reminder}/cancel", "post"),
        ("/v1/reminders/{reminder}/postpone", "post"),
        ("/v1/reminders/{reminder}/send-now", "post"),
        ("/v1/shops/{shop}/policy/replan", "post"),
        ("/v1/shops/{shop}/templates/{locale}/{scenario}/{channel}/publish", "post"),
        ("/v1/tasks", "get"),
        ("/v1/templates/preview", "post"),
        ("/v1/tasks/{reminder}/claim", "post"),
    }
    assert "`overloaded`" in told["/v1/events"]["post"]["responses"]["429"]["description"]


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

    assert {part.split('"')[0] for part in text.split('"$ref": "')[1:]} <= names
    assert "http://" not in text.replace("^https?://", "")


def within(schemas: dict[str, Any], name: str) -> Draft202012Validator:
    """Return what validates a component among others."""
    return Draft202012Validator(ref(name) | {"components": {"schemas": schemas}})


@pytest.mark.parametrize("kind", list(EventType))
def test_an_event_has_the_fields_that_the_decoder_reads(kind: EventType) -> None:
    told = event_schemas()

    schema = told[told["Event"]["discriminator"]["mapping"][kind].rpartition("/")[2]]
    data = told[schema["properties"]["data"]["$ref"].rpartition("/")[2]]

    assert schema["properties"]["type"]["const"] == kind
    assert schema["required"] == ["specversion", "id", "source", "type", "time", "data"]
    assert data["additionalProperties"] is False
    if kind in BY_CUSTOMER:
        assert data["required"] == ["customer"]
        assert ("channel" in data["properties"]) is (kind is EventType.OPTED_OUT)
        return
    complete = kind is EventType.UNPAID
    order = told[data["properties"]["order"]["$ref"].rpartition("/")[2]]
    assert order["required"] == (["id", "placed_at", "total", "items"] if complete else ["id"])
    assert ("customer" in data["required"]) is complete


def test_every_field_of_an_event_says_what_it_takes() -> None:
    def bare(schema: Any, at: str) -> list[str]:
        if not isinstance(schema, dict):
            return []
        found = [at] if not schema.keys() - {"description"} else []
        for name, part in schema.get("properties", {}).items():
            found += bare(part, f"{at}/{name}")
        for part in schema.get("anyOf", []) + schema.get("oneOf", []):
            found += bare(part, at)
        return found + bare(schema.get("items"), at)

    assert [at for name, schema in event_schemas().items() for at in bare(schema, name)] == []


EVENTS = [
    event(),
    event("order.paid", order={"id": "O-1"}),
    event("customer.opted_out", customer={"id": "C-1"}, channel="sms"),
    event("customer.opted_out", customer={"id": "C-1"}, channel="fax"),
    event("customer.replied", customer={"id": "C-1", "name": "王女士"}),
    event("order.reminded", order={"id": "O-1"}, channel="chat", agent="li"),
    event("order.reminded", order={"id": "O-1"}),
    event("order.reminded", order={"id": "O-1", "total": "1.00"}, channel="chat"),
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

    assert within(event_schemas(), "Event").is_valid(given) is decoded


SECTIONS = tomllib.loads(DEFAULT_TOML)
NEEDED = {name: SECTIONS[name] for name in ("timezone", "platform", "cadence", "routing")}
POLICIES = [
    SECTIONS,
    NEEDED,
    SECTIONS | {"shop_name": "小店", "caps": {"per_day": 0}, "spread": {}},
    SECTIONS | {"phone": {"windows": [["00:00", "24:00"]]}, "max_late": "0s"},
    NEEDED | {"suppression": {"min_total": "20.00", "sensitive_channels": [], "consent_required": ["sms"]}},
    NEEDED | {"routing": {"channels": ["sms"], "vip_grade": 4, "segments": {"vip": ["phone"]}}},
    NEEDED | {"routing": {"channels": ["sms"], "vip_grade": 5}},
    NEEDED | {"routing": {"channels": ["sms"], "segments": {"vip": []}}},
    NEEDED | {"routing": {"channels": ["sms"], "segments": {"rich": ["sms"]}}},
    NEEDED | {"suppression": {"sensitive_channels": ["sms", "sms"]}},
    NEEDED | {"suppression": {"min_total": 20}},
    NEEDED | {"suppression": {"quiet_after_reply": "7d", "paid_other_order": True}},
    NEEDED | {"suppression": {"paid_other_order": 1}},
    NEEDED | {"days": {"reminders": "workdays", "calls": ["mon", "sun"]}, "holidays": "cn"},
    NEEDED | {"days": {"reminders": "never"}},
    NEEDED | {"days": {"reminders": ["mon", "mon"]}},
    NEEDED | {"days": {"calls": []}},
    NEEDED | {"days": {"calls": ["Mon"]}},
    NEEDED | {"holidays": "de"},
    NEEDED | {"caps": {"per_order": -1}},
    NEEDED | {"colour": "red"},
    NEEDED | {"caps": {"per_week": 1}},
    NEEDED | {"caps": {"per_day": -1}},
    NEEDED | {"caps": {"per_day": 1_000_001}},
    NEEDED | {"caps": None},
    NEEDED | {"pay_within": "0h"},
    NEEDED | {"max_late": "2 h"},
    NEEDED | {"shop_name": "小" * 41},
    NEEDED | {"currency": "cny"},
    NEEDED | {"platform": "ebay"},
    NEEDED | {"cadence": []},
    NEEDED | {"cadence": [{"placed": ["00:00"], "remind": {"after": "1h"}}]},
    NEEDED | {"cadence": [{"placed": ["00:00", "24:00"]}]},
    NEEDED | {"quiet_hours": {"start": "24:00", "end": "09:00"}},
    NEEDED | {"routing": {}},
    NEEDED | {"routing": {"channels": ["sms", "sms"]}},
    NEEDED | {"routing": {"channels": ["sms"], "high_value": 500}},
    *({name: part for name, part in NEEDED.items() if name != left_out} for left_out in NEEDED),
]


@pytest.mark.parametrize("given", POLICIES)
def test_the_schema_of_a_policy_and_its_reader_agree(given: dict[str, Any]) -> None:
    try:
        load_json(given)
        read = True
    except InvalidPolicy:
        read = False

    assert within({"Policy": policy_schema()}, "Policy").is_valid(given) is read


BEYOND_THE_SCHEMA = [
    NEEDED | {"caps": {"min_gap": "8d"}},
    NEEDED | {"suppression": {"quiet_after_reply": "8d"}},
]
"""A pattern says no bound of a duration: these the reader alone refuses."""


@pytest.mark.parametrize("given", BEYOND_THE_SCHEMA)
def test_a_duration_beyond_its_bound_is_refused_by_the_reader_alone(given: dict[str, Any]) -> None:
    with pytest.raises(InvalidPolicy):
        load_json(given)

    assert within({"Policy": policy_schema()}, "Policy").is_valid(given)


def test_the_examples_of_a_policy_are_right() -> None:
    schema = policy_schema()
    parts = [("", schema), *fields_of(schema)]
    examples = [(of, example) for _, of in parts for example in of.get("examples", ())]

    wrong = [example for of, example in examples if not Draft202012Validator(of).is_valid(example)]

    assert len(examples) > 20
    assert wrong == []
    assert all(example == to_json(load_json(example)) for example in schema["examples"])
    for parse, leaf in LEAVES.items():
        for example in leaf.get("examples", ()):
            parse(example)
