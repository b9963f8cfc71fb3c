"""What a customer said or did holds for all orders, from its acknowledgement on."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import msgspec
import pytest
import redis as blocking

from dispatcher.errors import EventIdReused, NotNow
from dispatcher.policy.events import Event
from dispatcher.policy.facts import CHANNELS
from dispatcher.policy.reminders import Status
from dispatcher.policy.zones import iso
from dispatcher.storage.client import StoreClient
from dispatcher.storage.customers import STRANGER, StoredCustomer
from dispatcher.workflow.intake import Result
from tests.checkers.dump import dump
from tests.checkers.promises import CheckerRules, check_all
from tests.checkers.recompute import recompute
from tests.checkers.replay import replay
from tests.checkers.state import diff
from tests.checkers.structure import structure
from tests.storage.scenes import send
from tests.worlds import DAY, HOUR, MINUTE, NOON, World, at_once, event, saying, world

POLICY = at_once(
    """
    [routing]
    channels = ["sms", "chat"]
    high_value = "500.00"
    [suppression]
    quiet_after_reply = "24h"
    paid_other_order = true
    """
)


@pytest.fixture
async def here(redis: StoreClient, audit_directory: Path) -> World:
    """A shop whose every order is due at once."""
    return await world(redis, audit_directory, policy=POLICY)


async def take(here: World, *events: Event) -> list[Result]:
    return await here.service.intake.take(events, "key:test")


async def kept(here: World, customer: str = "C-1") -> StoredCustomer:
    return await here.service.store.customer("demo", customer)


async def ended(here: World, order: str = "O-1") -> tuple[str, str | None]:
    """How an order's first reminder stands, and why, as the newest record about it says."""
    records = [one for one in await here.audit() if one["reminder"] == f"demo~{order}~1"]
    found = await here.service.store.order("demo", order)
    assert found is not None
    return str(found.steps[0].status), records[-1]["reason"]


@pytest.mark.parametrize("kind", ["opted_out", "replied"])
async def test_what_a_customer_said_is_taken_once_and_answered_without_reminders(
    here: World, kind: str
) -> None:
    first = await take(here, saying(kind, event_id="e-1"))
    again = await take(here, saying(kind, event_id="e-1"))
    other = await take(here, saying(kind, customer="C-2", event_id="e-1"))

    records = [one for one in await here.audit() if one["kind"] == f"customer.{kind}"]
    assert [one.status for one in first + again] == ["accepted", "duplicate"]
    assert [(one.order, one.reminders, one.stopped, one.too_late) for one in first + again] == [
        (None, (), (), ())
    ] * 2
    assert (other[0].status, type(other[0].problem)) == ("rejected", EventIdReused)
    assert [(one["customer"], one["channel"], one["order"], one["actor"]) for one in records] == [
        ("C-1", None, None, "key:test")
    ]
    assert records[0]["details"] == {"event": "e-1", "time": iso(NOON)}


async def test_an_opt_out_is_recorded_with_its_channel(here: World) -> None:
    await take(here, saying("opted_out", channel="sms"))

    record = (await here.audit())[-1]

    assert (record["kind"], record["channel"]) == ("customer.opted_out", "sms")


@pytest.mark.parametrize(
    ("channels", "expected"),
    [
        (("sms",), ("sms",)),
        (("sms", "chat"), ("chat", "sms")),
        (("sms", "sms"), ("sms",)),
        ((None,), CHANNELS),
        ((None, "sms"), CHANNELS),
        (("sms", None), CHANNELS),
    ],
)
async def test_a_later_opt_out_never_undoes_an_earlier_one(
    here: World, channels: tuple[str | None, ...], expected: tuple[str, ...]
) -> None:
    for number, channel in enumerate(channels):
        await take(here, saying("opted_out", NOON - number, channel=channel))

    found = await kept(here)

    assert found.standing.opted_out == expected
    assert set(found.opted_out.values()) == {NOON}


@pytest.mark.parametrize(
    ("times", "expected"),
    [
        ((NOON - HOUR,), NOON - HOUR),
        ((NOON + HOUR,), NOON),
        ((NOON - HOUR, NOON - MINUTE), NOON - MINUTE),
        ((NOON - MINUTE, NOON - HOUR), NOON - MINUTE),
    ],
)
async def test_of_replies_the_latest_counts_and_none_from_the_future(
    here: World, times: tuple[int, ...], expected: int
) -> None:
    for at in times:
        await take(here, saying("replied", at))

    found = await kept(here)

    assert found.replied == expected


