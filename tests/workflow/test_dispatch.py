"""From an accepted event to a settled hand-off."""

import asyncio
from collections import Counter
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import pytest

from dispatcher.channels.base import Accepted, Channel, Message, Outcome
from dispatcher.channels.stub import Behaviour
from dispatcher.errors import StoreUnavailable
from dispatcher.policy.events import Event
from dispatcher.policy.facts import Channel as ChannelName
from dispatcher.policy.facts import Instant
from dispatcher.settings import Settings
from dispatcher.simulation.clock import VirtualClock
from dispatcher.storage.client import StoreClient
from dispatcher.storage.people import People
from dispatcher.wiring import Service, build
from dispatcher.workflow.dispatch import Dispatcher
from tests.worlds import AT_ONCE, DAY, HOUR, MINUTE, NOON, World, event, world


async def test_a_due_reminder_is_handed_over_once_and_audited(
    redis: StoreClient, audit_directory: Path
) -> None:
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


async def test_a_payment_stops_what_waits_and_names_what_went(
    redis: StoreClient, audit_directory: Path
) -> None:
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


async def test_a_refusal_returns_the_slot_and_tries_again_later(
    redis: StoreClient, audit_directory: Path
) -> None:
    answers = [Behaviour.REFUSE, Behaviour.ACCEPT]

    def behaviour(message: Message) -> Behaviour:
        return answers.pop(0)

    here = await world(redis, audit_directory, behaviour=behaviour)
    await here.service.intake.take([event("order.unpaid", "O-1", NOON)], "key:test")
    await here.dispatch()
    ledger_between = (await People(here.service.store).of_customer("demo", "C-1")).instants

    here.clock.advance_to(NOON + 5 * MINUTE)
    await here.dispatch()

    assert ledger_between == ()
    order = await here.service.store.order("demo", "O-1")
    assert order is not None
    assert order.steps[0].status == "sent"
    assert order.steps[0].attempt == 2


async def test_an_unpaid_order_closes_at_its_time(redis: StoreClient, audit_directory: Path) -> None:
    here = await world(redis, audit_directory)
    await here.service.intake.take([event("order.unpaid", "O-1", NOON)], "key:test")
    await here.dispatch()

    here.clock.advance_to(NOON + 24 * HOUR)
    await here.dispatch()

    order = await here.service.store.order("demo", "O-1")
    assert order is not None
    assert order.state == "closed"


EVERY_LANE = range(4)
SOON: Instant = NOON + DAY
"""An instant that the virtual clock of a watch does not reach by itself."""


class Recording:
    """A channel that notes whose messages it gets, and answers when it is let."""

    def __init__(self, name: ChannelName) -> None:
        self.name = name
        self.shops: list[str] = []
        self.open = asyncio.Event()
        self.open.set()
        self.news = asyncio.Event()

    async def send(self, message: Message) -> Outcome:
        """Note the shop, and wait until the way is open."""
        self.shops.append(message.shop)
        self.news.set()
        await self.open.wait()
        return Accepted()

    async def had(self, count: int) -> None:
        """Wait until so many messages have come."""
        while len(self.shops) < count:
            self.news.clear()
            await self.news.wait()


async def recording(
    redis: StoreClient, audit_directory: Path, clock: VirtualClock, **settings: Any
) -> tuple[Service, Recording, Recording]:
    """Return a service of four lanes with a recording channel for chat and for SMS."""
    chat, sms = Recording("chat"), Recording("sms")
    channels: dict[ChannelName, Channel] = {"chat": chat, "sms": sms}
    service = await build(Settings(lanes=4, **settings), redis, clock, channels, audit_directory)
    for shop in ("demo", "small", "large"):
        await service.put_policy(shop, AT_ONCE, "test", "user:test")
    return service, chat, sms


def orders(shop: str, count: int, start: int = 0, **customer: Any) -> list[Event]:
    """Return unpaid orders of as many customers."""
    return [
        event("order.unpaid", f"O-{n}", NOON, shop=shop, customer=f"C-{n}", **customer)
        for n in range(start, start + count)
    ]


async def test_a_shop_with_few_due_waits_for_one_batch_of_one_with_many(
    redis: StoreClient, audit_directory: Path
) -> None:
    service, _, sms = await recording(redis, audit_directory, VirtualClock(NOON), batch=10, hands=1)
    await service.intake.take(orders("large", 300), "key:test")
    await service.intake.take(orders("small", 5), "key:test")

    done = await service.dispatcher.drain(EVERY_LANE)

    assert done == {"send": 305}
    last_of_small = max(place for place, shop in enumerate(sms.shops) if shop == "small")
    assert last_of_small < 15


