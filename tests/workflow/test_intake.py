"""What events do, in whatever order and however often they come."""

from pathlib import Path
from typing import Any

import msgspec
import pytest

from dispatcher.errors import Contended, CustomerDiffers, EventIdReused, InvalidEvent, UnknownOrder
from dispatcher.policy.document import load_toml
from dispatcher.policy.events import Event, decode_event
from dispatcher.policy.zones import iso
from dispatcher.storage.client import StoreClient
from dispatcher.storage.records import StoredOrder
from dispatcher.workflow.intake import Result
from dispatcher.workflow.policies import PolicyBook
from tests.worlds import AT_ONCE, DAY, HOUR, MINUTE, NOON, World, event, world

AN_HOUR_LATER = load_toml(
    """
    timezone = "Asia/Shanghai"
    platform = "own"
    pay_within = "24h"
    [[cadence]]
    placed = ["00:00", "24:00"]
    remind = {after = "1h"}
    [routing]
    channels = ["sms", "chat"]
    """
)


@pytest.fixture
async def here(redis: StoreClient, audit_directory: Path) -> World:
    """A shop that reminds an hour after the order."""
    return await world(redis, audit_directory, policy=AN_HOUR_LATER)


def amended(
    order: str, at: int, event_id: str = "e-amended", customer: str | None = None, **fields: Any
) -> Event:
    """An amendment that gives only some fields of the order."""
    data: dict[str, Any] = {"order": {"id": order, **fields}}
    if customer is not None:
        data["customer"] = {"id": customer}
    return decode_event(
        {
            "specversion": "1.0",
            "id": event_id,
            "source": "/shops/demo",
            "type": "order.amended",
            "time": iso(at),
            "data": data,
        }
    )


def unpaid(order: str = "O-1", at: int = NOON, **more: Any) -> Event:
    return event("order.unpaid", order, at, **more)


def paid(order: str = "O-1", at: int = NOON, **more: Any) -> Event:
    return event("order.paid", order, at, **more)


async def take(here: World, *events: Event | InvalidEvent) -> list[Result]:
    return await here.service.intake.take(events, "key:test")


async def stored(here: World, order: str = "O-1") -> StoredOrder:
    found = await here.service.store.order("demo", order)
    assert found is not None
    return found


async def total(here: World, order: str = "O-1") -> str:
    facts = await here.service.store.facts([("demo", order)])
    return facts["demo", order].order.total


async def kinds(here: World) -> list[str]:
    return [record["kind"] for record in await here.audit()]


def plain(result: Result) -> tuple[object, ...]:
    return result.order, result.reminders, result.stopped, result.too_late


@pytest.mark.parametrize("kind", ["order.unpaid", "order.paid", "order.cancelled"])
async def test_a_repeated_event_repeats_the_first_answer_and_has_no_effect(here: World, kind: str) -> None:
    await take(here, unpaid())
    (first,) = await take(here, event(kind, "O-1", NOON + 1, placed_at=NOON))
    before = await here.audit()

    (second,) = await take(here, event(kind, "O-1", NOON + 1, placed_at=NOON))

    assert (first.status, second.status) == ("accepted", "duplicate")
    assert plain(second) == plain(first)
    assert await here.audit() == before


async def test_a_repeated_payment_names_what_the_first_stopped(here: World) -> None:
    await take(here, unpaid())
    await take(here, paid())

    (again,) = await take(here, paid())

    assert (again.status, again.stopped, again.too_late) == ("duplicate", ("demo~O-1~1",), ())


async def test_an_event_repeated_within_its_batch_has_its_effect_once(here: World) -> None:
    first, second = await take(here, unpaid(), unpaid())

    assert (first.status, second.status) == ("accepted", "duplicate")
    assert plain(second) == plain(first)
    assert (await kinds(here)).count("order.accepted") == 1


