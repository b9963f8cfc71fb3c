"""Single things that somebody looks at: a policy's history, a hand-off's text, the lanes' figures."""

from collections.abc import Sequence

import msgspec

from dispatcher.policy.facts import Channel, Instant
from dispatcher.storage import keys as names
from dispatcher.storage.reading import Reader
from dispatcher.storage.records import About
from dispatcher.storage.unreadable import UNREADABLE, readable

QUEUES_LOOKED_AT = 1_000
"""Queues of a lane that are looked at for the oldest due reminder of each channel, the most urgent first."""


class LaneFigures(msgspec.Struct, frozen=True, kw_only=True):
    """Figures of one lane: `counts` as `LATENESS_BUCKETS` tells, and when each channel's oldest is due.

    Queues that are paused are left out. `paused` tells since when each of them that holds reminders back is.
    """

    counts: dict[str, int]
    oldest: dict[Channel, Instant]
    paused: tuple[Instant, ...]
    leased: int
    unarchived: int


class Memory(msgspec.Struct, frozen=True):
    """What the store uses in bytes, and may use; 0 = no limit."""

    used: int
    limit: int


_ABOUT = msgspec.json.Decoder(About)

Pauses = dict[tuple[str, Channel], Instant]
"""(shop, channel) of paused queues -> since when."""


async def about_versions(store: Reader, shop: str, versions: Sequence[int]) -> dict[int, About]:
    """Return what is known of policy versions of a shop."""
    if not versions:
        return {}
    key = store.keys(store.lane_of(shop)).policies(shop)
    found = await store.redis.hmget(key, [f"{version}:about" for version in versions])  # type: ignore[misc]
    return {
        version: readable(f"what is stored about policy version {version} of {shop}", _ABOUT.decode, text)
        for version, text in zip(versions, found, strict=True)
        if text is not None
    }


async def text_of(store: Reader, shop: str, reminder: str) -> str | None:
    """Return the rendered text of a hand-off or task, `None` where it was erased."""
    found: bytes | None = await store.redis.get(store.keys(store.lane_of(shop)).text(reminder))
    return None if found is None else readable(f"the text of {reminder}", bytes.decode, found)


async def pauses_of(store: Reader, shop: str) -> dict[str, About | None]:
    """Return what is paused of a shop (`EVERY_CHANNEL`: all) and what is known of when and by whom."""
    paused = (await store.shop(shop)).paused
    if not paused:
        return {}
    key = store.keys(store.lane_of(shop)).pauses
    found = await store.redis.hmget(key, [names.queue(shop, channel) for channel in paused])  # type: ignore[misc]
    return {
        channel: None
        if text is None
        else readable(f"what is stored about a pause of {shop}", _ABOUT.decode, text)
        for channel, text in zip(paused, found, strict=True)
    }


async def lane_figures(store: Reader) -> list[LaneFigures]:
    """Return the figures of all lanes."""
    async with store.redis.pipeline(transaction=False) as pipe:
        for lane in range(store.lanes):
            keys = store.keys(lane)
            pipe.hgetall(keys.counts)
            pipe.zrange(keys.ready, 0, QUEUES_LOOKED_AT - 1, withscores=True)
            pipe.zcard(keys.leases)
            pipe.hmget(keys.lane, ["seq", "archived"])
            pipe.hgetall(keys.pauses)
        answers = await pipe.execute()
    held = await _held(store, [_paused(store, lane, found) for lane, found in enumerate(answers[4::5])])
    figures = []
    for lane in range(store.lanes):
        counts, ready, leased, (newest, archived), _ = answers[5 * lane : 5 * lane + 5]
        dues = dict(ready)
        oldest: dict[Channel, Instant] = {}
        for member, _, (_, channel) in store.passed.names(store.keys(lane).ready, dues, names.split_queue):
            oldest.setdefault(channel, int(dues[member]))
        figures.append(
            LaneFigures(
                counts={name.decode(): int(count) for name, count in counts.items()},
                oldest=oldest,
                paused=held[lane],
                leased=leased,
                unarchived=int(newest or 0) - int(archived or 0),
            )
        )
    return figures


def _paused(store: Reader, lane: int, pauses: dict[bytes, bytes]) -> Pauses:
    """Return since when each paused queue is, the longer pause counting where there are two."""
    since: Pauses = {}
    key = store.keys(lane).pauses
    for member, _, (shop, channels) in store.passed.names(key, pauses, names.split_pause):
        try:
            at = _ABOUT.decode(pauses[member]).at
        except UNREADABLE:
            store.passed.tell(key, member)
            continue
        for channel in channels:
            since[shop, channel] = min(at, since.get((shop, channel), at))
    return since


async def _held(store: Reader, lanes: Sequence[Pauses]) -> list[tuple[Instant, ...]]:
    """Return, lane by lane, since when those of the paused queues are paused in which reminders wait."""
    async with store.redis.pipeline(transaction=False) as pipe:
        for lane, since in enumerate(lanes):
            for shop, channel in since:
                pipe.exists(store.keys(lane).due(shop, channel))
        waiting = iter(await pipe.execute())
    return [tuple(at for at in since.values() if next(waiting)) for since in lanes]


async def memory(store: Reader) -> Memory:
    """Return how much memory the store uses."""
    found = await store.redis.info("memory")
    return Memory(int(found["used_memory"]), int(found.get("maxmemory", 0)))
