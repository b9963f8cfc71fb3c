"""A worker that is told to end finishes what it has committed, as far as that is possible in time."""

from pathlib import Path

from dispatcher.settings import Settings
from dispatcher.storage.audit_filter import Filter
from dispatcher.wiring import SystemClock
from tests.checkers.dump import dump
from tests.checkers.promises import CheckerRules
from tests.faults.afterwards import AtRest
from tests.faults.site import END_SECONDS, SILENT_WORKER, SLOW_WORKER, START_SECONDS, Site, until
from tests.worlds import AT_ONCE, as_json, event

SETTINGS = Settings(lanes=4)
RULES = CheckerRules(zone="Asia/Shanghai")
ORDERS = 2_000
PATIENT = Settings(lanes=4, lease_seconds=11.0, channel_timeout_seconds=10.0)
"""A call may take as long as a worker that is told to end."""
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


async def test_a_worker_told_to_end_in_a_call_without_an_answer_ends_in_time_and_leaves_it_uncertain(
    tmp_path: Path,
) -> None:
    with Site(tmp_path, PATIENT) as site:
        await site.prepare(AT_ONCE)
        await site.fill([event("order.unpaid", "O-1", SystemClock().now())])
        worker = site.start_worker(SILENT_WORKER)
        await until(lambda: site.all_run() and site.handed(), START_SECONDS, "it calls")

        seconds = worker.end()

        at_its_end = statuses(site)
        site.start_worker()
        await until(lambda: statuses(site) == ["uncertain"], START_SECONDS, "the next one ends the lease")
        site.end()

    assert seconds < END_SECONDS
    assert at_its_end == ["sending"]
    assert site.handed() == 1


def statuses(site: Site) -> list[str]:
    """Return where each reminder stands."""
    return [found.status for found in dump(AtRest(site.client), 4).reminders.values()]
