"""A store full of reminders in every state, and script calls caught just before they are made."""

from collections.abc import Awaitable, Callable
from contextlib import suppress
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any, NamedTuple
from unittest.mock import patch

import msgspec

from dispatcher.errors import StoreRefused
from dispatcher.settings import Settings
from dispatcher.storage.audit import AuditTrail
from dispatcher.storage.client import StoreClient
from dispatcher.storage.commands import Commit, Settlement
from dispatcher.storage.packing import Packed, pack
from dispatcher.storage.records import Lease, Leased, StoredStep
from dispatcher.storage.scripts import NEW_ORDERS, SCRIPTS
from dispatcher.storage.store import Store
from dispatcher.wiring import open_audit
from tests.worlds import DAY, HOUR, MINUTE, NOON, World, at_once, event, world

LEASE = 30_000
"""How long a lease lasts (ms)."""

LATER = NOON + 1000
"""When the calls of these tests are made: everything in the scene is due."""

POLICY = at_once(
    """
    [caps]
    per_day = 3
    [before_close]
    lead = "2h"
    [routing]
    channels = ["sms", "chat"]
    high_value = "500.00"
    """
)

SETTINGS = Settings(lanes=1, segment_records=5)

Dump = dict[bytes, bytes]
"""Every key of the store with its serialized value."""


async def dump(redis: StoreClient) -> Dump:
    """Return all there is, byte by byte."""
    keys = sorted(await redis.keys("*"))
    async with redis.pipeline(transaction=False) as pipe:
        for key in keys:
            pipe.dump(key)
        return dict(zip(keys, await pipe.execute(), strict=True))


async def restore(redis: StoreClient, kept: Dump) -> None:
    """Bring everything back to what it was."""
    async with redis.pipeline(transaction=False) as pipe:
        pipe.flushall()
        for key, value in kept.items():
            pipe.restore(key, 0, value)
        await pipe.execute()


class Call(NamedTuple):
    """A script call that was not made: its script's name, keys and arguments as plain data, but for rows."""

    script: str
    keys: list[str]
    head: dict[str, Any]
    items: list[dict[str, Any]]
    rows: tuple[bytes, ...] = ()

    def copy(self) -> "Call":
        """Return a call that can be changed."""
        head, items = msgspec.msgpack.decode(msgspec.msgpack.encode((self.head, self.items)))
        return Call(self.script, list(self.keys), head, items, self.rows)

    async def make(self, redis: StoreClient) -> Any:
        """Make the call."""
        encode = msgspec.msgpack.encode
        return await self.make_raw(redis, encode(self.head), encode(self.items), *self.rows)

    async def make_raw(self, redis: StoreClient, *arguments: bytes) -> Any:
        """Call the script with arguments as they are."""
        source = SCRIPTS[self.script].source
        return await redis.execute_command("EVAL", source, len(self.keys), *self.keys, *arguments)


def plain(text: bytes) -> Packed:
    """Return a text as a script's argument, not packed, so that a call can be read; scripts never look."""
    return Packed(msgspec.msgpack.encode(text.decode()))


class _Caught(Exception):
    pass


class _Catcher:
    """A client that keeps the first script call instead of making it; reads go through."""

    def __init__(self, redis: StoreClient) -> None:
        self._redis = redis
        self.call: Call | None = None

    def __getattr__(self, name: str) -> Any:
        return getattr(self._redis, name)

    async def execute_command(self, *words: Any) -> Any:
        _, sha, count, *rest = words
        names = {script.sha: script.name for script in (*SCRIPTS.values(), NEW_ORDERS)}
        head, items, *rows = rest[count:]
        decode = msgspec.msgpack.decode
        self.call = Call(names[sha], rest[:count], decode(head), decode(items), tuple(rows))
        raise _Caught


async def caught(
    redis: StoreClient, store: Store, make: Callable[[Store, AuditTrail], Awaitable[Any]]
) -> Call:
    """Return the script call that `make` would make on a store."""
    catcher: Any = _Catcher(redis)
    copy = Store(
        catcher,
        store.lanes,
        retention=store.retention,
        lease=store.lease_ms,
        max_leases=store.max_leases,
    )
    with suppress(_Caught), TemporaryDirectory() as folder, patch("dispatcher.storage.store.pack", plain):
        await make(copy, AuditTrail(copy, Path(folder), SETTINGS.segment_records))
    assert catcher.call is not None
    call: Call = catcher.call
    return call


class Scene(NamedTuple):
    """A store with reminders in every state, and what is leased and being sent in it."""

    redis: StoreClient
    store: Store
    leased: Lease
    sending: list[Commit]


_built: list[tuple[Dump, Lease, list[Commit]]] = []
"""The scene as it was built once; every later one is restored from it, which is ten times faster."""


