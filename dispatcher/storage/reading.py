"""The reads that deciding, housekeeping and looking need; nothing here changes anything."""

from collections.abc import Callable, Sequence
from typing import TypeVar

import msgspec

from dispatcher.errors import StoreRefused
from dispatcher.policy.facts import Channel, Instant, OrderFacts
from dispatcher.storage import keys as names
from dispatcher.storage.client import StoreClient
from dispatcher.storage.keys import LaneKeys, lane_of
from dispatcher.storage.records import ORDER, ShopState, StoredOrder, facts_of

T = TypeVar("T")

PAGE = 1_000
"""Queues of a lane in one answer."""


class Reader:
    """Everything the dispatcher keeps, to be looked at."""

    def __init__(self, redis: StoreClient, lanes: int) -> None:
        self.redis = redis
        self.lanes = lanes
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
        found = await self.redis.zrangebyscore(self._keys[lane].leases, "-inf", now, start=0, num=limit)
        return [reminder.decode() for reminder in found]

    async def timers(self, lane: int, now: Instant, limit: int) -> list[str]:
        """Return timers whose turn has come."""
        found = await self.redis.zrangebyscore(self._keys[lane].timers, "-inf", now, start=0, num=limit)
        return [timer.decode() for timer in found]

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
        return _decoded(facts_of, ids, texts)

    async def ledger(self, shop: str, customer: str) -> tuple[Instant, ...]:
        """Return a customer's hand-off instants, oldest first."""
        found = await self.redis.zrange(self._of(shop).ledger(shop, customer), 0, -1, withscores=True)
        return tuple(int(score) for _, score in found)

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
        found: list[tuple[float, str]] = []
        start, left = 0, list(lanes)
        while left:
            async with self.redis.pipeline(transaction=False) as pipe:
                for lane in left:
                    key = self._keys[lane].ready
                    pipe.zrangebyscore(key, "-inf", now, start=start, num=PAGE, withscores=True)
                pages = await pipe.execute()
            found += [(due, queue.decode()) for page in pages for queue, due in page]
            left = [lane for lane, page in zip(left, pages, strict=True) if len(page) == PAGE]
            start += PAGE
        return [names.split_queue(queue) for _, queue in sorted(found)]

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
