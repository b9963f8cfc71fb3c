"""Hand-offs whose texts are swapped: the same comes of them as of the commands that look at everything."""

from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import Any

import msgspec
import pytest
import redis as blocking

from dispatcher.channels.base import Accepted
from dispatcher.storage.client import StoreClient
from dispatcher.storage.new_orders import row_of
from dispatcher.storage.records import Lease
from dispatcher.storage.scripts import SCRIPTS
from dispatcher.storage.store import Store
from dispatcher.storage.swaps import swap_settlements
from dispatcher.workflow.judging import Judged
from dispatcher.workflow.outcomes import settlement
from dispatcher.workflow.sending import HandedOver
from tests.checkers.store import read
from tests.storage.calls import new_order, settling, sound, swapping
from tests.storage.scenes import (
    LATER,
    LEASE,
    Call,
    Dump,
    Scene,
    dump,
    leased,
    refused,
    restore,
    scene,
    swept,
)
from tests.worlds import NOON, World, at_once, event, saying, world

POLICY = at_once('[caps]\nper_day = 2\nmin_gap = "1h"\n[routing]\nchannels = ["sms"]\n')

Meddle = Callable[[World], Awaitable[Any]]
Way = Callable[[list[Any]], list[Any]]


async def nothing(here: World) -> None:
    """Leave all as it was."""


def told(kind: str) -> Meddle:
    """Have an event come about the order."""

    async def meddle(here: World) -> None:
        (result,) = await here.service.intake.take([event(kind, "O-1", LATER)], "key:test")
        assert result.status == "accepted", result

    return meddle


def says(kind: str) -> Meddle:
    """Have its customer say something."""

    async def meddle(here: World) -> None:
        (result,) = await here.service.intake.take([saying(kind)], "key:test")
        assert result.status == "accepted", result

    return meddle


async def paused(here: World) -> None:
    """Pause the shop's channel."""
    await here.service.store.pause("demo", "sms", NOON, "user:li")


async def swept_away(here: World) -> None:
    """End the lease and take another one."""
    await swept(here, NOON + LEASE)
    await leased(here.service.store, NOON + LEASE)


async def reminded_of_another(here: World) -> None:
    """Send the customer a reminder of another order."""
    await here.service.intake.take([event("order.unpaid", "O-2", NOON)], "key:test")
    store = here.service.store
    commits = [one.commit for one in await judged(here, await leased(store))]
    assert await store.commit(here.lane, commits, LATER) == ["committed"]


async def marked(here: World) -> None:
    """Write a hand-off of another order into the customer's ledger."""
    store = here.service.store
    key = store.keys(here.lane).ledger("demo", "C-1")
    marks = msgspec.msgpack.decode(await store.redis.get(key) or b"")
    await store.redis.set(key, msgspec.msgpack.encode(marks | {"demo~O-9~1": 4 * NOON}))


CHANGES: dict[str, Meddle] = {
    "paid": told("order.paid"),
    "cancelled": told("order.cancelled"),
    "amended": told("order.amended"),
    "opted out": says("opted_out"),
    "replied": says("replied"),
    "paused": paused,
    "lease over": swept_away,
    "reminded of another order": reminded_of_another,
}
"""What may come between a decision and its commit."""

SETTLED_AFTER = {"nothing": nothing, "another hand-off": marked} | {
    name: change for name, change in CHANGES.items() if change is not reminded_of_another
}
"""What may come between a commit and its settlement; the gap forbids another reminder."""

BOUNDS: dict[str, dict[str, int]] = {
    "too late": {"valid_until": LATER},
    "yesterday": {"day_end": LATER},
    "tomorrow": {"day_start": LATER + 1},
}
"""Hours in which a commit comes too late or too early."""


@pytest.fixture
async def here(redis: StoreClient, audit_directory: Path) -> World:
    """A shop with a due reminder."""
    here = await world(redis, audit_directory, policy=POLICY)
    await here.service.intake.take([event("order.unpaid", "O-1", NOON, customer="C-1")], "key:test")
    return here


async def judged(here: World, lease: Lease) -> list[Judged]:
    """Decide about what is leased."""
    found = await here.service.dispatcher._judge_all(lease)
    assert all(one.commit.swap for one in found)
    return found


