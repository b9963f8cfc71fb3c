"""Small worlds for tests: the real wiring over a test's own store, under a clock the test moves."""

from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import msgspec

from dispatcher.channels.base import Channel, Message
from dispatcher.channels.stub import Behaviour, StubChannel, accepting
from dispatcher.policy.document import Policy, load_toml
from dispatcher.policy.events import Event, decode_event
from dispatcher.policy.facts import Channel as ChannelName
from dispatcher.policy.facts import Instant
from dispatcher.policy.zones import iso
from dispatcher.settings import Settings
from dispatcher.simulation.clock import VirtualClock
from dispatcher.storage.audit import line
from dispatcher.storage.audit_record import AuditRecord
from dispatcher.storage.client import StoreClient
from dispatcher.wiring import Service, build

NOON: Instant = 1_762_833_600_000
"""2025-11-11 12:00 in Shanghai."""
MINUTE = 60_000
HOUR = 60 * MINUTE
DAY = 24 * HOUR

PERSONAL = ("王女士", "13800000000", "example_1", "pay.example")
"""Of a customer whose name is told, what no log, list or line for people may tell."""

BASE = """
timezone = "Asia/Shanghai"
platform = "own"
pay_within = "24h"
[[cadence]]
placed = ["00:00", "24:00"]
remind = {after = "0s"}
"""


def at_once(sections: str) -> Policy:
    """Return a policy that reminds at the moment of the order, at any hour, with more sections in TOML."""
    return load_toml(BASE + sections)


AT_ONCE = at_once(
    """
    [routing]
    channels = ["sms", "chat"]
    """
)
"""Reminds at the moment of the order, at any hour, without cap: a test adds what it is about."""

CALLS = at_once(
    """
    [routing]
    channels = ["sms", "chat"]
    high_value = "500.00"
    """
)
"""Reminds of a dear order by a call."""


def as_json(record: AuditRecord) -> dict[str, Any]:
    """Return a record of the audit as plain data."""
    decoded: dict[str, Any] = msgspec.json.decode(line(record))
    return decoded


class World:
    """A service under a virtual clock, with stub channels that do what the test says."""

    def __init__(
        self, service: Service, clock: VirtualClock, channels: Mapping[ChannelName, StubChannel]
    ) -> None:
        self.service = service
        self.clock = clock
        self.channels = channels
        self.lane = service.store.lane_of("demo")

    def twin(self) -> str:
        """Return another shop of the lane of `demo`."""
        others = (f"shop-{number}" for number in range(40))
        return next(shop for shop in others if self.service.store.lane_of(shop) == self.lane)

    async def dispatch(self) -> dict[str, int]:
        """Do all that is due now: leases that ended, timers, reminders."""
        await self.service.housekeeping.sweep(self.lane)
        await self.service.housekeeping.turn(self.lane)
        return dict(await self.service.dispatcher.drain([self.lane]))

    async def audit(self) -> list[dict[str, Any]]:
        """Return the whole audit of the lane as plain data."""
        return [as_json(record) async for record in self.service.audit.read(self.lane)]


async def world(
    redis: StoreClient,
    audit_directory: Path,
    *,
    policy: Policy = AT_ONCE,
    behaviour: Callable[[Message], Behaviour] = accepting,
    start: Instant = NOON,
    settings: Settings | None = None,
    log: Path | None = None,
) -> World:
    """Build a world whose shop `demo` has a policy."""
    clock = VirtualClock(start)
    stubs: dict[ChannelName, StubChannel] = {
        "chat": StubChannel("chat", clock.now, log, behaviour),
        "sms": StubChannel("sms", clock.now, log, behaviour),
    }
    channels: dict[ChannelName, Channel] = dict(stubs)
    service = await build(settings or Settings(lanes=4), redis, clock, channels, audit_directory)
    await service.put_policy("demo", policy, "test", "user:test")
    return World(service, clock, stubs)


def told(kind: str, event_id: str, at: Instant, data: dict[str, Any], shop: str = "demo") -> Event:
    """Return an event of this content as the API would decode it."""
    return decode_event(
        {
            "specversion": "1.0",
            "id": event_id,
            "source": f"/shops/{shop}",
            "type": kind,
            "time": iso(at),
            "data": data,
        }
    )


def event(
    kind: str,
    order: str,
    at: Instant,
    *,
    event_id: str | None = None,
    shop: str = "demo",
    customer: str = "C-1",
    total: str = "99.00",
    placed_at: Instant | None = None,
    closes_at: Instant | None = None,
    items: list[dict[str, Any]] | None = None,
    **more: Any,
) -> Event:
    """Return an event of an order as the API would decode it; `more` goes to the customer."""
    data: dict[str, Any] = {"order": {"id": order}}
    if kind in ("order.unpaid", "order.amended"):
        data["order"] |= {
            "placed_at": iso(placed_at if placed_at is not None else at),
            "total": total,
            "currency": "CNY",
            "pay_url": "https://pay.example/" + order,
            "items": items or [{"name": "示例商品", "quantity": 1, "price": total}],
        }
        if closes_at is not None:
            data["order"]["closes_at"] = iso(closes_at)
        data["customer"] = {
            "id": customer,
            "phone": "+8613800000000",
            "chat": "example_1",
            "paid_orders": 0,
        } | more
    return told(kind, event_id or f"{order}-{kind}-{at}", at, data, shop)


def saying(
    kind: str,
    at: int = NOON,
    *,
    channel: str | None = None,
    customer: str = "C-1",
    event_id: str | None = None,
    shop: str = "demo",
) -> Event:
    """Return what a customer did (`opted_out`, `replied`) as the API would decode it."""
    data: dict[str, Any] = {"customer": {"id": customer}}
    if channel is not None:
        data["channel"] = channel
    return told(f"customer.{kind}", event_id or f"{kind}-{channel}-{customer}-{at}", at, data, shop)
