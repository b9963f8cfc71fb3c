"""Whatever is sent: a 4xx problem that names the field, nothing stored, and no value told back."""

import json
from typing import Any

import httpx
import pytest

from tests.policy.event_examples import changed, event, wire
from tests.web.asking import BATCH, SINGLE, Asking

MARK = "example-value-not-to-be-repeated"

FIELDS: dict[str, tuple[str, Any]] = {
    "an unknown type": ("/type", MARK),
    "an unknown field": (f"/data/order/{MARK[:7]}", MARK),
    "an unknown field of the envelope": ("/shop", MARK),
    "a time without offset": ("/time", "2026-11-11T10:20:30"),
    "a time that does not exist": ("/time", "2026-02-30T10:20:30Z"),
    "a time as a number": ("/data/order/placed_at", 1_794_363_630),
    "an amount as a float": ("/data/order/total", 299.0),
    "a negative amount": ("/data/order/total", "-299.00"),
    "an amount that is none": ("/data/order/items/0/price", MARK),
    "an unknown currency": ("/data/order/currency", "XQZ"),
    "an unknown zone": ("/data/customer/timezone", f"Mars/{MARK}"),
    "an empty id": ("/id", ""),
    "a blank id": ("/data/order/id", "   "),
    "an id with a control character": ("/data/order/id", f"O-1\u0000{MARK}"),
    "an id with a line break": ("/data/customer/id", f"C\n{MARK}"),
    "an id of 129 bytes": ("/id", "x" * 129),
    "a source without a shop": ("/source", "/shops/"),
    "a shop with the separator": ("/source", f"/shops/{MARK}~"),
    "a shop that would be all of them": ("/source", "/shops/*"),
    "no items": ("/data/order/items", []),
    "201 items": ("/data/order/items", [{"name": MARK}] * 201),
    "a phone number without its country": ("/data/customer/phone", "13800000000"),
    "a pay link with credentials": ("/data/order/pay_url", f"https://me:{MARK}@pay.example/"),
    "another specversion": ("/specversion", "0.3"),
    "null for what is required": ("/data/order/total", None),
    "a list for an object": ("/data", [MARK]),
    "a close before the order": ("/data/order/closes_at", "2026-11-01T00:00:00Z"),
}

TEXTS: dict[str, bytes] = {
    "nothing": b"",
    "no JSON": MARK.encode(),
    "half an object": b'{"specversion": "1.0", ',
    "two objects": b"{}{}",
    "a list": b"[]",
    "a number": b"1",
    "a null": b"null",
    "bad UTF-8": b'{"id": "\xff\xfe"}',
    "half a surrogate pair": b'{"id": "\\ud800"}',
    "UTF-16": json.dumps({"id": MARK}).encode("utf-16"),
    "a byte order mark": b"\xef\xbb\xbf{}",
    "not a number": b'{"time": NaN}',
    "infinity": b'{"time": Infinity}',
    "a number beyond all": b'{"time": 1e999}',
    "lists 100,000 deep": b"[" * 100_000,
    "objects 100,000 deep": b'{"a":' * 100_000,
    "closed lists 100,000 deep": b'{"data": ' + b"[" * 100_000 + b"]" * 100_000 + b"}",
    "a comment": b"{} // " + MARK.encode(),
    "a field given twice": wire(event())[:-1] + b', "id": "e-2"}',
}

KINDS: dict[str, str] = {
    "no kind": "",
    "a form": "application/x-www-form-urlencoded",
    "text": "text/plain",
    "XML": "application/cloudevents+xml",
    "another charset": f"{SINGLE}; charset=gb18030",
    "garbage": ";;;=",
}


def problem_in(response: httpx.Response, status: int) -> dict[str, Any]:
    """Return the problem that is the answer, whose form is right."""
    assert response.headers["content-type"] == "application/problem+json"
    problem: dict[str, Any] = response.json()
    assert response.status_code == problem["status"] == status
    assert problem["type"].startswith("urn:dispatcher:problem:")
    assert problem["title"]
    assert problem["detail"]
    assert MARK not in response.text
    return problem


async def stored(api: Asking) -> set[bytes]:
    """Return all keys of the store."""
    return set(await api.world.service.store.redis.keys())


