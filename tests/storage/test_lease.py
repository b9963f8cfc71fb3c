"""Leases: who holds a reminder, what stops it from being held, and what ends that."""

from pathlib import Path

import pytest

from dispatcher.policy.facts import Channel
from dispatcher.storage.client import StoreClient
from dispatcher.storage.people import People
from dispatcher.storage.store import Store
from dispatcher.storage.stored_orders import text_of
from tests.storage.scenes import LEASE, dump, held, kept, leased, send, settlement, step, swept
from tests.worlds import MINUTE, NOON, World, at_once, event, world

CAPPED = '[caps]\nper_day = 1\n[routing]\nchannels = ["sms"]\n'


async def test_a_leased_reminder_is_nobody_elses(here: World, store: Store) -> None:
    first = await leased(store)

    second = await leased(store)

    assert [item.reminder for item in first.items] == ["demo~O-1~1", "demo~O-2~1"]
    assert first.lease_end == NOON + LEASE
    assert second.items == []


async def test_leases_of_the_same_instant_have_tokens_of_their_own(here: World, store: Store) -> None:
    first, second = await leased(store, limit=1), await leased(store, limit=1)

    assert (first.token, second.token) == (NOON + LEASE, NOON + LEASE + 1)
    assert await held(store) == {"demo~O-1~1": first.token, "demo~O-2~1": second.token}


async def test_a_lease_leaves_the_order_as_it_was_and_writes_no_record(
    here: World, redis: StoreClient, store: Store
) -> None:
    before = await dump(redis)

    await leased(store)

    after = await dump(redis)
    changed = {key for key in before.keys() | after.keys() if before.get(key) != after.get(key)}
    parts = {key.decode().partition("}:")[2].partition(":")[0] for key in changed}
    assert parts == {"lane", "leases", "due", "ready", "counts"}


async def test_a_lease_takes_no_more_than_asked_and_nothing_before_it_is_due(
    here: World, store: Store
) -> None:
    await here.service.intake.take([event("order.unpaid", "O-3", NOON, placed_at=NOON + MINUTE)], "key:test")

    one = await leased(store, limit=1)
    rest = await leased(store, NOON + MINUTE - 1)
    due = await leased(store, NOON + MINUTE)

    counts = [[item.order_id for item in lease.items] for lease in (one, rest, due)]
    assert counts == [["O-1"], ["O-2"], ["O-3"]]
    assert one.token < rest.token < due.token


async def test_an_order_that_only_the_scripts_can_read_stops_nothing_beside_it(
    here: World, store: Store
) -> None:
    key = store.keys(here.lane).order("demo", "O-1")
    order = await store.order("demo", "O-1")
    assert order is not None
    order.records, order.told = [], "weather"  # type: ignore[assignment]
    await store.redis.set(key, text_of(order))

    done = await here.dispatch()

    kinds = {one["order"]: (one["kind"], one["reason"]) for one in await here.audit() if one["reminder"]}
    assert done == {"changed": 2, "failed": 1, "send": 1}
    assert kinds == {"O-1": ("reminder.failed", "internal"), "O-2": ("reminder.sent", None)}


@pytest.mark.parametrize(
    "spoilt", [b"steps", b"status", b"attempt", b"planned", b"channel", b"moment", b"rev"]
)
async def test_an_order_that_is_damaged_within_stops_nothing_beside_it(
    here: World, store: Store, spoilt: bytes
) -> None:
    key = store.keys(here.lane).order("demo", "O-1")
    text = await store.redis.get(key)
    assert text is not None
    await store.redis.set(key, text.replace(spoilt, spoilt[:-1] + b"_", 1))

    await here.dispatch()
    here.clock.advance_to(NOON + 2 * LEASE)
    await here.service.housekeeping.sweep(here.lane)

    assert (await step(store, "O-2")).status == "sent"
    assert set(await held(store)) <= {"demo~O-1~1"}


@pytest.mark.parametrize("name", ["demo~O-1~0", "demo~O-1~01", "demo~O-9~1", "demo~O-1~9", "nothing"])
async def test_what_is_due_and_names_no_reminder_goes(here: World, store: Store, name: str) -> None:
    due = store.keys(here.lane).due("demo", "sms")
    await store.redis.zadd(due, {name: NOON})

    await here.dispatch()
    await swept(here, NOON + 2 * LEASE)

    assert [(await step(store, order)).status for order in ("O-1", "O-2")] == ["sent", "sent"]
    assert await held(store) == {}
    assert await store.redis.zcard(due) == 0