@pytest.mark.parametrize(
    ("times", "expected"),
    [
        ((NOON - DAY,), NOON - DAY),
        ((NOON + HOUR,), NOON),
        ((NOON - HOUR, NOON - DAY), NOON - HOUR),
        ((NOON - DAY, NOON - HOUR), NOON - HOUR),
    ],
)
@pytest.mark.parametrize("known", [True, False], ids=["known", "not yet known"])
async def test_a_payment_counts_from_when_it_was_made_and_never_from_the_future(
    here: World, known: bool, times: tuple[int, ...], expected: int
) -> None:
    orders = [event("order.unpaid", f"P-{number}", NOON) for number, _ in enumerate(times)]
    payments = [event("order.paid", f"P-{number}", at) for number, at in enumerate(times)]

    await take(here, *(orders + payments if known else payments + orders))

    assert (await kept(here)).paid == expected


@pytest.mark.parametrize(
    ("events", "expected"),
    [
        ([], ("sent", None)),
        ([saying("opted_out")], ("dropped", "opted_out")),
        ([saying("opted_out", channel="sms"), saying("opted_out", channel="chat")], ("dropped", "opted_out")),
        ([saying("opted_out", channel="sms")], ("sent", None)),
        ([saying("opted_out", customer="C-2")], ("sent", None)),
        ([saying("opted_out", shop="other")], ("sent", None)),
        ([saying("replied")], ("dropped", "replied")),
        ([saying("replied", NOON - DAY)], ("sent", None)),
        (
            [event("order.unpaid", "P-1", NOON), event("order.paid", "P-1", NOON)],
            ("dropped", "paid_other_order"),
        ),
        (
            [event("order.paid", "P-1", NOON), event("order.unpaid", "P-1", NOON)],
            ("dropped", "paid_other_order"),
        ),
        (
            [event("order.unpaid", "P-1", NOON), event("order.paid", "P-1", NOON - 2 * DAY)],
            ("sent", None),
        ),
        (
            [event("order.paid", "P-1", NOON - 2 * DAY), event("order.unpaid", "P-1", NOON)],
            ("sent", None),
        ),
        (
            [event("order.unpaid", "P-1", NOON, customer="C-2"), event("order.paid", "P-1", NOON)],
            ("sent", None),
        ),
        ([event("order.unpaid", "P-1", NOON), event("order.cancelled", "P-1", NOON)], ("sent", None)),
    ],
)
async def test_what_was_said_before_an_order_came_counts_for_it(
    here: World, events: list[Event], expected: tuple[str, str | None]
) -> None:
    await take(here, *events)
    await take(here, event("order.unpaid", "O-1", NOON))

    await here.dispatch()

    assert await ended(here) == expected


@pytest.mark.parametrize(("channel", "taken"), [("sms", "chat"), ("chat", "sms"), (None, None)])
async def test_a_reminder_goes_by_a_channel_that_is_wanted(
    here: World, channel: str | None, taken: str | None
) -> None:
    await take(here, event("order.unpaid", "O-1", NOON), saying("opted_out", channel=channel))

    await here.dispatch()

    sent = [one["channel"] for one in await here.audit() if one["kind"] == "reminder.sent"]
    assert sent == ([taken] if taken else [])


SAYINGS = [
    ([saying("opted_out", channel="sms")], "sms"),
    ([saying("opted_out")], None),
    ([saying("replied")], None),
    ([event("order.paid", "P-1", NOON)], None),
]


@pytest.mark.parametrize(("events", "unwanted"), SAYINGS, ids=["channel", "all", "reply", "payment"])
async def test_an_opt_out_between_lease_and_commit_holds(
    here: World, events: list[Event], unwanted: str | None
) -> None:
    await take(here, event("order.unpaid", "P-1", NOON, closes_at=NOON + HOUR))
    await here.dispatch()
    await take(here, event("order.unpaid", "O-1", NOON))
    store = here.service.store
    lease = await store.lease("demo", "sms", 10, NOON)
    await take(here, *events)

    answers = await store.commit(here.lane, [send(lease, item) for item in lease.items], NOON)

    await here.dispatch()
    sent = [
        one["channel"]
        for one in await here.audit()
        if one["kind"] == "reminder.sent" and one["order"] == "O-1"
    ]
    assert answers == ["changed"]
    assert sent == (["chat"] if unwanted else [])