async def test_an_event_id_with_other_content_is_rejected(here: World) -> None:
    await take(here, unpaid(event_id="e-1"))

    (reused,) = await take(here, unpaid(event_id="e-1", total="98.00"))

    assert reused.status == "rejected"
    assert isinstance(reused.problem, EventIdReused)
    assert await total(here) == "99.00"


async def test_an_event_id_reused_within_its_batch_is_rejected(here: World) -> None:
    first, reused = await take(here, unpaid(event_id="e-1"), paid(event_id="e-1"))

    assert (first.status, reused.status) == ("accepted", "rejected")
    assert isinstance(reused.problem, EventIdReused)
    assert (await stored(here)).state == "unpaid"


async def test_the_same_event_id_of_two_shops_is_two_events(here: World) -> None:
    one, other = await take(here, unpaid(event_id="e-1"), unpaid(event_id="e-1", shop="other"))

    assert (one.status, other.status) == ("accepted", "accepted")


async def test_an_older_amendment_never_undoes_a_newer_one(here: World) -> None:
    await take(here, unpaid(at=NOON + 2, placed_at=NOON))

    (stale,) = await take(here, amended("O-1", NOON + 1, total="1.00"))

    assert stale.status == "stale"
    assert stale.reminders == ("demo~O-1~1",)
    assert await total(here) == "99.00"


async def test_a_stale_amendment_that_is_repeated_is_a_duplicate(here: World) -> None:
    await take(here, unpaid(at=NOON + 2, placed_at=NOON))
    await take(here, amended("O-1", NOON + 1, total="1.00"))

    (again,) = await take(here, amended("O-1", NOON + 1, total="1.00"))

    assert again.status == "duplicate"


async def test_a_newer_amendment_moves_the_reminder(here: World) -> None:
    await take(here, unpaid())

    (moved,) = await take(here, unpaid(at=NOON + 1, placed_at=NOON + 10 * MINUTE))

    (step,) = (await stored(here)).steps
    assert moved.status == "accepted"
    assert (step.moment, step.due) == (NOON + 70 * MINUTE, NOON + 70 * MINUTE)
    assert await here.service.store.next_turn(here.lane) == NOON + 70 * MINUTE
    assert (await kinds(here))[-2:] == ["order.amended", "reminder.planned"]


async def test_a_second_unpaid_event_is_an_amendment(here: World) -> None:
    await take(here, unpaid())

    await take(here, unpaid(at=NOON + 1, placed_at=NOON, total="120.00"))

    order = await stored(here)
    assert (order.rev, len(order.steps)) == (2, 1)
    assert await total(here) == "120.00"
    assert (await kinds(here))[-1] == "order.amended"


async def test_an_amendment_changes_only_what_it_gives(here: World) -> None:
    await take(here, unpaid())

    (result,) = await take(here, amended("O-1", NOON + 1, buyer_note="请送货上门"))

    facts = (await here.service.store.facts([("demo", "O-1")]))["demo", "O-1"]
    assert result.status == "accepted"
    assert facts.order.buyer_note == "请送货上门"
    assert (facts.order.total, facts.customer.phone) == ("99.00", "+8613800000000")


async def test_an_amendment_while_leased_is_decided_on_anew(here: World) -> None:
    await take(here, unpaid())
    here.clock.advance_to(NOON + HOUR)
    lease = await here.service.store.lease("demo", "sms", 10, NOON + HOUR)
    await take(here, unpaid(at=NOON + 1, placed_at=NOON + 10 * MINUTE))

    swept = await here.service.store.sweep(here.lane, [lease.items[0].reminder], lease.lease_end)

    assert swept == ["gone"]
    assert (await stored(here)).steps[0].due == NOON + 70 * MINUTE
    here.clock.advance_to(NOON + 70 * MINUTE)
    assert await here.dispatch() == {"send": 1}


