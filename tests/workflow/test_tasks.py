"""Calls by people: an open task holds nothing, its claim is the hand-off."""

import asyncio
from hashlib import sha256
from pathlib import Path
from typing import Any

import pytest

from dispatcher.errors import Contended, NotNow, TaskNotOpen, UnknownOrder
from dispatcher.storage.client import StoreClient
from dispatcher.storage.looking import text_of
from dispatcher.storage.people import People
from dispatcher.storage.records import StoredStep
from tests.worlds import DAY, HOUR, MINUTE, NOON, World, at_once, event, world

TASK = "demo~O-1~1"

CALLS = at_once(
    """
    [caps]
    per_day = 2
    [routing]
    channels = ["sms", "chat"]
    high_value = "500.00"
    [phone]
    windows = [["09:00", "12:30"], ["14:00", "20:00"]]
    overflow_after = "3h"
    """
)


@pytest.fixture
async def here(redis: StoreClient, audit_directory: Path) -> World:
    """A shop with one open task."""
    here = await world(redis, audit_directory, policy=CALLS)
    await take(here, "O-1")
    await here.dispatch()
    return here


async def take(here: World, order: str, total: str = "900.00", **more: Any) -> None:
    await here.service.intake.take([event("order.unpaid", order, NOON, total=total, **more)], "key:test")


async def step(here: World, order: str = "O-1") -> StoredStep:
    found = await here.service.store.order("demo", order)
    assert found is not None
    return found.steps[0]


async def last(here: World) -> dict[str, Any]:
    return (await here.audit())[-1]


async def slots(here: World) -> tuple[int, ...]:
    return (await People(here.service.store).of_customer("demo", "C-1")).instants


async def test_an_open_task_holds_no_slot(here: World) -> None:
    opened = await last(here)

    assert (await step(here)).status == "open"
    assert await slots(here) == ()
    assert (opened["kind"], opened["channel"], opened["reason"]) == ("task.opened", "phone", None)
    assert opened["template"] == "high_value/phone@1"


async def test_a_claim_is_the_hand_off_and_takes_the_slot(here: World) -> None:
    here.clock.advance_to(NOON + MINUTE)

    claim = await here.service.tasks.claim(TASK, "li", "user:li")

    claimed = await last(here)
    assert (claim.facts.order.id, claim.facts.customer.phone) == ("O-1", "+8613800000000")
    assert claim.valid_until == NOON + 30 * MINUTE
    assert await slots(here) == (NOON + MINUTE,)
    assert (await step(here)).status == "claimed"
    assert (claimed["kind"], claimed["actor"]) == ("task.claimed", "user:li")
    assert claimed["details"]["handed_at"] == "2025-11-11T04:01:00.000Z"


async def test_a_claimed_task_is_completed_with_its_outcome(here: World) -> None:
    await here.service.tasks.claim(TASK, "li", "user:li")

    await here.service.tasks.complete(TASK, "li", "no_answer", "user:li")

    completed = await last(here)
    assert (await step(here)).status == "completed"
    assert (completed["kind"], completed["details"]) == (
        "task.completed",
        {"agent": "li", "outcome": "no_answer"},
    )
    assert len(await slots(here)) == 1


async def test_a_task_is_completed_once_and_only_after_its_claim(here: World) -> None:
    tasks = here.service.tasks
    with pytest.raises(TaskNotOpen):
        await tasks.complete(TASK, "li", "no_answer", "user:li")
    await tasks.claim(TASK, "li", "user:li")
    await tasks.complete(TASK, "li", "no_answer", "user:li")

    with pytest.raises(TaskNotOpen):
        await tasks.complete(TASK, "li", "refused", "user:li")


async def test_a_task_is_claimed_once(here: World) -> None:
    await here.service.tasks.claim(TASK, "li", "user:li")

    with pytest.raises(TaskNotOpen):
        await here.service.tasks.claim(TASK, "wang", "user:li")

    assert len(await slots(here)) == 1


async def test_an_agent_who_repeats_a_claim_has_it_still_and_nothing_changes(here: World) -> None:
    first = await here.service.tasks.claim(TASK, "li", "user:li")
    before = await here.audit()
    here.clock.advance_to(NOON + HOUR)

    again = await here.service.tasks.claim(TASK, "li", "user:li")

    assert again.facts.order == first.facts.order
    assert again.valid_until == first.valid_until == NOON + 30 * MINUTE
    assert await here.audit() == before
    assert await slots(here) == (NOON,)


