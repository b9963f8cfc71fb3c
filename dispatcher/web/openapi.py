"""`GET /schema/openapi.json`: the routes described from what they themselves read and answer."""

import re
from collections.abc import Iterable, Iterator
from importlib.metadata import version
from inspect import getdoc
from typing import Any

from litestar import Litestar, get
from litestar.handlers import HTTPRouteHandler
from litestar.routes import HTTPRoute

from dispatcher.policy.event_text import MAX_ID_BYTES
from dispatcher.policy.event_wire import Shape
from dispatcher.policy.events import MAX_EVENTS
from dispatcher.policy.facts import CHANNELS
from dispatcher.web import events
from dispatcher.web.access import PUBLIC
from dispatcher.web.answers import Answer, answer
from dispatcher.web.describing import Described, ref
from dispatcher.web.parts import Asked
from dispatcher.web.paths import MAX_ID_BYTES as MAX_REMINDER_BYTES
from dispatcher.web.policy_shape import policy_schema
from dispatcher.web.problems import KINDS, RETRY_LATER, Problem
from dispatcher.web.query import REMINDER, SHOP_ID, Param, Schema, read_query
from dispatcher.web.shapes import answer_schemas, event_schemas, schema_of

JSON, PROBLEM = "application/json", "application/problem+json"
KEY = "key"

_PARAMETER = re.compile(r"{(\w+)}")

EVENT = ref("Event")
STATUS = {"type": "object", "properties": {"status": {"type": "string"}}, "required": ["status"]}

_PART: Schema = {"type": "string", "minLength": 1, "maxLength": MAX_ID_BYTES}

PATH_IDS: dict[str, tuple[Schema, str]] = {
    "shop": (SHOP_ID, "The shop."),
    "order": (
        {"type": "string", "minLength": 1, "maxLength": MAX_ID_BYTES},
        "The order's id; what is not plain in it is percent-encoded, a `/` too.",
    ),
    "locale": (_PART, "The language of the template, such as `zh-CN`."),
    "scenario": (_PART, "What it is for, such as `first_reminder`."),
    "channel": ({"type": "string", "enum": list(CHANNELS)}, "The channel it is for."),
    "pool": ({"type": "string", "minLength": 1, "maxLength": MAX_ID_BYTES}, "The pool of incentives."),
    "reminder": (
        {"type": "string", "pattern": REMINDER, "maxLength": MAX_REMINDER_BYTES},
        "The id of the reminder, which is also its task's.",
    ),
}

ELSEWHERE = {
    "/v1/events": Described(
        answers={JSON: events.EventResults},
        status=202,
        body={
            events.SINGLE: EVENT,
            events.BATCH: {"type": "array", "items": EVENT, "maxItems": MAX_EVENTS},
            JSON: EVENT,
        },
        codes=(
            "invalid-event",
            "unknown-order",
            "customer-differs",
            "event-id-reused",
            "contended",
            "overloaded",
            "store-full",
        ),
    ),
    "/health/live": Described(answers={JSON: STATUS}),
    "/health/ready": Described(answers={JSON: STATUS}, codes=("store-unavailable",)),
}
"""Routes that are asked too often to look at descriptions."""

OF_EVERY = ("invalid-input", "method-not-allowed")
OF_KEYED = ("unauthenticated", "forbidden", "store-refused", "store-unavailable")
OF_BODIES = ("too-slow", "too-large", "unsupported-media-type")
OF_PATHS = ("path-too-long",)

HEADERS: dict[int, Schema] = {
    401: {"WWW-Authenticate": {"schema": {"type": "string"}}},
    405: {"Allow": {"schema": {"type": "string"}, "description": "The methods of this path."}},
    **{
        status: {
            "Retry-After": {"schema": {"type": "integer"}, "description": "Repeat it after so many seconds."}
        }
        for status in RETRY_LATER
    },
}


ABOUT = """\
Reminds customers of orders they placed but have not paid. Errors are RFC 9457 problems; each operation names
its own. Any request may besides be answered 404 (`not-found`) for a path that is not here, 400 (`not-http`),
408 (`too-slow`), 429 (`overloaded`) or 431 (`head-too-large`) before it reaches an operation, and 500
(`internal`) by a fault of this service. Times are RFC 3339; what is sent carries an offset, what is answered
is in UTC.
"""


