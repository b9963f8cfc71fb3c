"""Single things that somebody looks at: a policy's history, a hand-off's text, the lanes' figures."""

from collections.abc import Sequence

import msgspec

from dispatcher.policy.facts import Channel, Instant
from dispatcher.policy.reminders import Status
from dispatcher.storage import keys as names
from dispatcher.storage.reading import Reader

QUEUES_LOOKED_AT = 1_000
"""Queues of a lane that are looked at for the oldest due reminder of each channel, the most urgent first."""


class About(msgspec.Struct, frozen=True):
    """When a policy version was put into force, by whom and why."""

    at: Instant
    actor: str
    note: str | None = None


class LaneFigures(msgspec.Struct, frozen=True, kw_only=True):
    """Figures of one lane: `counts` as `LATENESS_BUCKETS` tells, and when each channel's oldest is due.

    `calling` are the shops with calls to make. Queues that are paused are left out.
    """

    counts: dict[str, int]
    oldest: dict[Channel, Instant]
    calling: tuple[str, ...]
    leased: int
    unarchived: int


class Memory(msgspec.Struct, frozen=True):
    """What the store uses in bytes, and may use; 0 = no limit."""

    used: int
    limit: int


_ABOUT = msgspec.json.Decoder(About)


async def about_versions(store: Reader, shop: str, versions: Sequence[int]) -> dict[int, About]:
    """Return what is known of policy versions of a shop."""
    if not versions:
        return {}
    key = store.keys(store.lane_of(shop)).policies(shop)
    found = await store.redis.hmget(key, [f"{version}:about" for version in versions])  # type: ignore[misc]
    return {
        version: _ABOUT.decode(text)
        for version, text in zip(versions, found, strict=True)
        if text is not None
    }


async def text_of(store: Reader, shop: str, reminder: str) -> str | None:
    """Return the rendered text of a hand-off or task, `None` where it was erased."""
    found: bytes | None = await store.redis.get(store.keys(store.lane_of(shop)).text(reminder))
    return None if found is None else found.decode()


async def lane_figures(store: Reader) -> list[LaneFigures]:
    """Return the figures of all lanes."""
    async with store.redis.pipeline(transaction=False) as pipe:
        for lane in range(store.lanes):
            keys = store.keys(lane)
            pipe.hgetall(keys.counts)
            pipe.zrange(keys.ready, 0, QUEUES_LOOKED_AT - 1, withscores=True)
            pipe.zcard(keys.leases)
            pipe.hmget(keys.lane, ["seq", "archived"])
        answers = await pipe.execute()
    figures = []
    for place in range(0, len(answers), 4):
        counts, ready, leased, (newest, archived) = answers[place : place + 4]
        queues = [(names.split_queue(queue.decode()), int(due)) for queue, due in ready]
        oldest: dict[Channel, Instant] = {}
        for (_, channel), due in queues:
            oldest.setdefault(channel, due)
        figures.append(
            LaneFigures(
                counts={name.decode(): int(count) for name, count in counts.items()},
                oldest=oldest,
                calling=tuple(shop for (shop, channel), _ in queues if channel == "phone"),
                leased=leased,
                unarchived=int(newest or 0) - int(archived or 0),
            )
        )
    return figures


async def open_tasks(store: Reader, shops: Sequence[str]) -> int:
    """Count the open tasks of shops."""
    async with store.redis.pipeline(transaction=False) as pipe:
        for shop in shops:
            pipe.zcard(store.keys(store.lane_of(shop)).status(shop, Status.OPEN))
        return sum(await pipe.execute())


async def memory(store: Reader) -> Memory:
    """Return how much memory the store uses."""
    found = await store.redis.info("memory")
    return Memory(int(found["used_memory"]), int(found.get("maxmemory", 0)))
