"""Calls over the API: from an open task to its outcome."""

from typing import Any

import pytest

from tests.web.asking import Asking
from tests.worlds import HOUR, MINUTE, NOON, at_once, event

CALLS = at_once(
    """
    [routing]
    channels = ["sms", "chat"]
    high_value = "500.00"
    [phone]
    windows = [["09:00", "12:30"], ["14:00", "20:00"]]
    overflow_after = "3h"
    """
)
TASK = "/v1/tasks/demo~O-1~1"


@pytest.fixture
async def calls(api: Asking) -> Asking:
    """A shop with an open task of each of two orders."""
    await api.world.service.put_policy("demo", CALLS, "test", "user:test")
    for order in ("O-1", "O-2"):
        unpaid = event("order.unpaid", order, NOON, total="900.00", customer=f"C-{order}", name="王女士")
        await api.world.service.intake.take([unpaid], "key:test")
    await api.world.dispatch()
    return api


async def post(api: Asking, verb: str, **body: Any) -> Any:
    return await api.client.post(f"{TASK}/{verb}", json=body)


async def listed(api: Asking, query: str = "") -> list[str]:
    answer = await api.client.get(f"/v1/tasks?shop=demo{query}")
    return [item["order"] for item in answer.json()["items"]]


async def test_open_tasks_are_listed_and_claimed_ones_apart(calls: Asking) -> None:
    await post(calls, "claim", agent="小李")

    assert await listed(calls) == ["O-2"]
    assert await listed(calls, "&status=open") == ["O-2"]
    assert await listed(calls, "&status=claimed") == ["O-1"]


async def test_a_claim_tells_what_the_call_needs(calls: Asking) -> None:
    calls.world.clock.advance_to(NOON + MINUTE)

    answer = await post(calls, "claim", agent="小李")

    told = answer.json()
    assert answer.status_code == 200
    assert told["customer"] == {
        "id": "C-O-1",
        "name": "王女士",
        "phone": "+8613800000000",
        "grade": None,
        "paid_orders": 0,
    }
    assert (told["order"]["id"], told["order"]["total"]) == ("O-1", "900.00")
    assert told["order"]["items"][0]["name"] == "示例商品"
    assert (told["task"]["status"], told["task"]["agent"]) == ("claimed", "小李")
    assert told["task"]["handed_at"] == "2025-11-11T04:01:00.000Z"
    assert told["until"] == "2025-11-11T04:30:00.000Z"
    assert "王女士" in told["text"]


async def test_a_claim_may_be_repeated_by_its_agent_alone(calls: Asking) -> None:
    first = await post(calls, "claim", agent="小李")

    again = await post(calls, "claim", agent="小李")
    other = await post(calls, "claim", agent="小王")

    assert again.json() == first.json()
    assert (other.status_code, other.json()["type"]) == (409, "urn:dispatcher:problem:task-not-open")


async def test_a_released_task_is_open_for_others(calls: Asking) -> None:
    await post(calls, "claim", agent="小李")

    released = await post(calls, "release", agent="小李")

    assert (released.status_code, released.json()["status"]) == (200, "open")
    assert (await post(calls, "claim", agent="小王")).status_code == 200


async def test_a_completed_call_has_its_outcome_in_the_audit_with_who_said_so(calls: Asking) -> None:
    await post(calls, "claim", agent="小李")

    completed = await post(calls, "complete", agent="小李", outcome="no_answer")

    record = (await calls.world.audit())[-1]
    assert (completed.status_code, completed.json()["status"]) == (200, "completed")
    assert completed.json()["outcome"] == "no_answer"
    assert (record["kind"], record["actor"]) == ("task.completed", "key:all")
    assert (record["details"]["agent"], record["details"]["outcome"]) == ("小李", "no_answer")


@pytest.mark.parametrize(
    ("more", "pointer"),
    [
        ({"outcome": "promised"}, "/promised_until"),
        ({"outcome": "promised", "promised_until": None}, "/promised_until"),
        ({"outcome": "promised", "promised_until": "2025-11-11T11:00:00"}, "/promised_until"),
        ({"outcome": "promised", "promised_until": "2025-11-11T04:00:00Z"}, "/promised_until"),
        ({"outcome": "promised", "call_back_at": "2025-11-11T05:00:00Z"}, "/call_back_at"),
        ({"outcome": "call_back"}, "/call_back_at"),
        ({"outcome": "call_back", "call_back_at": "2025-11-10T05:00:00Z"}, "/call_back_at"),
        ({"outcome": "refused", "promised_until": "2025-11-11T05:00:00Z"}, "/promised_until"),
        ({"outcome": "refused", "reason": "bored"}, "/reason"),
    ],
)
async def test_an_outcome_that_is_not_right_is_refused_naming_its_field(
    calls: Asking, more: dict[str, Any], pointer: str
) -> None:
    await post(calls, "claim", agent="小李")
    before = await calls.world.audit()

    answer = await post(calls, "complete", agent="小李", **more)

    assert (answer.status_code, answer.json()["errors"][0]["pointer"]) == (400, pointer)
    assert await calls.world.audit() == before


async def test_a_promise_is_told_with_its_time_and_the_reason(calls: Asking) -> None:
    await post(calls, "claim", agent="小李")

    answer = await post(
        calls,
        "complete",
        agent="小李",
        outcome="promised",
        promised_until="2025-11-11T18:00:00+08:00",
        reason="forgot",
    )

    assert answer.status_code == 200
    assert (await calls.world.audit())[-1]["details"] == {
        "agent": "小李",
        "outcome": "promised",
        "reason": "forgot",
        "promised_until": "2025-11-11T10:00:00.000Z",
    }


