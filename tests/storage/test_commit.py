"""Commits: only its holder decides about a reminder, and only while what that stood on still holds."""

from pathlib import Path
from typing import Any

import pytest

from dispatcher.storage.client import StoreClient
from dispatcher.storage.packing import pack
from dispatcher.storage.people import People
from dispatcher.storage.records import Lease
from dispatcher.storage.store import Store
from tests.storage.scenes import LEASE, dump, held, kept, leased, send, settlement, step, swept
from tests.worlds import DAY, HOUR, NOON, World, at_once, event, world


async def test_the_first_holders_commit_is_lost_after_a_second_lease(here: World, store: Store) -> None:
    first = await leased(store)
    await swept(here, NOON + LEASE)
    second = await leased(store, NOON + LEASE)

    late = await store.commit(here.lane, [send(first, first.items[0])], NOON + LEASE)
    good = await store.commit(here.lane, [send(second, second.items[0])], NOON + LEASE)

    assert (late, good) == (["lost"], ["committed"])
    assert (await step(store)).attempt == 1


@pytest.mark.parametrize(
    ("kind", "more"),
    [
        ("defer", {"channel": "chat", "due": NOON + HOUR, "reason": "min_gap"}),
        ("drop", {"reason": "too_late"}),
        ("release", {}),
    ],
)
async def test_any_decision_of_a_former_holder_is_lost(
    here: World, store: Store, kind: str, more: dict[str, Any]
) -> None:
    first = await leased(store, limit=1)
    await swept(here, NOON + LEASE)
    await leased(store, NOON + LEASE, limit=1)
    before = await step(store)

    answers = await store.commit(here.lane, [kept(first, first.items[0], kind, **more)], NOON + LEASE)

    assert answers == ["lost"]
    assert await step(store) == before


async def test_repeating_a_commit_gives_the_same_answer_and_no_second_effect(
    here: World, redis: StoreClient, store: Store
) -> None:
    lease = await leased(store)
    commits = [send(lease, lease.items[0]), kept(lease, lease.items[1], "drop", reason="too_late")]
    first = await store.commit(here.lane, commits, NOON)
    before = await dump(redis)

    second = await store.commit(here.lane, commits, NOON)

    assert first == second == ["committed", "committed"]
    assert await dump(redis) == before


async def test_a_commit_repeated_after_the_sweep_is_lost_whatever_it_was_answered_first(
    here: World, store: Store
) -> None:
    lease = await leased(store)
    commits = [send(lease, lease.items[0]), kept(lease, lease.items[1], "release")]
    first = await store.commit(here.lane, commits[:1], NOON)
    swept_as = await swept(here, NOON + LEASE)

    again = await store.commit(here.lane, commits, NOON + LEASE)

    assert (first, swept_as) == (["committed"], ["uncertain", "back"])
    assert again == ["lost", "lost"]


async def test_repeating_a_commit_that_was_put_back_says_so_again(
    here: World, redis: StoreClient, store: Store
) -> None:
    lease = await leased(store)
    commit = send(lease, lease.items[0], rev=99)
    first = await store.commit(here.lane, [commit], NOON)
    before = await dump(redis)

    second = await store.commit(here.lane, [commit], NOON)

    assert first == second == ["changed"]
    assert await dump(redis) == before


async def _amended(here: World) -> None:
    await here.service.intake.take(
        [event("order.unpaid", "O-1", NOON, placed_at=NOON, total="98.00", event_id="again")], "key:test"
    )


async def _paused(here: World) -> None:
    await here.service.store.pause("demo", None, NOON, "user:test")


async def _channel_paused(here: World) -> None:
    await here.service.store.pause("demo", "sms", NOON, "user:test")


async def _policy(here: World) -> None:
    await here.service.store.put_policy("demo", "{}", "note", pack(b"{}"), NOON, "user:test")


CHANGES = {
    "the order amended": _amended,
    "the shop paused": _paused,
    "the channel paused": _channel_paused,
    "another policy": _policy,
}