async def test_a_released_task_is_open_again_and_its_slot_free(here: World) -> None:
    before = await step(here)
    await here.service.tasks.claim(TASK, "li", "user:li")
    here.clock.advance_to(NOON + MINUTE)

    await here.service.tasks.release(TASK, "li", "user:li")

    released, found = await last(here), await step(here)
    assert (released["kind"], released["actor"], released["at"]) == (
        "task.released",
        "user:li",
        "2025-11-11T04:01:00.000Z",
    )
    assert (released["channel"], released["attempt"], released["details"]) == ("phone", 1, {"agent": "li"})
    assert (found.status, found.due, found.handed, found.agent) == ("open", before.due, None, None)
    assert await slots(here) == ()
    assert await here.service.store.waiting(here.lane, "phone") == [TASK]


async def test_a_released_task_is_claimed_by_another_whose_claim_is_the_hand_off(here: World) -> None:
    await here.service.tasks.claim(TASK, "li", "user:li")
    await here.service.tasks.release(TASK, "li", "user:li")
    here.clock.advance_to(NOON + MINUTE)

    await here.service.tasks.claim(TASK, "wang", "user:wang")

    found = await step(here)
    assert (found.status, found.agent, found.attempt) == ("claimed", "wang", 2)
    assert await slots(here) == (NOON + MINUTE,)


async def test_only_the_agent_who_claimed_a_task_ends_the_claim(here: World) -> None:
    tasks = here.service.tasks
    await tasks.claim(TASK, "li", "user:li")
    before = await here.audit()

    with pytest.raises(TaskNotOpen):
        await tasks.complete(TASK, "wang", "no_answer", "user:li")
    with pytest.raises(TaskNotOpen):
        await tasks.release(TASK, "wang", "user:li")

    assert await here.audit() == before
    assert (await step(here)).agent == "li"
    await tasks.complete(TASK, "li", "no_answer", "user:wang")


@pytest.mark.parametrize("ended", ["never claimed", "completed", "withdrawn"])
async def test_what_no_agent_holds_is_not_released(here: World, ended: str) -> None:
    tasks = here.service.tasks
    if ended != "never claimed":
        await tasks.claim(TASK, "li", "user:li")
    match ended:
        case "completed":
            await tasks.complete(TASK, "li", "other", "user:li")
        case "withdrawn":
            await here.service.intake.take([event("order.paid", "O-1", NOON)], "key:test")
    before = await here.audit()

    with pytest.raises(TaskNotOpen):
        await tasks.release(TASK, "li", "user:li")

    assert await here.audit() == before


async def test_an_agent_who_repeats_how_the_call_went_changes_nothing(here: World) -> None:
    tasks = here.service.tasks
    await tasks.claim(TASK, "li", "user:li")
    await tasks.complete(TASK, "li", "no_answer", "user:li")
    before = await here.audit()

    await tasks.complete(TASK, "li", "no_answer", "user:li")
    with pytest.raises(TaskNotOpen):
        await tasks.complete(TASK, "wang", "no_answer", "user:wang")

    assert await here.audit() == before
    assert (await step(here)).result == "no_answer"


async def test_an_agent_who_repeats_a_release_changes_nothing(here: World) -> None:
    tasks = here.service.tasks
    await tasks.claim(TASK, "li", "user:li")
    await tasks.release(TASK, "li", "user:li")
    before = await here.audit()

    await tasks.release(TASK, "li", "user:li")
    with pytest.raises(TaskNotOpen):
        await tasks.release(TASK, "wang", "user:wang")
    with pytest.raises(TaskNotOpen):
        await tasks.complete(TASK, "li", "no_answer", "user:li")

    assert await here.audit() == before
    assert (await step(here)).valid_until is None


async def test_a_release_is_not_repeated_once_the_task_is_claimed_again(here: World) -> None:
    tasks = here.service.tasks
    await tasks.claim(TASK, "li", "user:li")
    await tasks.release(TASK, "li", "user:li")
    await tasks.claim(TASK, "wang", "user:wang")

    with pytest.raises(TaskNotOpen):
        await tasks.release(TASK, "li", "user:li")

    assert (await step(here)).agent == "wang"


async def test_a_payment_stops_a_released_task(here: World) -> None:
    await here.service.tasks.claim(TASK, "li", "user:li")
    await here.service.tasks.release(TASK, "li", "user:li")

    (result,) = await here.service.intake.take([event("order.paid", "O-1", NOON)], "key:test")

    assert (result.stopped, result.too_late) == ((TASK,), ())
    assert (await step(here)).status == "dropped"
    assert await here.service.store.waiting(here.lane, "phone") == []


async def test_a_task_released_when_it_should_have_overflowed_goes_out_on_the_next_channel(
    here: World,
) -> None:
    await here.service.tasks.claim(TASK, "li", "user:li")
    here.clock.advance_to(NOON + 3 * HOUR)
    assert await here.dispatch() == {}

    await here.service.tasks.release(TASK, "li", "user:li")
    await here.dispatch()

    found = await step(here)
    assert (found.status, found.channel, found.attempt) == ("sent", "sms", 2)
    assert await slots(here) == (NOON + 3 * HOUR,)


