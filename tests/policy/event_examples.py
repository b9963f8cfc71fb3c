"""One made-up event of each kind, to be changed by the tests."""

import json
from typing import Any

import pytest

from dispatcher.errors import InvalidEvent
from dispatcher.policy.document import default_policy
from dispatcher.policy.events import decode_event
from dispatcher.policy.terms import Policy


def order() -> dict[str, Any]:
    """A complete order as the wire has it."""
    return {
        "id": "O-1",
        "placed_at": "2026-11-11T10:20:30+08:00",
        "closes_at": "2026-11-12T10:20:30+08:00",
        "total": "299.00",
        "currency": "CNY",
        "pay_url": "https://pay.example/O-1",
        "items": [
            {
                "name": "夏季连衣裙 碎花",
                "quantity": 1,
                "price": "299.00",
                "spec": "M码",
                "sensitive": False,
                "availability": "in_stock",
            }
        ],
    }


def customer() -> dict[str, Any]:
    """A customer with an address for every channel."""
    return {
        "id": "C-1",
        "name": "王女士",
        "phone": "+8613800000000",
        "chat": "wang_8842",
        "paid_orders": 3,
        "timezone": "Asia/Shanghai",
    }


def event(kind: str = "order.unpaid", **data: Any) -> dict[str, Any]:
    """An event whose data is `data`, or the complete example."""
    return {
        "specversion": "1.0",
        "id": "e-1001",
        "source": "/shops/demo",
        "type": kind,
        "time": "2026-11-11T10:20:30+08:00",
        "data": data or {"order": order(), "customer": customer()},
    }


def changed(pointer: str, value: Any) -> dict[str, Any]:
    """The complete example with one field set, or taken out where `value` is `...`."""
    whole = event()
    *path, last = [int(part) if part.isdigit() else part for part in pointer.split("/")[1:]]
    part: Any = whole
    for name in path:
        part = part.setdefault(name, {}) if isinstance(part, dict) else part[name]
    if value is ...:
        del part[last]
    else:
        part[last] = value
    return whole


def wire(content: object) -> bytes:
    """JSON as a sender would write it."""
    return json.dumps(content, ensure_ascii=False).encode()


def refusal(raw: Any) -> InvalidEvent:
    """What `decode_event` raises for `raw`."""
    with pytest.raises(InvalidEvent) as caught:
        decode_event(raw)
    return caught.value


def pointers(raw: Any) -> list[str]:
    """The fields that are named as wrong in `raw`."""
    return [problem.pointer for problem in refusal(raw).problems]


POLICY: Policy = default_policy()

REQUIRED = [
    "/specversion",
    "/id",
    "/source",
    "/type",
    "/time",
    "/data",
    "/data/order",
    "/data/order/id",
    "/data/order/placed_at",
    "/data/order/total",
    "/data/order/items",
    "/data/order/items/0/name",
    "/data/customer",
    "/data/customer/id",
]

OPTIONAL = [
    "/datacontenttype",
    "/subject",
    "/data/order/closes_at",
    "/data/order/currency",
    "/data/order/pay_url",
    "/data/order/buyer_note",
    "/data/order/receiver",
    "/data/order/promotion",
    "/data/order/items/0/price",
    "/data/order/items/0/quantity",
    "/data/order/items/0/availability",
    "/data/customer/phone",
    "/data/customer/chat",
    "/data/customer/paid_orders",
    "/data/customer/timezone",
    "/data/customer/consent",
]
