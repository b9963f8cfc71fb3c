"""Blocked addresses over the API."""

from typing import Any

import pytest

from dispatcher.policy.zones import iso
from tests.web.asking import Asking
from tests.worlds import HOUR, NOON, event

PATH = "/v1/shops/demo/blocked"
PHONE, OTHER, HANDLE = "+8613800000000", "+8613800000001", "example_1"


async def unblock(api: Asking, **body: Any) -> Any:
    return await api.client.request("DELETE", PATH, json=body)


async def test_a_block_is_told_masked_since_when_and_by_whom(api: Asking) -> None:
    first = await api.client.post(PATH, json={"phone": PHONE})
    api.world.clock.advance_to(NOON + HOUR)
    again = await api.client.post(PATH, json={"phone": "+86 138 0000 0000"})

    listed = await api.client.get(PATH)

    told = {"kind": "phone", "address": "+86 138 **** 0000", "since": iso(NOON), "actor": "key:all"}
    assert (first.status_code, first.json(), again.json()) == (200, told, told)
    assert listed.json() == {"items": [told], "next_cursor": None}


async def test_an_address_that_is_missing_is_said_to_be(api: Asking) -> None:
    answer = await api.client.post(PATH, json={})

    assert answer.json()["detail"] == "the body is not right: expected a phone or a chat, and not both"


async def test_an_unblocked_address_is_written_to_again(api: Asking) -> None:
    await api.client.post(PATH, json={"phone": PHONE})
    await api.client.post(PATH, json={"chat": HANDLE})

    left = [
        (await unblock(api, **body)).json() for body in ({"chat": HANDLE}, {"chat": HANDLE}, {"phone": PHONE})
    ]

    await api.world.service.intake.take([event("order.unpaid", "A", NOON)], "key:test")
    assert left == [{"blocked": 1}, {"blocked": 1}, {"blocked": 0}]
    assert await api.world.dispatch() == {"send": 1}


async def test_blocks_are_listed_page_by_page(api: Asking) -> None:
    for body in ({"phone": PHONE}, {"phone": OTHER}, {"chat": HANDLE}):
        await api.client.post(PATH, json=body)
    pages, cursor = [], ""

    while True:
        page = (await api.client.get(f"{PATH}?limit=2{cursor}")).json()
        pages.append([item["address"] for item in page["items"]])
        if page["next_cursor"] is None:
            break
        cursor = f"&cursor={page['next_cursor']}"

    assert [len(page) for page in pages] == [2, 1]
    assert sorted(address for page in pages for address in page) == [
        "+86 138 **** 0000",
        "+86 138 **** 0001",
        "e****1",
    ]


async def test_the_audit_tells_the_pseudonym_and_no_address(api: Asking) -> None:
    await api.client.post(PATH, json={"phone": PHONE})
    await api.client.post(PATH, json={"chat": HANDLE})
    await unblock(api, phone=PHONE)

    told = [record for record in await api.world.audit() if record["kind"].startswith("operator.")]

    assert [(record["kind"], record["actor"], record["details"]["address"]) for record in told] == [
        ("operator.blocked", "key:all", "phone"),
        ("operator.blocked", "key:all", "chat"),
        ("operator.unblocked", "key:all", "phone"),
    ]
    assert told[0]["details"]["person"] == told[2]["details"]["person"]
    assert not [part for part in ("13800000000", HANDLE, "0000") if part in str(told)]


@pytest.mark.parametrize(
    ("body", "pointer"),
    [
        ({}, ""),
        ({"phone": PHONE, "chat": HANDLE}, ""),
        ({"phone": "13800000000"}, "/phone"),
        ({"phone": None}, "/phone"),
        ({"phone": 8613800000000}, "/phone"),
        ({"chat": ""}, "/chat"),
        ({"chat": "x" * 129}, "/chat"),
        ({"chat": "a\u0000b"}, "/chat"),
        ({"chat": [HANDLE]}, "/chat"),
        ({"handle": HANDLE}, "/handle"),
    ],
)
@pytest.mark.parametrize("method", ["POST", "DELETE"])
async def test_a_wrong_body_is_refused_naming_its_field(
    api: Asking, method: str, body: dict[str, Any], pointer: str
) -> None:
    answer = await api.client.request(method, PATH, json=body)

    assert answer.status_code == 400
    assert pointer in [wrong["pointer"] for wrong in answer.json()["errors"]]
    assert (await api.client.get(PATH)).json()["items"] == []


@pytest.mark.parametrize("query", ["limit=0", "cursor=zz", "phone=1"])
async def test_a_wrong_query_is_refused(api: Asking, query: str) -> None:
    assert (await api.client.get(f"{PATH}?{query}")).status_code == 400


async def test_another_scope_or_shop_does_not_open_it(api: Asking) -> None:
    reading = await api.key("reading", scopes=("policy:read",))

    answers = [
        await api.client.post(PATH, json={"phone": PHONE}, headers=reading),
        await api.client.post("/v1/shops/other/blocked", json={"phone": PHONE}),
    ]

    assert [answer.status_code for answer in answers] == [403, 403]