async def test_an_amendment_of_what_was_sent_sends_nothing_again(here: World) -> None:
    await take(here, unpaid())
    here.clock.advance_to(NOON + HOUR)
    await here.dispatch()

    await take(here, unpaid(at=NOON + 1, placed_at=NOON + 30 * MINUTE))

    here.clock.advance_to(NOON + 5 * HOUR)
    assert await here.dispatch() == {}
    assert here.channels["sms"].handed_over == 1


async def test_a_payment_before_the_order_is_known_is_final(here: World) -> None:
    (first,) = await take(here, paid(at=NOON + 5))

    (late,) = await take(here, unpaid())

    assert (first.status, first.stopped, late.status, late.reminders) == ("accepted", (), "accepted", ())
    assert (await stored(here)).state == "paid"
    here.clock.advance_to(NOON + 2 * HOUR)
    assert await here.dispatch() == {}


async def test_a_payment_that_is_older_than_the_newest_amendment_is_final_too(here: World) -> None:
    await take(here, unpaid(at=NOON + 5, placed_at=NOON))

    (result,) = await take(here, paid(at=NOON + 1))

    assert result.stopped == ("demo~O-1~1",)
    assert (await stored(here)).state == "paid"


@pytest.mark.parametrize(
    ("first", "second"), [("order.paid", "order.cancelled"), ("order.cancelled", "order.paid")]
)
async def test_the_first_end_of_an_order_stays(here: World, first: str, second: str) -> None:
    await take(here, unpaid())
    await take(here, event(first, "O-1", NOON + 1))

    (result,) = await take(here, event(second, "O-1", NOON + 2))

    assert (result.status, result.stopped, result.too_late) == ("accepted", (), ())
    assert (await stored(here)).state == first.removeprefix("order.")


async def test_a_second_payment_under_another_id_changes_nothing(here: World) -> None:
    await take(here, unpaid())
    await take(here, paid())
    before = await stored(here)

    (result,) = await take(here, paid(event_id="another"))

    after, (*_, newest) = await stored(here), await here.audit()
    assert (result.status, result.stopped) == ("accepted", ())
    assert after.records == [*before.records, newest["seq"]]
    assert msgspec.structs.replace(after, records=before.records) == before


async def test_an_amendment_of_a_paid_order_is_stale(here: World) -> None:
    await take(here, unpaid(), paid())

    (result,) = await take(here, amended("O-1", NOON + 9, total="1.00"))

    assert result.status == "stale"
    assert await total(here) == "99.00"


async def test_a_payment_after_the_close_counts(here: World) -> None:
    await take(here, unpaid(closes_at=NOON + MINUTE))
    here.clock.advance_to(NOON + MINUTE)
    await here.dispatch()
    closed = (await stored(here)).state

    await take(here, paid(at=NOON + 2 * MINUTE))

    assert closed == "closed"
    assert (await stored(here)).state == "paid"


async def test_a_partial_amendment_of_an_unknown_order_is_rejected(here: World) -> None:
    (result,) = await take(here, amended("O-9", NOON, total="1.00"))

    assert result.status == "rejected"
    assert isinstance(result.problem, UnknownOrder)
    assert result.problem.code == "unknown-order"
    assert await here.service.store.order("demo", "O-9") is None


async def test_a_complete_amendment_makes_an_order(here: World) -> None:
    (result,) = await take(here, event("order.amended", "O-1", NOON))

    assert (result.status, result.reminders) == ("accepted", ("demo~O-1~1",))
    assert "order.accepted" in await kinds(here)


@pytest.mark.parametrize("kind", ["order.unpaid", "order.amended"])
async def test_an_order_never_changes_hands(here: World, kind: str) -> None:
    await take(here, unpaid())

    (result,) = await take(here, event(kind, "O-1", NOON + 1, placed_at=NOON, customer="C-2"))

    assert result.status == "rejected"
    assert isinstance(result.problem, CustomerDiffers)
    assert (await stored(here)).customer == "C-1"


