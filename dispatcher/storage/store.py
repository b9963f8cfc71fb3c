"""The store: one typed function a script, and the reads that deciding and looking need."""

from collections.abc import Callable, Iterable, Sequence
from typing import Any, TypeVar

import msgspec
from redis.asyncio import Redis

from dispatcher.errors import StoreRefused, StoreUnavailable
from dispatcher.policy.facts import CHANNELS, Channel, Instant, OrderFacts
from dispatcher.storage import keys as names
from dispatcher.storage.keys import LaneKeys, lane_of
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
    ShopState,
    StoredOrder,
)
from dispatcher.storage.scripts import SCRIPTS

T = TypeVar("T")

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


class Store:
    """Everything the dispatcher keeps, by lane; `retention`, `lease` in ms.

    Every change is one script call about one lane, takes `now` from its caller and writes its audit
    records with it.
    """

    def __init__(self, redis: Redis, lanes: int, *, retention: int, lease: int, max_leases: int) -> None:
        self.redis = redis
        self.lanes = lanes
        self.retention = retention
        self.lease_ms = lease
        self.max_leases = max_leases
        self._keys = [LaneKeys(lane) for lane in range(lanes)]

    @classmethod
    async def open(cls, redis: Redis, lanes: int, *, retention: int, lease: int, max_leases: int) -> "Store":
        """Open the store; `lanes` counts only at the very first start, afterwards the stored number does."""
        await redis.hsetnx(names.META, "lanes", str(lanes))  # type: ignore[misc]
        stored = await redis.hget(names.META, "lanes")  # type: ignore[misc]
        if stored is None:
            raise StoreUnavailable("the store did not keep its number of lanes")
        return cls(redis, int(stored), retention=retention, lease=lease, max_leases=max_leases)

    def lane_of(self, shop: str) -> int:
        """Return the number of the lane that holds everything of `shop`."""
        return lane_of(shop, self.lanes)

    def keys(self, lane: int) -> LaneKeys:
        """Return the keys of a lane."""
        return self._keys[lane]

    def _of(self, shop: str) -> LaneKeys:
        return self._keys[self.lane_of(shop)]

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
                days = range(today, today - names.SEEN_BUCKETS, -1)
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
        token, rev, policy, *rest = await SCRIPTS["lease"](self.redis, call.keys, head, [])
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

    async def expired(self, lane: int, now: Instant, limit: int) -> list[str]:
        """Return reminders whose lease has ended."""
        found = await self.redis.zrangebyscore(self._keys[lane].leases, "-inf", now, start=0, num=limit)
        return [reminder.decode() for reminder in found]

    async def sweep(self, lane: int, reminders: Iterable[str], now: Instant) -> list[str]:
        """End expired leases; each answers uncertain, back, failed or gone."""
        commands = []
        for reminder in reminders:
            _, order, step = names.split_reminder_id(reminder)
            commands.append(Command(reminder=reminder, order=order, step=step))
        return await self._commands("sweep", lane, commands, now, max_leases=self.max_leases)

    async def timers(self, lane: int, now: Instant, limit: int) -> list[str]:
        """Return timers whose turn has come."""
        found = await self.redis.zrangebyscore(self._keys[lane].timers, "-inf", now, start=0, num=limit)
        return [timer.decode() for timer in found]

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
        head = {"now": now, "retention": self.retention, "shops": call.shops}
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

    async def shop(self, shop: str) -> ShopState:
        """Return what is configured for a shop; an unknown shop has the default policy."""
        rev, policy, paused = await self.redis.hmget(self._of(shop).shop(shop), ["rev", "policy", "paused"])  # type: ignore[misc]
        stops = tuple(part for part in (paused or b"").decode().split(",") if part)
        return ShopState(rev=int(rev or 0), policy=int(policy or 0), paused=stops)

    async def policy(self, shop: str, version: int) -> bytes | None:
        """Return a version of a shop's policy document as JSON."""
        found: bytes | None = await self.redis.hget(self._of(shop).policies(shop), str(version))  # type: ignore[misc]
        return found

    async def orders(self, ids: Sequence[tuple[str, str]]) -> dict[tuple[str, str], StoredOrder]:
        """Return the orders that exist among (shop, order) pairs of one lane."""
        if not ids:
            return {}
        texts = await self.redis.mget([self._of(shop).order(shop, order) for shop, order in ids])
        return _decoded(ORDER.decode, ids, texts)

    async def order(self, shop: str, order: str) -> StoredOrder | None:
        """Return an order, or `None`."""
        return (await self.orders([(shop, order)])).get((shop, order))

    async def facts(self, ids: Sequence[tuple[str, str]]) -> dict[tuple[str, str], OrderFacts]:
        """Return what is known of the orders among (shop, order) pairs of one lane."""
        if not ids:
            return {}
        texts = await self.redis.mget([self._of(shop).facts(shop, order) for shop, order in ids])
        return _decoded(FACTS.decode, ids, texts)

    async def ledger(self, shop: str, customer: str) -> tuple[Instant, ...]:
        """Return a customer's hand-off instants, oldest first."""
        found = await self.redis.zrange(self._of(shop).ledger(shop, customer), 0, -1, withscores=True)
        return tuple(int(score) for _, score in found)

    async def ready(self, lane: int, now: Instant, start: int, limit: int) -> list[tuple[str, Channel]]:
        """Return a page of the (shop, channel) queues that have something due, longest due first."""
        found = await self.redis.zrangebyscore(self._keys[lane].ready, "-inf", now, start=start, num=limit)
        return [names.split_queue(queue.decode()) for queue in found]

    async def waiting(self, lane: int, channel: Channel) -> list[str]:
        """Return all reminders that wait for a channel in a lane, open tasks among them."""
        queues = await self.redis.zrange(self._keys[lane].ready, 0, -1)
        found: list[str] = []
        for shop, name in (names.split_queue(queue.decode()) for queue in queues):
            if name == channel:
                members = await self.redis.zrange(self._keys[lane].due(shop, channel), 0, -1)
                found += [reminder.decode() for reminder in members]
        return found

    async def next_turn(self, lane: int) -> Instant | None:
        """Return when the lane next needs anyone: a due reminder, a lease's end or a timer."""
        keys = self._keys[lane]
        async with self.redis.pipeline(transaction=False) as pipe:
            for key in (keys.ready, keys.leases, keys.timers):
                pipe.zrange(key, 0, 0, withscores=True)
            heads = await pipe.execute()
        return min((int(head[0][1]) for head in heads if head), default=None)


def _decoded(
    decode: Callable[[bytes], T], ids: Sequence[tuple[str, str]], texts: Sequence[bytes | None]
) -> dict[tuple[str, str], T]:
    found = {}
    for (shop, order), text in zip(ids, texts, strict=True):
        if text is not None:
            try:
                found[shop, order] = decode(text)
            except msgspec.MsgspecError as error:
                raise StoreRefused(f"what is stored of order {order} of {shop} cannot be read") from error
    return found


def _readable(facts: bytes) -> OrderFacts | None:
    try:
        return FACTS.decode(facts)
    except msgspec.MsgspecError:
        return None
