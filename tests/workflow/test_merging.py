"""Several unpaid orders of one customer: one message carries them, and nothing is said or lost twice."""

from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import msgspec
import pytest
import redis as sync_redis

from dispatcher.channels.base import Message
from dispatcher.channels.stub import Behaviour
from dispatcher.errors import NotWaiting
from dispatcher.policy.events import Event
from dispatcher.storage.client import StoreClient
from dispatcher.storage.embedded import EmbeddedStore
from dispatcher.storage.records import StoredStep
from dispatcher.workflow.intake import Result
from dispatcher.workflow.recomputing import Recomputer, recompute
from dispatcher.workflow.recorded import Record
from tests.checkers.dump import dump
from tests.checkers.promises import CheckerRules, check_all
from tests.checkers.replay import replay
from tests.checkers.state import diff
from tests.checkers.structure import structure
from tests.workflow.test_people import reminded
from tests.worlds import HOUR, MINUTE, NOON, World, at_once, event, world

BY_TEXT = """
[routing]
channels = ["sms", "chat"]
[caps]
per_day = {per_day}
min_gap = "1h"
"""
MERGE = at_once(BY_TEXT.format(per_day=2) + '[merge]\nwithin = "30m"\n')
APART = at_once(BY_TEXT.format(per_day=2))
RULES = CheckerRules(zone="Asia/Shanghai", per_day=2, min_gap_ms=HOUR)


class Shop:
    """A world whose channels answer as told and keep what they were handed."""

    def __init__(self) -> None:
        self.answers: list[Behaviour] = []
        self.messages: list[Message] = []
        self.world: World

    def behave(self, message: Message) -> Behaviour:
        behaviour = self.answers.pop(0) if self.answers else Behaviour.ACCEPT
        if behaviour is Behaviour.ACCEPT:
            self.messages.append(message)
        return behaviour

    async def take(self, *events: Event) -> list[Result]:
        return await self.world.service.intake.take(events, "key:test")

    async def unpaid(self, *orders: str, **more: Any) -> None:
        at = self.world.clock.now()
        await self.take(*(event("order.unpaid", order, at, **more) for order in orders))

    async def paid(self, order: str) -> Result:
        (result,) = await self.take(event("order.paid", order, self.world.clock.now()))
        return result

    def later(self, by: int) -> None:
        self.world.clock.advance_to(self.world.clock.now() + by)

    async def step(self, order: str, number: int = 1) -> StoredStep:
        found = await self.world.service.store.order("demo", order)
        assert found is not None
        return found.steps[number - 1]

    async def statuses(self, *orders: str) -> list[str]:
        return [str((await self.step(order)).status) for order in orders]

    async def kinds(self, order: str) -> list[tuple[str, str | None]]:
        records = [record for record in await self.world.audit() if record["order"] == order]
        return [(record["kind"], record["reason"]) for record in records]

    @property
    def sent(self) -> list[str]:
        return [message.order for message in self.messages]


@pytest.fixture
async def shop(redis: StoreClient, valkey: EmbeddedStore, audit_directory: Path) -> AsyncIterator[Shop]:
    """A shop that merges; what it did is checked when the test is done."""
    made = Shop()
    made.world = await world(redis, audit_directory, policy=MERGE, behaviour=made.behave)
    yield made
    records = await made.world.audit()
    reader = sync_redis.Redis(unix_socket_path=str(valkey.socket))
    assert check_all(records, RULES) == []
    assert list(recompute(msgspec.convert(records, list[Record]), Recomputer())) == []
    assert diff(replay(records), dump(reader, 4)) == []
    assert structure(reader, 4) == []
    reader.close()


# One message for all.


