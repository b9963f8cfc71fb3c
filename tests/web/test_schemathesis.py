"""The running service against its own description: no 5xx, and no answer that it does not tell of."""

import asyncio
import socket
from collections import Counter
from collections.abc import AsyncIterator, Callable
from typing import Any

import pytest
import requests
import schemathesis
import uvicorn
from hypothesis import HealthCheck, Phase, given, settings
from schemathesis import APIOperation, Case, GenerationMode
from schemathesis.checks import not_a_server_error
from schemathesis.specs.openapi.checks import (
    content_type_conformance,
    negative_data_rejection,
    response_headers_conformance,
    response_schema_conformance,
    status_code_conformance,
)

from dispatcher.web.server import server_config
from tests.web.asking import BATCH, Asking
from tests.worlds import CALLS, NOON, event

EXAMPLES = 10
"""Requests of each kind to each operation."""

CHECKS = [
    not_a_server_error,
    status_code_conformance,
    content_type_conformance,
    response_headers_conformance,
    response_schema_conformance,
]

REFUSED = schemathesis.Config.from_dict(
    {"checks": {"negative_data_rejection": {"expected-statuses": [400, 403, 404, 409, 414, 415]}}}
)
"""What a request that is not as described may be answered with."""

KNOWN = {"shop": "demo", "order": "O-1", "reminder": "demo~O-1~1", "pool": "tea"} | {
    "locale": "zh-CN",
    "scenario": "first_reminder",
    "channel": "sms",
}
"""Ids of what is there."""


@pytest.fixture
async def port(api: Asking) -> AsyncIterator[int]:
    """Where the application of a shop with an open task and a sent reminder is served."""
    await api.world.service.put_policy("demo", CALLS, "test", "user:test")
    orders = [event("order.unpaid", "O-1", NOON, total="900.00"), event("order.unpaid", "O-2", NOON)]
    await api.world.service.intake.take(orders, "key:test")
    await api.world.dispatch()
    with socket.create_server(("127.0.0.1", 0)) as listening:
        server = uvicorn.Server(server_config(api.app))
        serving = asyncio.create_task(server.serve(sockets=[listening]))
        yield listening.getsockname()[1]
        server.should_exit = True
        await serving


def _known(operation: APIOperation) -> dict[str, Any]:
    """Return the overrides that make requests about what is there."""
    found: dict[str, Any] = {}
    path = {one.name: KNOWN[one.name] for one in operation.path_parameters}
    query = {one.name: KNOWN[one.name] for one in operation.query if one.name in KNOWN}
    if path:
        found["path_parameters"] = path
    if query:
        found["query"] = query
    return found


def _asked(operation: APIOperation, ask: Callable[[Case], None], mode: GenerationMode, **known: Any) -> None:
    @settings(
        max_examples=EXAMPLES,
        derandomize=True,
        database=None,
        deadline=None,
        phases=[Phase.generate],
        suppress_health_check=list(HealthCheck),
    )
    @given(case=operation.as_strategy(generation_mode=mode, **known))
    def each(case: Case) -> None:
        ask(case)

    each()


def _ask_all(port: int, headers: dict[str, str]) -> Counter[int]:
    """Ask every operation what is allowed and what is not, and return how often each status was answered."""
    statuses: Counter[int] = Counter()
    base = f"http://127.0.0.1:{port}"
    with requests.Session() as session:
        document = session.get(f"{base}/schema/openapi.json").json()
        for operation in (about for verbs in document["paths"].values() for about in verbs.values()):
            operation.pop("security")  # the key is ours to send
        schema = schemathesis.openapi.from_dict(document, config=REFUSED)

        def ask(case: Case) -> None:
            answer = case.call(base_url=base, session=session, headers=headers)
            statuses[answer.status_code] += 1
            case.validate_response(answer, checks=CHECKS)

        def ask_wrong(case: Case) -> None:
            answer = case.call(base_url=base, session=session, headers=headers)
            statuses[answer.status_code] += 1
            # The events of a batch are answered one by one.
            refused = [] if case.media_type == BATCH else [negative_data_rejection]
            case.validate_response(answer, checks=CHECKS + refused)

        for found in schema.get_all_operations():
            operation = found.ok()
            _asked(operation, ask, GenerationMode.POSITIVE)
            known = _known(operation)
            if known:
                _asked(operation, ask, GenerationMode.POSITIVE, **known)
            if operation.query or operation.body:
                _asked(operation, ask_wrong, GenerationMode.NEGATIVE)
    return statuses


async def test_every_answer_is_as_described(port: int, api: Asking) -> None:
    every = await api.key("every", shops=["*"])

    statuses = await asyncio.to_thread(_ask_all, port, every)

    assert {200, 400, 404, 409} <= set(statuses)
    assert not [status for status in statuses if status >= 500]
    assert sum(statuses.values()) > 300