async def test_a_hand_off_under_way_keeps_its_lease_though_it_is_due_again(here: World, store: Store) -> None:
    lease = await leased(store, limit=1)
    commit = send(lease, lease.items[0])
    await store.commit(here.lane, [commit], NOON)
    await store.redis.zadd(store.keys(here.lane).due("demo", "sms"), {commit.reminder: NOON})

    await leased(store, NOON + 1)

    assert (await held(store))[commit.reminder] == lease.token
    assert await store.settle(here.lane, [settlement(commit, "sent")], NOON + 2) == ["settled"]


async def taken(redis: StoreClient, directory: Path, sections: str, *orders: str) -> Store:
    """Return a store with orders of one customer that are due."""
    here = await world(redis, directory, policy=at_once(sections))
    await here.service.intake.take([event("order.unpaid", order, NOON) for order in orders], "key:test")
    return here.service.store


async def test_a_lease_reads_the_other_orders_of_its_customers_together(
    redis: StoreClient, audit_directory: Path
) -> None:
    store = await taken(redis, audit_directory, CAPPED, "O-1", "O-2")
    await redis.config_resetstat()

    lease = await leased(store)

    calls = await redis.info("commandstats")
    assert [[other.id for other in item.others] for item in lease.items] == [["O-2"], ["O-1"]]
    assert ("cmdstat_get" in calls, calls["cmdstat_lrange"]["calls"]) == (False, 1)


@pytest.mark.parametrize(
    ("channel", "sections"),
    [
        ("sms", '[routing]\nchannels = ["sms"]\n'),
        ("phone", CAPPED + "repeat_orders = 0\n"),
    ],
)
async def test_a_lease_reads_no_other_orders_where_nothing_looks_at_them(
    redis: StoreClient, audit_directory: Path, channel: Channel, sections: str
) -> None:
    store = await taken(redis, audit_directory, sections, "O-1", "O-2")
    await redis.config_resetstat()

    lease = await store.lease("demo", channel, 10, NOON)

    assert [item.others for item in lease.items] == [(), ()]
    assert "cmdstat_lrange" not in await redis.info("commandstats")


async def test_a_customers_eleventh_order_is_not_looked_at(redis: StoreClient, audit_directory: Path) -> None:
    store = await taken(redis, audit_directory, CAPPED, *"ABCDEFGHIJKL")

    (first,) = (await leased(store, limit=1)).items

    asked = await store.others("demo", first.order_id, first.order)
    assert [other.id for other in first.others] == [other.id for other in asked] == list("BCDEFGHIJ")


async def test_a_sweep_makes_what_was_being_sent_uncertain_and_keeps_its_slot(
    here: World, store: Store
) -> None:
    lease = await leased(store)
    await store.commit(here.lane, [send(lease, lease.items[0])], NOON)

    early = await swept(here, NOON + LEASE - 1)
    due = await swept(here, NOON + LEASE)

    assert early == []
    assert sorted(due) == ["back", "uncertain"]
    assert (await step(store)).status == "uncertain"
    assert (await People(store).of_customer("demo", "C-1")).instants == (NOON,)
    assert [item.reminder for item in (await leased(store, NOON + LEASE)).items] == ["demo~O-2~1"]


async def test_a_reminder_leased_three_times_without_a_commit_is_failed(here: World, store: Store) -> None:
    answers = []
    for turn in range(3):
        await leased(store, NOON + turn * LEASE, limit=1)
        answers += await swept(here, NOON + (turn + 1) * LEASE)

    assert answers == ["back", "back", "failed"]
    (failed,) = [record for record in await here.audit() if record["kind"] == "reminder.failed"]
    assert (failed["reminder"], failed["reason"]) == ("demo~O-1~1", "internal")
    assert (await step(store)).status == "failed"


async def test_a_reminder_that_cannot_be_decided_about_is_failed_at_the_third_release(
    here: World, store: Store
) -> None:
    answers = []
    for _ in range(3):
        lease = await leased(store, limit=1)
        answers += await store.commit(here.lane, [kept(lease, lease.items[0], "release")], NOON)

    assert answers == ["changed", "changed", "failed"]
    assert (await step(store)).status == "failed"