async def test_a_slow_channel_holds_up_no_other(redis: StoreClient, audit_directory: Path) -> None:
    service, chat, sms = await recording(redis, audit_directory, VirtualClock(NOON), batch=1, hands=2)
    sms.open.clear()
    await service.intake.take(orders("demo", 6, chat=None), "key:test")
    await service.intake.take(orders("demo", 4, start=6, phone=None), "key:test")
    watch = asyncio.create_task(service.dispatcher.drain(EVERY_LANE, SOON))

    async with asyncio.timeout(5):
        await chat.had(4)

    assert len(sms.shops) == 2
    sms.open.set()
    await sms.had(6)
    await service.dispatcher.finish(5)
    await watch


async def test_a_watch_finds_what_becomes_due_until_a_later_one_relieves_it(
    redis: StoreClient, audit_directory: Path
) -> None:
    service, _, sms = await recording(redis, audit_directory, VirtualClock(NOON))
    watch = asyncio.create_task(service.dispatcher.drain(EVERY_LANE, SOON))
    await service.intake.take(orders("demo", 1), "key:test")

    async with asyncio.timeout(5):
        await sms.had(1)
        relief = asyncio.create_task(service.dispatcher.drain(EVERY_LANE, SOON))
        done = await watch

    assert done == {"send": 1}
    await service.dispatcher.finish(5)
    assert await relief == {}


async def test_a_watch_ends_at_its_time(redis: StoreClient, audit_directory: Path) -> None:
    service, _, _ = await recording(redis, audit_directory, VirtualClock(NOON))

    async with asyncio.timeout(5):
        done = await service.dispatcher.drain(EVERY_LANE, NOON)

    assert done == {}


async def test_finishing_records_what_is_under_way_and_starts_nothing(
    redis: StoreClient, audit_directory: Path
) -> None:
    service, _, sms = await recording(redis, audit_directory, VirtualClock(NOON), batch=1, hands=1)
    sms.open.clear()
    await service.intake.take(orders("demo", 2), "key:test")
    watch = asyncio.create_task(service.dispatcher.drain(EVERY_LANE, SOON))
    await sms.had(1)

    finishing = asyncio.create_task(service.dispatcher.finish(5))
    sms.open.set()
    await finishing

    assert len(sms.shops) == 1
    assert await statuses(service, 2) == ["sent", "planned"]
    await watch