@pytest.mark.parametrize("change", CHANGES.values(), ids=CHANGES.keys())
async def test_a_hand_off_is_put_back_when_what_it_stood_on_changed(
    here: World, store: Store, change: Any
) -> None:
    lease = await leased(store)
    await change(here)

    answers = await store.commit(here.lane, [send(lease, lease.items[0])], NOON + 1)

    found = await step(store)
    assert answers == ["changed"]
    assert (found.status, found.due, found.attempt) == ("planned", NOON, 0)
    assert await held(store) == {"demo~O-2~1": lease.token}
    assert (await People(store).of_customer("demo", "C-1")).instants == ()


BOUNDS: dict[str, dict[str, Any]] = {
    "valid_until is now": {"valid_until": NOON + 1000},
    "valid_until has passed": {"valid_until": NOON},
    "the day has not begun": {"day_start": NOON + 1001},
    "the day ends now": {"day_end": NOON + 1000},
    "the cap is none": {"per_day": 0},
}


@pytest.mark.parametrize("bound", BOUNDS.values(), ids=BOUNDS.keys())
async def test_a_hand_off_outside_its_bounds_is_put_back_at_its_due(
    here: World, store: Store, bound: dict[str, Any]
) -> None:
    lease = await leased(store)

    answers = await store.commit(here.lane, [send(lease, lease.items[0], **bound)], NOON + 1000)
    again = await leased(store, NOON + 1000)

    assert answers == ["changed"]
    assert [(item.reminder, item.step.due) for item in again.items] == [("demo~O-1~1", NOON)]


@pytest.mark.parametrize(
    "bound",
    [{"valid_until": NOON + 1001}, {"day_start": NOON + 1000}, {"day_end": NOON + 1001}, {"per_day": 1}],
)
async def test_a_hand_off_within_its_bounds_is_committed(
    here: World, store: Store, bound: dict[str, Any]
) -> None:
    lease = await leased(store)

    answers = await store.commit(here.lane, [send(lease, lease.items[0], **bound)], NOON + 1000)

    assert answers == ["committed"]
    assert (await People(store).of_customer("demo", "C-1")).instants == (NOON + 1000,)


async def test_two_reminders_of_a_customer_in_one_batch_share_one_slot(here: World, store: Store) -> None:
    lease = await leased(store)

    answers = await store.commit(here.lane, [send(lease, item, per_day=1) for item in lease.items], NOON)

    assert answers == ["committed", "changed"]
    assert (await People(store).of_customer("demo", "C-1")).instants == (NOON,)


async def test_a_slot_taken_by_another_worker_is_seen(here: World, store: Store) -> None:
    one, other = await leased(store, limit=1), await leased(store, limit=1)
    await store.commit(here.lane, [send(one, one.items[0], per_day=1)], NOON)

    answers = await store.commit(here.lane, [send(other, other.items[0], per_day=1)], NOON)

    assert answers == ["changed"]


@pytest.mark.parametrize(("later", "answer"), [(HOUR - 1, "changed"), (HOUR, "committed")])
async def test_the_gap_between_two_hand_offs_is_kept_to_the_millisecond(
    here: World, store: Store, later: int, answer: str
) -> None:
    one = await leased(store, limit=1)
    await store.commit(here.lane, [send(one, one.items[0])], NOON)
    other = await leased(store, NOON + later)

    answers = await store.commit(here.lane, [send(other, other.items[0], min_gap=HOUR)], NOON + later)

    assert answers == [answer]


async def test_a_slot_of_yesterday_does_not_count_today(here: World, store: Store) -> None:
    one = await leased(store, limit=1)
    await store.commit(here.lane, [send(one, one.items[0], per_day=1)], NOON)
    midnight = NOON + 12 * HOUR
    other = await leased(store, midnight)
    today = {"day_start": midnight, "day_end": midnight + DAY}

    answers = await store.commit(here.lane, [send(other, other.items[0], per_day=1, **today)], midnight)

    assert answers == ["committed"]


