"""What becomes of a hand-off when the channel, the renderer or the time does not do what was hoped."""

import asyncio
import contextlib
import json
from collections.abc import Callable, Coroutine
from pathlib import Path
from typing import Any

import pytest

from dispatcher.channels.base import Accepted, Message, Outcome, Refused
from dispatcher.channels.stub import Behaviour
from dispatcher.messages.rendering import Rendered, render
from dispatcher.policy.document import load_toml
from dispatcher.policy.facts import Channel as ChannelName
from dispatcher.policy.facts import Facts
from dispatcher.settings import Settings
from dispatcher.storage.client import StoreClient
from dispatcher.storage.people import People
from dispatcher.storage.records import StoredStep
from dispatcher.wiring import build
from tests.worlds import HOUR, MINUTE, NOON, World, event, world

IMPATIENT = Settings(lanes=4, channel_timeout_seconds=0.05)
ONE_BY_ONE = Settings(lanes=4, hands=1, concurrency=1, breaker_failures=3, breaker_rest_seconds=30)

QUIET_SOON = load_toml(
    """
    timezone = "Asia/Shanghai"
    platform = "own"
    pay_within = "24h"
    [quiet_hours]
    start = "12:30"
    end = "13:00"
    [[cadence]]
    placed = ["00:00", "24:00"]
    remind = {after = "0s"}
    [routing]
    channels = ["sms", "chat"]
    """
)


def always(behaviour: Behaviour) -> Callable[[Message], Behaviour]:
    return lambda message: behaviour


async def take(here: World, *orders: str) -> None:
    events = [event("order.unpaid", order, NOON, customer=f"C-{order}") for order in orders]
    await here.service.intake.take(events, "key:test")


async def step(here: World, order: str = "O-1") -> StoredStep:
    found = await here.service.store.order("demo", order)
    assert found is not None
    return found.steps[0]


async def last(here: World, kind: str) -> dict[str, Any]:
    return [record for record in await here.audit() if record["kind"] == kind][-1]


def handoffs(log: Path) -> list[str]:
    return [json.loads(line)["reference"] for line in log.read_text().splitlines()]


@pytest.mark.parametrize(("behaviour", "handed"), [(Behaviour.HANG, []), (Behaviour.SILENT, ["demo~O-1~1"])])
async def test_a_channel_that_never_answers_leaves_the_reminder_uncertain(
    redis: StoreClient, audit_directory: Path, tmp_path: Path, behaviour: Behaviour, handed: list[str]
) -> None:
    log = tmp_path / "handoffs.jsonl"
    here = await world(redis, audit_directory, behaviour=always(behaviour), settings=IMPATIENT, log=log)
    await take(here, "O-1")

    await here.dispatch()
    again = await here.dispatch()

    assert again == {}
    assert (await step(here)).status == "uncertain"
    assert (await last(here, "reminder.uncertain"))["reason"] == "channel_down"
    assert (await People(here.service.store).of_customer("demo", "C-O-1")).instants == (NOON,)
    assert handoffs(log) == handed


async def test_a_channel_that_raises_leaves_the_reminder_uncertain_and_goes_on(
    redis: StoreClient, audit_directory: Path
) -> None:
    def behaviour(message: Message) -> Behaviour:
        if message.order == "O-1":
            raise ConnectionResetError
        return Behaviour.ACCEPT

    here = await world(redis, audit_directory, behaviour=behaviour)
    await take(here, "O-1", "O-2")

    await here.dispatch()

    assert [(await step(here, order)).status for order in ("O-1", "O-2")] == ["uncertain", "sent"]
    assert (await last(here, "reminder.uncertain"))["details"] == {"error": "ConnectionResetError"}


async def test_a_rejected_message_takes_the_next_channel(redis: StoreClient, audit_directory: Path) -> None:
    def behaviour(message: Message) -> Behaviour:
        return Behaviour.REJECT if message.channel == "sms" else Behaviour.ACCEPT

    here = await world(redis, audit_directory, behaviour=behaviour)
    await take(here, "O-1")

    done = await here.dispatch()

    found = await step(here)
    assert done == {"send": 2}
    assert (found.status, found.channel, found.tried, found.attempt) == ("sent", "chat", ("sms",), 2)
    assert here.channels["chat"].handed_over == 1