async def test_one_message_carries_what_is_due_near_each_other(shop: Shop) -> None:
    await shop.unpaid("A", total="99.00")
    await shop.unpaid("B", total="199.50")
    await shop.unpaid("C", total="0.10")

    await shop.world.dispatch()

    assert shop.sent == ["A"]
    assert "共3笔，合计298.60元" in shop.messages[0].text
    assert "pay.example" not in shop.messages[0].text
    assert await shop.statuses("A", "B", "C") == ["sent", "dropped", "dropped"]
    assert (await shop.kinds("B"))[-1] == ("reminder.dropped", "merged")
    assert (await shop.step("A")).carries == ("demo~B~1", "demo~C~1")
    assert (await shop.step("B")).carrier == "demo~A~1"


async def test_what_is_due_later_than_within_is_not_carried(shop: Shop) -> None:
    await shop.unpaid("A")
    await shop.unpaid("B", placed_at=NOON + 30 * MINUTE)
    await shop.unpaid("C", placed_at=NOON + 30 * MINUTE + 1000)

    await shop.world.dispatch()

    assert await shop.statuses("A", "B", "C") == ["sent", "dropped", "planned"]


async def test_another_customers_order_is_not_carried(shop: Shop) -> None:
    await shop.unpaid("A", customer="C-1")
    await shop.unpaid("B", customer="C-2")

    await shop.world.dispatch()

    assert sorted(shop.sent) == ["A", "B"]


async def test_an_order_with_another_number_is_not_carried(shop: Shop) -> None:
    await shop.unpaid("A", phone="+8613800000000")
    await shop.unpaid("B", phone="+8613900000000")

    await shop.world.dispatch()

    assert await shop.statuses("A", "B") == ["sent", "planned"]


async def test_what_an_operator_postponed_is_carried_from_its_time_on_and_not_before(shop: Shop) -> None:
    await shop.unpaid("A", "B")
    await shop.world.service.steering.postpone("demo~B~1", NOON + 20 * MINUTE, None, "user:wang")
    await shop.world.dispatch()
    at_first = await shop.statuses("A", "B")

    shop.later(30 * MINUTE)
    await shop.world.dispatch()
    await shop.unpaid("C")
    shop.later(30 * MINUTE)
    await shop.world.dispatch()

    assert at_first == ["sent", "planned"]
    assert sorted(await shop.statuses("B", "C")) == ["dropped", "sent"]
    assert len(shop.sent) == 2


@pytest.mark.parametrize("verb", ["send_now", "amended"])
async def test_what_was_postponed_and_is_due_otherwise_since_is_carried(shop: Shop, verb: str) -> None:
    await shop.unpaid("A", "B")
    steering = shop.world.service.steering
    await steering.postpone("demo~B~1", NOON + 20 * MINUTE, None, "user:wang")

    if verb == "send_now":
        await steering.send_now("demo~B~1", "user:wang")
    else:
        await shop.take(event("order.amended", "B", NOON + 1, placed_at=NOON + MINUTE))
    await shop.world.dispatch()

    assert sorted(await shop.statuses("A", "B")) == ["dropped", "sent"]


async def test_what_is_postponed_between_lease_and_commit_is_not_carried(shop: Shop) -> None:
    await shop.unpaid("A", "B")
    store, lane = shop.world.service.store, shop.world.lane
    lease = await store.lease("demo", "sms", 1, NOON)
    (judged,) = await shop.world.service.dispatcher._judge_all(lease)
    await shop.world.service.steering.postpone("demo~B~1", NOON + 20 * MINUTE, None, "user:wang")

    answers = await store.commit(lane, [judged.commit], NOON)
    await shop.world.dispatch()

    assert answers == ["changed"]
    assert await shop.statuses("A", "B") == ["sent", "planned"]


async def test_a_message_names_five_orders_the_best_of_the_others(shop: Shop) -> None:
    for number in range(7):
        await shop.unpaid(f"O-{number}", total=f"{number + 1}.00")

    await shop.world.dispatch()

    carried = {name for name in map("O-{}".format, range(7)) if (await shop.step(name)).carrier}
    assert (shop.sent, carried) == (["O-0"], {"O-3", "O-4", "O-5", "O-6"})