async def test_a_paid_order_is_neither_committed_nor_given_back(here: World, store: Store) -> None:
    lease = await leased(store)
    await here.service.intake.take([event("order.paid", "O-1", NOON)], "key:test")

    answers = await store.commit(here.lane, [send(lease, lease.items[0])], NOON)

    assert answers == ["lost"]
    assert (await step(store)).status == "dropped"
    assert await swept(here, NOON + LEASE) == ["back"]


async def test_a_deferred_reminder_waits_on_its_new_channel(here: World, store: Store) -> None:
    lease = await leased(store, limit=1)
    defer = kept(
        lease, lease.items[0], "defer", channel="chat", due=NOON + HOUR, reason="changed", tried=("sms",)
    )

    answers = await store.commit(here.lane, [defer], NOON)

    found = await step(store)
    assert answers == ["committed"]
    assert (found.channel, found.due, found.tried) == ("chat", NOON + HOUR, ("sms",))
    assert await store.ready([here.lane], NOON + HOUR) == [("demo", "sms"), ("demo", "chat")]


async def test_the_token_of_a_holder_before_the_last_is_lost_too(here: World, store: Store) -> None:
    first = await leased(store, limit=1)
    for turn in (1, 2):
        await swept(here, NOON + turn * LEASE)
        await leased(store, NOON + turn * LEASE, limit=1)
    before = await step(store)

    answers = await store.commit(here.lane, [send(first, first.items[0])], NOON + 2 * LEASE)

    assert answers == ["lost"]
    assert await step(store) == before


@pytest.mark.parametrize("kind", ["drop", "defer"])
async def test_what_was_decided_on_an_older_revision_is_decided_again(
    redis: StoreClient, audit_directory: Path, kind: str
) -> None:
    here = await world(redis, audit_directory)
    await here.service.intake.take([event("order.unpaid", "O-1", NOON)], "key:test")
    lease = await here.service.store.lease("demo", "sms", 1, NOON)
    decided = kept(lease, lease.items[0], kind, reason="no_address", due=NOON + 1, channel="sms")
    amendment = event("order.unpaid", "O-1", NOON + 1, placed_at=NOON)
    await here.service.intake.take([amendment], "key:test")

    answers = await here.service.store.commit(here.lane, [decided], NOON)

    assert answers == ["changed"]


async def two_of_one_order(redis: StoreClient, audit_directory: Path) -> tuple[World, Lease]:
    """A shop, and both reminders of an order leased at once."""
    twice = at_once('[before_close]\nlead = "2h"\n[routing]\nchannels = ["sms"]')
    here = await world(redis, audit_directory, policy=twice)
    await here.service.intake.take(
        [event("order.unpaid", "O-1", NOON, closes_at=NOON + 3 * HOUR)], "key:test"
    )
    return here, await leased(here.service.store, NOON + 2 * HOUR)


@pytest.mark.parametrize(
    ("per_order", "answers"),
    [(0, ["changed", "changed"]), (1, ["committed", "changed"]), (2, ["committed", "committed"])],
)
async def test_two_reminders_of_an_order_share_its_hand_offs(
    redis: StoreClient, audit_directory: Path, per_order: int, answers: list[str]
) -> None:
    here, lease = await two_of_one_order(redis, audit_directory)

    found = await here.service.store.commit(
        here.lane, [send(lease, item, per_order=per_order) for item in lease.items], NOON + 2 * HOUR
    )

    assert found == answers


async def test_a_hand_off_that_was_given_back_leaves_its_place_in_the_order(
    redis: StoreClient, audit_directory: Path
) -> None:
    here, lease = await two_of_one_order(redis, audit_directory)
    one, other = lease.items
    await here.service.store.commit(here.lane, [send(lease, one, per_order=1)], NOON + 2 * HOUR)
    await here.service.store.settle(here.lane, [settlement(send(lease, one), "fail")], NOON + 2 * HOUR)

    answers = await here.service.store.commit(here.lane, [send(lease, other, per_order=1)], NOON + 2 * HOUR)

    assert answers == ["committed"]