async def test_a_message_that_every_channel_rejects_is_failed(
    redis: StoreClient, audit_directory: Path
) -> None:
    here = await world(redis, audit_directory, behaviour=always(Behaviour.REJECT))
    await take(here, "O-1")

    done = await here.dispatch()

    assert done == {"send": 2}
    assert (await step(here)).status == "failed"
    assert (await last(here, "reminder.failed"))["reason"] == "rejected"
    assert (await People(here.service.store).of_customer("demo", "C-O-1")).instants == ()


async def test_a_message_refused_again_and_again_is_failed_in_the_end(
    redis: StoreClient, audit_directory: Path
) -> None:
    here = await world(redis, audit_directory, behaviour=always(Behaviour.REFUSE))
    await take(here, "O-1")

    for hours in range(6):
        here.clock.advance_to(NOON + hours * HOUR)
        await here.dispatch()

    assert (await step(here)).status == "failed"
    assert (await last(here, "reminder.failed"))["reason"] == "attempts_used_up"
    assert (await People(here.service.store).of_customer("demo", "C-O-1")).instants == ()


async def test_a_channel_that_keeps_refusing_rests_and_is_tried_again_with_one(
    redis: StoreClient, audit_directory: Path
) -> None:
    answers = {"now": Behaviour.REFUSE}
    tried: list[str] = []

    def behaviour(message: Message) -> Behaviour:
        tried.append(message.order)
        return answers["now"]

    here = await world(redis, audit_directory, behaviour=behaviour, settings=ONE_BY_ONE)
    await take(here, *(f"O-{number}" for number in range(8)))
    counts = []

    for seconds in (0, 29, 30):
        here.clock.advance_to(NOON + seconds * 1000)
        await here.dispatch()
        counts.append(len(tried))
    answers["now"] = Behaviour.ACCEPT
    here.clock.advance_to(NOON + MINUTE)
    await here.dispatch()

    assert counts == [3, 3, 4]
    assert {f"O-{number}" for number in range(4, 8)} <= set(tried[4:])


async def test_a_resting_channel_does_not_hold_up_another(redis: StoreClient, audit_directory: Path) -> None:
    def behaviour(message: Message) -> Behaviour:
        return Behaviour.REFUSE if message.channel == "sms" else Behaviour.ACCEPT

    here = await world(redis, audit_directory, behaviour=behaviour, settings=ONE_BY_ONE)
    await take(here, "O-1", "O-2", "O-3", "O-4")
    by_chat = event("order.unpaid", "O-5", NOON, customer="C-O-5", consent={"sms": False})
    await here.service.intake.take([by_chat], "key:test")

    await here.dispatch()

    assert (await step(here, "O-5")).status == "sent"
    assert (await step(here, "O-4")).status == "planned"


async def test_nothing_is_handed_over_once_its_time_has_passed(
    redis: StoreClient, audit_directory: Path
) -> None:
    def behaviour(message: Message) -> Behaviour:
        if message.order == "O-1":
            here.clock.advance_to(NOON + 30 * MINUTE)
        return Behaviour.ACCEPT

    settings = Settings(lanes=4, hands=1, concurrency=2)
    here = await world(redis, audit_directory, policy=QUIET_SOON, behaviour=behaviour, settings=settings)
    await take(here, "O-0")
    await here.dispatch()
    await take(here, "O-1", "O-2")

    await here.dispatch()

    first, second = await step(here, "O-1"), await step(here, "O-2")
    assert (first.status, second.status, second.due) == ("sent", "planned", NOON + HOUR)
    assert (await last(here, "reminder.retrying"))["reason"] == "changed"
    assert (await last(here, "reminder.deferred"))["reason"] == "quiet_hours"
    assert (await People(here.service.store).of_customer("demo", "C-O-2")).instants == ()
    assert here.channels["sms"].handed_over == 2
    here.clock.advance_to(NOON + HOUR)
    assert await here.dispatch() == {"send": 1}


