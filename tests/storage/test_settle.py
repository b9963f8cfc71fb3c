"""Settlements: what became of a hand-off is recorded once, and its slot kept or given back."""

import pytest

from dispatcher.storage.client import StoreClient
from dispatcher.storage.commands import Settlement
from dispatcher.storage.people import People
from dispatcher.storage.store import Store
from tests.storage.scenes import LEASE, dump, kept, leased, send, settlement, step, swept
from tests.worlds import MINUTE, NOON, World, event


@pytest.mark.parametrize("outcome", ["sent", "uncertain", "retry", "fail"])
async def test_repeating_a_settlement_is_harmless(
    here: World, redis: StoreClient, store: Store, outcome: str
) -> None:
    lease = await leased(store)
    commit = send(lease, lease.items[0])
    await store.commit(here.lane, [commit], NOON)
    settled = settlement(commit, outcome)
    first = await store.settle(here.lane, [settled], NOON + 1000)
    before = await dump(redis)

    second = await store.settle(here.lane, [settled], NOON + 1000)

    assert first == second == ["settled"]
    assert await dump(redis) == before


async def test_a_settlement_says_lost_when_a_sweep_was_first(
    here: World, redis: StoreClient, store: Store
) -> None:
    lease = await leased(store)
    commit = send(lease, lease.items[0])
    await store.commit(here.lane, [commit], NOON)
    await swept(here, NOON + LEASE)
    before = await dump(redis)

    answers = await store.settle(here.lane, [settlement(commit, "sent")], NOON + LEASE)

    assert answers == ["lost"]
    assert await dump(redis) == before


async def test_repeating_a_settlement_after_the_next_commit_changes_nothing(
    here: World, store: Store
) -> None:
    first = await leased(store)
    old = send(first, first.items[0])
    await store.commit(here.lane, [old], NOON)
    await store.settle(here.lane, [settlement(old, "retry", due=NOON, channel="sms")], NOON)
    second = await leased(store)
    new = send(second, second.items[0])
    await store.commit(here.lane, [new], NOON)

    late = await store.settle(here.lane, [settlement(old, "fail")], NOON)

    assert late == ["settled"]
    assert (await step(store)).status == "sending"
    assert await store.settle(here.lane, [settlement(new, "sent")], NOON) == ["settled"]


@pytest.mark.parametrize(("outcome", "slots"), [("sent", 1), ("uncertain", 1), ("retry", 0), ("fail", 0)])
async def test_a_slot_is_given_back_only_when_nothing_was_handed_over(
    here: World, store: Store, outcome: str, slots: int
) -> None:
    lease = await leased(store)
    commit = send(lease, lease.items[0])
    await store.commit(here.lane, [commit], NOON)

    await store.settle(here.lane, [settlement(commit, outcome)], NOON + 1000)

    assert len((await People(store).of_customer("demo", "C-1")).instants) == slots


async def test_the_slot_counts_from_the_instant_of_the_hand_off(here: World, store: Store) -> None:
    lease = await leased(store)
    commit = send(lease, lease.items[0])
    await store.commit(here.lane, [commit], NOON)

    await store.settle(here.lane, [settlement(commit, "sent", handed=NOON + 700)], NOON + 1000)

    assert (await People(store).of_customer("demo", "C-1")).instants == (NOON + 700,)
    assert (await step(store)).handed == NOON + 700


async def test_a_refused_hand_off_of_a_paid_order_ends_dropped(here: World, store: Store) -> None:
    lease = await leased(store)
    commits = [send(lease, item) for item in lease.items]
    await store.commit(here.lane, commits, NOON)
    ends = [event("order.paid", "O-1", NOON), event("order.cancelled", "O-2", NOON)]
    await here.service.intake.take(ends, "key:test")

    await store.settle(here.lane, [settlement(commits[0], "retry"), settlement(commits[1], "fail")], NOON)

    assert [(await step(store, order)).status for order in ("O-1", "O-2")] == ["dropped", "dropped"]
    dropped = [record for record in await here.audit() if record["kind"] == "reminder.dropped"]
    assert [record["reason"] for record in dropped] == ["paid", "cancelled"]
    assert (await People(store).of_customer("demo", "C-1")).instants == ()


async def test_a_retried_reminder_is_leased_from_the_channel_it_was_given(here: World, store: Store) -> None:
    lease = await leased(store, limit=1)
    commit = send(lease, lease.items[0])
    await store.commit(here.lane, [commit], NOON)

    await store.settle(here.lane, [settlement(commit, "retry", due=NOON + MINUTE)], NOON)

    again = await store.lease("demo", "chat", 10, NOON + MINUTE)
    assert [(item.reminder, item.step.tried, item.step.attempt) for item in again.items] == [
        ("demo~O-1~1", ("sms",), 1)
    ]


async def test_every_change_has_one_record(here: World, store: Store) -> None:
    lease = await leased(store)
    commit = send(lease, lease.items[0])
    await store.commit(here.lane, [commit, kept(lease, lease.items[1], "drop", reason="too_late")], NOON)
    await store.settle(here.lane, [settlement(commit, "retry")], NOON)

    kinds = [record["kind"] for record in await here.audit()]
    assert kinds[-4:] == [
        "reminder.planned",
        "reminder.sending",
        "reminder.dropped",
        "reminder.retrying",
    ]


async def test_a_settlement_needs_no_details(here: World, store: Store) -> None:
    lease = await leased(store)
    commit = send(lease, lease.items[0])
    await store.commit(here.lane, [commit], NOON)
    bare = Settlement(
        outcome="fail",
        reason="rejected",
        reminder=commit.reminder,
        order=commit.order,
        customer=commit.customer,
        step=1,
        token=lease.token,
    )

    answers = await store.settle(here.lane, [bare], NOON)

    assert answers == ["settled"]
    assert (await here.audit())[-1]["details"] == {}


async def test_a_settlement_of_an_earlier_attempt_is_lost(here: World, store: Store) -> None:
    attempts = []
    for _ in range(3):
        lease = await leased(store, limit=1)
        attempts.append(send(lease, lease.items[0]))
        await store.commit(here.lane, [attempts[-1]], NOON)
        if len(attempts) < 3:
            await store.settle(
                here.lane, [settlement(attempts[-1], "retry", due=NOON - 1, channel="sms")], NOON
            )

    answers = await store.settle(here.lane, [settlement(attempts[0], "fail")], NOON)

    assert answers == ["lost"]
    assert (await step(store)).status == "sending"
