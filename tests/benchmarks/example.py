"""The contract's example event with ids of its own for each number."""

from typing import Any

from dispatcher.policy.facts import Instant

INSTANT: Instant = 1_794_363_630_000
"""The example's own time: 2026-11-11 10:20:30 in Shanghai."""


def example(
    number: int, placed_at: str = "2026-11-11T10:20:30+08:00", closes_at: str = "2026-11-12T10:20:30+08:00"
) -> dict[str, Any]:
    """Return the example event; only the ids, and what repeats one, differ by number."""
    return {
        "specversion": "1.0",
        "id": f"e-{number}",
        "source": "/shops/demo",
        "type": "order.unpaid",
        "time": placed_at,
        "data": {
            "order": {
                "id": f"O-{number}",
                "placed_at": placed_at,
                "closes_at": closes_at,
                "total": "299.00",
                "currency": "CNY",
                "pay_url": f"https://pay.example/O-{number}",
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
            },
            "customer": {
                "id": f"C-{number}",
                "name": "王女士",
                "phone": "+8613800000000",
                "chat": "wang_8842",
                "paid_orders": 3,
                "timezone": "Asia/Shanghai",
            },
        },
    }
