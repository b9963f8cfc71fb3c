"""The daily cap of a customer, with as many workers as nobody has."""

import asyncio
from pathlib import Path

from dispatcher.settings import Settings
from dispatcher.storage.client import StoreClient
from tests.worlds import DAY, HOUR, NOON, at_once, event, world

WORKERS = 64
ORDERS = 1_000
POLICY = at_once(
    """
    [caps]
    per_day = 2
    [routing]
    channels = ["sms"]
    """
)
BEFORE_MIDNIGHT = NOON + 11 * HOUR
CLOSES = NOON + 3 * DAY


async def test_64_workers_over_midnight_keep_one_customers_cap(
    redis: StoreClient, audit_directory: Path
) -> None:
    here = await world(
        redis, audit_directory, policy=POLICY, start=BEFORE_MIDNIGHT, settings=Settings(lanes=1, batch=20)
    )
    crew = [here]
    for _ in range(WORKERS - 1):
        other = await world(
            redis, audit_directory, policy=POLICY, start=BEFORE_MIDNIGHT, settings=Settings(batch=20)
        )
        crew.append(other)
    events = [event("order.unpaid", f"O-{n}", BEFORE_MIDNIGHT, closes_at=CLOSES) for n in range(ORDERS)]
    await here.service.intake.take(events, "key:test")

    sent = []
    for midnights in range(2):
        for one in crew:
            one.clock.advance_to(BEFORE_MIDNIGHT + midnights * HOUR)
        await asyncio.gather(*(one.dispatch() for one in crew))
        sent.append(sum(record["kind"] == "reminder.sent" for record in await here.audit()))

    assert sent == [2, 4]
    assert sum(one.channels["sms"].handed_over for one in crew) == 4
