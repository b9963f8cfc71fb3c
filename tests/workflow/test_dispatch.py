"""From an accepted event to a settled hand-off."""

from pathlib import Path

from redis.asyncio import Redis

from dispatcher.channels.base import Message
from dispatcher.channels.stub import Behaviour
from tests.worlds import HOUR, MINUTE, NOON, event, world


async def test_a_due_reminder_is_handed_over_once_and_audited(redis: Redis, audit_directory: Path) -> None:
    here = await world(redis, audit_directory)
    (taken,) = await here.service.intake.take([event("order.unpaid", "O-1", NOON)], "key:test")

    done = await here.dispatch()
    again = await here.dispatch()

    assert taken.reminders == ("demo~O-1~1",)
    assert done == {"send": 1}
    assert again == {}
    assert here.channels["sms"].handed_over == 1
    kinds = [record["kind"] for record in await here.audit()]
    assert kinds == [
        "policy.changed",
        "order.accepted",
        "reminder.planned",
        "reminder.sending",
        "reminder.sent",
    ]


async def test_a_payment_stops_what_waits_and_names_what_went(redis: Redis, audit_directory: Path) -> None:
    here = await world(redis, audit_directory)
    await here.service.intake.take(
        [event("order.unpaid", "O-1", NOON), event("order.unpaid", "O-2", NOON, customer="C-2")], "key:test"
    )
    (stopped,) = await here.service.intake.take([event("order.paid", "O-1", NOON)], "key:test")
    await here.dispatch()

    (late,) = await here.service.intake.take([event("order.paid", "O-2", NOON)], "key:test")

    assert stopped.stopped == ("demo~O-1~1",)
    assert stopped.too_late == ()
    assert late.too_late == ("demo~O-2~1",)
    assert here.channels["sms"].handed_over == 1


async def test_a_refusal_returns_the_slot_and_tries_again_later(redis: Redis, audit_directory: Path) -> None:
    answers = [Behaviour.REFUSE, Behaviour.ACCEPT]

    def behaviour(message: Message) -> Behaviour:
        return answers.pop(0)

    here = await world(redis, audit_directory, behaviour=behaviour)
    await here.service.intake.take([event("order.unpaid", "O-1", NOON)], "key:test")
    await here.dispatch()
    ledger_between = await here.service.store.ledger("demo", "C-1")

    here.clock.advance_to(NOON + 5 * MINUTE)
    await here.dispatch()

    assert ledger_between == ()
    order = await here.service.store.order("demo", "O-1")
    assert order is not None
    assert order.steps[0].status == "sent"
    assert order.steps[0].attempt == 2


async def test_an_unpaid_order_closes_at_its_time(redis: Redis, audit_directory: Path) -> None:
    here = await world(redis, audit_directory)
    await here.service.intake.take([event("order.unpaid", "O-1", NOON)], "key:test")
    await here.dispatch()

    here.clock.advance_to(NOON + 24 * HOUR)
    await here.dispatch()

    order = await here.service.store.order("demo", "O-1")
    assert order is not None
    assert order.state == "closed"
