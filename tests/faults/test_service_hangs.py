"""A store that hangs: callers are told so within a second, and afterwards all goes on."""

import asyncio
from collections import Counter
from pathlib import Path

from dispatcher.settings import Settings
from dispatcher.telemetry import STORE_AWAY
from dispatcher.wiring import SystemClock
from tests.checkers.promises import CheckerRules
from tests.checkers.trail import effects
from tests.faults.site import START_SECONDS, Site, until
from tests.faults.visitor import Answer, Visitor, not_soon, unpaid
from tests.worlds import AT_ONCE

SETTINGS = Settings(lanes=4)
RULES = CheckerRules(zone="Asia/Shanghai")
POSTS = 100
READERS = 10
READS = (
    "/v1/orders/demo/O-0",
    "/v1/reminders?shop=demo",
    "/v1/audit?shop=demo",
    "/v1/shops/demo/policy",
    "/health/ready",
    "/metrics",
)


async def test_a_store_that_hangs_is_told_within_a_second_and_loses_nothing(tmp_path: Path) -> None:
    now = SystemClock().now()
    events = [unpaid(f"O-{number}", f"C-{number}", now) for number in range(POSTS)]
    with Site(tmp_path, SETTINGS) as site:
        await site.prepare(AT_ONCE)
        site.start_api()
        worker = site.start_worker()
        await site.ready()
        async with Visitor(site) as visitor:
            before = await visitor.post([unpaid("O-before", "C-before", now)])

            site.hang_store()
            during = await _ask_at_once(visitor, events)
            await until(lambda: STORE_AWAY in worker.log.read_text(), START_SECONDS, "the worker notices")
            site.let_store_go_on()
            after = await asyncio.gather(*(visitor.post([event]) for event in events))

            await until(site.nothing_left, START_SECONDS, "everything that is due is done")
            records = await visitor.audit()
            site.end()
        handed = Counter(line.order for line in site.lines())
        problems = site.contradictions(records, RULES)

    orders = ["O-before", *(f"O-{number}" for number in range(POSTS))]
    assert before.status == 202
    assert Counter(answer.status for answer in during) == {503: len(during)}
    assert not_soon(during) == []
    assert Counter(answer.status for answer in after) == {202: POSTS}
    assert any(answer.body["results"][0]["status"] == "duplicate" for answer in after)
    assert {event: len(found) for (_, event), found in effects(records).items()} == {
        f"{order}-order.unpaid": 1 for order in orders
    }
    assert handed == Counter(orders)
    assert problems == []


async def _ask_at_once(visitor: Visitor, events: list[dict[str, object]]) -> list[Answer]:
    posts = [visitor.post([event]) for event in events]
    reads = [visitor.get(path) for path in READS for _ in range(READERS)]
    return list(await asyncio.gather(*posts, *reads))