def without(commits: list[Any]) -> list[Any]:
    """Return commands that swap nothing."""
    return [msgspec.structs.replace(commit, swap=None) for commit in commits]


def seen(reader: blocking.Redis) -> list[Any]:
    """Return what all lanes hold, as it is read and not as it is written."""
    lanes = read(reader, 4)
    for lane in lanes:
        for order in lane.orders.values():
            for step in order["steps"]:
                step.setdefault("leases", 0)  # which only a script writes
    return [vars(lane) for lane in lanes]


async def both_ways(
    here: World, reader: blocking.Redis, act: Callable[[Way], Awaitable[Any]]
) -> tuple[tuple[Any, Any], tuple[Any, Any]]:
    """Act with swaps and without on the same store; return what was answered and what the store holds."""
    before: Dump = await dump(here.service.store.redis)
    ways = []
    for way in (list, without):
        await restore(here.service.store.redis, before)
        answers = await act(way)
        ways.append((answers, seen(reader)))
    return ways[0], ways[1]


@pytest.mark.parametrize("meddle", [nothing, *CHANGES.values()], ids=["nothing", *CHANGES])
async def test_a_swapped_commit_does_what_the_command_does(
    here: World, store: Store, reader: blocking.Redis, meddle: Meddle
) -> None:
    commits = [one.commit for one in await judged(here, await leased(store))]
    await meddle(here)

    async def act(way: Way) -> Any:
        made = way([msgspec.structs.replace(one) for one in commits])
        return await store.commit(here.lane, made, LATER), [one.handed for one in made]

    ((answers, handed), swapped), ((again, _), commanded) = await both_ways(here, reader, act)

    assert (answers, swapped) == (again, commanded)
    assert (answers, handed) == ((["committed"], [LATER]) if meddle is nothing else (answers, [None]))
    assert meddle is nothing or answers != ["committed"]


@pytest.mark.parametrize("bounds", BOUNDS.values(), ids=BOUNDS)
async def test_a_commit_outside_its_hours_is_not_swapped(
    here: World, store: Store, reader: blocking.Redis, bounds: dict[str, int]
) -> None:
    lease = await leased(store)

    async def act(way: Way) -> Any:
        return await store.commit(here.lane, way([swapping(lease, lease.items[0], **bounds)]), LATER)

    swapped, commanded = await both_ways(here, reader, act)

    assert swapped == commanded
    assert swapped[0] == ["changed"]


async def test_what_was_swapped_is_settled_by_swapping(here: World, store: Store) -> None:
    decided = await judged(here, await leased(store))
    await store.commit(here.lane, [one.commit for one in decided], NOON + 1)

    done = await swap_settlements(store.redis, store.keys(here.lane), settlements(decided), LATER)

    assert done == {0}


@pytest.mark.parametrize("meddle", SETTLED_AFTER.values(), ids=SETTLED_AFTER)
async def test_a_swapped_settlement_does_what_the_command_does(
    here: World, store: Store, reader: blocking.Redis, meddle: Meddle
) -> None:
    decided = await judged(here, await leased(store))
    await store.commit(here.lane, [one.commit for one in decided], NOON + 1)
    await meddle(here)

    async def act(way: Way) -> Any:
        return await store.settle(here.lane, way(settlements(decided)), LATER)

    swapped, commanded = await both_ways(here, reader, act)

    assert swapped == commanded
    assert swapped[0] == (["lost"] if meddle is swept_away else ["settled"])


async def test_a_clock_that_went_back_makes_no_gap_longer(here: World, store: Store) -> None:
    (decided,) = await judged(here, await leased(store))
    assert decided.commit.swap is not None

    assert decided.commit.swap.opens == NOON


async def test_what_is_repeated_is_answered_as_before_and_changes_nothing(
    here: World, store: Store, reader: blocking.Redis
) -> None:
    decided = await judged(here, await leased(store))
    first = [msgspec.structs.replace(one.commit) for one in decided]
    committed = [await store.commit(here.lane, [one.commit for one in decided], NOON + 1)]
    at_commit = seen(reader)
    committed += [await store.commit(here.lane, first, NOON + 1)]
    assert seen(reader) == at_commit

    settled = [await store.settle(here.lane, settlements(decided), LATER)]
    at_settlement = seen(reader)
    settled += [await store.settle(here.lane, settlements(decided), LATER)]

    assert (committed, settled) == ([["committed"]] * 2, [["settled"]] * 2)
    assert seen(reader) == at_settlement


