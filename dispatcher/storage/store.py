"""The store: one typed function a script."""

from collections.abc import Iterable, Sequence
from typing import Any, TypeVar

import msgspec
from redis.asyncio import Redis

from dispatcher.errors import StoreUnavailable
from dispatcher.policy.facts import CHANNELS, Channel, Instant, OrderFacts
from dispatcher.policy.units import MAX_MIN_GAP
from dispatcher.policy.zones import DAY
from dispatcher.storage import keys as names
from dispatcher.storage.keys import LaneKeys
from dispatcher.storage.reading import Reader
from dispatcher.storage.records import (
    FACTS,
    ORDER,
    Command,
    Commit,
    Completion,
    Intake,
    IntakeReply,
    Lease,
    Leased,
    Settlement,
)
from dispatcher.storage.scripts import SCRIPTS

T = TypeVar("T")

SLOT_KEPT_MS = MAX_MIN_GAP + DAY
"""How long a hand-off stays in its customer's ledger at least: as long as a policy can look back."""

_REPLY = msgspec.msgpack.Decoder(IntakeReply)
_LEDGER = msgspec.msgpack.Decoder(tuple[int, ...])


class _Call:
    """A script call being put together: its keys, each named once, and its shops."""

    def __init__(self, keys: LaneKeys) -> None:
        self.lane = keys
        self.keys = list(keys.fixed)
        self.shops: list[dict[str, Any]] = []
        self._shops: dict[str, int] = {}

    def key(self, key: str) -> int:
        self.keys.append(key)
        return len(self.keys)

    def shop(self, shop: str) -> int:
        number = self._shops.get(shop)
        if number is None:
            due = {channel: self.key(self.lane.due(shop, channel)) for channel in CHANNELS}
            self.shops.append({"name": shop, "key": self.key(self.lane.shop(shop)), "due": due})
            number = self._shops[shop] = len(self.shops)
        return number

    def about(self, command: Command) -> None:
        """Fill in where the command finds its order and its customer's ledger."""
        shop = command.reminder.split(names.SEPARATOR, 1)[0]
        command.shop = self.shop(shop)
        command.order_key = self.key(self.lane.order(shop, command.order))
        if command.customer is not None:
            command.ledger = self.key(self.lane.ledger(shop, command.customer))


