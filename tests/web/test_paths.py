"""Ids in paths mean what was sent: no character of an id parts it, and what is no id is refused."""

from urllib.parse import quote

import pytest

from tests.policy.event_examples import wire
from tests.web.asking import Asking
from tests.web.test_bad_input import problem_in
from tests.web.test_events import unpaid


@pytest.mark.parametrize("order", ["a/b", "..", "100%", "%2F", "a~1", "买家 二", "a?b#c", "a+b", "a//b/"])
async def test_an_order_of_any_id_is_found(api: Asking, order: str) -> None:
    given = unpaid()
    given["data"]["order"]["id"] = order
    await api.post(wire(given))
    escaped = "".join(f"%{byte:02X}" for byte in order.encode())

    answer = await api.client.get(f"/v1/orders/demo/{escaped}")
    short = await api.client.get(f"/v1/orders/demo/{quote(order, safe='')}") if order != ".." else answer

    assert (answer.status_code, answer.json()["order"]) == (200, order)
    assert short.json() == answer.json()


@pytest.mark.parametrize(
    ("shop", "order", "pointer"),
    [
        ("demo", "%ff", "/order"),
        ("demo", "%ed%a0%80", "/order"),
        ("demo", "a%00b", "/order"),
        ("demo", "a%0ab", "/order"),
        ("demo", "%20", "/order"),
        ("demo", "x" * 301, "/order"),
        ("%c3%28", "O-1", "/shop"),
        ("de~mo", "O-1", "/shop"),
        ("*", "O-1", "/shop"),
        ("%2A", "O-1", "/shop"),
        ("x" * 129, "O-1", "/shop"),
    ],
)
async def test_what_is_no_id_is_named(api: Asking, shop: str, order: str, pointer: str) -> None:
    answer = await api.client.get(f"/v1/orders/{shop}/{order}")

    assert [error["pointer"] for error in problem_in(answer, 400)["errors"]] == [pointer]


async def test_a_half_percent_stands_for_itself(api: Asking) -> None:
    answer = await api.client.get("/v1/orders/demo/a%zz")

    assert problem_in(answer, 404)["type"] == "urn:dispatcher:problem:unknown-order"
