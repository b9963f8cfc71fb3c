"""Made-up orders, customers and policies, to be changed by the tests."""

import copy
import tomllib
from datetime import datetime
from typing import Any
from zoneinfo import ZoneInfo

from dispatcher.policy.document import DEFAULT_TOML, load_json
from dispatcher.policy.facts import Customer, Facts, Item, Order, OrderFacts, OrderState
from dispatcher.policy.terms import Policy

SHANGHAI = "Asia/Shanghai"
SECOND, MINUTE, HOUR, DAY = 1_000, 60_000, 3_600_000, 86_400_000


def at(text: str, zone: str = SHANGHAI) -> int:
    """`"2026-11-11 10:20"` (seconds optional, `fold` by a trailing `*`) on a zone's clock, as an instant."""
    wall = datetime.fromisoformat(text.removesuffix("*")).replace(tzinfo=ZoneInfo(zone))
    return round(wall.replace(fold=text.endswith("*")).timestamp() * 1000)


def order(placed: str | int = "2026-11-11 10:20", closes: str | int | None = None, **fields: Any) -> Order:
    """An order over 299 yuan that closes a day after it was placed."""
    placed_at = at(placed) if isinstance(placed, str) else placed
    closes_at = at(closes) if isinstance(closes, str) else closes
    made: dict[str, Any] = {
        "id": "O-1",
        "total": "299.00",
        "currency": "CNY",
        "items": (Item(name="夏季连衣裙", availability="in_stock"),),
    }
    return Order(
        **{**made, **fields},
        placed_at=placed_at,
        closes_at=placed_at + DAY if closes_at is None else closes_at,
    )


def customer(**fields: Any) -> Customer:
    """A new customer with an address for every channel."""
    made: dict[str, Any] = {"id": "C-1", "phone": "+8613800000000", "chat": "wang_8842"}
    return Customer(**{**made, **fields})


def order_facts(*placed: str | int, customer: Customer = customer(), **fields: Any) -> OrderFacts:  # noqa: B008
    """What a plan stands on."""
    return OrderFacts(order=order(*placed, **fields), customer=customer)


def facts(due: str | int, **fields: Any) -> Facts:
    """A planned first reminder, due on chat, of an order placed at 10:20 on the eleventh of November."""
    due_at = at(due) if isinstance(due, str) else due
    made: dict[str, Any] = {
        "shop": "demo",
        "order": order(),
        "customer": customer(),
        "state": OrderState.UNPAID,
        "step": 1,
        "status": "planned",
        "moment": due_at,
        "due": due_at,
        "channel": "chat",
    }
    return Facts(**{**made, **fields})


def policy(**changes: Any) -> Policy:
    """The default policy, changed in sections or keys (`quiet_hours__end=`); `None` leaves one out."""
    document = copy.deepcopy(tomllib.loads(DEFAULT_TOML))
    for name, value in changes.items():
        *path, key = name.split("__")
        table = document
        for part in path:
            table = table.setdefault(part, {})
        if value is None:
            table.pop(key, None)
        else:
            table[key] = value
    return load_json(document)


def clock(instant: int, zone: str) -> str:
    """What a clock shows, worked out without the product: `"HH:MM:SS"`."""
    return datetime.fromtimestamp(instant / 1000, ZoneInfo(zone)).strftime("%H:%M:%S")


def in_window(instant: int, zone: str, start: str, end: str) -> bool:
    """Whether the clock stands in `[start, end)`, over midnight where the end is earlier; equal is never."""
    now = clock(instant, zone)
    if start < end:
        return start <= now < end
    return start != end and (now >= start or now < end)