async def test_a_poisonous_reminder_is_failed_while_its_batch_goes_on(
    redis: StoreClient, audit_directory: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def broken(catalog: Any, facts: Facts, *rest: Any) -> Rendered:
        if facts.order.id == "O-2":
            raise ZeroDivisionError
        return render(catalog, facts, *rest)

    monkeypatch.setattr("dispatcher.workflow.templates.render", broken)
    here = await world(redis, audit_directory)
    await take(here, "O-1", "O-2", "O-3")

    done = await here.dispatch()

    assert done == {"send": 2, "changed": 2, "failed": 1}
    assert [(await step(here, order)).status for order in ("O-1", "O-2", "O-3")] == ["sent", "failed", "sent"]
    failed = await last(here, "reminder.failed")
    assert (failed["reminder"], failed["reason"]) == ("demo~O-2~1", "internal")
    assert failed["details"] == {"error": "ZeroDivisionError"}


@pytest.mark.parametrize("channel", [None, "sms"])
async def test_a_pause_holds_what_is_due_and_its_end_lets_it_go(
    redis: StoreClient, audit_directory: Path, channel: str | None
) -> None:
    here = await world(redis, audit_directory)
    await take(here, "O-1")
    await here.service.store.pause("demo", channel, NOON, "user:test")
    during = await here.dispatch()

    await here.service.store.resume("demo", channel, NOON, "user:test")

    assert during == {}
    assert await here.dispatch() == {"send": 1}


async def test_a_worker_that_dies_while_sending_leaves_it_uncertain(
    redis: StoreClient, audit_directory: Path
) -> None:
    class Death(BaseException):
        pass

    def behaviour(message: Message) -> Behaviour:
        raise Death

    here = await world(redis, audit_directory, behaviour=behaviour)
    await take(here, "O-1")
    with pytest.raises(BaseExceptionGroup):
        await here.service.dispatcher.drain([here.lane])
    assert (await step(here)).status == "sending"

    here.clock.advance_to(NOON + 30_000)
    await here.dispatch()

    assert (await step(here)).status == "uncertain"
    assert (await People(here.service.store).of_customer("demo", "C-O-1")).instants == (NOON,)


async def test_the_concurrency_is_one_limit_for_all_hands_of_a_worker(
    redis: StoreClient, audit_directory: Path
) -> None:
    under_way, most = 0, 0

    class Slow:
        name: ChannelName = "sms"

        async def send(self, message: Message) -> Outcome:
            nonlocal under_way, most
            under_way += 1
            most = max(most, under_way)
            for _ in range(5):
                await asyncio.sleep(0)
            under_way -= 1
            return Accepted()

    here = await world(redis, audit_directory)
    settings = Settings(lanes=4, concurrency=2, hands=3)
    service = await build(settings, redis, here.clock, {"sms": Slow()}, audit_directory)
    orders = [event("order.unpaid", f"O-{n}", NOON, customer=f"C-{n}") for n in range(12)]
    await service.intake.take(orders, "key:test")

    done = await service.dispatcher.drain([here.lane])

    assert done["send"] == 12
    assert most == 2


@pytest.mark.parametrize(
    "answer",
    [None, "ok", Refused(reason=None, temporary=None), asyncio.CancelledError()],  # type: ignore[arg-type]
    ids=repr,
)
async def test_a_channel_that_answers_nonsense_leaves_one_uncertain_hand_off(
    redis: StoreClient, audit_directory: Path, answer: object
) -> None:
    calls = 0

    class Broken:
        name: ChannelName = "sms"

        async def send(self, message: Message) -> Any:
            nonlocal calls
            if message.order != "O-1":
                return Accepted()
            calls += 1
            if isinstance(answer, BaseException):
                raise answer
            return answer

    here = await world(redis, audit_directory)
    service = await build(Settings(lanes=4), redis, here.clock, {"sms": Broken()}, audit_directory)
    orders = [event("order.unpaid", f"O-{n}", NOON, customer=f"C-{n}") for n in range(5)]
    await service.intake.take(orders, "key:test")

    await service.dispatcher.drain([here.lane])

    assert calls == 1
    assert (await step(here, "O-1")).status == "uncertain"
    assert [(await step(here, f"O-{n}")).status for n in (0, 2, 3, 4)] == ["sent"] * 4


async def answering_later() -> Outcome:
    await asyncio.sleep(0)
    return Accepted()


async def outliving_its_own_limits() -> Outcome:
    for _ in range(2):
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(0):
                await asyncio.Event().wait()
    return Accepted()


async def giving_up_by_itself() -> Outcome:
    async with asyncio.timeout(0):
        await asyncio.Event().wait()
    return Accepted()


async def breaking_later() -> Outcome:
    await asyncio.sleep(0)
    raise ConnectionResetError


async def saying_so_when_cut_short() -> Outcome:
    try:
        await asyncio.Event().wait()
    except asyncio.CancelledError:
        return Refused(reason="rejected", temporary=True)
    return Accepted()


@pytest.mark.parametrize(
    ("way", "kind", "reason"),
    [
        (answering_later, "sent", None),
        (outliving_its_own_limits, "sent", None),
        (giving_up_by_itself, "uncertain", "channel_down"),
        (breaking_later, "uncertain", "channel_down"),
        (saying_so_when_cut_short, "retrying", "channel_down"),
    ],
)
async def test_an_answer_that_had_to_be_waited_for_counts(
    redis: StoreClient,
    audit_directory: Path,
    way: Callable[[], Coroutine[Any, Any, Outcome]],
    kind: str,
    reason: str | None,
) -> None:
    class Waiting:
        name: ChannelName = "sms"

        async def send(self, message: Message) -> Outcome:
            return await way()

    here = await world(redis, audit_directory)
    service = await build(IMPATIENT, redis, here.clock, {"sms": Waiting()}, audit_directory)
    await service.intake.take([event("order.unpaid", "O-1", NOON)], "key:test")

    await service.dispatcher.drain([here.lane])

    assert (await last(here, f"reminder.{kind}")).get("reason") == reason


async def test_a_refusal_in_the_channels_own_words_is_recorded_in_ours(
    redis: StoreClient, audit_directory: Path
) -> None:
    class Chatty:
        name: ChannelName = "sms"

        async def send(self, message: Message) -> Outcome:
            return Refused(reason="busy\x1f9\x1fx", temporary=True)

    here = await world(redis, audit_directory)
    service = await build(Settings(lanes=4), redis, here.clock, {"sms": Chatty()}, audit_directory)
    await service.intake.take([event("order.unpaid", "O-1", NOON)], "key:test")

    await service.dispatcher.drain([here.lane])

    assert (await last(here, "reminder.retrying"))["reason"] == "channel_down"


async def test_a_worker_whose_clock_is_slow_still_sends(redis: StoreClient, audit_directory: Path) -> None:
    slow = await world(redis, audit_directory)
    fast = await world(redis, audit_directory, start=NOON + 30_000)
    await slow.service.intake.take([event("order.unpaid", "O-1", NOON)], "key:test")
    await fast.service.intake.take([event("order.unpaid", "O-2", NOON, customer="C-2")], "key:test")

    done = await slow.service.dispatcher.drain([slow.lane])

    assert done == {"send": 2}


async def test_all_hands_of_a_worker_have_a_batch_under_way_at_once(
    redis: StoreClient, audit_directory: Path
) -> None:
    together = asyncio.Barrier(3)

    class Meeting:
        name: ChannelName = "sms"

        async def send(self, message: Message) -> Outcome:
            await together.wait()
            return Accepted()

    here = await world(redis, audit_directory)
    settings = Settings(lanes=4, batch=1, hands=3, concurrency=3)
    service = await build(settings, redis, here.clock, {"sms": Meeting()}, audit_directory)
    orders = [event("order.unpaid", f"O-{n}", NOON, customer=f"C-{n}") for n in range(9)]
    await service.intake.take(orders, "key:test")

    async with asyncio.timeout(5):
        done = await service.dispatcher.drain([here.lane])

    assert done == {"send": 9}
