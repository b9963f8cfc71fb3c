"""Events over HTTP: one result an event, exactly once, each with its own problem."""

import json
from typing import Any

import httpx
import pytest

from dispatcher.errors import Contended, StoreFull
from dispatcher.telemetry import REQUEST_FAILED
from dispatcher.web import events
from dispatcher.web.access import Access
from dispatcher.web.app import create_app
from dispatcher.workflow import grouping
from dispatcher.workflow.intake import Result
from tests.policy.event_examples import event, wire
from tests.web.asking import BATCH, SINGLE, Asking, bearer
from tests.web.test_bad_input import problem_in

AT = "2025-11-11T12:00:00+08:00"


def unpaid(number: int = 1, *, shop: str = "demo", customer: str = "C-1") -> dict[str, Any]:
    """An order placed at the world's present."""
    whole = event()
    whole |= {"id": f"e-{number}", "source": f"/shops/{shop}", "time": AT}
    whole["data"]["order"] |= {"id": f"O-{number}", "placed_at": AT}
    del whole["data"]["order"]["closes_at"]
    whole["data"]["customer"]["id"] = customer
    return whole


def ending(number: int = 1, kind: str = "order.paid") -> dict[str, Any]:
    """The end of an order."""
    return event(kind, order={"id": f"O-{number}"}) | {"id": f"{kind}-{number}", "time": AT}


ASKED: dict[str, dict[str, Any]] = {
    "an event": {},
    "a parameter": {"url": "/v1/events?dry_run=1"},
    "another spelling of the path": {"url": "//v1/events/"},
    "a host that is none": {"headers": {"host": "a b"}},
    "no key": {"headers": {"authorization": ""}},
    "an unknown key": {"headers": bearer("none")},
    "a key without the scope": {"headers": bearer("reader")},
    "a key of another shop": {"headers": bearer("other")},
    "another kind of body": {"headers": {"content-type": "text/plain"}},
    "no body": {"content": b""},
    "a large body": {"content": b" " * (events.MAX_BYTES + 1)},
    "a batch": {"content": b"[{}]", "headers": {"content-type": BATCH}},
    **{method: {"method": method} for method in ("GET", "HEAD", "OPTIONS", "PUT", "TRACE", "EAT")},
}


@pytest.mark.parametrize("asked", ASKED.values(), ids=ASKED.keys())
async def test_events_are_answered_as_the_framework_itself_would_have_them_answered(
    api: Asking, monkeypatch: pytest.MonkeyPatch, asked: dict[str, Any]
) -> None:
    await api.key("reader", scopes=["orders:read"])
    await api.key("other", shops=["other"])
    await api.post(wire(unpaid()))
    monkeypatch.setattr(events.post_events, "middleware", ())
    plain = httpx.ASGITransport(create_app(api.world.service, Access(api.keys)))
    ours = {"content-type": SINGLE} | dict(api.client.headers) | asked.get("headers", {})
    whole = {"method": "POST", "url": "/v1/events", "content": wire(unpaid())} | asked | {"headers": ours}

    answer = await api.client.request(**whole)
    async with httpx.AsyncClient(transport=plain, base_url=api.client.base_url) as client:
        expected = await client.request(**whole)

    assert (answer.status_code, answer.headers.raw) == (expected.status_code, expected.headers.raw)
    assert answer.content == expected.content


