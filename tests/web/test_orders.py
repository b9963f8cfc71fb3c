"""An order as the API tells it."""

from pathlib import Path
from typing import Any

from dispatcher.storage.audit import AuditTrail
from dispatcher.web.access import SCOPES
from tests.web.asking import Asking
from tests.worlds import HOUR, MINUTE, NOON, event

NOON_TEXT = "2025-11-11T04:00:00.000Z"


async def take(api: Asking, *kinds: str, order: str = "O-1", **more: Any) -> None:
    events = [event(kind, order, api.world.clock.now(), **more) for kind in kinds]
    results = await api.world.service.intake.take(events, "key:test")
    assert {result.status for result in results} == {"accepted"}


async def test_an_order_is_told_with_its_reminders_and_all_that_happened(api: Asking) -> None:
    await take(api, "order.unpaid")
    await api.world.dispatch()
    api.world.clock.advance_to(NOON + MINUTE)
    await take(api, "order.paid")

    answer = await api.client.get("/v1/orders/demo/O-1")

    told = answer.json()
    assert answer.status_code == 200
    assert {name: told[name] for name in ("shop", "order", "state", "customer", "total", "currency")} == {
        "shop": "demo",
        "order": "O-1",
        "state": "paid",
        "customer": "C-1",
        "total": "99.00",
        "currency": "CNY",
    }
    assert (told["placed_at"], told["closes_at"]) == (NOON_TEXT, "2025-11-12T04:00:00.000Z")
    assert told["reminders"] == [
        {
            "id": "demo~O-1~1",
            "shop": "demo",
            "order": "O-1",
            "customer": "C-1",
            "step": 1,
            "status": "sent",
            "channel": "sms",
            "due": NOON_TEXT,
            "moment": NOON_TEXT,
            "attempt": 1,
            "handed_at": NOON_TEXT,
            "agent": None,
            "outcome": None,
            "told": None,
        }
    ]
    assert [record["kind"] for record in told["timeline"]] == [
        "order.accepted",
        "reminder.planned",
        "reminder.sending",
        "reminder.sent",
        "order.paid",
    ]


async def test_the_timeline_is_the_same_once_its_records_are_archived(
    api: Asking, audit_directory: Path
) -> None:
    await take(api, "order.unpaid")
    await api.world.dispatch()
    before = (await api.client.get("/v1/orders/demo/O-1")).json()
    trail = AuditTrail(api.world.service.store, audit_directory, 4)

    await trail.archive(api.world.lane)

    head = await trail.head(api.world.lane)
    assert before["timeline"][0]["seq"] <= head.archived < before["timeline"][-1]["seq"]
    assert (await api.client.get("/v1/orders/demo/O-1")).json() == before


async def test_an_order_of_which_only_the_end_is_known_tells_nothing_else(api: Asking) -> None:
    await take(api, "order.cancelled")

    told = (await api.client.get("/v1/orders/demo/O-1")).json()

    assert (told["state"], told["customer"], told["placed_at"], told["closes_at"], told["reminders"]) == (
        "cancelled",
        None,
        None,
        None,
        [],
    )


async def test_an_id_may_hold_what_parts_a_path(api: Asking) -> None:
    await take(api, "order.unpaid", order="A/1%2F~2")

    answer = await api.client.get("/v1/orders/demo/A%2F1%252F~2")

    assert answer.json()["order"] == "A/1%2F~2"
    assert answer.json()["reminders"][0]["id"] == "demo~A/1%2F~2~1"


async def test_what_is_not_there_is_a_problem(api: Asking) -> None:
    answer = await api.client.get("/v1/orders/demo/O-2")

    assert answer.status_code == 404
    assert answer.headers["content-type"] == "application/problem+json"
    assert answer.json()["type"] == "urn:dispatcher:problem:unknown-order"


async def test_a_key_tells_nothing_of_other_shops_or_without_its_scope(api: Asking) -> None:
    other = await api.key("other", shops=["elsewhere"])
    blind = await api.key("blind", scopes=[scope for scope in SCOPES if scope != "orders:read"])
    await take(api, "order.unpaid")

    for path in ("/v1/orders/demo/O-1", "/v1/reminders/demo~O-1~1", "/v1/reminders?shop=demo"):
        assert (await api.client.get(path, headers=other)).status_code == 403
        assert (await api.client.get(path, headers=blind)).status_code == 403


async def test_a_parameter_nobody_knows_is_refused_by_name(api: Asking) -> None:
    answer = await api.client.get("/v1/orders/demo/O-1?verbose=1")

    assert answer.status_code == 400
    assert answer.json()["errors"][0]["pointer"] == "/verbose"


async def test_an_order_closes_by_itself(api: Asking) -> None:
    await take(api, "order.unpaid", closes_at=NOON + HOUR)
    api.world.clock.advance_to(NOON + HOUR)
    await api.world.dispatch()

    assert (await api.client.get("/v1/orders/demo/O-1")).json()["state"] == "closed"
