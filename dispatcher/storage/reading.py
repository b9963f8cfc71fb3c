"""The reads that deciding, housekeeping and looking need; nothing here changes anything."""

from collections.abc import Callable, Iterator, Sequence
from typing import TypeVar

from dispatcher.policy.facts import Channel, Instant, OrderFacts, OrderState, PoolCounts
from dispatcher.policy.reminders import Status
from dispatcher.storage import keys as names
from dispatcher.storage.client import StoreClient
from dispatcher.storage.customers import StoredCustomer, customer_of
from dispatcher.storage.keys import LaneKeys, lane_of
from dispatcher.storage.pools import counts_of
from dispatcher.storage.pools import wanted as pools_wanted
from dispatcher.storage.records import OTHERS_READ, Other, ShopState, StoredOrder, facts_of
from dispatcher.storage.stored_orders import order_of
from dispatcher.storage.unreadable import UNREADABLE, Passed, if_readable, readable

T = TypeVar("T")

PAGE = 1_000
"""Queues of a lane in one answer."""

_SHOP = ["rev", "policy", "paused", "blocked", "templates"]


class Reader:
    """Everything the dispatcher keeps, to be looked at."""

    def __init__(self, redis: StoreClient, lanes: int) -> None:
        self.redis = redis
        self.lanes = lanes
        self.passed = Passed()
        self._keys = [LaneKeys(lane) for lane in range(lanes)]

    def lane_of(self, shop: str) -> int:
        """Return the number of the lane that holds everything of `shop`."""
        return lane_of(shop, self.lanes)

    def keys(self, lane: int) -> LaneKeys:
        """Return the keys of a lane."""
        return self._keys[lane]

    def _of(self, shop: str) -> LaneKeys:
        return self._keys[self.lane_of(shop)]

    async def expired(self, lane: int, now: Instant, limit: int) -> list[str]:
        """Return reminders whose lease has ended."""
        return await self._first(self._keys[lane].leases, now, limit, names.split_reminder_id)

    async def timers(self, lane: int, now: Instant, limit: int) -> list[str]:
        """Return timers whose turn has come."""
        return await self._first(self._keys[lane].timers, now, limit, names.split_timer)

    async def _first(self, key: str, now: Instant, limit: int, read: Callable[[str], object]) -> list[str]:
        """Return the names in a sorted set up to `now`, so many at most, passing over what is none."""
        found: list[str] = []
        start = 0
        while len(found) < limit:
            page = await self.redis.zrangebyscore(key, "-inf", now, start=start, num=limit)
            found += [name for _, name, _ in self.passed.names(key, page, read)]
            start += len(page)
            if len(page) < limit:
                break
        return found[:limit]

    async def shop(self, shop: str) -> ShopState:
        """Return what is configured for a shop; an unknown shop has the default policy."""
        found = await self.redis.hmget(self._of(shop).shop(shop), _SHOP)  # type: ignore[misc]
        return readable(f"the state of shop {shop}", _shop_state, found)

    async def policy(self, shop: str, version: int) -> bytes | None:
        """Return a version of a shop's policy document as JSON."""
        found: bytes | None = await self.redis.hget(self._of(shop).policies(shop), str(version))  # type: ignore[misc]
        return found

    async def orders(self, ids: Sequence[tuple[str, str]]) -> dict[tuple[str, str], StoredOrder]:
        """Return the orders that exist among (shop, order) pairs of one lane."""
        if not ids:
            return {}
        return _decoded(order_of, ids, await self._order_texts(ids))

    async def readable_orders(self, ids: Sequence[tuple[str, str]]) -> dict[tuple[str, str], StoredOrder]:
        """Return those of `orders` that can be read."""
        found = {}
        for (shop, order), text in zip(ids, await self._order_texts(ids) if ids else (), strict=True):
            if text is not None:
                try:
                    found[shop, order] = order_of(text)
                except UNREADABLE:
                    self.passed.tell(self._of(shop).order(shop, order))
        return found

    async def _order_texts(self, ids: Sequence[tuple[str, str]]) -> list[bytes | None]:
        found: list[bytes | None] = await self.redis.mget(
            [self._of(shop).order(shop, order) for shop, order in ids]
        )
        return found

    async def order(self, shop: str, order: str) -> StoredOrder | None:
        """Return an order, or `None`."""
        return (await self.orders([(shop, order)])).get((shop, order))

    async def facts(self, ids: Sequence[tuple[str, str]]) -> dict[tuple[str, str], OrderFacts]:
        """Return what is known of the orders among (shop, order) pairs of one lane."""
        if not ids:
            return {}
        texts = await self.redis.mget([self._of(shop).facts(shop, order) for shop, order in ids])
        return _decoded(facts_of, ids, texts)

    async def others(self, shop: str, order_id: str, order: StoredOrder) -> tuple[Other, ...]:
        """Return the other unpaid orders of an order's customer, as a lease of it would bring them."""
        if not order.shared or order.customer is None:
            return ()
        listed = await self.redis.lrange(self._of(shop).unpaid(shop, order.customer), 0, OTHERS_READ - 1)  # type: ignore[misc]
        names = [name.decode() for name in listed]
        found = await self.readable_orders([(shop, name) for name in names if name != order_id])
        texts = await self.redis.mget([self._of(shop).facts(*pair) for pair in found]) if found else []
        return tuple(
            Other(id=name, order=other, facts=known)
            for ((_, name), other), text in zip(found.items(), texts, strict=True)
            if other.state is OrderState.UNPAID and (known := if_readable(facts_of, text)) is not None
        )

    async def customer(self, shop: str, customer: str) -> StoredCustomer:
        """Return what is kept of a customer."""
        return customer_of(await self.redis.get(self._of(shop).customer(shop, customer)))

    async def open_tasks(self, shop: str) -> int:
        """Return how many tasks of a shop wait for an agent."""
        return int(await self.redis.zcard(self._of(shop).status(shop, Status.OPEN)))

    async def begun_since(self, shop: str, channel: Channel, since: Instant) -> list[Instant]:
        """Return by when hand-offs by a channel began after an instant, as its pace counts them."""
        key = self._of(shop).pace(shop, channel)
        found = await self.redis.zrangebyscore(key, f"({since}", "+inf", withscores=True)
        return [int(score) for _, score in found]

    async def pool_counts(self, shop: str, pools: Sequence[str], customer: str | None = None) -> PoolCounts:
        """Return what is counted of incentive pools, with what a customer has of each."""
        found = await self.redis.hmget(self._of(shop).pools(shop), pools_wanted(pools, customer))  # type: ignore[misc]
        return counts_of(pools, found)

    async def overdue(self, lanes: Sequence[int], now: Instant) -> tuple[list[int], list[int]]:
        """Return the lanes in which a lease has ended, and those in which a timer's turn has come."""
        async with self.redis.pipeline(transaction=False) as pipe:
            for lane in lanes:
                pipe.zrange(self._keys[lane].leases, 0, 0, withscores=True)
                pipe.zrange(self._keys[lane].timers, 0, 0, withscores=True)
            heads = await pipe.execute()
        overdue = [bool(head) and head[0][1] <= now for head in heads]
        return (
            [lane for lane, late in zip(lanes, overdue[::2], strict=True) if late],
            [lane for lane, late in zip(lanes, overdue[1::2], strict=True) if late],
        )

    async def ready(self, lanes: Sequence[int], now: Instant) -> list[tuple[str, Channel]]:
        """Return the (shop, channel) queues of some lanes that have something due, longest due first."""
        found: list[tuple[float, str, tuple[str, Channel]]] = []
        start, left = 0, list(lanes)
        while left:
            async with self.redis.pipeline(transaction=False) as pipe:
                for lane in left:
                    key = self._keys[lane].ready
                    pipe.zrangebyscore(key, "-inf", now, start=start, num=PAGE, withscores=True)
                pages = await pipe.execute()
            for lane, page in zip(left, pages, strict=True):
                found += self._queues(lane, page)
            left = [lane for lane, page in zip(left, pages, strict=True) if len(page) == PAGE]
            start += PAGE
        return [queue for _, _, queue in sorted(found)]

    def _queues(
        self, lane: int, page: Sequence[tuple[bytes, float]]
    ) -> Iterator[tuple[float, str, tuple[str, Channel]]]:
        """Yield when each queue that is named is due, its name, and what it says."""
        dues = dict(page)
        for member, name, queue in self.passed.names(self._keys[lane].ready, dues, names.split_queue):
            yield dues[member], name, queue

    async def waiting(self, lane: int, channel: Channel) -> list[str]:
        """Return all reminders that wait for a channel in a lane, open tasks among them."""
        key = self._keys[lane].ready
        queues = self.passed.names(key, await self.redis.zrange(key, 0, -1), names.split_queue)
        found: list[str] = []
        for _, _, (shop, name) in queues:
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
            found[shop, order] = readable(f"what is stored of order {order} of {shop}", decode, text)
    return found


def _shop_state(found: Sequence[bytes | None]) -> ShopState:
    rev, policy, paused, blocked, templates = found
    stops = tuple(part for part in (paused or b"").decode().split(",") if part)
    return ShopState(
        rev=int(rev or 0),
        policy=int(policy or 0),
        paused=stops,
        blocked=int(blocked or 0),
        templates=(templates or b"").decode(),
    )