async def test_a_carried_order_counts_as_reminded_in_its_next_step(
    shop: Shop, redis: StoreClient, audit_directory: Path
) -> None:
    sections = BY_TEXT.format(per_day=2) + '[before_close]\nlead = "2h"\n[merge]\nwithin = "30m"\n'
    await shop.world.service.put_policy("demo", at_once(sections), "test", "user:test")
    await shop.unpaid("A", "B")
    await shop.world.dispatch()

    shop.later(22 * HOUR)
    await shop.world.dispatch()

    assert [(message.order, message.channel) for message in shop.messages] == [("A", "sms"), ("A", "chat")]
    assert (await shop.step("B", 2)).carrier == "demo~A~2"


# What ends under way.


@pytest.mark.parametrize("order", ["A", "B"])
async def test_paying_any_named_order_tells_of_the_message(shop: Shop, order: str) -> None:
    await shop.unpaid("A", "B")
    await shop.world.dispatch()

    first = await shop.paid(order)
    (again,) = await shop.take(event("order.paid", order, shop.world.clock.now()))

    assert (first.stopped, first.too_late) == ((), ("demo~A~1",))
    assert (again.status, again.too_late) == ("duplicate", ("demo~A~1",))


async def test_a_carried_order_that_is_paid_before_the_commit_is_not_named(shop: Shop) -> None:
    await shop.unpaid("A", "B")
    store, lane = shop.world.service.store, shop.world.lane
    lease = await store.lease("demo", "sms", 10, NOON)

    stopped = await shop.paid("B")
    judged = shop.world.service.dispatcher._judge_all(lease)
    answers = await store.commit(lane, [one.commit for one in await judged], NOON)
    await shop.world.dispatch()

    assert stopped.stopped == ("demo~B~1",)
    assert answers == ["changed", "lost"]
    assert shop.sent == ["A"]
    assert "笔" not in shop.messages[0].text


async def test_a_carried_order_that_was_reminded_of_by_hand_is_not_named_beyond_its_cap(shop: Shop) -> None:
    once = at_once('[routing]\nchannels = ["sms"]\n[caps]\nper_order = 1\n[merge]\nwithin = "30m"\n')
    await shop.world.service.put_policy("demo", once, "test", "user:test")
    await shop.unpaid("A", "B")
    store, lane = shop.world.service.store, shop.world.lane
    lease = await store.lease("demo", "sms", 1, NOON)
    (judged,) = await shop.world.service.dispatcher._judge_all(lease)
    await shop.take(reminded(NOON - HOUR, "B"))

    answers = await store.commit(lane, [judged.commit], NOON)
    await shop.world.dispatch()

    assert answers == ["changed"]
    assert (await shop.kinds("B"))[-1] == ("reminder.dropped", "attempts_used_up")
    assert "笔" not in shop.messages[0].text


async def test_what_is_carried_comes_back_when_the_message_failed_for_good(shop: Shop) -> None:
    shop.answers = [Behaviour.REJECT, Behaviour.REJECT]
    await shop.unpaid("A", "B", chat=None)
    await shop.world.dispatch()

    assert (await shop.kinds("B"))[3:5] == [("reminder.returned", "merged"), ("reminder.sending", None)]
    assert await shop.statuses("A", "B") == ["failed", "failed"]
    assert shop.sent == []


async def test_what_is_carried_is_tried_again_with_its_carrier(shop: Shop) -> None:
    shop.answers = [Behaviour.REFUSE]
    await shop.unpaid("A", "B")
    await shop.world.dispatch()
    between = await shop.statuses("A", "B")
    dues = {(await shop.step(order)).due for order in "AB"}

    shop.later(2 * MINUTE)
    await shop.world.dispatch()

    assert (between, len(dues)) == (["planned", "planned"], 1)
    assert shop.sent == ["A"]
    assert await shop.statuses("A", "B") == ["sent", "dropped"]