async def test_a_released_slot_is_there_for_the_customers_other_reminders(here: World) -> None:
    await here.service.tasks.claim(TASK, "li", "user:li")
    await here.service.tasks.release(TASK, "li", "user:li")
    for order in ("O-2", "O-3"):
        await take(here, order, total="10.00")

    done = await here.dispatch()

    assert done == {"send": 2}


async def test_a_task_released_during_a_pause_waits_for_its_end(here: World) -> None:
    await here.service.tasks.claim(TASK, "li", "user:li")
    await here.service.store.pause("demo", "phone", NOON, "user:test")

    await here.service.tasks.release(TASK, "li", "user:li")
    with pytest.raises(NotNow):
        await here.service.tasks.claim(TASK, "wang", "user:wang")
    await here.service.store.resume("demo", "phone", NOON, "user:test")
    await here.service.tasks.claim(TASK, "wang", "user:wang")

    assert (await step(here)).agent == "wang"


async def test_of_many_claims_at_once_exactly_one_succeeds(here: World) -> None:
    claims = [
        here.service.tasks.claim(TASK, f"agent-{number}", f"user:agent-{number}") for number in range(64)
    ]

    answers = await asyncio.gather(*claims, return_exceptions=True)

    refused = [answer for answer in answers if isinstance(answer, TaskNotOpen | Contended)]
    assert len(refused) == 63
    assert len(await slots(here)) == 1
    assert [record["kind"] for record in await here.audit()].count("task.claimed") == 1


@pytest.mark.parametrize(("minutes", "allowed"), [(29, True), (30, False), (119, False), (120, True)])
async def test_a_claim_outside_the_hours_for_calls_is_refused(
    here: World, minutes: int, allowed: bool
) -> None:
    here.clock.advance_to(NOON + minutes * MINUTE)

    if allowed:
        await here.service.tasks.claim(TASK, "li", "user:li")
    else:
        with pytest.raises(NotNow) as refusal:
            await here.service.tasks.claim(TASK, "li", "user:li")
        assert refusal.value.reason == "phone_window"

    assert (await step(here)).status == ("claimed" if allowed else "open")
    assert len(await slots(here)) == int(allowed)


async def test_a_claim_beyond_the_customers_cap_is_refused(here: World) -> None:
    await take(here, "O-2", total="10.00")
    await take(here, "O-3", total="10.00")
    await here.dispatch()

    with pytest.raises(NotNow) as refusal:
        await here.service.tasks.claim(TASK, "li", "user:li")

    assert refusal.value.reason == "daily_cap"
    assert len(await slots(here)) == 2


async def test_a_claim_counts_against_what_the_customer_gets_afterwards(here: World) -> None:
    await here.service.tasks.claim(TASK, "li", "user:li")
    await take(here, "O-2", total="10.00")
    await take(here, "O-3", total="10.00")

    done = await here.dispatch()

    assert done["send"] == 1
    assert len(await slots(here)) == 2


@pytest.mark.parametrize("end", ["order.paid", "order.cancelled"])
async def test_an_ended_order_stops_its_open_task(here: World, end: str) -> None:
    (result,) = await here.service.intake.take([event(end, "O-1", NOON)], "key:test")

    assert (result.stopped, result.too_late) == ((TASK,), ())
    with pytest.raises(TaskNotOpen):
        await here.service.tasks.claim(TASK, "li", "user:li")
    assert await slots(here) == ()


@pytest.mark.parametrize("end", ["order.paid", "order.cancelled"])
async def test_an_ended_order_withdraws_its_claimed_task(here: World, end: str) -> None:
    await here.service.tasks.claim(TASK, "li", "user:li")

    (result,) = await here.service.intake.take([event(end, "O-1", NOON)], "key:test")

    withdrawn = await last(here)
    assert (result.stopped, result.too_late) == ((), (TASK,))
    assert (await step(here)).status == "withdrawn"
    assert (withdrawn["kind"], withdrawn["reason"]) == ("task.withdrawn", end.removeprefix("order."))
    with pytest.raises(TaskNotOpen):
        await here.service.tasks.complete(TASK, "li", "no_answer", "user:li")


async def test_a_completed_task_is_too_late_and_stays_completed(here: World) -> None:
    await here.service.tasks.claim(TASK, "li", "user:li")
    await here.service.tasks.complete(TASK, "li", "no_answer", "user:li")

    (result,) = await here.service.intake.take([event("order.paid", "O-1", NOON)], "key:test")

    assert result.too_late == (TASK,)
    assert (await step(here)).status == "completed"