async def test_an_opt_out_after_the_commit_comes_too_late_for_that_hand_off_alone(here: World) -> None:
    await take(here, event("order.unpaid", "O-1", NOON), event("order.unpaid", "O-2", NOON))
    store = here.service.store
    lease = await store.lease("demo", "sms", 10, NOON)
    first, second = (send(lease, item) for item in lease.items)
    before = await store.commit(here.lane, [first], NOON)
    await take(here, saying("opted_out"))

    after = await store.commit(here.lane, [first, second], NOON)

    assert (before, after) == (["committed"], ["committed", "changed"])


async def test_what_another_customer_says_changes_no_commit(here: World) -> None:
    await take(here, event("order.unpaid", "O-1", NOON))
    lease = await here.service.store.lease("demo", "sms", 10, NOON)
    await take(here, saying("opted_out", customer="C-2"))

    answers = await here.service.store.commit(here.lane, [send(lease, lease.items[0])], NOON)

    assert answers == ["committed"]


@pytest.mark.parametrize(
    ("one", "reason"),
    [
        (saying("opted_out", channel="phone"), "opted_out"),
        (saying("opted_out"), "opted_out"),
        (saying("replied"), "replied"),
        (event("order.paid", "P-1", NOON), "paid_other_order"),
    ],
)
async def test_a_call_that_is_not_wanted_any_more_cannot_be_claimed(
    here: World, one: Event, reason: str
) -> None:
    await take(here, event("order.unpaid", "O-1", NOON, total="900.00"), event("order.unpaid", "P-1", NOON))
    await here.dispatch()
    await take(here, one)

    with pytest.raises(NotNow, match=reason):
        await here.service.tasks.claim("demo~O-1~1", "li", "user:li")


