"""Lists of reminders, page by page: a page looks at so many entries at most and may come back short.

Warning: what moves while it is listed may come twice, or not at all where it moved to a place that was
passed already; an order whose close is put forward is such a case. An order that cannot be read is left out.

Shops share some of the sets that are read, so a place, which callers see, names entries of its shop alone.
"""

from collections.abc import Collection, Mapping, Sequence
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
"""Entries read at once; half as many that a place counts and does not name are looked at again, as some may
be gone."""

ATTEMPTS = 8
"""How often a place in a sorted set is looked up while the set changes."""

ALL = 1_000_000
"""More steps than any order has."""

Entry = tuple[int, bytes]
"""Score and member; entries of a sorted set stand in the order of these."""

Steps = tuple[str, range]
"""An order and numbers of its reminders."""


class Part(NamedTuple):
    """Sorted sets that are read as one list; they hold `orders` as timers, else reminders."""

    keys: list[str]
    orders: bool = False
    by_due: bool = False


class Place(msgspec.Struct, frozen=True, array_like=True, forbid_unknown_fields=True):
    """How far a list was read: up to and with reminder `step` of an entry, in the `part`th of its sets.

    The entry is of the shop, or there is none and its place is in front of all that have the score.
    `passed` entries of other shops behind it were looked at; they have the same score.
    """

    part: Annotated[int, msgspec.Meta(ge=0, le=ALL)] = 0
    score: Annotated[Instant, msgspec.Meta(ge=0, le=FOREVER)] = 0
    member: str = ""
    step: Annotated[int, msgspec.Meta(ge=0, le=ALL)] = 0
    passed: Annotated[int, msgspec.Meta(ge=0, le=FOREVER)] = 0

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
            entries, ended = await self._from(part.keys, place)
            named = self._named(entries, wanted.shop, part)
            begun = place
            for listed, at in await self._steps(wanted.shop, named, place):
                if len(found) == limit:
                    return found, place
                place = at
                if _matches(listed, wanted):
                    found.append(listed)
            if ended or (part.by_due and _beyond(entries, wanted.due_before)):
                place = Place(place.part + 1)
            elif entries:
                place = _behind(entries, named, begun)
        return found, place if place.part < len(parts) else None

    def _named(self, entries: Sequence[Entry], shop: str, part: Part) -> dict[Entry, Steps]:
        """Return what those of the entries stand for that are the shop's."""
        scores = {member: score for score, member in entries}
        read = names.split_timer if part.orders else names.split_reminder_id
        found: dict[Entry, Steps] = {}
        for member, name, _ in self._store.passed.names(", ".join(part.keys), scores, read):
            steps = _steps_of(name, shop, part)
            if steps is not None:
                found[scores[member], member] = steps
        return found

    async def _steps(
        self, shop: str, named: Mapping[Entry, Steps], place: Place
    ) -> list[tuple[Listed, Place]]:
        """Return the reminders that a shop's entries stand for, as far as they are behind the place."""
        ids = {(shop, order_id) for order_id, _ in named.values()}
        orders = await self._store.readable_orders(list(ids))
        found = []
        for entry, (order_id, numbers) in named.items():
            order = orders.get((shop, order_id))
            if order is None:
                continue
            for number in numbers[: len(order.steps)]:
                if number <= len(order.steps) and (entry, number) > (place.entry, place.step):
                    listed = Listed(shop=shop, order_id=order_id, number=number, order=order)
                    found.append((listed, Place(place.part, entry[0], entry[1].decode(), number)))
        return found

    async def _from(self, keys: Sequence[str], place: Place) -> tuple[list[Entry], bool]:
        """Return entries of sorted sets from a place on as one list, and whether there are no more."""
        pages = [await self._page(key, place) for key in keys]
        entries = list(merge(*(entries for entries, _ in pages)))
        ended = all(last for _, last in pages) and len(entries) <= CHUNK
        return entries[:CHUNK], ended

    async def _page(self, key: str, place: Place) -> tuple[list[Entry], bool]:
        """Return entries of a sorted set from a place on, and whether there are no more.

        Its head may go at any time, so that a page begins with the entry before and is read again if
        that is not in front of the place; where entries are counted, some are looked at again anyway.
        """
        at = place.entry
        for _ in range(ATTEMPTS):
            start = max(0, await self._rank(key, at) - 1) + place.passed
            found = await self._store.redis.zrange(key, start, start + CHUNK, withscores=True)
            entries = [(int(score), member) for member, score in found]
            if start == 0 or place.passed or (entries and entries[0] < at):
                return [entry for entry in entries if entry >= at], len(found) <= CHUNK
        raise Contended("what is listed keeps changing; repeating the request is safe")

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


def _steps_of(name: str, shop: str, part: Part) -> Steps | None:
    """Return what a name stands for; `None` if it is not of this shop."""
    if part.orders:
        kind, of, order = names.split_timer(name)
        return (order, range(1, ALL)) if (kind, of) == ("o", shop) else None
    of, order, number = names.split_reminder_id(name)
    return (order, range(number, number + 1)) if of == shop else None


def _behind(entries: Sequence[Entry], named: Collection[Entry], begun: Place) -> Place:
    """Return the place behind entries that were looked at, which began at another one.

    It is that of the last entry of the shop, or in front of those that have the last one's score; it counts
    further entries only where they are more than are looked at again.
    """
    last = entries[-1][0]
    alike = [entry for entry in entries if entry[0] == last]
    own = max((at for at, entry in enumerate(alike) if entry in named), default=None)
    member, step, passed = "", 0, len(alike)
    if own is not None:
        member, step, passed = alike[own][1].decode(), ALL, len(alike) - own - 1
    elif last == begun.score:
        member, step, passed = begun.member, begun.step, begun.passed + len(alike)
    return Place(begun.part, last, member, step, max(0, passed - CHUNK // 2))


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