@pytest.mark.parametrize("verb", ["release", "complete"])
async def test_the_end_of_a_claim_may_be_repeated(calls: Asking, verb: str) -> None:
    more = {"outcome": "no_answer"} if verb == "complete" else {}
    await post(calls, "claim", agent="小李")
    first = await post(calls, verb, agent="小李", **more)
    before = await calls.world.audit()

    again = await post(calls, verb, agent="小李", **more)

    assert (again.status_code, again.json()) == (200, first.json())
    assert await calls.world.audit() == before


async def test_a_call_that_went_otherwise_is_not_a_repeated_one(calls: Asking) -> None:
    await post(calls, "claim", agent="小李")
    await post(calls, "complete", agent="小李", outcome="no_answer")

    other = await post(calls, "complete", agent="小李", outcome="refused")

    assert (other.status_code, other.json()["type"]) == (409, "urn:dispatcher:problem:task-not-open")
    assert other.json()["detail"].startswith("already completed with the outcome no_answer")


async def test_a_call_that_another_agent_made_is_not_told_of(calls: Asking) -> None:
    await post(calls, "claim", agent="小李")
    await post(calls, "complete", agent="小李", outcome="no_answer")

    other = await post(calls, "complete", agent="小王", outcome="no_answer")

    assert other.json()["detail"] == "the task is not claimed by this agent"


async def test_a_repeated_claim_tells_until_when_however_much_was_recorded_since(calls: Asking) -> None:
    first = await post(calls, "claim", agent="小李")
    for number in range(1, 26):
        amended = event("order.unpaid", "O-1", NOON + number, total="900.00", customer="C-O-1", name="王女士")
        await calls.world.service.intake.take([amended], "key:test")

    again = await post(calls, "claim", agent="小李")

    assert again.json()["until"] == first.json()["until"] == "2025-11-11T04:30:00.000Z"


@pytest.mark.parametrize("verb", ["release", "complete"])
async def test_only_who_claimed_a_task_ends_it(calls: Asking, verb: str) -> None:
    more = {"outcome": "other"} if verb == "complete" else {}
    before = await post(calls, verb, agent="小李", **more)
    await post(calls, "claim", agent="小李")

    other = await post(calls, verb, agent="小王", **more)

    assert (before.status_code, other.status_code) == (409, 409)
    assert await listed(calls, "&status=claimed") == ["O-1"]


async def test_a_claim_outside_the_hours_for_calls_is_refused_with_the_reason(calls: Asking) -> None:
    calls.world.clock.advance_to(NOON + HOUR)

    answer = await post(calls, "claim", agent="小李")

    assert (answer.status_code, answer.json()["type"]) == (409, "urn:dispatcher:problem:not-now")
    assert answer.json()["detail"].endswith("phone_window")
    assert await listed(calls) == ["O-1", "O-2"]


async def test_nothing_is_claimed_while_the_shop_is_paused(calls: Asking) -> None:
    await calls.client.post("/v1/shops/demo/pause")

    answer = await post(calls, "claim", agent="小李")

    assert (answer.status_code, answer.json()["detail"].endswith("paused")) == (409, True)


async def test_a_paid_order_takes_its_task_away(calls: Asking) -> None:
    await calls.world.service.intake.take([event("order.paid", "O-1", NOON)], "key:test")

    assert await listed(calls) == ["O-2"]
    assert (await post(calls, "claim", agent="小李")).status_code == 409


@pytest.mark.parametrize(
    ("verb", "body", "pointer"),
    [
        ("claim", {}, "/agent"),
        ("claim", {"agent": ""}, "/agent"),
        ("claim", {"agent": "a\x00b"}, "/agent"),
        ("claim", {"agent": "x" * 101}, "/agent"),
        ("claim", {"agent": None}, "/agent"),
        ("claim", {"agent": "小李", "force": True}, "/force"),
        ("release", {"agent": 7}, "/agent"),
        ("complete", {"agent": "小李"}, "/outcome"),
        ("complete", {"agent": "小李", "outcome": "happy"}, "/outcome"),
    ],
)
async def test_a_wrong_body_is_refused_naming_its_field(
    calls: Asking, verb: str, body: dict[str, Any], pointer: str
) -> None:
    answer = await post(calls, verb, **body)

    assert (answer.status_code, answer.json()["errors"][0]["pointer"]) == (400, pointer)
    assert await listed(calls) == ["O-1", "O-2"]


@pytest.mark.parametrize("task", ["demo~O-9~1", "demo~O-1~01", "demo~O-1~2", "demo~O-1"])
async def test_a_task_that_is_none_is_not_found(calls: Asking, task: str) -> None:
    answer = await calls.client.post(f"/v1/tasks/{task}/claim", json={"agent": "小李"})

    assert answer.status_code == 404
    assert await listed(calls) == ["O-1", "O-2"]


async def test_looking_does_not_open_working(calls: Asking) -> None:
    looker = await calls.key("looker", scopes=["tasks:read"])
    other = await calls.key("other", shops=["elsewhere"])

    seen = await calls.client.get("/v1/tasks?shop=demo", headers=looker)
    claimed = await calls.client.post(f"{TASK}/claim", json={"agent": "小李"}, headers=looker)
    elsewhere = await calls.client.post(f"{TASK}/claim", json={"agent": "小李"}, headers=other)

    assert (seen.status_code, claimed.status_code, elsewhere.status_code) == (200, 403, 403)
    assert "13800000000" not in seen.text
