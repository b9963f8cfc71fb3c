"""Whatever a script does, the indexes and counters of its lane follow."""

from pathlib import Path
from typing import Any

import pytest
import redis as blocking

from dispatcher.policy.reminders import Status
from dispatcher.storage.client import StoreClient
from dispatcher.storage.keys import LaneKeys
from dispatcher.storage.packing import pack
from dispatcher.storage.store import Store
from tests.checkers.dump import dump
from tests.checkers.replay import replay
from tests.checkers.state import diff
from tests.checkers.structure import structure
from tests.storage.calls import NAMES, sound
from tests.storage.scenes import LATER, LEASE, leased, scene, send, settlement, swept
from tests.worlds import NOON, World, event


def pack_again(table: dict[str, Any]) -> None:
    """Pack what a script is told, so that it can be read as audit and facts."""
    for name in table.keys() & {"details", "facts"}:
        table[name] = pack(table[name].encode())
    for plan in table.get("plan", ()):
        pack_again(plan)


@pytest.mark.parametrize("name", NAMES)
async def test_a_call_leaves_indexes_and_counters_right(
    redis: StoreClient, audit_directory: Path, reader: blocking.Redis, name: str
) -> None:
    full = await scene(redis, audit_directory)
    call = await sound(full, name)
    before = structure(reader, 1)
    for item in call.items:
        pack_again(item)

    await call.make(redis)

    assert before == []
    assert structure(reader, 1) == []


async def test_the_records_of_an_order_and_all_counters_can_be_told_from_the_audit(
    here: World, store: Store, reader: blocking.Redis
) -> None:
    lease = await leased(store)
    commits = [send(lease, item) for item in lease.items]
    await store.commit(here.lane, commits, NOON)
    handed_at = pack(b'{"handed_at":"2025-11-11T04:00:01.000Z"}')
    await store.settle(here.lane, [settlement(commits[0], "sent", details=handed_at)], LATER)
    await swept(here, NOON + LEASE)
    ends = [event("order.paid", "O-1", NOON), event("order.cancelled", "O-7", NOON)]
    await here.service.intake.take(ends, "key:test")

    told, found = replay(await here.audit()), dump(reader, 4)

    assert diff(told, found) == []
    assert found.records["demo", "O-1"] == [2, 3, 6, 8, 10]
    lane = f"lane {here.lane}: "
    assert {name.removeprefix(lane): count for name, count in found.counts.items()} == {
        "kind|policy.changed||": 1,
        "kind|order.accepted||": 2,
        "kind|reminder.planned|sms|": 2,
        "kind|reminder.sending|sms|": 2,
        "kind|reminder.sent|sms|": 1,
        "kind|reminder.uncertain|sms|internal": 1,
        "kind|order.paid||": 1,
        "kind|order.cancelled||": 1,
        "late|1000": 1,
        "late_ms": 1000,
    }


async def test_an_order_names_its_newest_500_records(here: World, store: Store) -> None:
    for number in range(505):
        amended = event("order.amended", "O-1", NOON, event_id=f"e-{number}")
        await here.service.intake.take([amended], "key:test")

    found = await store.order("demo", "O-1")

    mine = [record["seq"] for record in await here.audit() if record["order"] == "O-1"]
    assert len(mine) == 507
    assert found is not None
    assert found.records == mine[-500:]


async def test_the_index_of_a_status_tells_since_when(here: World, redis: StoreClient, store: Store) -> None:
    keys = LaneKeys(here.lane)
    lease = await leased(store)
    await store.commit(here.lane, [send(lease, item) for item in lease.items], NOON)

    await swept(here, NOON + LEASE)

    found = await redis.zrange(keys.status("demo", Status.UNCERTAIN), 0, -1, withscores=True)
    assert found == [(b"demo~O-1~1", NOON + LEASE), (b"demo~O-2~1", NOON + LEASE)]