async def test_a_carried_order_that_ended_does_not_come_back(shop: Shop) -> None:
    await shop.unpaid("A", "B", chat=None)
    paid: list[Result] = []
    store, lane = shop.world.service.store, shop.world.lane
    lease = await store.lease("demo", "sms", 1, NOON)
    (judged,) = await shop.world.service.dispatcher._judge_all(lease)
    assert await store.commit(lane, [judged.commit], NOON) == ["committed"]

    paid.append(await shop.paid("B"))
    shop.answers = [Behaviour.REJECT]
    assert judged.handover is not None
    await shop.world.service.dispatcher._send(lease, [judged])

    assert paid[0].too_late == ("demo~A~1",)
    assert await shop.statuses("A", "B") == ["failed", "dropped"]
    assert (await shop.step("B")).carrier is None
    last = [record for record in await shop.world.audit() if record["order"] == "B"][-1]
    assert (last["kind"], last["reason"], last["details"]) == (
        "reminder.dropped",
        "paid",
        {"carrier": "demo~A~1"},
    )


async def test_what_another_message_carries_is_not_cancelled(shop: Shop) -> None:
    await shop.unpaid("A", "B", chat=None)
    store, lane = shop.world.service.store, shop.world.lane
    lease = await store.lease("demo", "sms", 1, NOON)
    (judged,) = await shop.world.service.dispatcher._judge_all(lease)
    await store.commit(lane, [judged.commit], NOON)

    with pytest.raises(NotWaiting):
        await shop.world.service.steering.cancel("demo~B~1", None, "user:test")

    shop.answers = [Behaviour.REJECT]
    assert judged.handover is not None
    await shop.world.service.dispatcher._send(lease, [judged])
    await shop.world.service.steering.cancel("demo~B~1", None, "user:test")
    assert (await shop.kinds("B"))[-2:] == [("reminder.returned", "merged"), ("reminder.dropped", "operator")]


async def test_what_is_carried_stays_merged_when_nobody_knows(shop: Shop) -> None:
    await shop.unpaid("A", "B")
    store, lane = shop.world.service.store, shop.world.lane
    lease = await store.lease("demo", "sms", 1, NOON)
    (judged,) = await shop.world.service.dispatcher._judge_all(lease)
    await store.commit(lane, [judged.commit], NOON)

    shop.later(HOUR)
    await shop.world.service.housekeeping.sweep(lane)

    assert await shop.statuses("A", "B") == ["uncertain", "dropped"]


async def test_two_workers_with_an_order_each_send_one_message(shop: Shop) -> None:
    await shop.unpaid("A", "B")
    service, lane = shop.world.service, shop.world.lane
    leases = [await service.store.lease("demo", "sms", 1, NOON) for _ in range(2)]
    judged = [(await service.dispatcher._judge_all(lease))[0] for lease in leases]

    answers = [await service.store.commit(lane, [one.commit], NOON) for one in judged]

    assert answers == [["committed"], ["lost"]]
    assert await shop.statuses("A", "B") == ["sending", "dropped"]


# The better one first.


async def test_the_slot_goes_to_value_and_not_to_who_came_first(shop: Shop) -> None:
    await shop.world.service.put_policy("demo", APART, "test", "user:test")
    await shop.unpaid("A", total="10.00")
    await shop.unpaid("B", total="100.00", placed_at=NOON + 10 * MINUTE)

    await shop.world.dispatch()
    first = list(shop.sent)
    shop.later(10 * MINUTE)
    await shop.world.dispatch()
    shop.later(HOUR)
    await shop.world.dispatch()

    assert (first, shop.sent) == ([], ["B", "A"])
    assert (await shop.kinds("A"))[2] == ("reminder.deferred", "min_gap")