async def scene(redis: StoreClient, folder: Path) -> Scene:
    """Fill a store: orders sent, open, claimed, leased, being sent, due, paid, paid before known."""
    if not _built:
        leased, sending = await _build(redis, folder)
        await restore(redis, await dump(redis))
        _built.append((await dump(redis), leased, sending))
    kept, leased, sending = _built[0]
    await restore(redis, kept)
    store, _ = await open_audit(SETTINGS, redis, folder)
    return Scene(redis, store, leased, sending)


async def _build(redis: StoreClient, folder: Path) -> tuple[Lease, list[Commit]]:
    here = await world(redis, folder, policy=POLICY, settings=SETTINGS)
    await take(here, ("A-sent", "99.00"), ("B-open-1", "900.00"), ("B-open-2", "900.00"))
    await take(here, ("C-claimed-1", "900.00"), ("C-claimed-2", "900.00"))
    await here.dispatch()
    for order in ("C-claimed-1", "C-claimed-2"):
        await here.service.tasks.claim(f"demo~{order}~1", "agent", "user:li")
    await take(here, ("D-sending-1", "99.00"), ("D-sending-2", "99.00"))
    store = here.service.store
    sent = await store.lease("demo", "sms", 10, NOON)
    sending = [send(sent, item) for item in sent.items]
    await store.commit(here.lane, sending, NOON)
    await take(here, ("E-leased-1", "99.00"), ("E-leased-2", "99.00"))
    leased = await store.lease("demo", "sms", 10, NOON)
    await take(here, ("F-due-1", "99.00"), ("F-due-2", "99.00"), ("G-paid", "99.00"))
    ends = [event("order.paid", "G-paid", NOON), event("order.cancelled", "H-unknown", NOON)]
    await here.service.intake.take(ends, "key:test")
    return leased, sending


async def take(here: World, *orders: tuple[str, str]) -> None:
    """Take an unpaid order of a customer of its own each."""
    events = [
        event("order.unpaid", order, NOON, customer=f"C-{order}", total=total) for order, total in orders
    ]
    await here.service.intake.take(events, "key:test")


def send(lease: Lease, item: Leased, **more: Any) -> Commit:
    """Return the commit of a hand-off by SMS, valid for a day."""
    return Commit(
        **{
            **about(item),
            "kind": "send",
            "token": lease.token,
            "rev": item.order.rev,
            "shop_rev": lease.shop_rev,
            "policy": lease.policy,
            "details": pack(b"{}"),
            "channel": "sms",
            "valid_until": NOON + DAY,
            "day_start": NOON - 12 * HOUR,
            "day_end": NOON + 12 * HOUR,
            "template": "first_reminder/sms@1",
            "text": "made up",
            **more,
        }
    )


def kept(lease: Lease, item: Leased, kind: str, **more: Any) -> Commit:
    """Return the commit of a decision against a hand-off."""
    held = {"token": lease.token, "rev": item.order.rev, "shop_rev": lease.shop_rev, "policy": lease.policy}
    return Commit(**{**about(item), **held, "kind": kind, "details": pack(b"{}"), **more})


def about(item: Leased) -> dict[str, Any]:
    """Return what every command about a leased reminder says of it."""
    return {
        "reminder": item.reminder,
        "order": item.order_id,
        "customer": item.order.customer,
        "step": item.number,
    }


def settlement(commit: Commit, outcome: str, **more: Any) -> Settlement:
    """Return what became of a committed hand-off."""
    of: dict[str, Any] = {
        "reminder": commit.reminder,
        "order": commit.order,
        "customer": commit.customer,
        "step": commit.step,
        "token": commit.token,
    }
    by_outcome: dict[str, dict[str, Any]] = {
        "sent": {"handed": LATER},
        "uncertain": {"reason": "channel_down"},
        "retry": {"reason": "channel_down", "due": LATER + MINUTE, "channel": "chat", "tried": ("sms",)},
        "fail": {"reason": "rejected"},
    }
    return Settlement(**{**of, "outcome": outcome, **by_outcome[outcome], **more})


async def refused(redis: StoreClient, make: Awaitable[Any]) -> str:
    """Return how a call was refused, or '' when it was not."""
    try:
        await make
    except StoreRefused as error:
        return str(error) or "error"
    return ""


async def leased(store: Store, at: int = NOON, limit: int = 10) -> Lease:
    """Lease what is due by SMS."""
    return await store.lease("demo", "sms", limit, at)


async def step(store: Store, order: str = "O-1") -> StoredStep:
    """Return the first reminder of an order."""
    found = await store.order("demo", order)
    assert found is not None
    return found.steps[0]


async def held(store: Store) -> dict[str, int]:
    """Return what is leased, each with the token of its lease."""
    keys = store.keys(store.lane_of("demo"))
    found = await store.redis.zrange(keys.leases, 0, -1, withscores=True)
    return {reminder.decode(): int(token) for reminder, token in found}


async def swept(here: World, at: int) -> list[str]:
    """End the leases that have run out."""
    store = here.service.store
    return await store.sweep(here.lane, await store.expired(here.lane, at, 100), at)