async def test_a_partial_amendment_that_names_another_customer_is_rejected(here: World) -> None:
    await take(here, unpaid())

    (result,) = await take(here, amended("O-1", NOON + 1, customer="C-2", total="1.00"))

    assert isinstance(result.problem, CustomerDiffers)
    assert await total(here) == "99.00"


async def test_a_rejected_event_may_be_repeated_once_it_is_right(here: World) -> None:
    amendment = amended("O-1", NOON + 1, total="1.00")
    (early,) = await take(here, amendment)
    await take(here, unpaid())

    (late,) = await take(here, amendment)

    assert (early.status, late.status) == ("rejected", "accepted")
    assert await total(here) == "1.00"


async def test_bad_events_of_a_batch_are_answered_and_good_ones_taken(here: World) -> None:
    bad = InvalidEvent("the event is not right", event_id="e-bad")

    results = await take(here, bad, unpaid("O-1"), amended("O-9", NOON, total="1.00"), unpaid("O-2"))

    assert [result.status for result in results] == ["rejected", "accepted", "rejected", "accepted"]
    assert results[0].id == "e-bad"
    assert results[0].problem is bad


async def test_a_batch_may_tell_an_orders_whole_story(here: World) -> None:
    results = await take(
        here,
        unpaid(),
        amended("O-1", NOON + 1, total="120.00"),
        paid(at=NOON + 2),
        paid("O-2"),
        unpaid("O-2"),
    )

    assert [result.status for result in results] == ["accepted"] * 5
    assert results[2].stopped == ("demo~O-1~1",)
    assert await total(here) == "120.00"
    assert [(await stored(here, order)).state for order in ("O-1", "O-2")] == ["paid", "paid"]
    assert results[4].reminders == ()


async def test_amendments_of_one_batch_build_on_each_other(here: World) -> None:
    await take(
        here,
        unpaid(),
        amended("O-1", NOON + 1, "e-1", total="120.00"),
        amended("O-1", NOON + 2, "e-2", buyer_note="快一点"),
    )

    facts = (await here.service.store.facts([("demo", "O-1")]))["demo", "O-1"]
    assert (facts.order.total, facts.order.buyer_note) == ("120.00", "快一点")


async def test_an_empty_batch_does_nothing(here: World) -> None:
    before = await here.audit()

    assert await take(here) == []
    assert await here.audit() == before


async def test_events_of_several_shops_and_lanes_are_answered_in_order(here: World) -> None:
    shops = [f"shop-{number}" for number in range(12)]

    results = await take(here, *(unpaid(shop=shop) for shop in shops), *(paid(shop=shop) for shop in shops))

    store = here.service.store
    assert len({store.lane_of(shop) for shop in shops}) > 1
    assert [result.reminders[0] for result in results[:12]] == [f"{shop}~O-1~1" for shop in shops]
    assert [result.stopped for result in results[12:]] == [result.reminders for result in results[:12]]


async def test_a_policy_that_changed_unseen_is_read_before_the_event_is_taken(
    here: World, redis: StoreClient, audit_directory: Path
) -> None:
    await take(here, unpaid("O-1"))
    elsewhere = await world(redis, audit_directory, policy=AT_ONCE)
    assert elsewhere.service.store.lanes == here.service.store.lanes

    (result,) = await take(here, unpaid("O-2"))

    assert result.status == "accepted"
    assert (await stored(here, "O-2")).steps[0].moment == NOON
    planned = [record for record in await here.audit() if record["kind"] == "reminder.planned"]
    assert [record["policy"] for record in planned] == [1, 2]


