"""The audit over the API: whole, filtered, page by page or as a stream."""

import asyncio
import json
from pathlib import Path
from typing import Any

import pytest

from dispatcher.errors import StoreUnavailable
from dispatcher.storage.audit import AuditTrail
from dispatcher.web import audit as audit_module
from tests.web.asking import Asking
from tests.web.test_bad_input import problem_in
from tests.worlds import HOUR, NOON, event

LINES = {"accept": "application/x-ndjson"}


@pytest.fixture
async def filled(api: Asking, audit_directory: Path) -> Asking:
    """Eight orders, one an hour, of two customers, all sent; the records of the first ones archived."""
    for number in range(8):
        api.world.clock.advance_to(NOON + number * HOUR)
        at = api.world.clock.now()
        unpaid = event("order.unpaid", f"O-{number}", at, customer=f"C-{number % 2}")
        await api.world.service.intake.take([unpaid], "key:test")
        await api.world.dispatch()
    await AuditTrail(api.world.service.store, audit_directory, 6).archive(api.world.lane)
    return api


async def all_of(api: Asking, query: str = "") -> list[dict[str, Any]]:
    """Follow the cursors from a first page to the end."""
    found, cursor = [], ""
    for _ in range(100):
        answer = await api.client.get(f"/v1/audit?shop=demo{query}{cursor}")
        assert answer.status_code == 200, answer.text
        found += answer.json()["items"]
        if answer.json()["next_cursor"] is None:
            return found
        cursor = f"&cursor={answer.json()['next_cursor']}"
    raise AssertionError("the pages do not end")


async def lines(api: Asking, query: str = "") -> list[dict[str, Any]]:
    answer = await api.client.get(f"/v1/audit?shop=demo{query}", headers=LINES)
    assert answer.status_code == 200, answer.text
    assert answer.headers["content-type"] == "application/x-ndjson"
    return [json.loads(line) for line in answer.text.splitlines()]


async def expected(api: Asking) -> list[dict[str, Any]]:
    return [record for record in await api.world.audit() if record["shop"] == "demo"]


async def test_some_of_it_lies_on_disk_and_some_in_the_store(filled: Asking) -> None:
    head = await filled.world.service.audit.head(filled.world.lane)

    assert 6 <= head.archived < head.newest


@pytest.mark.parametrize("limit", [1, 7, 200])
async def test_pages_tell_every_record_of_the_shop_once_and_in_order(filled: Asking, limit: int) -> None:
    assert await all_of(filled, f"&limit={limit}") == await expected(filled)


async def test_a_stream_tells_the_same_as_the_pages(filled: Asking) -> None:
    assert await lines(filled) == await expected(filled)


@pytest.mark.parametrize(
    ("query", "name", "value"),
    [
        ("&order=O-3", "order", "O-3"),
        ("&customer=C-1", "customer", "C-1"),
        ("&reminder=demo~O-2~1", "reminder", "demo~O-2~1"),
        ("&kind=reminder.sent", "kind", "reminder.sent"),
    ],
)
async def test_filters_tell_what_is_wanted_alone(filled: Asking, query: str, name: str, value: str) -> None:
    wanted = [record for record in await expected(filled) if record[name] == value]

    assert wanted
    assert await all_of(filled, f"{query}&limit=1") == wanted
    assert await lines(filled, query) == wanted


@pytest.mark.parametrize(
    "reminder", ["O-2", "demo~O-2", "demo~O-2~x", "demo~O-2~01", "demo~O-2~0", "~O-2~1%00"]
)
@pytest.mark.parametrize("headers", [{}, LINES])
async def test_what_is_no_reminder_is_named(filled: Asking, reminder: str, headers: dict[str, str]) -> None:
    answer = await filled.client.get(f"/v1/audit?shop=demo&reminder={reminder}", headers=headers)

    assert [wrong["pointer"] for wrong in problem_in(answer, 400)["errors"]] == ["/reminder"]


