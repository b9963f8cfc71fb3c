"""What cannot be read in the store is a 409 where it is asked for, never a 500, and is in no list."""

import logging

import pytest

from dispatcher.storage.keys import ACCESS
from dispatcher.telemetry import KEY_UNREADABLE, REQUEST_FAILED
from dispatcher.workflow.policies import PolicyBook
from tests.web.asking import SECRET, Asking, bearer
from tests.worlds import CALLS, NOON, event

REFUSED = (409, "urn:dispatcher:problem:store-refused")


@pytest.fixture
async def calls(api: Asking) -> Asking:
    """A shop with an open task of each of two orders."""
    await api.world.service.put_policy("demo", CALLS, "test", "user:test")
    events = [event("order.unpaid", order, NOON, total="900.00") for order in ("O-1", "O-2")]
    await api.world.service.intake.take(events, "key:test")
    await api.world.dispatch()
    return api


async def asked(api: Asking, method: str, path: str, body: object = None) -> tuple[int, str]:
    answer = await api.client.request(method, path, json=body)
    return answer.status_code, answer.json().get("type", "")


@pytest.mark.parametrize("stored", [b"\xff\x00garbage", b"\x80", b"\xa1\xff"])
async def test_an_order_that_cannot_be_read_is_refused_and_in_no_list(calls: Asking, stored: bytes) -> None:
    store = calls.world.service.store
    await store.redis.set(store.keys(calls.world.lane).order("demo", "O-1"), stored)

    single = [
        await asked(calls, "GET", "/v1/orders/demo/O-1"),
        await asked(calls, "GET", "/v1/reminders/demo~O-1~1"),
        await asked(calls, "GET", "/v1/reminders/demo~O-1~1/explain"),
        await asked(calls, "POST", "/v1/tasks/demo~O-1~1/claim", {"agent": "小李"}),
    ]
    lists = [await calls.client.get(f"/v1/{what}?shop=demo") for what in ("reminders", "tasks")]

    assert single == [REFUSED] * 4
    assert [[item["order"] for item in one.json()["items"]] for one in lists] == [["O-2"], ["O-2"]]


async def test_a_claim_beside_what_cannot_be_read_is_refused_and_logged_unless_it_is_written_anew(
    calls: Asking, caplog: pytest.LogCaptureFixture
) -> None:
    store = calls.world.service.store
    keys = store.keys(calls.world.lane)
    await store.redis.delete(keys.facts("demo", "O-1"))
    await store.redis.set(keys.text("demo~O-2~1"), b"\xff\xfe")

    answers = [
        await asked(calls, "POST", f"/v1/tasks/demo~{order}~1/claim", {"agent": "小李"})
        for order in ("O-1", "O-2")
    ]

    assert [answers[0], answers[1][0]] == [REFUSED, 200]
    logged = [record.getMessage() for record in caplog.records if record.levelno == logging.ERROR]
    assert logged == [REQUEST_FAILED]


async def test_a_policy_that_cannot_be_read_is_refused_until_another_is_put_into_force(api: Asking) -> None:
    store = api.world.service.store
    key = store.keys(api.world.lane).policies("demo")
    policy = (await api.client.get("/v1/shops/demo/policy")).json()["policy"]
    await store.redis.hset(key, mapping={"1": b"{bad", "1:about": b"zz"})  # type: ignore[misc]
    fresh = PolicyBook(store)
    api.world.service.policies._versions, api.world.service.policies._in_force = fresh._versions, {}

    before = [await asked(api, "GET", f"/v1/shops/demo/policy{more}") for more in ("", "/versions")]
    put = await api.client.put("/v1/shops/demo/policy", json=policy)
    after = await asked(api, "GET", "/v1/shops/demo/policy")

    assert before == [REFUSED, REFUSED]
    assert put.json() == {"version": 2}
    assert after == (200, "")


@pytest.mark.parametrize(
    "entry",
    [
        b"garbage",
        b"\xff",
        b'{"sha256":"\xff","shops":[],"scopes":[],"created_at":1}',
        '{"sha256":"中","shops":["demo"],"scopes":["orders:read"],"created_at":1}'.encode(),
    ],
)
async def test_a_key_that_cannot_be_read_opens_nothing(
    api: Asking, entry: bytes, caplog: pytest.LogCaptureFixture
) -> None:
    await api.world.service.store.redis.hset(ACCESS, "bad", entry)  # type: ignore[misc]

    answer = await api.client.get("/v1/reminders?shop=demo", headers=bearer("bad", SECRET))

    assert answer.status_code == 401
    assert [record.getMessage() for record in caplog.records] == [KEY_UNREADABLE]


async def test_figures_are_told_beside_what_names_no_queue(calls: Asking) -> None:
    store = calls.world.service.store
    await store.redis.zadd(store.keys(calls.world.lane).ready, {"garbage": 0})

    answer = await calls.client.get("/metrics")

    assert answer.status_code == 200
