"""How late hand-offs start while 500 reminders fall due each second, in a real worker process.

    python -m tests.benchmarks.lateness [SECONDS]

The reminders wait before the first falls due. Lateness is the audit's `handed_at` less the due time.
"""

import asyncio
from asyncio.subprocess import Process
from pathlib import Path

from dispatcher.policy.document import load_toml
from dispatcher.policy.event_values import instant
from dispatcher.policy.facts import Instant
from dispatcher.settings import Settings
from dispatcher.storage.audit_filter import Filter
from dispatcher.wiring import Service, SystemClock, build
from tests.benchmarks.processes import READY_SECONDS, started, store_at
from tests.benchmarks.scene import ACTOR, BATCH, SHOP, Figures, alone, durable, opened, order, tell
from tests.worlds import MINUTE, as_json

PER_SECOND = 500
FILL_PER_SECOND = 1_000
"""Intake is at least so fast; the first reminder falls due when it must be done."""
PROBE = 999_999_999
POLL_SECONDS = 0.2
LATEST_SECONDS = 60.0
"""Whatever is not handed over so long after the last fell due never will be."""

POLICY = load_toml(
    """
    timezone = "Asia/Shanghai"
    platform = "own"
    pay_within = "24h"
    [[cadence]]
    placed = ["00:00", "24:00"]
    remind = {after = "15m"}
    [routing]
    channels = ["chat"]
    """
)
"""Reminds 15 minutes after the order, at any hour."""


async def measure(directory: Path, seconds: int) -> Figures:
    """Let reminders fall due for so long and return how late the hand-offs were."""
    async with opened(directory) as (store, redis):
        service = await build(Settings(), redis, SystemClock(), {}, directory / "audit")
        await service.put_policy(SHOP, POLICY, "benchmark", "user:benchmark")
        environment = store_at(store.socket)
        async with started(
            "dispatcher", "worker", "--data", str(directory), environment=environment
        ) as worker:
            await _probe(service, worker)
            dues = await _fill(service, seconds * PER_SECOND)
            await _until_done(service, worker, max(dues.values()))
        late = sorted([handed - dues[name] for name, handed in await _handed(service) if name in dues])
        assert len(late) == len(dues), (len(late), len(dues))
        p50, p99 = (late[len(late) * share // 100] / 1000 for share in (50, 99))
        tell(f"lateness: p50 {p50} s, p99 {p99} s, at most {late[-1] / 1000} s of {len(late)} reminders")
        return {"p99_lateness_s": p99, "p50_lateness_s": p50, "store": await durable(redis)}


async def _probe(service: Service, worker: Process) -> None:
    """Wait until the worker has handed over something."""
    now = service.clock.now()
    await service.intake.take([order(PROBE, now - 15 * MINUTE)], ACTOR)
    await _until_done(service, worker, now + int(READY_SECONDS * 1000))


async def _fill(service: Service, count: int) -> dict[str, Instant]:
    """Take orders whose reminders fall due one after the other; return when, by order."""
    first = service.clock.now() + count * 1000 // FILL_PER_SECOND
    dues = [first + number * 1000 // PER_SECOND for number in range(count)]
    events = [order(number, due - 15 * MINUTE) for number, due in enumerate(dues)]
    for start in range(0, count, BATCH):
        results = await service.intake.take(events[start : start + BATCH], ACTOR)
        assert all(result.status == "accepted" for result in results), results[0]
    assert service.clock.now() < first, "intake was too slow for this measurement"
    return {event.order: due for event, due in zip(events, dues, strict=True)}


async def _until_done(service: Service, worker: Process, last: Instant) -> None:
    """Wait until nothing waits any more and nothing is being handed over."""
    keys = service.store.keys(service.store.lane_of(SHOP))
    latest = last + int(LATEST_SECONDS * 1000)
    while True:
        waiting = await service.store.redis.zcard(keys.due(SHOP, "chat"))
        leased = await service.store.redis.zcard(keys.leases)
        if not waiting + leased:
            return
        assert worker.returncode is None, f"the worker ended with {worker.returncode}"
        assert service.clock.now() < latest, f"{waiting} reminders still wait, {leased} are leased"
        await asyncio.sleep(POLL_SECONDS)


async def _handed(service: Service) -> list[tuple[str, Instant]]:
    """Return (order, hand-off's instant) of what was sent."""
    records = [as_json(record) async for record in service.audit.find(Filter(kind="reminder.sent"))]
    return [(record["order"], instant(record["details"]["handed_at"])) for record in records]


if __name__ == "__main__":
    alone(measure, 30)