@pytest.mark.parametrize("query", ["&reminder=other~O-2~1", "&reminder=demo~O-99~1", "&reminder=demo~O-2~9"])
async def test_a_reminder_there_is_none_of_has_no_records(filled: Asking, query: str) -> None:
    assert await all_of(filled, query) == []
    assert await lines(filled, query) == []


async def test_records_about_keys_are_told_to_a_key_for_every_shop(filled: Asking) -> None:
    every = await filled.key("every", shops=["*"])

    answer = await filled.client.get("/v1/audit?shop=*", headers=every)
    other = await filled.client.get("/v1/audit?shop=*")

    assert [(one["kind"], one["details"]["key"]) for one in answer.json()["items"]] == [
        ("access.key_created", "all"),
        ("access.key_created", "every"),
    ]
    assert other.status_code == 403


async def test_a_kind_that_no_record_has_is_refused(filled: Asking) -> None:
    answer = await filled.client.get("/v1/audit?shop=demo&kind=reminder.sant")

    (wrong,) = problem_in(answer, 400)["errors"]
    assert wrong["pointer"] == "/kind"
    assert "reminder.sent" in wrong["detail"]


async def test_a_shop_that_can_be_none_is_named(filled: Asking) -> None:
    answer = await filled.client.get("/v1/audit?shop=de~mo")

    assert [wrong["pointer"] for wrong in problem_in(answer, 400)["errors"]] == ["/shop"]


async def test_a_time_begins_and_ends_what_is_told(filled: Asking) -> None:
    found = await all_of(filled, "&since=2025-11-11T14:00:00%2B08:00&until=2025-11-11T08:00:00Z&limit=2")

    assert {record["order"] for record in found} == {"O-2", "O-3"}
    assert len(found) == 8


async def test_an_offset_may_come_without_percent_encoding(filled: Asking) -> None:
    found = await all_of(filled, "&since=2025-11-11T19:00:00+08:00")

    assert {record["order"] for record in found} == {"O-7"}


