from typing import Any

import pytest

from dispatcher.policy.events import Event, decode_event
from tests.policy.event_examples import OPTIONAL, REQUIRED, changed, pointers, wire


@pytest.mark.parametrize("pointer", REQUIRED)
@pytest.mark.parametrize("value", [..., None])
def test_a_required_field_that_is_missing_or_null_is_named(pointer: str, value: Any) -> None:
    raw = wire(changed(pointer, value))

    found = pointers(raw)

    assert found == [pointer]


@pytest.mark.parametrize("pointer", OPTIONAL)
def test_an_optional_field_may_be_null(pointer: str) -> None:
    raw = wire(changed(pointer, None))

    read = decode_event(raw)

    assert read.id == "e-1001"


@pytest.mark.parametrize(
    "pointer", ["/data/customer/name", "/data/order/items/0/spec", "/data/order/buyer_note"]
)
def test_a_blank_optional_text_is_as_good_as_none(pointer: str) -> None:
    blank, null = wire(changed(pointer, "  ")), wire(changed(pointer, None))

    patches = decode_event(blank).patch, decode_event(null).patch

    assert patches[0] == patches[1]


GOOD = [
    ("/id", "用户😀昵称"),
    ("/id", "x" * 128),
    ("/id", "汉" * 42),
    ("/id", "a b~/%{}"),
    ("/source", "demo"),
    ("/source", "urn:example/shops/旗舰店"),
    ("/time", "2026-11-11T10:20:30.123456Z"),
    ("/time", "2000-01-01T00:00:00Z"),
    ("/time", "2099-12-31T23:59:59Z"),
    ("/datacontenttype", "application/json"),
    ("/data/order/total", "0"),
    ("/data/order/total", "9999999999.9999"),
    ("/data/order/currency", "JPY"),
    ("/data/order/pay_url", "http://127.0.0.1:8080/pay?o=1&t=%E4%BB%98#x"),
    ("/data/customer/timezone", "America/Argentina/Buenos_Aires"),
    ("/data/customer/grade", 0),
    ("/data/customer/paid_orders", 0),
    ("/data/customer/name", "👩‍👧 妈妈"),
]


@pytest.mark.parametrize(("pointer", "value"), GOOD)
def test_values_at_the_edge_of_the_allowed_are_taken(pointer: str, value: Any) -> None:
    raw = wire(changed(pointer, value))

    read = decode_event(raw)

    assert isinstance(read, Event)


NO_ID = [
    "",
    "  ",
    "\u3000",
    "x" * 129,
    "汉" * 43,
    "a\x00b",
    "a\nb",
    "a\u200bb",
    "a\u202eb",
    "\x7f",
    "\u2028",
    7,
    [],
]
NO_TIME = [
    "2026-11-11T10:20:30",
    "2026-11-11 10:20:30+08:00",
    "2026-11-11T10:20+08:00",
    "2026-11-11",
    "2026-02-30T10:20:30Z",
    "2026-11-11T25:20:30Z",
    "2026-11-11T10:20:30+24:00",
    "２０２６-11-11T10:20:30Z",
    "1999-12-31T23:59:59Z",
    "2100-01-01T00:00:00Z",
    "0001-01-01T00:00:00+14:00",
    "2026-11-11T10:20:30Z\n",
    "2026-11-11T10:20:30." + "0" * 40 + "Z",
    1_794_363_630,
    True,
]
NO_MONEY = [
    299.0,
    299,
    "-1",
    "+1",
    "1e3",
    "1,000.00",
    ".5",
    "5.",
    "1.00000",
    "12345678901",
    "",
    "１",
    "1\n",
    "NaN",
]
NO_COUNT = [-1, 1.0, "1", True, 10**12]
NO_ZONE = [
    "",
    "../etc",
    "/etc/localtime",
    "Mars/Base",
    "asia/shanghai",
    "Asia",
    "localtime",
    "UTC+8",
    8,
    ["UTC"],
]
NO_PHONE = [
    "13800000000",
    "+86",
    "+999123456789",
    "+861380000000a",
    "+8613800000000;ext=5",
    "tel:+8613800000000",
    "138****0000",
    "+" + "1" * 40,
    "",
    13800000000,
]
NO_URL = [
    "javascript:alert(1)",
    "ftp://pay.example/",
    "//pay.example/",
    "https://",
    "https://user:secret@pay.example/",
    "https://pay.example/a b",
    "https://pay.example/\u4ed8",
    "https://pay.example/" + "a" * 2048,
    "",
    5,
]
BAD: list[tuple[str, list[Any]]] = [
    ("/specversion", ["0.3", 1.0]),
    ("/id", NO_ID),
    ("/source", [*NO_ID[:3], "/shops/", "/shops/a~b", "/shops/*", "/shops/ ", "/" * 300]),
    ("/time", NO_TIME),
    ("/datacontenttype", ["text/xml"]),
    ("/data", [[], "x"]),
    ("/data/order", [[], "O-1"]),
    ("/data/order/id", NO_ID),
    ("/data/order/placed_at", NO_TIME),
    ("/data/order/closes_at", [*NO_TIME, "2026-11-11T10:20:30+08:00", "2026-11-11T02:20:29Z"]),
    ("/data/order/total", NO_MONEY),
    ("/data/order/original_total", NO_MONEY),
    ("/data/order/currency", ["cny", "RMB", "XXX", "", 156]),
    ("/data/order/pay_url", NO_URL),
    ("/data/order/items", [[], {}, "x", [{"name": "示例"}] * 201]),
    ("/data/order/items/0", ["x", []]),
    ("/data/order/items/0/name", ["", " ", "a\nb", "x" * 301, 5]),
    ("/data/order/items/0/quantity", [0, *NO_COUNT]),
    ("/data/order/items/0/price", NO_MONEY),
    ("/data/order/items/0/sensitive", ["false", 0]),
    ("/data/order/items/0/availability", ["sold out", 1]),
    ("/data/order/buyer_note", ["x" * 1001, "a\x00", 5]),
    ("/data/order/receiver/phone", NO_PHONE),
    ("/data/order/receiver/city", [5, "x" * 101]),
    ("/data/customer/id", NO_ID),
    ("/data/customer/name", ["x" * 101, "a\x07", 5]),
    ("/data/customer/phone", NO_PHONE),
    ("/data/customer/chat", NO_ID),
    ("/data/customer/paid_orders", NO_COUNT),
    ("/data/customer/timezone", NO_ZONE),
    ("/data/customer/grade", [5, *NO_COUNT]),
    ("/data/customer/consent", [True, []]),
    ("/data/customer/consent/sms", ["yes", 1]),
    ("/data/customer/consulted_at", NO_TIME),
]


@pytest.mark.parametrize(
    ("pointer", "value"), [(pointer, value) for pointer, values in BAD for value in values]
)
def test_a_wrong_value_is_refused_naming_its_field(pointer: str, value: Any) -> None:
    raw = wire(changed(pointer, value))

    found = pointers(raw)

    assert found == [pointer]


@pytest.mark.parametrize(
    ("given_phone", "stored"),
    [
        ("+8613800000000", "+8613800000000"),
        ("+86 138-0000-0000", "+8613800000000"),
        ("+1 (212) 555-0100", "+12125550100"),
        ("+852 5123 4567", "+85251234567"),
    ],
)
def test_a_phone_number_is_kept_in_e164(given_phone: str, stored: str) -> None:
    raw = wire(changed("/data/customer/phone", given_phone))

    read = decode_event(raw)

    assert read.patch is not None
    assert read.patch.customer["phone"] == stored
