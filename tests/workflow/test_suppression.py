"""What a policy leaves alone, from the event to the audit: nothing goes out, and the record says why."""

from pathlib import Path
from typing import Any

import pytest

from dispatcher.errors import NotNow
from dispatcher.storage.client import StoreClient
from tests.checkers.promises import per_order, recompute
from tests.worlds import HOUR, NOON, World, at_once, event, world

ONCE = """
[before_close]
lead = "2h"
[caps]
per_order = 1
[routing]
channels = ["sms", "chat"]
high_value = "500.00"
"""


async def take(here: World, *, kind: str = "order.unpaid", total: str = "99.00", **more: Any) -> None:
    now = here.clock.now()
    more = {"closes_at": NOON + 3 * HOUR, "placed_at": NOON} | more
    await here.service.intake.take([event(kind, "O-1", now, total=total, **more)], "key:test")


async def told(here: World) -> list[tuple[str, int, str | None]]:
    """What became of reminders: kind, step and reason."""
    records = await here.audit()
    return [(one["kind"], one["step"], one["reason"]) for one in records if one["step"] is not None]


async def test_two_reminders_of_an_order_that_are_due_at_once_become_one(
    redis: StoreClient, audit_directory: Path
) -> None:
    here = await world(redis, audit_directory, policy=at_once(ONCE))
    await take(here)
    here.clock.advance_to(NOON + 2 * HOUR)

    await here.dispatch()

    records = await here.audit()
    assert sum(stub.handed_over for stub in here.channels.values()) == 1
    assert [one[2] for one in await told(here) if one[0] == "reminder.dropped"] == ["attempts_used_up"]
    assert per_order(records, 1) == recompute(records) == []


async def test_a_task_of_an_order_that_had_its_message_cannot_be_claimed(
    redis: StoreClient, audit_directory: Path
) -> None:
    twice = at_once(ONCE.replace("per_order = 1", "per_order = 2") + "repeat_orders = 9")
    here = await world(redis, audit_directory, policy=twice)
    await take(here)
    await here.dispatch()
    here.clock.advance_to(NOON + HOUR)
    await take(here, kind="order.amended", paid_orders=9)
    await here.dispatch()
    assert ("task.opened", 2, None) in await told(here)
    await here.service.put_policy("demo", at_once(ONCE), "once only", "user:test")

    with pytest.raises(NotNow, match="attempts_used_up"):
        await here.service.tasks.claim("demo~O-1~2", "li", "user:li")

    assert recompute(await here.audit()) == []


async def test_an_amendment_below_the_minimum_is_left_alone_when_it_is_due(
    redis: StoreClient, audit_directory: Path
) -> None:
    rules = '[suppression]\nmin_total = "20.00"\n[routing]\nchannels = ["sms"]'
    here = await world(redis, audit_directory, policy=at_once(rules))
    await take(here)
    await take(here, kind="order.amended", total="19.99")

    await here.dispatch()

    records = await here.audit()
    assert await told(here) == [("reminder.planned", 1, None), ("reminder.dropped", 1, "below_minimum")]
    assert here.channels["sms"].handed_over == 0
    assert recompute(records) == []


async def test_consent_that_was_taken_back_holds_when_the_reminder_is_due(
    redis: StoreClient, audit_directory: Path
) -> None:
    rules = '[suppression]\nconsent_required = ["sms"]\n[routing]\nchannels = ["sms"]'
    here = await world(redis, audit_directory, policy=at_once(rules))
    await take(here, consent={"sms": True})
    await take(here, event_id="again")

    await here.dispatch()

    assert await told(here) == [("reminder.planned", 1, None), ("reminder.dropped", 1, "no_consent")]
    assert recompute(await here.audit()) == []


@pytest.mark.parametrize(
    ("section", "reason"),
    [
        ('[suppression]\nmin_total = "99.01"', "below_minimum"),
        ('[suppression]\nconsent_required = ["sms", "chat"]', "no_consent"),
        ("[caps]\nper_order = 0", "attempts_used_up"),
    ],
)
async def test_what_can_be_known_at_once_is_never_planned(
    redis: StoreClient, audit_directory: Path, section: str, reason: str
) -> None:
    rules = at_once(f'{section}\n[routing]\nchannels = ["sms", "chat"]')
    here = await world(redis, audit_directory, policy=rules)

    await take(here)

    assert await told(here) == [("reminder.dropped", 1, reason)]
    assert recompute(await here.audit()) == []
