"""A store at its memory limit takes nothing new, and still everything that ends what is there."""

import asyncio
from pathlib import Path
from typing import Any

from dispatcher.settings import Settings
from dispatcher.telemetry import STARTED
from dispatcher.wiring import SystemClock
from tests.checkers.promises import CheckerRules
from tests.faults.site import START_SECONDS, Site, until
from tests.faults.visitor import Visitor, not_soon, paid, unpaid
from tests.worlds import AT_ONCE

SETTINGS = Settings(lanes=4)
RULES = CheckerRules(zone="Asia/Shanghai")
ORDERS = 1_000
OTHERS = 20
"""Orders of another shop, whose reminders a worker hands over that starts while the store is full."""
PAID = 100
"""So many of the orders are paid while the store is full, each by itself."""
BELOW_BYTES = 500_000
"""The limit is passed by so much, since what the store uses goes up and down a little."""
OVER_BYTES = 3_000
"""The most that ending one of the orders may add above the limit."""


async def test_a_full_store_refuses_what_is_new_and_ends_what_is_there(tmp_path: Path) -> None:
    now = SystemClock().now()
    known = [f"O-{number}" for number in range(ORDERS)]
    others = [f"P-{number}" for number in range(OTHERS)]
    to_pay, in_batch, to_send = known[:PAID], known[PAID], known[PAID + 1 :]
    with Site(tmp_path, SETTINGS) as site:
        await site.prepare(AT_ONCE, ["demo", "other"])
        site.start_api()
        worker = site.start_worker()
        await site.ready()
        await until(lambda: STARTED in worker.log.read_text(), START_SECONDS, "the worker has begun")
        async with Visitor(site) as visitor:
            await visitor.ask("POST", "/v1/shops/demo/pause")
            await visitor.ask("POST", "/v1/shops/other/pause")
            await visitor.post([unpaid(order, f"C-{order}", now, shop="other") for order in others])
            await visitor.post([unpaid(order, f"C-{order}", now) for order in known])
            full = _fill_up(site)

            refused = await visitor.post([unpaid("N-1", "C-1", now)])
            payments = await asyncio.gather(*(visitor.post([paid(order, now)]) for order in to_pay))
            mixed = await visitor.post([unpaid("N-2", "C-2", now), paid(in_batch, now)])
            resumed = await visitor.ask("DELETE", "/v1/shops/demo/pause")
            await until(lambda: site.handed() == len(to_send), START_SECONDS, "what is due is sent")
            await until(site.nothing_left, START_SECONDS, "it is recorded")
            over = _used(site) - full
            worker.end()
            site.start_worker()
            await visitor.ask("DELETE", "/v1/shops/other/pause")
            sent = len(to_send) + len(others)
            await until(lambda: site.handed() == sent, START_SECONDS, "a worker that starts now sends too")
            still_refused = await visitor.post([unpaid("N-1", "C-1", now)])
            site.client.config_set("maxmemory", 0)
            taken = await visitor.post([unpaid("N-1", "C-1", now)])
            await until(lambda: site.handed() == sent + 1, START_SECONDS, "the new one is sent")
            await until(site.nothing_left, START_SECONDS, "it is recorded")

            records = await visitor.audit()
            site.end()
        handed = [line.order for line in site.lines()]
        problems = site.contradictions(records, RULES)

    assert (refused.status, refused.body["type"]) == (503, "urn:dispatcher:problem:store-full")
    assert [answer.status for answer in payments] == [202] * PAID
    assert [_result(answer.body, "stopped") for answer in payments] == [[f"demo~{o}~1"] for o in to_pay]
    assert mixed.status == 202
    assert [result["status"] for result in mixed.body["results"]] == ["rejected", "accepted"]
    assert mixed.body["results"][0]["problem"]["type"] == "urn:dispatcher:problem:store-full"
    assert (resumed.status, still_refused.status, taken.status) == (200, 503, 202)
    assert sorted(handed) == sorted([*to_send, *others, "N-1"])
    assert over < ORDERS * OVER_BYTES
    assert not_soon(visitor.answers) == []
    assert problems == []


def _fill_up(site: Site) -> int:
    """Set the limit to somewhat less than what the store uses already; return what it uses."""
    used = _used(site)
    site.client.config_set("maxmemory", used - BELOW_BYTES)
    return used


def _used(site: Site) -> int:
    found: Any = site.client.info("memory")
    used: int = found["used_memory"]
    return used


def _result(body: dict[str, Any], field: str) -> Any:
    (result,) = body["results"]
    return result[field]