@pytest.mark.parametrize(("pointer", "value"), FIELDS.values(), ids=FIELDS.keys())
async def test_a_wrong_field_is_named_and_nothing_is_stored(api: Asking, pointer: str, value: Any) -> None:
    before = await stored(api)
    body = json.dumps(changed(pointer, value)).encode()

    answer = await api.post(body)

    problem = problem_in(answer, 400)
    assert problem["type"] == "urn:dispatcher:problem:invalid-event"
    assert any(error["pointer"].startswith(pointer) for error in problem["errors"])
    assert await stored(api) == before


async def test_in_a_batch_each_wrong_event_is_answered_like_that_alone(api: Asking) -> None:
    before = await stored(api)
    wrong = [changed(pointer, value) for pointer, value in FIELDS.values()]

    answer = await api.post(json.dumps(wrong).encode(), BATCH)

    assert answer.status_code == 202
    results = answer.json()["results"]
    assert [result["status"] for result in results] == ["rejected"] * len(FIELDS)
    for result, (pointer, _) in zip(results, FIELDS.values(), strict=True):
        assert result["problem"]["status"] == 400
        assert any(error["pointer"].startswith(pointer) for error in result["problem"]["errors"])
    assert MARK not in answer.text
    assert await stored(api) == before


@pytest.mark.parametrize("body", TEXTS.values(), ids=TEXTS.keys())
async def test_what_is_no_event_is_refused(api: Asking, body: bytes) -> None:
    before = await stored(api)

    answer = await api.post(body)

    assert problem_in(answer, 400)["errors"]
    assert await stored(api) == before


@pytest.mark.parametrize("body", [text for name, text in TEXTS.items() if name != "a list"])
async def test_what_is_no_batch_is_refused(api: Asking, body: bytes) -> None:
    answer = await api.post(body, BATCH)

    assert problem_in(answer, 400)["errors"] == [
        {"pointer": "", "detail": "expected a JSON array of events in UTF-8"}
    ]


@pytest.mark.parametrize("kind", KINDS.values(), ids=KINDS.keys())
async def test_a_body_of_another_kind_is_refused(api: Asking, kind: str) -> None:
    answer = await api.post(wire(event()), kind)

    assert SINGLE in problem_in(answer, 415)["detail"]


async def test_a_body_over_4_mib_is_refused_by_its_announced_size(api: Asking) -> None:
    answer = await api.post(b" " * (4 * 1024 * 1024 + 1))

    problem_in(answer, 413)


async def test_a_body_over_4_mib_is_refused_by_what_came(api: Asking) -> None:
    async def endless() -> Any:
        while True:
            yield b" " * 1024 * 1024

    answer = await api.client.post("/v1/events", content=endless(), headers={"content-type": SINGLE})

    problem_in(answer, 413)


async def test_more_than_1000_events_are_refused_before_any_is_read(api: Asking) -> None:
    before = await stored(api)

    answer = await api.post(b"[" + b",".join([wire(event())] * 1001) + b"]", BATCH)

    problem_in(answer, 413)
    assert await stored(api) == before


@pytest.mark.parametrize(
    ("method", "path", "status"),
    [
        ("GET", "/", 404),
        ("GET", "/v1/nothing", 404),
        ("POST", "/v1/events/x", 404),
        ("GET", "/v1/events%2f", 404),
        ("GET", "/%ff%00", 404),
        ("GET", "/v1/" + "x" * 3000, 414),
        ("GET", "/v1/events", 405),
        ("DELETE", "/v1/events", 405),
        ("HEAD", "/v1/events", 405),
    ],
)
async def test_what_is_not_there_is_a_problem_too(api: Asking, method: str, path: str, status: int) -> None:
    answer = await api.client.request(method, path)

    assert answer.status_code == status
    assert answer.headers["content-type"] == "application/problem+json"
    assert ("POST" in answer.headers.get("allow", "")) == (status == 405)
    if method != "HEAD":
        problem_in(answer, status)


async def test_options_names_the_methods(api: Asking) -> None:
    answer = await api.client.options("/v1/events")

    assert answer.status_code == 204
    assert "POST" in answer.headers["allow"]


async def test_head_answers_like_get_without_a_body(api: Asking) -> None:
    whole = await api.client.get("/health/live")

    head = await api.client.head("/health/live")

    assert (head.status_code, head.content) == (200, b"")
    assert head.headers["content-length"] == str(len(whole.content))