async def test_releases_and_sweeps_count_together_until_a_commit(here: World, store: Store) -> None:
    answers, counts = [], []
    for turn, kind in enumerate(["release", "", "defer", "release", "", "release"]):
        now = NOON + turn * LEASE
        lease = await leased(store, now, limit=1)
        if kind:
            decision = kept(lease, lease.items[0], kind, channel="sms", due=NOON - 1, reason="min_gap")
            answers += await store.commit(here.lane, [decision], now)
        else:
            answers += await swept(here, now + LEASE)
        counts.append((await step(store)).leases)

    assert answers == ["changed", "back", "committed", "changed", "back", "failed"]
    assert counts == [1, 2, 0, 1, 2, 3]
    assert (await step(store)).status == "failed"


async def test_a_conflict_does_not_count_as_a_lease_without_commit(here: World, store: Store) -> None:
    for _ in range(5):
        lease = await leased(store, limit=1)
        await store.commit(here.lane, [send(lease, lease.items[0], rev=99)], NOON)

    assert (await step(store)).status == "planned"
    assert (await step(store)).leases == 0


async def test_sweeping_what_is_not_leased_changes_no_reminder(here: World, store: Store) -> None:
    before = await step(store)

    answers = await store.sweep(here.lane, ["demo~O-1~1", "demo~O-9~1", "demo~O-1~7"], NOON)

    assert answers == ["gone", "gone", "gone"]
    assert await step(store) == before


async def test_a_reminder_that_is_due_though_it_was_sent_loses_its_lease_and_holds_up_none(
    here: World, store: Store
) -> None:
    keys = store.keys(here.lane)
    await here.dispatch()
    await here.service.intake.take([event("order.unpaid", "O-3", NOON)], "key:test")
    await store.redis.zadd(keys.due("demo", "sms"), {"demo~O-1~1": NOON})
    await store.redis.zadd(keys.ready, {"demo~sms": NOON})
    await leased(store)

    assert sorted(await swept(here, NOON + 2 * LEASE)) == ["back", "gone"]
    assert await held(store) == {}
    assert (await step(store)).status == "sent"


async def test_two_sweeps_at_once_end_a_lease_once(here: World, store: Store) -> None:
    lease = await leased(store)
    names = [item.reminder for item in lease.items]

    first = await store.sweep(here.lane, names, NOON + LEASE)
    second = await store.sweep(here.lane, names, NOON + LEASE)

    assert (first, second) == (["back", "back"], ["gone", "gone"])


async def test_nothing_is_leased_while_paused_and_all_goes_on_after(here: World, store: Store) -> None:
    counts = []
    for channel in (None, "sms"):
        await store.pause("demo", channel, NOON, "user:test")
        counts.append(len((await leased(store)).items))
        assert await store.ready([here.lane], NOON) == []
        await store.resume("demo", channel, NOON, "user:test")
    assert await store.ready([here.lane], NOON) == [("demo", "sms")]

    lease = await leased(store)

    assert counts == [0, 0]
    assert len(lease.items) == 2


async def test_a_pause_of_one_channel_leaves_the_others(here: World, store: Store) -> None:
    await store.pause("demo", "chat", NOON, "user:test")

    lease = await leased(store)

    assert len(lease.items) == 2
    assert (await store.shop("demo")).paused == ("chat",)


async def test_the_end_of_one_pause_leaves_the_other(here: World, store: Store) -> None:
    for channel in (None, "sms", "sms"):
        await store.pause("demo", channel, NOON, "user:test")

    await store.resume("demo", None, NOON, "user:test")

    assert (await store.shop("demo")).paused == ("sms",)
    assert (await leased(store)).items == []


async def test_what_becomes_due_during_a_pause_is_there_after_it(here: World, store: Store) -> None:
    await store.pause("demo", None, NOON, "user:test")
    await here.service.intake.take([event("order.unpaid", "O-3", NOON)], "key:test")
    assert await store.ready([here.lane], NOON) == []

    await store.resume("demo", None, NOON, "user:test")

    assert len((await leased(store)).items) == 3