async def test_two_hand_offs_to_a_customer_are_not_swapped_one_over_the_other(
    redis: StoreClient, audit_directory: Path, reader: blocking.Redis
) -> None:
    here = await world(
        redis, audit_directory, policy=at_once('[caps]\nper_day = 2\n[routing]\nchannels = ["sms"]')
    )
    await here.service.intake.take(
        [event("order.unpaid", order, NOON) for order in ("O-1", "O-2")], "key:test"
    )
    store = here.service.store
    lease = await leased(store)
    commits = [swapping(lease, item, per_day=1) for item in lease.items]

    answers = await store.commit(here.lane, commits, LATER)

    assert answers == ["committed", "changed"]
    assert [one.handed for one in commits] == [LATER, None]
    assert len(seen(reader)[here.lane]["ledgers"]["demo", "C-1"]) == 1


@pytest.mark.parametrize("name", ["send", "sent", "accept"])
async def test_a_row_with_a_wrong_value_writes_nothing(
    redis: StoreClient, audit_directory: Path, name: str
) -> None:
    full = await scene(redis, audit_directory)
    call = await sound(full, name)
    before = await dump(redis)
    spec = SCRIPTS[name].spec["row"]
    rows = await rows_of(full, name)
    taken: list[object] = []

    for place, (field, (kind, _)) in enumerate(spec.items()):
        for value in WRONG[kind] + UNKNOWN.get(field, ()):
            bad = [*rows[:-1], [*rows[-1][:place], value, *rows[-1][place + 1 :]]]
            if not await refused(redis, with_rows(call, bad).make(redis)):
                taken.append(f"{field} = {value!r}")
    broken = (b"\xc1", call.rows[0][:-1], call.rows[0] + b"\x90")
    taken += [bad for bad in broken if not await refused(redis, call._replace(rows=(bad,)).make(redis))]

    assert taken == []
    assert await dump(redis) == before


@pytest.mark.parametrize("name", ["send", "sent"])
async def test_what_is_stored_otherwise_is_left(redis: StoreClient, audit_directory: Path, name: str) -> None:
    full = await scene(redis, audit_directory)
    call = await sound(full, name)
    rows = await rows_of(full, name)
    before = await dump(redis)
    left = []

    for kind in ("order", "ledger", *(("customer",) if name == "send" else ())):
        who = rows[0][0] if kind == "order" else rows[0][2]
        key = f"d1:{{00}}:{kind}:demo~{who}"
        for write in (redis.set(key, b"garbage"), redis.rpush(key, "x")):
            await redis.delete(key)
            await write
            left.append((await call.make(redis))[-1])
            await restore(redis, before)

    assert set(left) == {1}


def settlements(decided: list[Judged]) -> list[Any]:
    """Return that what was committed was handed over."""
    done = []
    for one in decided:
        assert one.handover is not None
        handed = HandedOver(handover=one.handover, at=NOON + 500, outcome=Accepted())
        done.append(settlement(handed, one.commit.handed, LATER))
    assert all(one.swap for one in done)
    return done


WRONG: dict[str, tuple[Any, ...]] = {
    "string": (None, 7, [], True),
    "number": (None, "x", [], True, float("nan"), float("inf")),
}

UNKNOWN: dict[str, tuple[Any, ...]] = {
    "shop": (0, -1, 2, 1.5),
    "channel": ("", "fax"),
    "next_channel": ("fax",),
}
"""Values of the right type that name nothing."""


async def rows_of(full: Scene, name: str) -> list[list[Any]]:
    """Return the two rows of the call of that name."""
    if name == "accept":
        rows = [row_of(new_order(order)) for order in ("N-1", "N-2")]
        return [[1, *msgspec.structs.astuple(row)[1:]] for row in rows if row]
    if name == "send":
        commands: list[Any] = [swapping(full.leased, item) for item in full.leased.items]
    else:
        commands = [await settling(full, one) for one in full.sending]
    return [list(msgspec.structs.astuple(command.swap)) for command in commands]


def with_rows(call: Call, rows: list[list[Any]]) -> Call:
    """Return the call with other rows."""
    return call._replace(rows=(b"".join(map(msgspec.msgpack.encode, rows)),))