async def test_a_claim_is_decided_again_when_the_customer_opts_out_meanwhile(
    here: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    await take(here, event("order.unpaid", "O-1", NOON, total="900.00"))
    await here.dispatch()
    store = here.service.store
    commit, tries = store.commit, []

    async def late(*arguments: Any) -> list[str]:
        if not tries:
            await take(here, saying("opted_out", channel="phone"))
        tries.append(await commit(*arguments))
        return tries[-1]

    monkeypatch.setattr(store, "commit", late)

    with pytest.raises(NotNow, match="opted_out"):
        await here.service.tasks.claim("demo~O-1~1", "li", "user:li")

    assert tries == [["changed"]]


async def test_replies_and_payments_are_forgotten_after_eight_days_and_opt_outs_are_not(here: World) -> None:
    await take(here, event("order.unpaid", "O-1", NOON, customer="C-2"), event("order.paid", "O-1", NOON))
    await take(here, saying("replied"), saying("opted_out", channel="sms"), saying("replied", customer="C-3"))
    here.clock.advance_to(NOON + 8 * DAY - 1)
    await here.dispatch()
    before = [await kept(here, customer) for customer in ("C-1", "C-2", "C-3")]
    here.clock.advance_to(NOON + 8 * DAY)

    await here.dispatch()

    after = [await kept(here, customer) for customer in ("C-1", "C-2", "C-3")]
    forgotten = [one["customer"] for one in await here.audit() if one["kind"] == "customer.forgotten"]
    assert [(one.replied, one.paid) for one in before] == [(NOON, None), (None, NOON), (NOON, None)]
    assert after[0].opted_out == {"sms": NOON}
    assert (after[0].replied, after[1:]) == (None, [STRANGER, STRANGER])
    assert sorted(forgotten) == ["C-1", "C-2", "C-3"]


async def test_a_later_reply_keeps_what_was_said_longer(here: World) -> None:
    await take(here, saying("replied"))
    here.clock.advance_to(NOON + DAY)
    await take(here, saying("replied", NOON + DAY))
    here.clock.advance_to(NOON + 8 * DAY)

    await here.dispatch()

    assert (await kept(here)).replied == NOON + DAY


async def test_an_order_of_a_stranger_leaves_nothing_about_the_customer(
    here: World, redis: StoreClient
) -> None:
    stored = here.service.store.keys(here.lane).customer("demo", "C-1")
    await take(here, event("order.unpaid", "O-1", NOON))

    await here.dispatch()

    after_order = await redis.exists(stored)
    await take(here, saying("replied"))
    assert (after_order, await redis.exists(stored)) == (0, 1)


async def test_a_payment_is_taken_though_its_customer_cannot_be_read(here: World, redis: StoreClient) -> None:
    await take(here, event("order.unpaid", "O-1", NOON))
    await redis.set(here.service.store.keys(here.lane).customer("demo", "C-1"), b"\xc1")

    found = await take(here, event("order.paid", "O-1", NOON), saying("opted_out"))

    assert [one.status for one in found] == ["accepted", "rejected"]
    assert found[0].stopped == ("demo~O-1~1",)


@pytest.mark.parametrize(
    ("stored", "left"),
    [
        ({"rev": 1, "opted_out": {"sms": "x"}}, Status.FAILED),
        ({"rev": 1, "replied": "x"}, Status.PLANNED),
        ({"rev": 1, "opted_out": 1}, Status.PLANNED),
    ],
    ids=["instant", "reply", "channels"],
)
async def test_a_customer_who_cannot_be_read_stops_no_other(
    here: World, redis: StoreClient, stored: dict[str, object], left: Status
) -> None:
    await take(here, event("order.unpaid", "O-1", NOON), event("order.unpaid", "O-2", NOON, customer="C-2"))
    key = here.service.store.keys(here.lane).customer("demo", "C-1")
    await redis.set(key, msgspec.msgpack.encode(stored))

    await here.dispatch()

    sent = [one["order"] for one in await here.audit() if one["kind"] == "reminder.sent"]
    assert sent == ["O-2"]
    assert (await ended(here))[0] == left


@pytest.mark.parametrize(
    "stored", [{"rev": 1, "replied": "x"}, {"rev": 1, "paid": []}, {"rev": 1, "opted_out": 1}]
)
async def test_what_is_said_by_a_customer_who_cannot_be_read_changes_nothing(
    here: World, redis: StoreClient, stored: dict[str, object]
) -> None:
    key = here.service.store.keys(here.lane).customer("demo", "C-1")
    await redis.set(key, msgspec.msgpack.encode(stored))
    before = await here.audit()

    found = await take(here, saying("replied"), saying("opted_out"))

    assert [one.status for one in found] == ["rejected"] * 2
    assert await redis.get(key) == msgspec.msgpack.encode(stored)
    assert await here.audit() == before


async def test_the_audit_tells_all_that_is_kept_of_customers(here: World, reader: blocking.Redis) -> None:
    lanes = here.service.store.lanes
    await take(here, event("order.unpaid", "O-1", NOON), event("order.unpaid", "O-2", NOON, customer="C-2"))
    await take(here, saying("opted_out", channel="sms"), saying("replied", NOON - HOUR), saying("opted_out"))
    await take(here, event("order.paid", "O-2", NOON - HOUR), event("order.paid", "O-3", NOON - 2 * HOUR))
    await take(here, event("order.paid", "O-3", NOON), event("order.unpaid", "O-5", NOON, customer="C-5"))
    await take(here, event("order.paid", "O-5", NOON + HOUR), event("order.cancelled", "O-6", NOON))
    await take(here, event("order.unpaid", "O-6", NOON, customer="C-5"))
    await take(here, event("order.unpaid", "O-3", NOON, customer="C-3"), saying("replied", customer="C-4"))
    await here.dispatch()
    during = diff(replay(await here.audit()), dump(reader, lanes)) + structure(reader, lanes)
    here.clock.advance_to(NOON + 9 * DAY)

    await here.dispatch()

    assert during == []
    assert diff(replay(await here.audit()), dump(reader, lanes)) == []
    assert structure(reader, lanes) == []


Record = dict[str, Any]


async def decided(here: World) -> list[Record]:
    """An audit with every answer of the rules: C-1 said nothing, each other customer did one thing."""
    for number in range(1, 6):
        await take(here, event("order.unpaid", f"O-{number}", NOON, customer=f"C-{number}"))
    await take(here, event("order.unpaid", "P-1", NOON, customer="C-2"), event("order.paid", "P-1", NOON))
    await take(here, saying("replied", NOON - HOUR, customer="C-3"), saying("opted_out", customer="C-4"))
    await take(here, saying("opted_out", channel="sms", customer="C-5"))
    await here.dispatch()
    return await here.audit()


def decision(records: list[Record], order: str, rule: str) -> Record:
    """The inputs of a rule in the newest decision about an order."""
    last = [one for one in records if one["order"] == order and "decision" in one["details"]][-1]
    (found,) = (one for one in last["details"]["decision"]["rules"] if one["rule"] == rule)
    inputs: Record = found["inputs"]
    return inputs


def of_kind(records: list[Record], kind: str, customer: str) -> Record:
    (found,) = (one for one in records if (one["kind"], one["customer"]) == (kind, customer))
    return found


async def test_what_is_decided_of_customers_follows_from_the_audit(here: World) -> None:
    records = await decided(here)

    reasons = {one["order"]: one["reason"] for one in records if one["kind"] == "reminder.dropped"}
    sent = {one["order"]: one["channel"] for one in records if one["kind"] == "reminder.sent"}
    assert check_all(records, CheckerRules(zone="Asia/Shanghai")) == []
    assert reasons == {"P-1": "paid", "O-2": "paid_other_order", "O-3": "replied", "O-4": "opted_out"}
    assert sent == {"O-1": "sms", "O-5": "chat"}


ALTERED: dict[str, tuple[Callable[[list[Record]], object], str]] = {
    "a reply as recorded": (
        lambda r: decision(r, "O-3", "replied").update(replied_at=None),
        "demo~O-3~1: rule replied",
    ),
    "a reply that was not": (
        lambda r: decision(r, "O-1", "replied").update(replied_at=iso(NOON - HOUR)),
        "demo~O-1~1: rule replied",
    ),
    "a reply as told": (
        lambda r: of_kind(r, "customer.replied", "C-3")["details"].update(time=iso(NOON - DAY)),
        "demo~O-3~1: reason is replied, recomputed no_address",
    ),
    "a payment as recorded": (
        lambda r: decision(r, "O-2", "paid_other_order").update(paid_other_at=None),
        "demo~O-2~1: rule paid_other_order",
    ),
    "a payment that was not": (
        lambda r: decision(r, "O-1", "paid_other_order").update(paid_other_at=iso(NOON)),
        "demo~O-1~1: rule paid_other_order",
    ),
    "a payment as told": (
        lambda r: of_kind(r, "order.paid", "C-2").update(kind="order.cancelled"),
        "demo~O-2~1: reason is paid_other_order, recomputed no_address",
    ),
    "a channel not wanted as recorded": (
        lambda r: decision(r, "O-5", "routing").pop("opted_out"),
        "demo~O-5~1: rule routing",
    ),
    "a channel that was wanted": (
        lambda r: decision(r, "O-1", "routing").update(opted_out=["sms"]),
        "demo~O-1~1: rule routing",
    ),
    "an opt-out as told": (
        lambda r: of_kind(r, "customer.opted_out", "C-4").update(channel="phone"),
        "demo~O-4~1: reason is opted_out, recomputed None",
    ),
    "the time a reply counts": (
        lambda r: r[0]["details"]["policy"]["suppression"].update(quiet_after_reply="1h"),
        "demo~O-3~1: reason is replied, recomputed no_address",
    ),
    "whether payments count": (
        lambda r: r[0]["details"]["policy"]["suppression"].update(paid_other_order=False),
        "demo~O-2~1: reason is paid_other_order, recomputed no_address",
    ),
}


@pytest.mark.parametrize(("alter", "tells"), ALTERED.values(), ids=ALTERED.keys())
async def test_an_altered_input_makes_another_decision(
    here: World, alter: Callable[[list[Record]], object], tells: str
) -> None:
    records = await decided(here)
    alter(records)

    violations = recompute(records)

    assert any(tells in violation for violation in violations), violations
