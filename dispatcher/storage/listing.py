"""Lists of reminders, page by page: a page looks at so many entries at most and may come back short.

Warning: what moves while it is listed may come twice, or not at all where it moved to a place that was
passed already; an order whose close is put forward is such a case.
"""

from collections.abc import Sequence
from heapq import merge
from typing import Annotated, NamedTuple

import msgspec

from dispatcher.errors import Contended
from dispatcher.policy.facts import CHANNELS, Channel, Instant
from dispatcher.policy.reminders import INDEXED, Status
from dispatcher.policy.zones import FOREVER
from dispatcher.storage import keys as names
from dispatcher.storage.keys import LaneKeys
from dispatcher.storage.reading import Reader
from dispatcher.storage.records import StoredOrder, StoredStep

LOOKED_AT = 1_000
"""Entries that one page looks at."""

CHUNK = 200
"""Entries read at once."""

ATTEMPTS = 8
"""How often a place in a sorted set is looked up while the set changes."""

ALL = 1_000_000
"""More steps than any order has."""

Entry = tuple[int, bytes]
"""Score and member; entries of a sorted set stand in the order of these."""


class Part(NamedTuple):
    """Sorted sets that are read as one list; they hold `orders` as timers, else reminders."""

    keys: list[str]
    orders: bool = False
    by_due: bool = False


class Place(msgspec.Struct, frozen=True, array_like=True, forbid_unknown_fields=True):
    """How far a list was read: up to and with reminder `step` of the entry, in the `part`th of its sets."""

    part: Annotated[int, msgspec.Meta(ge=0, le=ALL)] = 0
    score: Annotated[Instant, msgspec.Meta(ge=0, le=FOREVER)] = 0
    member: str = ""
    step: Annotated[int, msgspec.Meta(ge=0, le=ALL)] = 0

    @property
    def entry(self) -> Entry:
        """The entry it was read up to."""
        return self.score, self.member.encode()


class Wanted(msgspec.Struct, frozen=True, kw_only=True):
    """Which reminders of a shop are wanted, `None` being any."""

    shop: str
    status: Status | None = None
    channel: Channel | None = None
    customer: str | None = None
    due_before: Instant | None = None


class Listed(msgspec.Struct, frozen=True, kw_only=True):
    """A reminder as it stands."""

    shop: str
    order_id: str
    number: int
    order: StoredOrder

    @property
    def step(self) -> StoredStep:
        """The reminder itself."""
        return self.order.steps[self.number - 1]

    @property
    def reminder(self) -> str:
        """Its id."""
        return names.reminder_id(self.shop, self.order_id, self.number)