async def test_what_closes_soon_counts_twice(shop: Shop) -> None:
    await shop.world.service.put_policy("demo", APART, "test", "user:test")
    await shop.unpaid("A", total="60.00", closes_at=NOON + 3 * HOUR)
    await shop.unpaid("B", total="100.00", placed_at=NOON + 10 * MINUTE)

    await shop.world.dispatch()

    assert shop.sent == ["A"]


async def test_the_last_slot_of_the_day_is_kept_for_the_better_one(shop: Shop) -> None:
    one_a_day = at_once('[routing]\nchannels = ["sms"]\n[caps]\nper_day = 1\n')
    await shop.world.service.put_policy("demo", one_a_day, "test", "user:test")
    await shop.unpaid("A", total="10.00")
    await shop.unpaid("B", total="100.00", placed_at=NOON + 5 * HOUR)

    await shop.world.dispatch()
    shop.later(5 * HOUR)
    await shop.world.dispatch()

    assert shop.sent == ["B"]
    assert (await shop.kinds("A"))[2] == ("reminder.deferred", "daily_cap")


async def test_a_better_one_that_is_held_up_holds_nobody_up_for_long(shop: Shop) -> None:
    await shop.world.service.put_policy("demo", APART, "test", "user:test")
    await shop.unpaid("A", total="10.00")
    await shop.unpaid("B", total="100.00", phone=None)
    await shop.world.service.store.pause("demo", "chat", NOON, "user:test")

    await shop.world.dispatch()
    first = list(shop.sent)
    shop.later(MINUTE)
    await shop.world.dispatch()

    assert (first, shop.sent) == ([], ["A"])


async def test_what_would_find_no_slot_afterwards_does_not_wait(shop: Shop) -> None:
    await shop.world.service.put_policy("demo", APART, "test", "user:test")
    await shop.unpaid("A", total="10.00", closes_at=NOON + 15 * MINUTE)
    await shop.unpaid("B", total="100.00", placed_at=NOON + 30 * MINUTE)

    await shop.world.dispatch()

    assert shop.sent == ["A"]


# What a record says decides.


def told(records: list[dict[str, Any]], rule: str) -> dict[str, Any]:
    """Return the rule in the newest record that holds it."""
    return next(
        each
        for record in reversed(records)
        for each in record["details"].get("decision", {}).get("rules", ())
        if each["rule"] == rule
    )


def unexplained(records: list[dict[str, Any]]) -> tuple[bool, bool]:
    """Tell whether the product and the checker find a decision that does not follow."""
    ours = list(recompute(msgspec.convert(records, list[Record]), Recomputer()))
    return bool(ours), any(each.startswith("recompute") for each in check_all(records, RULES))


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("due", "2025-11-11T04:30:00.001Z"),
        ("closes_at", "2025-11-11T04:00:00.000Z"),
        ("obstacle", "changed"),
        ("order", "Z"),
        ("step", 2),
    ],
)
async def test_an_altered_input_of_merging_decides_otherwise(shop: Shop, name: str, value: object) -> None:
    await shop.unpaid("A", "B")
    await shop.world.dispatch()
    records = await shop.world.audit()

    told(records, "merge")["inputs"]["others"][0][name] = value

    assert unexplained(records) == (True, True)


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("total", "9.99"),
        ("due", "2025-11-11T05:00:00.000Z"),
        ("obstacle", "sold_out"),
        ("score", "1.00"),
    ],
)
async def test_an_altered_rival_decides_otherwise(shop: Shop, name: str, value: object) -> None:
    await shop.world.service.put_policy("demo", APART, "test", "user:test")
    await shop.unpaid("A", total="10.00")
    await shop.unpaid("B", total="100.00", placed_at=NOON + 10 * MINUTE)
    await shop.world.dispatch()
    records = await shop.world.audit()

    told(records, "arbitration")["inputs"]["others"][0][name] = value

    assert unexplained(records) == (True, True)
