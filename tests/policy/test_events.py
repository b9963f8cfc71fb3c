from typing import Any

import pytest

from dispatcher.errors import InvalidEvent
from dispatcher.policy.events import Event, EventType, decode_batch, decode_event
from dispatcher.policy.facts import Item, Promotion
from tests.policy.event_examples import changed, customer, event, order, pointers, refusal, wire

PLACED = 1_794_363_630_000
DAY = 86_400_000


def test_a_complete_event_is_read_into_the_facts_own_types() -> None:
    raw = wire(event())

    read = decode_event(raw)

    assert (read.id, read.source, read.shop, read.order) == ("e-1001", "/shops/demo", "demo", "O-1")
    assert read.type is EventType.UNPAID
    assert read.time == PLACED
    assert read.patch is not None
    assert read.patch.customer == customer()
    assert read.patch.order == order() | {
        "placed_at": PLACED,
        "closes_at": PLACED + DAY,
        "items": (
            Item(
                name="夏季连衣裙 碎花", price="299.00", spec="M码", sensitive=False, availability="in_stock"
            ),
        ),
    }


def test_every_optional_field_of_the_contract_is_read() -> None:
    whole = event()
    whole["data"]["order"] |= {
        "buyer_note": "送人的\n请包好",
        "receiver": {"name": "李先生", "city": "杭州", "phone": "+8613900000000"},
        "original_total": "399.00",
        "promotion": {"name": "双11", "saves": "100.00", "ends_at": "2026-11-12T00:00:00+08:00"},
    }
    whole["data"]["order"]["items"][0]["category"] = "女装"
    whole["data"]["customer"] |= {
        "grade": 4,
        "consent": {"sms": True, "chat": False, "phone": True, "promotion": False},
        "consulted_at": "2026-11-11T02:00:00Z",
        "agent": "客服小美",
    }

    patch = decode_event(wire(whole)).patch

    assert patch is not None
    assert patch.order["buyer_note"] == "送人的\n请包好"
    assert patch.order["receiver"] == {"name": "李先生", "city": "杭州", "phone": "+8613900000000"}
    assert patch.order["promotion"] == Promotion(name="双11", saves="100.00", ends_at=1_794_412_800_000)
    assert patch.order["items"][0].category == "女装"
    assert patch.customer["consent"] == {"sms": True, "chat": False, "phone": True, "promotion": False}
    assert patch.customer["consulted_at"] == 1_794_362_400_000


@pytest.mark.parametrize("kind", ["order.paid", "order.cancelled", "order.amended"])
def test_an_event_on_an_order_needs_only_the_orders_id(kind: str) -> None:
    raw = wire(event(kind, order={"id": "O-1"}))

    read = decode_event(raw)

    assert read.order == "O-1"
    assert read.type == kind
    assert (read.patch is None) == (kind != "order.amended")


@pytest.mark.parametrize("kind", ["order.paid", "order.cancelled"])
def test_what_a_final_event_says_besides_is_checked_and_left_aside(kind: str) -> None:
    good = event(kind, order=order(), customer=customer())
    bad = event(kind, order={"id": "O-1", "total": 299.0})

    read = decode_event(wire(good))

    assert read.patch is None
    assert pointers(wire(bad)) == ["/data/order/total"]


def test_a_customer_given_in_an_amendment_needs_an_id() -> None:
    raw = wire(event("order.amended", order={"id": "O-1"}, customer={"name": "王女士"}))

    found = pointers(raw)

    assert found == ["/data/customer/id"]


@pytest.mark.parametrize("kind", ["customer.refunded", "order.refunded", "", 7, None])
def test_another_type_is_refused_with_the_types_expected(kind: Any) -> None:
    raw = wire(event() | {"type": kind})

    refused = refusal(raw)

    assert [problem.pointer for problem in refused.problems] == ["/type"]
    assert ", ".join(EventType) in refused.problems[0].detail


@pytest.mark.parametrize(
    "raw",
    [
        b"",
        b"{",
        b"[]",
        b"null",
        b'"x"',
        b"{}{}",
        b"\xff\xfe",
        b'{"id": "\xff"}',
        b'{"id": "\\ud800"}',
        b'{"id": NaN}',
        b'{"data": ' + b"[" * 100_000,
        b'{"data": ' + b"[" * 100_000 + b"]" * 100_000 + b"}",
        b'{"a":' * 100_000,
        {1: 2},
        {"id": "\ud800"},
        {"\ud800": 1},
        [],
    ],
)
def test_what_is_no_event_at_all_is_refused(raw: Any) -> None:
    refused = refusal(raw)

    assert refused.problems
    assert refused.event_id is None


def test_a_batch_answers_for_each_element_in_order() -> None:
    parts = [event(), changed("/data/order/total", 1), 7, event("order.paid", order={"id": "O-2"})]

    read = decode_batch(wire(parts))

    assert [type(part) for part in read] == [Event, InvalidEvent, InvalidEvent, Event]
    assert isinstance(read[1], InvalidEvent)
    assert read[1].event_id == "e-1001"
    assert read[0] == decode_event(wire(event()))


def test_an_element_that_is_not_utf8_does_not_spoil_its_batch() -> None:
    broken = wire(event()).replace("王女士".encode(), b"\xff\xfe")

    read = decode_batch(b"[" + broken + b"," + wire(event()) + b"]")

    assert [type(part) for part in read] == [InvalidEvent, Event]


@pytest.mark.parametrize("body", [b"", b"{}", b"[", b"[1,]", b"null", b"[" * 100_000, b"\xff"])
def test_a_body_that_is_no_array_is_refused_as_a_whole(body: bytes) -> None:
    with pytest.raises(InvalidEvent) as caught:
        decode_batch(body)

    assert [problem.pointer for problem in caught.value.problems] == [""]