async def test_an_order_is_found_without_looking_through_its_lane(
    filled: Asking, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def looked(*_: Any) -> Any:
        raise AssertionError("the lane was looked through")

    monkeypatch.setattr(AuditTrail, "page", looked)

    assert len(await all_of(filled, "&order=O-3")) == 4
    assert len(await lines(filled, "&reminder=demo~O-3~1")) == 3


async def test_an_order_that_has_left_the_store_is_still_found(filled: Asking) -> None:
    retention = filled.world.service.store.retention
    for late in (2 * 24 * HOUR, retention + 4 * 24 * HOUR, 3 * retention):
        filled.world.clock.advance_to(NOON + late)
        await filled.world.dispatch()

    found = [record["kind"] for record in await all_of(filled, "&order=O-3")]

    assert await filled.world.service.store.order("demo", "O-3") is None
    assert found == [
        "order.accepted",
        "reminder.planned",
        "reminder.sending",
        "reminder.sent",
        "order.closed",
        "order.retired",
    ]


async def test_a_page_looks_at_so_many_records_and_goes_on(
    filled: Asking, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(audit_module, "SCANNED", 4)
    monkeypatch.setattr(audit_module, "AT_ONCE", 2)

    first = (
        await filled.client.get("/v1/audit?shop=demo&kind=reminder.sent&until=2025-11-11T08:00:00Z")
    ).json()

    assert len(first["items"]) <= 1
    assert first["next_cursor"] is not None
    assert len(await all_of(filled, "&kind=reminder.sent")) == 8


async def test_a_stream_ends_at_its_limit(filled: Asking) -> None:
    assert await lines(filled, "&limit=3") == (await expected(filled))[:3]


async def test_a_key_for_one_shop_must_name_it(filled: Asking) -> None:
    every = await filled.key("every", shops=["*"])

    assert (await filled.client.get("/v1/audit")).status_code == 403
    assert (await filled.client.get("/v1/audit", headers=LINES)).status_code == 403
    assert (await filled.client.get("/v1/audit?shop=elsewhere")).status_code == 403
    assert (await filled.client.get("/v1/audit?limit=1", headers=every)).status_code == 200


async def test_all_lanes_are_told_to_a_key_for_every_shop(filled: Asking) -> None:
    every = await filled.key("every", shops=["*"])
    await filled.world.service.intake.take(
        [event("order.unpaid", "X", filled.world.clock.now(), shop=f"shop-{n}") for n in range(6)], "key:test"
    )

    answer = await filled.client.get("/v1/audit?kind=order.accepted", headers=LINES | every)

    told = [json.loads(line) for line in answer.text.splitlines()]
    assert {record["shop"] for record in told} == {"demo", *(f"shop-{n}" for n in range(6))}
    assert [record["lane"] for record in told] == sorted(record["lane"] for record in told)


async def test_no_address_is_told(filled: Asking) -> None:
    answer = await filled.client.get("/v1/audit?shop=demo&limit=200")

    assert "13800000000" not in answer.text
    assert "example_1" not in answer.text


def _empty(directory: Path) -> None:
    for path in directory.glob("*/*.jsonl"):
        path.write_bytes(b"")


@pytest.mark.parametrize("headers", [{}, LINES])
async def test_records_that_cannot_be_read_are_told_as_a_problem(
    filled: Asking, audit_directory: Path, headers: dict[str, str]
) -> None:
    _empty(audit_directory)

    answer = await filled.client.get("/v1/audit?shop=demo", headers=headers)

    assert (answer.status_code, answer.headers["retry-after"]) == (503, "1")


async def test_a_stream_that_breaks_is_cut_off_and_logged(
    filled: Asking, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    monkeypatch.setattr(audit_module, "AT_ONCE", 5)
    whole = AuditTrail.page

    async def breaking(self: AuditTrail, lane: int, first: int, count: int | None = None) -> Any:
        if first > 10:
            raise StoreUnavailable("made up")
        return await whole(self, lane, first, count)

    monkeypatch.setattr(AuditTrail, "page", breaking)
    sent = await stream(filled, "shop=demo")

    assert [message["type"] for message in sent][:2] == ["http.response.start", "http.response.body"]
    assert all(message.get("more_body") for message in sent[1:])
    assert "stream_broken" in caplog.text


async def test_a_stream_ends_when_nobody_listens_any_more(
    filled: Asking, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(audit_module, "AT_ONCE", 1)

    sent = await stream(filled, "shop=demo", leave_after=3)

    assert 3 <= len(sent) <= 5


async def stream(api: Asking, query: str, *, leave_after: int | None = None) -> list[dict[str, Any]]:
    """Ask as a server does, and return what was sent; the client may leave after some messages."""
    sent: list[dict[str, Any]] = []
    left = asyncio.Event()

    async def receive() -> dict[str, Any]:
        await left.wait()
        return {"type": "http.disconnect"}

    async def send(message: Any) -> None:
        sent.append(message)
        if len(sent) == leave_after:
            left.set()
        await asyncio.sleep(0)

    headers = {"host": "api.example", "authorization": api.client.headers["authorization"]} | LINES
    scope: Any = {
        "type": "http",
        "asgi": {"version": "3.0", "spec_version": "2.3"},
        "http_version": "1.1",
        "method": "GET",
        "scheme": "http",
        "path": "/v1/audit",
        "raw_path": b"/v1/audit",
        "root_path": "",
        "query_string": query.encode(),
        "headers": [(name.encode(), value.encode()) for name, value in headers.items()],
        "client": ("127.0.0.1", 1),
        "server": ("127.0.0.1", 2),
        "state": {},
        "extensions": {},
    }
    await api.app(scope, receive, send)  # type: ignore[arg-type]
    return sent
