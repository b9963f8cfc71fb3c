"""Orders are paid and cancelled between lease and settle, and every answer is true."""

import asyncio
from collections import Counter
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from random import Random
from unittest.mock import patch

import redis as blocking

from dispatcher.channels.base import Channel
from dispatcher.channels.stub import StubChannel
from dispatcher.policy.facts import Channel as ChannelName
from dispatcher.settings import Settings
from dispatcher.storage.client import StoreClient
from dispatcher.storage.embedded import EmbeddedStore
from dispatcher.wiring import Service, build, connect
from tests.checkers.promises import CheckerRules
from tests.faults.afterwards import AtRest, contradictions, read_log
from tests.faults.racing import Ending, Race, RacingStore, Window
from tests.worlds import HOUR, NOON, World, at_once, event, world

SEED = 20251111
DISPATCHERS = 4
SETTINGS = Settings(lanes=4, batch=100, concurrency=32)
ENDINGS = {
    Ending(Window.LEASED, "order.paid"): 1_000,
    Ending(Window.LEASED, "order.cancelled"): 150,
    Ending(Window.BESIDE, "order.paid"): 400,
    Ending(Window.BESIDE, "order.cancelled"): 50,
    Ending(Window.COMMITTED, "order.paid"): 1_000,
    Ending(Window.COMMITTED, "order.cancelled"): 150,
    Ending(Window.HANDED_OVER, "order.paid"): 1_000,
    Ending(Window.HANDED_OVER, "order.cancelled"): 150,
}
ENDED = sum(ENDINGS.values())
LEFT_UNPAID = 300
CHANNELS: tuple[ChannelName, ...] = ("chat", "sms")
POLICY = at_once(
    """
    [before_close]
    lead = "2h"
    [routing]
    channels = ["sms", "chat"]
    """
)
"""Two steps an order, so that an ending has something to stop even when the first is handed over."""

RULES = CheckerRules(zone="Asia/Shanghai")
SECOND_STEP = NOON + 22 * HOUR


async def test_every_answer_to_an_ending_is_true_wherever_it_meets_the_reminder(
    redis: StoreClient, valkey: EmbeddedStore, audit_directory: Path, tmp_path: Path
) -> None:
    log = tmp_path / "handoffs.jsonl"
    here = await world(redis, audit_directory, policy=POLICY, settings=SETTINGS)
    race = Race(here.service, await _orders(here), SEED)
    async with _dispatchers(valkey, here, audit_directory, race, log) as dispatchers:
        await _drain(dispatchers, here)
        here.clock.advance_to(SECOND_STEP)

        await _drain(dispatchers, here)

    handed = [line.reminder for line in read_log(log)]
    certain = {ending: count for ending, count in ENDINGS.items() if ending.window is not Window.BESIDE}
    stopped = {reminder for answer in race.answers for reminder in answer.result.stopped}
    too_late = {reminder for answer in race.answers for reminder in answer.result.too_late}
    assert race.endings == {}
    assert race.landed == certain
    assert _first_steps(race) == {
        (ending, "stopped" if ending.window is Window.LEASED else "too_late"): count
        for ending, count in certain.items()
    }
    assert stopped & set(handed) == set()
    assert too_late - set(handed) == set()
    assert len(stopped) + len(too_late) == 2 * ENDED
    assert len(handed) == len(set(handed)) == len(too_late) + 2 * LEFT_UNPAID
    records = await here.audit()
    with blocking.Redis(unix_socket_path=str(valkey.socket)) as client:
        assert contradictions(records, AtRest(client), SETTINGS.lanes, RULES) == []


async def _orders(here: World) -> dict[str, Ending]:
    """Take the orders, and return how each is to end; which is which, chance says."""
    names = [f"O-{number:05d}" for number in range(ENDED + LEFT_UNPAID)]
    orders = [event("order.unpaid", name, NOON, customer=name.replace("O", "C")) for name in names]
    for start in range(0, len(orders), 500):
        await here.service.intake.take(orders[start : start + 500], "key:test")
    endings = [ending for ending, count in ENDINGS.items() for _ in range(count)]
    chosen = Random(SEED).sample(names, len(endings))
    return dict(zip(chosen, endings, strict=True))


@asynccontextmanager
async def _dispatchers(
    valkey: EmbeddedStore, here: World, audit_directory: Path, race: Race, log: Path
) -> AsyncIterator[list[Service]]:
    """Several dispatchers over one store, each with connections, policies and stubs of its own."""
    clients: list[StoreClient] = []
    stubs: list[StubChannel] = []
    services: list[Service] = []
    for _ in range(DISPATCHERS):
        clients.append(connect(socket=valkey.socket))
        own = {name: StubChannel(name, here.clock.now, log) for name in CHANNELS}
        stubs += own.values()
        channels: dict[ChannelName, Channel] = dict(own)
        with patch("dispatcher.wiring.Store", RacingStore):
            service = await build(SETTINGS, clients[-1], here.clock, channels, audit_directory)
        assert isinstance(service.store, RacingStore)
        service.store.race = race
        services.append(service)
    yield services
    for stub in stubs:
        stub.close()
    for client in clients:
        await client.aclose()


async def _drain(dispatchers: list[Service], here: World) -> None:
    async with asyncio.TaskGroup() as group:
        for service in dispatchers:
            group.create_task(service.dispatcher.drain([here.lane]))


def _first_steps(race: Race) -> Counter[tuple[Ending, str]]:
    """Count what was answered of the reminders under way; of those beside the commit it may be either."""
    return Counter(
        (
            answer.ending,
            "stopped" if f"demo~{answer.result.order}~1" in answer.result.stopped else "too_late",
        )
        for answer in race.answers
        if answer.ending.window is not Window.BESIDE
    )