class Listing:
    """Reads lists of a store."""

    def __init__(self, store: Reader) -> None:
        self._store = store

    async def reminders(
        self, wanted: Wanted, limit: int, after: Place | None = None
    ) -> tuple[list[Listed], Place | None]:
        """Return up to `limit` reminders behind a place, and where the next page begins if there is more."""
        parts = _parts(self._store.keys(self._store.lane_of(wanted.shop)), wanted)
        place = after or Place()
        found: list[Listed] = []
        for _ in range(LOOKED_AT // CHUNK):
            if place.part >= len(parts):
                break
            part = parts[place.part]
            entries, ended = await self._from(part.keys, place.entry)
            for listed, at in await self._steps(wanted.shop, entries, place, part):
                if len(found) == limit:
                    return found, place
                place = at
                if _matches(listed, wanted):
                    found.append(listed)
            if ended or (part.by_due and _beyond(entries, wanted.due_before)):
                place = Place(place.part + 1)
            elif entries:
                score, member = entries[-1]
                place = Place(place.part, score, member.decode(), ALL)
        return found, place if place.part < len(parts) else None

    async def _steps(
        self, shop: str, entries: Sequence[Entry], place: Place, part: Part
    ) -> list[tuple[Listed, Place]]:
        """Return the reminders that entries stand for, as far as they are the shop's and behind the place."""
        named = [(entry, _named(entry[1].decode(), shop, part)) for entry in entries]
        ids = {(shop, about[0]) for _, about in named if about is not None}
        orders = await self._store.orders(list(ids))
        found = []
        for entry, about in named:
            order = orders.get((shop, about[0])) if about is not None else None
            if about is None or order is None:
                continue
            order_id, numbers = about
            for number in numbers[: len(order.steps)]:
                if number <= len(order.steps) and (entry, number) > (place.entry, place.step):
                    listed = Listed(shop=shop, order_id=order_id, number=number, order=order)
                    found.append((listed, Place(place.part, entry[0], entry[1].decode(), number)))
        return found

    async def _from(self, keys: Sequence[str], at: Entry) -> tuple[list[Entry], bool]:
        """Return entries of sorted sets from `at` on as one list, and whether there are no more."""
        pages = [await self._page(key, at) for key in keys]
        entries = list(merge(*(entries for entries, _ in pages)))
        ended = all(last for _, last in pages) and len(entries) <= CHUNK
        return entries[:CHUNK], ended

    async def _page(self, key: str, at: Entry) -> tuple[list[Entry], bool]:
        """Return entries of a sorted set from `at` on, and whether there are no more.

        Its head may go at any time, so that a page begins with the entry before and is read again if
        that is not in front of `at`.
        """
        for _ in range(ATTEMPTS):
            start = max(0, await self._rank(key, at) - 1)
            found = await self._store.redis.zrange(key, start, start + CHUNK, withscores=True)
            entries = [(int(score), member) for member, score in found]
            if start == 0 or (entries and entries[0] < at):
                return [entry for entry in entries if entry >= at], len(found) <= CHUNK
        raise Contended("what is listed keeps changing; ask again")

    async def _rank(self, key: str, at: Entry) -> int:
        """Count the entries before `at`."""
        score, member = at
        async with self._store.redis.pipeline(transaction=False) as pipe:
            pipe.zscore(key, member)
            pipe.zrank(key, member)
            pipe.zcount(key, "-inf", f"({score}")
            pipe.zcount(key, "-inf", score)
            stands_at, rank, low, high = await pipe.execute()
        if stands_at is not None and int(stands_at) == score and rank is not None:
            return int(rank)
        while low < high:
            middle = (low + high) // 2
            found = await self._store.redis.zrange(key, middle, middle, withscores=True)
            if found and (int(found[0][1]), found[0][0]) < at:
                low = middle + 1
            else:
                high = middle
        return int(low)


def _parts(keys: LaneKeys, wanted: Wanted) -> list[Part]:
    """Return the sorted sets that hold the wanted reminders, to be read one after the other."""
    shop, status = wanted.shop, wanted.status
    leased = Part([keys.leases])
    if status is Status.SENDING:
        return [leased]
    if status is Status.PLANNED:
        channels = CHANNELS if wanted.channel is None else (wanted.channel,)
        return [leased, Part([keys.due(shop, channel) for channel in channels], by_due=True)]
    if status is not None and status in INDEXED:
        return [Part([keys.status(shop, status)])]
    return [Part([keys.timers], orders=True)]


def _named(member: str, shop: str, part: Part) -> tuple[str, range] | None:
    """Return the order and the steps that an entry names; `None` if it is not of this shop."""
    if part.orders:
        kind, of, order = names.split_timer(member)
        return (order, range(1, ALL)) if (kind, of) == ("o", shop) else None
    of, order, number = names.split_reminder_id(member)
    return (order, range(number, number + 1)) if of == shop else None


def _beyond(entries: Sequence[Entry], due_before: Instant | None) -> bool:
    return due_before is not None and bool(entries) and entries[-1][0] >= due_before


def _matches(listed: Listed, wanted: Wanted) -> bool:
    step = listed.step
    return (
        wanted.status in (None, step.status)
        and wanted.channel in (None, step.channel)
        and wanted.customer in (None, listed.order.customer)
        and (wanted.due_before is None or step.due < wanted.due_before)
    )