async def test_a_task_claimed_while_it_overflows_is_not_sent_too(here: World) -> None:
    due = NOON + 3 * HOUR
    here.clock.advance_to(due)
    lease = await here.service.store.lease("demo", "phone", 10, due)
    assert [item.reminder for item in lease.items] == [TASK]

    await here.service.tasks.claim(TASK, "li", "user:li")

    here.clock.advance_to(lease.lease_end)
    assert await here.dispatch() == {}
    assert (await step(here)).status == "claimed"
    assert here.channels["sms"].handed_over == 0


async def test_a_task_without_another_channel_stays_open_to_the_close(
    redis: StoreClient, audit_directory: Path
) -> None:
    here = await world(redis, audit_directory, policy=CALLS)
    await take(here, "O-1", consent={"sms": False, "chat": False})
    for hours in (0, 3, 23):
        here.clock.advance_to(NOON + hours * HOUR)
        await here.dispatch()
    assert (await step(here)).status == "open"

    here.clock.advance_to(NOON + DAY)
    await here.dispatch()

    dropped = await last(here)
    assert (await step(here)).status == "dropped"
    assert (dropped["kind"], dropped["reason"]) == ("reminder.dropped", "closed")


async def test_the_close_withdraws_a_claimed_task(here: World) -> None:
    await here.service.tasks.claim(TASK, "li", "user:li")
    here.clock.advance_to(NOON + DAY)

    await here.dispatch()

    withdrawn = await last(here)
    assert (await step(here)).status == "withdrawn"
    assert (withdrawn["kind"], withdrawn["reason"]) == ("task.withdrawn", "closed")


@pytest.mark.parametrize("channel", [None, "phone"])
async def test_no_task_is_claimed_during_a_pause(here: World, channel: str | None) -> None:
    await here.service.store.pause("demo", channel, NOON, "user:test")
    with pytest.raises(NotNow) as refusal:
        await here.service.tasks.claim(TASK, "li", "user:li")
    assert refusal.value.reason == "paused"

    await here.service.store.resume("demo", channel, NOON, "user:test")
    await here.service.tasks.claim(TASK, "li", "user:li")

    assert len(await slots(here)) == 1


async def test_a_task_of_an_amended_order_is_claimed_with_the_new_facts(here: World) -> None:
    amended = event("order.unpaid", "O-1", NOON + 1, placed_at=NOON, total="950.00")
    await here.service.intake.take([amended], "key:test")

    claim = await here.service.tasks.claim(TASK, "li", "user:li")

    assert claim.facts.order.total == "950.00"


@pytest.mark.parametrize(
    "task", ["", "O-1", "demo~O-9~1", "demo~O-1~7", "demo~O-1~0", "demo~O-1~-1", "demo~O-1~x"]
)
async def test_a_task_there_is_none_of_is_refused(here: World, task: str) -> None:
    with pytest.raises(UnknownOrder):
        await here.service.tasks.claim(task, "li", "user:li")
    with pytest.raises(UnknownOrder):
        await here.service.tasks.complete(task, "li", "no_answer", "user:li")
    with pytest.raises(UnknownOrder):
        await here.service.tasks.release(task, "li", "user:li")


async def test_a_reminder_that_is_no_task_cannot_be_claimed(here: World) -> None:
    await take(here, "O-2", total="10.00")

    with pytest.raises(TaskNotOpen):
        await here.service.tasks.claim("demo~O-2~1", "li", "user:li")


async def test_a_task_nobody_claimed_goes_out_on_the_next_channel(
    redis: StoreClient, audit_directory: Path
) -> None:
    here = await world(redis, audit_directory, policy=CALLS)
    await take(here, "O-1")
    await here.dispatch()

    here.clock.advance_to(NOON + 3 * HOUR)
    await here.dispatch()

    found = await step(here)
    assert (found.status, found.channel) == ("sent", "sms")


async def test_a_claim_says_what_is_true_when_it_is_made(redis: StoreClient, audit_directory: Path) -> None:
    calls = at_once(
        """
        [shipping]
        cutoff = "13:00"
        [routing]
        channels = ["phone"]
        """
    )
    here = await world(redis, audit_directory, policy=calls)
    stock = {"name": "示例商品", "quantity": 1, "price": "99.00", "availability": "in_stock"}
    await here.service.intake.take([event("order.unpaid", "O-1", NOON, items=[stock])], "key:test")
    await here.dispatch()
    opened = await text_of(here.service.store, "demo", TASK)

    here.clock.advance_to(NOON + HOUR)
    await here.service.tasks.claim(TASK, "li", "user:li")

    claimed = await text_of(here.service.store, "demo", TASK)
    assert "下午1点前付款" in (opened or "")
    assert claimed is not None
    assert "前付款" not in claimed
    assert (await last(here))["details"]["text_sha256"] == sha256(claimed.encode()).hexdigest()
