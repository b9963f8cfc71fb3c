"""A backup that is brought back: the order of its parts, and what it takes for nothing to go out twice."""

import shutil
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

import msgspec
import pytest

from dispatcher.policy.facts import Instant
from dispatcher.settings import Settings
from dispatcher.storage.embedded import DATA, EmbeddedStore
from dispatcher.wiring import connect
from tests.worlds import AT_ONCE, HOUR, MINUTE, NOON, World, event, world

MAX_LATE = 2 * HOUR
POLICY = msgspec.structs.replace(AT_ONCE, max_late=MAX_LATE)
BEFORE = [event("order.unpaid", f"O-{number}", NOON, customer=f"C-{number}") for number in range(3)]
AFTER = [
    event("order.unpaid", "O-late", NOON + MINUTE, customer="C-late"),
    event("order.paid", "O-0", NOON + 3 * MINUTE),
]
LOST_AT = NOON + 5 * MINUTE


@asynccontextmanager
async def running(data: Path, at: Instant) -> AsyncIterator[World]:
    """Run a service on the files of a directory; a segment of the audit is full with three records."""
    with EmbeddedStore(data / "store") as store:
        redis = connect(socket=store.socket)
        settings = Settings(lanes=1, segment_records=3)
        yield await world(redis, data / "audit", policy=POLICY, start=at, settings=settings)
        await redis.aclose()


async def back_up_store(here: World, data: Path, to: Path) -> None:
    """Copy the files of a store that goes on working, as the README tells."""
    redis = here.service.store.redis
    await redis.config_set("auto-aof-rewrite-percentage", 0)
    assert (await redis.info("persistence"))["aof_rewrite_in_progress"] == 0
    shutil.copytree(data / "store" / DATA, to / "store" / DATA)
    await redis.config_set("auto-aof-rewrite-percentage", 100)


async def lose(data: Path, kept: Path) -> None:
    """Take orders, back up, send the reminders of all of them and of one more, and lose the store."""
    async with running(data, NOON) as here:
        await here.service.intake.take(BEFORE, "key:1")
        await here.service.audit.archive(here.lane)
        await back_up_store(here, data, kept)
        here.clock.advance_to(NOON + 2 * MINUTE)
        await here.service.intake.take(AFTER[:1], "key:1")
        await here.dispatch()
        await here.service.intake.take(AFTER[1:], "key:1")
        await here.service.audit.archive(here.lane)
        shutil.copytree(data / "audit", kept / "audit")
        assert handed_over(here) == 4


def handed_over(here: World) -> int:
    """Return how many messages went out."""
    return sum(channel.handed_over for channel in here.channels.values())


@pytest.mark.parametrize(("waited", "sent_again"), [(0, 3), (MAX_LATE + 1, 0)])
async def test_nothing_goes_out_twice_if_the_workers_wait_for_max_late(
    tmp_path: Path, waited: int, sent_again: int
) -> None:
    await lose(tmp_path / "lost", tmp_path / "kept")

    async with running(tmp_path / "kept", LOST_AT) as here:
        repeated = await here.service.intake.take([*BEFORE, *AFTER], "key:1")
        here.clock.advance_to(LOST_AT + waited)
        await here.dispatch()
        again = handed_over(here)

    assert [result.status for result in repeated] == ["duplicate"] * 3 + ["accepted"] * 2
    assert again == sent_again


async def test_the_audit_is_whole_if_it_was_copied_after_the_store(tmp_path: Path) -> None:
    await lose(tmp_path / "lost", tmp_path / "kept")

    async with running(tmp_path / "kept", LOST_AT) as here:
        newer = (await here.service.audit.check(here.lane)).problems
        await here.service.intake.take(AFTER, "key:1")
        await here.service.audit.archive(here.lane)
        checked = await here.service.audit.check(here.lane)

    assert newer != []
    assert checked.problems == []
    assert checked.segments > 1