async def test_what_is_found_due_while_finishing_is_not_begun(
    redis: StoreClient, audit_directory: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    service, _, sms = await recording(redis, audit_directory, VirtualClock(NOON))
    await service.intake.take(orders("demo", 1), "key:test")
    look, found, answer = service.store.ready, asyncio.Event(), asyncio.Event()

    async def slow_look(lanes: Sequence[int], now: Instant) -> list[tuple[str, ChannelName]]:
        ready = await look(lanes, now)
        found.set()
        await answer.wait()
        return ready

    monkeypatch.setattr(service.store, "ready", slow_look)
    watch = asyncio.create_task(service.dispatcher.drain(EVERY_LANE, SOON))
    await found.wait()

    await service.dispatcher.finish(5)
    answer.set()
    await watch

    assert sms.shops == []
    assert await service.store.expired(service.store.lane_of("demo"), SOON, 10) == []


async def test_what_does_not_finish_in_time_is_left_to_the_sweep(
    redis: StoreClient, audit_directory: Path
) -> None:
    clock = VirtualClock(NOON)
    service, _, sms = await recording(redis, audit_directory, clock)
    sms.open.clear()
    await service.intake.take(orders("demo", 1), "key:test")
    watch = asyncio.create_task(service.dispatcher.drain(EVERY_LANE, SOON))
    await sms.had(1)

    await service.dispatcher.finish(0.01)

    await watch
    clock.advance_to(NOON + MINUTE)
    swept = await service.housekeeping.tidy(EVERY_LANE)
    assert swept["uncertain"] == 1
    assert await statuses(service, 1) == ["uncertain"]


async def statuses(service: Service, count: int) -> list[str]:
    """Return where the first reminders of the demo's first orders stand."""
    found = [await service.store.order("demo", f"O-{n}") for n in range(count)]
    return [str(order.steps[0].status) for order in found if order is not None]


class Faulty:
    """The real store, of which some calls fail: before they have an effect, or after it."""

    def __init__(self, store: Any) -> None:
        self._store = store
        self.before: Counter[str] = Counter()
        self.after: Counter[str] = Counter()
        self.meanwhile: Callable[[], None] = lambda: None

    def __getattr__(self, name: str) -> Any:
        call = getattr(self._store, name)
        if name not in ("lease", "commit", "settle"):
            return call

        async def faulty(*arguments: Any) -> Any:
            if self.before[name]:
                self.before[name] -= 1
                raise StoreUnavailable("away")
            answer = await call(*arguments)
            if self.after[name]:
                self.after[name] -= 1
                self.meanwhile()
                raise StoreUnavailable("away")
            return answer

        return faulty


async def faulty(
    redis: StoreClient, audit_directory: Path, settings: Settings | None = None
) -> tuple[World, Faulty]:
    """Return a world with two reminders due and the store that its dispatcher sees."""
    here = await world(redis, audit_directory, settings=settings)
    await here.service.intake.take(orders("demo", 2), "key:test")
    store = Faulty(here.service.store)
    here.service.dispatcher._store = store  # type: ignore[assignment]
    return here, store


@pytest.mark.parametrize("call", ["commit", "settle"])
@pytest.mark.parametrize("when", ["before", "after"])
async def test_a_call_without_an_answer_is_repeated_and_nothing_is_sent_twice(
    redis: StoreClient, audit_directory: Path, call: str, when: str
) -> None:
    here, store = await faulty(redis, audit_directory)
    getattr(store, when)[call] = 2

    done = await here.dispatch()

    assert done == {"send": 2}
    assert here.channels["sms"].handed_over == 2
    assert await statuses(here.service, 2) == ["sent", "sent"]


async def test_nothing_is_sent_when_the_commits_answer_stays_unknown(
    redis: StoreClient, audit_directory: Path
) -> None:
    brief = Settings(lanes=4, lease_seconds=0.5, channel_timeout_seconds=0.2)
    here, store = await faulty(redis, audit_directory, brief)
    store.after["commit"] = 1_000

    with pytest.raises(StoreUnavailable):
        await here.dispatch()

    assert here.channels["sms"].handed_over == 0


async def test_what_was_committed_too_late_to_start_is_decided_again_and_not_lost(
    redis: StoreClient, audit_directory: Path
) -> None:
    here, store = await faulty(redis, audit_directory)
    store.after["commit"] = 1
    store.meanwhile = lambda: here.clock.advance_to(here.clock.now() + 5_000)

    await here.dispatch()

    assert await statuses(here.service, 2) == ["sent", "sent"]
    assert here.channels["sms"].handed_over == 2


async def test_an_outcome_that_cannot_be_recorded_is_left_to_the_sweep(
    redis: StoreClient, audit_directory: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    here, store = await faulty(redis, audit_directory)
    monkeypatch.setattr(Dispatcher, "_seconds_to", lambda self, end: 0.2)
    store.before["settle"] = 1_000

    await here.dispatch()
    here.clock.advance_to(NOON + MINUTE)
    await here.dispatch()

    assert here.channels["sms"].handed_over == 2
    assert await statuses(here.service, 2) == ["uncertain", "uncertain"]


async def test_a_lease_that_fails_ends_the_drain_after_what_is_under_way(
    redis: StoreClient, audit_directory: Path
) -> None:
    service, _, sms = await recording(redis, audit_directory, VirtualClock(NOON), batch=1, hands=2)
    store = Faulty(service.store)
    service.dispatcher._store = store  # type: ignore[assignment]
    sms.open.clear()
    await service.intake.take(orders("small", 1), "key:test")
    drain = asyncio.create_task(service.dispatcher.drain(EVERY_LANE))
    await sms.had(1)
    store.before["lease"] = 1
    await service.intake.take(orders("demo", 1), "key:test")

    sms.open.set()
    with pytest.raises(StoreUnavailable):
        await drain

    order = await service.store.order("small", "O-0")
    assert order is not None
    assert order.steps[0].status == "sent"


async def test_a_reminder_that_cannot_be_leased_does_not_keep_a_drain_going(
    redis: StoreClient, audit_directory: Path
) -> None:
    here = await world(redis, audit_directory)
    await here.service.intake.take(orders("demo", 1), "key:test")
    await redis.set(here.service.store.keys(here.lane).order("demo", "O-0"), b"\xc1")

    async with asyncio.timeout(5):
        done = await here.service.dispatcher.drain([here.lane])

    assert done == {}