async def test_an_event_is_rejected_when_the_policy_never_stops_changing(
    here: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    read = PolicyBook.in_force

    async def read_then_change(book: PolicyBook, shop: str, *, anew: bool = False) -> Any:
        force = await read(book, shop, anew=anew)
        await here.service.store.pause("demo", "chat", NOON, "user:test")
        await here.service.store.resume("demo", "chat", NOON, "user:test")
        return force

    monkeypatch.setattr(PolicyBook, "in_force", read_then_change)

    result, end = await take(here, unpaid("O-1"), paid("O-2"))

    assert (result.status, end.status) == ("rejected", "accepted")
    assert isinstance(result.problem, Contended)
    assert "safe" in str(result.problem)
    assert await here.service.store.order("demo", "O-1") is None


async def test_an_event_is_remembered_for_72_hours_and_forgotten_later(
    here: World, redis: StoreClient
) -> None:
    await take(here, paid())
    statuses = []

    for hours in (24, 48, 72, 96):
        here.clock.advance_to(NOON + hours * HOUR)
        await here.dispatch()
        statuses += [result.status for result in await take(here, paid())]
    here.clock.advance_to(NOON + 6 * DAY)
    await here.dispatch()

    assert statuses == ["duplicate"] * 4
    assert await redis.keys("*seen*") == []


async def test_an_event_that_was_forgotten_is_still_harmless(here: World) -> None:
    await take(here, unpaid(), paid())
    here.clock.advance_to(NOON + 6 * DAY)
    await here.dispatch()
    before = await stored(here)

    results = await take(here, unpaid(), paid())

    after, (*_, newest) = await stored(here), await here.audit()
    assert [result.stopped for result in results] == [(), ()]
    assert after.records == [*before.records, newest["seq"]]
    assert msgspec.structs.replace(after, records=before.records) == before


async def test_the_record_of_an_event_names_it_and_what_it_stopped(here: World) -> None:
    await take(here, unpaid(event_id="e-1"), paid(event_id='e-"2"'))

    records = {record["kind"]: record for record in await here.audit()}

    assert records["order.accepted"]["details"]["event"] == "e-1"
    assert records["order.accepted"]["actor"] == "key:test"
    assert records["order.paid"]["details"] == {
        "event": 'e-"2"',
        "time": iso(NOON),
        "stopped": ["demo~O-1~1"],
        "too_late": [],
    }


async def test_a_repeat_is_a_duplicate_though_the_policy_would_refuse_it_now(
    redis: StoreClient, audit_directory: Path
) -> None:
    here = await world(redis, audit_directory)
    first = event("order.unpaid", "O-1", NOON)
    await here.service.intake.take([first], "key:test")
    strict = msgspec.structs.replace(AT_ONCE, pay_within=None)
    await here.service.put_policy("demo", strict, "no deadline", "user:test")

    other = await world(redis, audit_directory, policy=strict)
    repeated, fresh = await other.service.intake.take([first, event("order.unpaid", "O-2", NOON)], "key:test")

    assert (repeated.status, repeated.reminders) == ("duplicate", ("demo~O-1~1",))
    assert fresh.status == "rejected"


async def test_an_event_is_known_to_a_process_whose_clock_is_a_day_behind(
    redis: StoreClient, audit_directory: Path
) -> None:
    midnight = NOON - NOON % DAY + DAY
    ahead = await world(redis, audit_directory, start=midnight + 50)
    behind = await world(redis, audit_directory, start=midnight - 50)
    paid = event("order.paid", "O-1", NOON)

    await ahead.service.intake.take([paid], "key:test")
    (again,) = await behind.service.intake.take([paid], "key:test")

    assert again.status == "duplicate"


async def test_source_and_id_of_events_do_not_run_into_each_other(
    redis: StoreClient, audit_directory: Path
) -> None:
    here = await world(redis, audit_directory)
    one = msgspec.structs.replace(event("order.paid", "O-1", NOON), source="/demo", id="b/demo c")
    other = msgspec.structs.replace(event("order.paid", "O-2", NOON), source="/demo b/demo", id="c")

    results = await here.service.intake.take([one, other], "key:test")

    assert [result.status for result in results] == ["accepted", "accepted"]
