"""A worker that is told to end under load finishes what it has committed, and nothing else."""

from pathlib import Path

from dispatcher.settings import Settings
from dispatcher.storage.audit import as_json
from dispatcher.storage.audit_filter import Filter
from dispatcher.wiring import SystemClock
from tests.checkers.dump import dump
from tests.checkers.promises import CheckerRules
from tests.faults.afterwards import AtRest
from tests.faults.site import END_SECONDS, SLOW_WORKER, START_SECONDS, Site, until
from tests.worlds import AT_ONCE, event

SETTINGS = Settings(lanes=4)
RULES = CheckerRules(zone="Asia/Shanghai")
ORDERS = 2_000
BEGUN = 100
"""The worker is told to end after so many hand-offs."""


async def test_a_worker_told_to_end_finishes_what_it_committed_and_leaves_the_rest(tmp_path: Path) -> None:
    now = SystemClock().now()
    orders = [event("order.unpaid", f"O-{n}", now, customer=f"C-{n}") for n in range(ORDERS)]
    with Site(tmp_path, SETTINGS) as site:
        await site.prepare(AT_ONCE)
        await site.fill(orders)
        worker = site.start_worker(SLOW_WORKER)
        await until(lambda: site.all_run() and site.handed() >= BEGUN, START_SECONDS, "it is at work")

        seconds = worker.end()

        first = [line.reminder for line in site.lines()]
        left = {name: found.status for name, found in dump(AtRest(site.client), 4).reminders.items()}
        leases = site.client.keys("*:leases")
        site.start_worker()
        await until(site.nothing_left, START_SECONDS, "the next one does the rest")
        site.end()
        handed = [line.reminder for line in site.lines()]
        async with site.service() as service:
            records = [as_json(record) async for record in service.audit.find(Filter())]
        problems = site.contradictions(records, RULES)

    assert seconds < END_SECONDS
    assert BEGUN <= len(first) < ORDERS
    assert {name for name, status in left.items() if status == "sent"} == set(first)
    assert set(left.values()) == {"sent", "planned"}
    assert leases == []
    assert sorted(handed) == sorted(left)
    assert problems == []