async def test_what_nobody_expected_is_logged_with_its_route_and_told_to_no_caller(
    api: Asking, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    def broken(*_: Any) -> None:
        raise RuntimeError("secret")

    monkeypatch.setattr(events, "decode_event", broken)

    answer = await api.post(wire(unpaid()))

    assert (answer.status_code, "secret" in answer.text) == (500, False)
    assert [(one.message, vars(one)["route"]) for one in caplog.records] == [(REQUEST_FAILED, "/v1/events")]


@pytest.mark.parametrize("kind", [SINGLE, "application/json", "Application/JSON ; charset=UTF-8"])
async def test_an_event_is_accepted_and_its_reminders_are_named(api: Asking, kind: str) -> None:
    answer = await api.post(wire(unpaid()), kind)

    assert answer.status_code == 202
    assert answer.json() == {
        "results": [
            {
                "id": "e-1",
                "status": "accepted",
                "order": "O-1",
                "reminders": ["demo~O-1~1"],
                "stopped": [],
                "too_late": [],
            }
        ]
    }
    assert [record["actor"] for record in await api.records()] == ["key:all", "key:all"]


async def test_a_repeated_event_is_a_duplicate_without_effect(api: Asking) -> None:
    await api.post(wire(unpaid()))
    before = await api.records()

    answer = await api.post(json.dumps(unpaid(), indent=1))

    (result,) = answer.json()["results"]
    assert (answer.status_code, result["status"]) == (202, "duplicate")
    assert result["reminders"] == ["demo~O-1~1"]
    assert await api.records() == before


async def test_payment_tells_what_it_stopped_and_what_went_before(api: Asking) -> None:
    await api.post(wire([unpaid(1), unpaid(2)]), BATCH)
    await api.post(wire(ending(1)))
    await api.world.dispatch()

    late = await api.post(wire(ending(2)))
    (early,) = (await api.post(wire(ending(1)))).json()["results"]

    assert (early["stopped"], early["too_late"]) == (["demo~O-1~1"], [])
    assert late.json()["results"][0]["too_late"] == ["demo~O-2~1"]


async def test_a_batch_is_answered_one_by_one_in_order(api: Asking) -> None:
    other = unpaid(3, customer="C-2") | {"type": "order.amended"}
    given = [unpaid(1), {"id": "e-x"}, unpaid(3), other | {"id": "e-4"}, unpaid(1)]

    answer = await api.post(wire(given), BATCH)

    assert answer.status_code == 202
    results = answer.json()["results"]
    assert [(result["id"], result["status"]) for result in results] == [
        ("e-1", "accepted"),
        ("e-x", "rejected"),
        ("e-3", "accepted"),
        ("e-4", "rejected"),
        ("e-1", "duplicate"),
    ]
    assert [result["problem"]["status"] for result in results if "problem" in result] == [400, 409]


async def test_an_empty_batch_has_no_results(api: Asking) -> None:
    answer = await api.post(b"[]", BATCH)

    assert (answer.status_code, answer.json()) == (202, {"results": []})


async def test_a_batch_over_many_shops_keeps_its_order(api: Asking) -> None:
    headers = await api.key("chain", shops=["*"])
    given = [unpaid(number, shop=f"shop-{number % 7}") for number in range(300)]

    answer = await api.post(wire(given), BATCH, **headers)

    results = answer.json()["results"]
    assert [result["id"] for result in results] == [one["id"] for one in given]
    assert {result["status"] for result in results} == {"accepted"}


async def test_a_thousand_events_of_one_shop_are_taken_in_order(api: Asking) -> None:
    given = [unpaid(number) for number in range(500)] + [ending(number) for number in range(500)]

    answer = await api.post(wire(given), BATCH)

    results = answer.json()["results"]
    assert {result["status"] for result in results} == {"accepted"}
    assert all(len(result["stopped"]) == 1 for result in results[500:])


REJECTED: dict[str, tuple[dict[str, Any], int, str]] = {
    "the id with other content": (unpaid(1) | {"time": "2025-11-11T12:00:01+08:00"}, 409, "event-id-reused"),
    "another customer": (unpaid(1, customer="C-2") | {"id": "e-9"}, 409, "customer-differs"),
    "an amendment of nothing": (
        event("order.amended", order={"id": "O-9", "total": "1.00"}) | {"time": AT},
        404,
        "unknown-order",
    ),
    "a shop that the key does not open": (unpaid(9, shop="other"), 403, "forbidden"),
}


@pytest.mark.parametrize(("given", "status", "code"), REJECTED.values(), ids=REJECTED.keys())
async def test_a_rejected_event_answers_with_its_problem(
    api: Asking, given: dict[str, Any], status: int, code: str
) -> None:
    await api.post(wire(unpaid(1)))
    before = await api.records()

    answer = await api.post(wire(given))
    batch = await api.post(wire([given]), BATCH)

    assert problem_in(answer, status)["type"] == f"urn:dispatcher:problem:{code}"
    (result,) = batch.json()["results"]
    assert (batch.status_code, result["problem"]) == (202, answer.json())
    assert await api.records() == before


async def test_too_much_at_once_is_429_and_what_kept_changing_409(
    api: Asking, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def contended(events: Any, actor: str) -> list[Result]:
        problem = Contended("the order kept changing; repeating the event is safe")
        return [Result(id=one.id, status="rejected", order=one.order, problem=problem) for one in events]

    monkeypatch.setattr(api.world.service.intake, "take", contended)
    changing = await api.post(wire(unpaid()))
    monkeypatch.setattr(grouping, "MAX_UNDER_WAY", 0)
    crowded = await api.post(wire(unpaid()))

    assert problem_in(changing, 409)["type"] == "urn:dispatcher:problem:contended"
    assert problem_in(crowded, 429)["type"] == "urn:dispatcher:problem:overloaded"
    assert crowded.headers["retry-after"] == "1"


async def test_a_parameter_is_refused(api: Asking) -> None:
    answer = await api.client.post("/v1/events?dry_run=1", content=wire(unpaid()))

    assert [wrong["pointer"] for wrong in problem_in(answer, 400)["errors"]] == ["/dry_run"]
    assert await api.records() == []


async def test_a_full_store_is_503_for_one_event_and_for_a_batch_of_which_nothing_was_taken(
    api: Asking, monkeypatch: pytest.MonkeyPatch
) -> None:
    full = StoreFull("the store has reached its memory limit")

    async def take(events: Any, actor: str) -> list[Result]:
        return [
            Result(id=one.id, status="rejected", order=one.order, problem=full)
            if one.patch is not None
            else Result(id=one.id, status="accepted", order=one.order)
            for one in events
        ]

    monkeypatch.setattr(api.world.service.intake, "take", take)

    single = await api.post(wire(unpaid(1)))
    whole = await api.post(wire([unpaid(1), unpaid(2)]), BATCH)
    with_wrong = await api.post(wire([{"id": "e-x"}, unpaid(1)]), BATCH)
    only_wrong = await api.post(wire([{"id": "e-x"}]), BATCH)
    mixed = await api.post(wire([unpaid(1), ending(2)]), BATCH)

    assert only_wrong.status_code == 202
    for answer in (single, whole, with_wrong):
        assert problem_in(answer, 503)["type"] == "urn:dispatcher:problem:store-full"
        assert answer.headers["retry-after"] == "1"
    assert mixed.status_code == 202
    assert [result["status"] for result in mixed.json()["results"]] == ["rejected", "accepted"]