def document(app: Litestar) -> Schema:
    """Return the OpenAPI 3.1 document of an application."""
    routes = list(_described(app))
    types = [kind for _, _, _, described in routes for kind in described.answers.values() if _is_type(kind)]
    refs, components = answer_schemas([*types, Problem])
    schemas = dict(zip(types, refs, strict=False))
    paths: dict[str, dict[str, Any]] = {}
    for path, method, handler, described in routes:
        paths.setdefault(path, {})[method] = _operation(path, handler, described, schemas)
    return {
        "openapi": "3.1.0",
        "info": {"title": "dispatcher", "version": version("dispatcher"), "description": ABOUT},
        "paths": paths,
        "components": {
            "schemas": {**components, **event_schemas(), "Policy": policy_schema()},
            "securitySchemes": {KEY: {"type": "http", "scheme": "bearer"}},
        },
    }


def _described(app: Litestar) -> Iterator[tuple[str, str, HTTPRouteHandler, Described]]:
    for route in app.routes:
        if not isinstance(route, HTTPRoute):
            continue
        for handler in route.route_handlers:
            described = handler.opt.get("described") or ELSEWHERE.get(route.path_format)
            for method in sorted(handler.http_methods - {"OPTIONS"}):
                assert described is not None, f"{route.path_format} is not described"
                yield route.path_format, method.lower(), handler, described


def _is_type(kind: Any) -> bool:
    return not isinstance(kind, dict)


def _operation(
    path: str, handler: HTTPRouteHandler, described: Described, schemas: dict[Any, Schema]
) -> Schema:
    scope = handler.opt["scope"]
    summary, _, more = (getdoc(handler.fn) or "").partition("\n")
    names = _PARAMETER.findall(path)
    operation: Schema = {
        "operationId": handler.fn.__name__,
        "summary": summary,
        "parameters": [
            *(_path_parameter(name) for name in names),
            *(_query_parameter(name, param) for name, param in described.query.items()),
        ],
        "responses": {
            str(described.status): {
                "description": "What was asked for.",
                "content": {
                    media: {"schema": schemas[kind] if _is_type(kind) else kind}
                    for media, kind in described.answers.items()
                },
            },
            **_problems(_codes(scope, described, names)),
        },
        "security": [{KEY: [scope]}] if scope else [],
    }
    if more.strip():
        operation["description"] = more.strip()
    if described.body:
        content = {
            media: {"schema": schema_of(body, handler.fn.__name__) if isinstance(body, Shape) else body}
            for media, body in described.body.items()
        }
        operation["requestBody"] = {"required": described.body_required, "content": content}
    return operation


def _path_parameter(name: str) -> Schema:
    schema, says = PATH_IDS[name]
    return {"name": name, "in": "path", "required": True, "description": says, "schema": schema}


def _query_parameter(name: str, param: Param) -> Schema:
    about = {"name": name, "in": "query", "description": param.says, "schema": param.schema}
    return {**about, "required": True} if param.required else about


def _codes(scope: str, described: Described, names: list[str]) -> list[str]:
    codes = [*OF_EVERY, *described.codes]
    if scope:
        codes += OF_KEYED
    if described.body:
        codes += OF_BODIES
    if names:
        codes += OF_PATHS
    return codes


def _problems(codes: Iterable[str]) -> dict[str, Schema]:
    titles: dict[int, list[str]] = {}
    for code in codes:
        titles.setdefault(KINDS[code].status, []).append(f"`{code}`: {KINDS[code].title}.")
    schema = ref("Problem")
    return {
        str(status): {
            "description": " ".join(titles[status]),
            "content": {PROBLEM: {"schema": schema}},
            **({"headers": HEADERS[status]} if status in HEADERS else {}),
        }
        for status in sorted(titles)
    }


@get("/schema/openapi.json", opt={**PUBLIC, "described": Described(answers={JSON: {"type": "object"}})})
async def get_openapi(request: Asked) -> Answer:
    """Return this description."""
    read_query(request, {})
    state = request.app.state
    if "openapi" not in state:
        state["openapi"] = document(request.app)
    return answer(state["openapi"])