class Store(Reader):
    """Everything the dispatcher keeps, by lane; `retention`, `lease` in ms.

    Every change is one script call about one lane, takes `now` from its caller and writes its audit
    records with it.
    """

    def __init__(self, redis: Redis, lanes: int, *, retention: int, lease: int, max_leases: int) -> None:
        super().__init__(redis, lanes)
        self.retention = retention
        self.lease_ms = lease
        self.max_leases = max_leases

    @classmethod
    async def open(cls, redis: Redis, lanes: int, *, retention: int, lease: int, max_leases: int) -> "Store":
        """Open the store; `lanes` counts only at the very first start, afterwards the stored number does."""
        await redis.hsetnx(names.META, "lanes", str(lanes))  # type: ignore[misc]
        stored = await redis.hget(names.META, "lanes")  # type: ignore[misc]
        if stored is None:
            raise StoreUnavailable("the store did not keep its number of lanes")
        return cls(redis, int(stored), retention=retention, lease=lease, max_leases=max_leases)

    async def intake(
        self, lane: int, events: Sequence[Intake], now: Instant, actor: str
    ) -> list[IntakeReply]:
        """Take events of one lane, each exactly once, and return what each did, in order."""
        call = _Call(self._keys[lane])
        today = now // names.SEEN_BUCKET_MS
        buckets: dict[str, list[int]] = {}
        for event in events:
            shop = event.shop_name
            event.shop = call.shop(shop)
            if shop not in buckets:
                days = (today, today + 1, *range(today - 1, today - names.SEEN_BUCKETS, -1))
                buckets[shop] = [call.key(call.lane.seen(shop, day)) for day in days]
                call.shops[event.shop - 1]["seen_timer"] = names.seen_timer(shop, today)
                call.shops[event.shop - 1]["seen_until"] = (today + names.SEEN_BUCKETS) * names.SEEN_BUCKET_MS
            event.buckets = buckets[shop]
            event.order_key = call.key(call.lane.order(shop, event.order))
            event.facts_key = call.key(call.lane.facts(shop, event.order))
            event.timer = names.order_timer(shop, event.order)
        head = {"now": now, "actor": actor, "retention": self.retention, "shops": call.shops}
        replies = await SCRIPTS["intake"](self.redis, call.keys, head, events)
        return [_REPLY.decode(reply) for reply in replies]

    async def lease(self, shop: str, channel: Channel, limit: int, now: Instant) -> Lease:
        """Lease up to `limit` due reminders of a shop and channel; none while it is paused."""
        call = _Call(self._of(shop))
        call.shop(shop)
        head = {
            "now": now,
            "shops": call.shops,
            "channel": channel,
            "limit": limit,
            "lease": self.lease_ms,
            "order_prefix": call.lane.order_prefix,
            "facts_prefix": call.lane.facts_prefix,
            "ledger_prefix": call.lane.ledger_prefix,
        }
        token, rev, policy, lane_now, *rest = await SCRIPTS["lease"](self.redis, call.keys, head, [])
        items = []
        for position in range(0, len(rest), 4):
            reminder = rest[position].decode()
            _, order_id, number = names.split_reminder_id(reminder)
            items.append(
                Leased(
                    reminder=reminder,
                    order_id=order_id,
                    number=number,
                    order=ORDER.decode(rest[position + 1]),
                    facts=_readable(rest[position + 2]),
                    ledger=_LEDGER.decode(rest[position + 3]),
                )
            )
        return Lease(
            shop=shop,
            channel=channel,
            token=token,
            now=lane_now,
            shop_rev=rev,
            policy=policy,
            lease_end=(items[0].step.lease_end or now) if items else now,
            items=items,
        )

    async def _commands(
        self, script: str, lane: int, commands: Sequence[Command], now: Instant, **head: Any
    ) -> list[str]:
        call = _Call(self._keys[lane])
        for command in commands:
            call.about(command)
            if isinstance(command, Commit) and command.text is not None:
                command.text_key = call.key(call.lane.text(command.reminder))
        head |= {"now": now, "shops": call.shops}
        replies = await SCRIPTS[script](self.redis, call.keys, head, commands)
        return [reply.decode() for reply in replies]

    async def commit(
        self, lane: int, commits: Sequence[Commit], now: Instant, actor: str = "system"
    ) -> list[str]:
        """Record decisions; each answers committed, changed (decide again), lost (not ours) or failed."""
        return await self._commands("commit", lane, commits, now, actor=actor, max_leases=self.max_leases)

    async def settle(self, lane: int, settlements: Sequence[Settlement], now: Instant) -> list[str]:
        """Record outcomes of hand-offs; each answers settled or lost."""
        return await self._commands("settle", lane, settlements, now)

    async def complete(
        self, lane: int, completions: Sequence[Completion], now: Instant, actor: str
    ) -> list[str]:
        """Complete claimed tasks; each answers completed or lost."""
        return await self._commands("complete", lane, completions, now, actor=actor)

    async def sweep(self, lane: int, reminders: Iterable[str], now: Instant) -> list[str]:
        """End expired leases; each answers uncertain, back, failed or gone."""
        commands = []
        for reminder in reminders:
            _, order, step = names.split_reminder_id(reminder)
            commands.append(Command(reminder=reminder, order=order, step=step))
        return await self._commands("sweep", lane, commands, now, max_leases=self.max_leases)

    async def turn(self, lane: int, timers: Sequence[str], now: Instant) -> list[str]:
        """Give timers their turn; each answers closed, retired, forgotten, later or gone."""
        call = _Call(self._keys[lane])
        parts = [names.split_timer(timer) for timer in timers]
        orders = await self.orders([(shop, rest) for kind, shop, rest in parts if kind == "o"])
        items: list[dict[str, Any]] = []
        for timer, (kind, shop, rest) in zip(timers, parts, strict=True):
            item: dict[str, Any] = {"timer": timer, "shop": call.shop(shop)}
            if kind == "e":
                item["seen_key"] = call.key(call.lane.seen(shop, int(rest)))
            else:
                order = orders.get((shop, rest))
                item |= {"order": rest, "order_key": call.key(call.lane.order(shop, rest))}
                item["erase"] = [call.key(call.lane.facts(shop, rest))]
                if order is not None and order.customer is not None:
                    item["ledger"] = call.key(call.lane.ledger(shop, order.customer))
                    item["erase"] += [
                        call.key(call.lane.text(names.reminder_id(shop, rest, number)))
                        for number in range(1, len(order.steps) + 1)
                    ]
            items.append(item)
        head = {
            "now": now,
            "retention": self.retention,
            "slot_kept": SLOT_KEPT_MS,
            "shops": call.shops,
        }
        replies = await SCRIPTS["turn"](self.redis, call.keys, head, items)
        return [reply.decode() for reply in replies]

    async def _configure(self, shop: str, item: dict[str, Any], now: Instant, actor: str) -> int:
        call = _Call(self._of(shop))
        call.shop(shop)
        if "policy" in item:
            item["policies"] = call.key(call.lane.policies(shop))
        head = {"now": now, "actor": actor, "shops": call.shops}
        (version,) = await SCRIPTS["configure"](self.redis, call.keys, head, [item])
        return int(version)

    async def put_policy(self, shop: str, document: str, details: str, now: Instant, actor: str) -> int:
        """Put a checked policy document into force and return its version."""
        return await self._configure(
            shop, {"kind": "policy", "policy": document, "details": details}, now, actor
        )

    async def pause(self, shop: str, channel: str | None, now: Instant, actor: str) -> None:
        """Stop hand-offs of a shop, on one channel or (`None`) on all."""
        await self._pausing("pause", shop, channel, now, actor)

    async def resume(self, shop: str, channel: str | None, now: Instant, actor: str) -> None:
        """End a pause."""
        await self._pausing("resume", shop, channel, now, actor)

    async def _pausing(self, kind: str, shop: str, channel: str | None, now: Instant, actor: str) -> None:
        details = msgspec.json.encode({"channel": channel}).decode()
        await self._configure(shop, {"kind": kind, "pause": channel or "*", "details": details}, now, actor)


def _readable(facts: bytes) -> OrderFacts | None:
    try:
        return FACTS.decode(facts)
    except msgspec.MsgspecError:
        return None
