"""Reminders per second with one worker, against one arq job per reminder; both sides in turn.

    python -m tests.benchmarks.dispatch [N]

Ours: lease, decide, render, commit, send and settle under the default policy at an hour when it sends,
distinct orders and customers, the full decision in the audit, fsync always. The stub must have had N.
"""

import time
from pathlib import Path
from statistics import median

from dispatcher.policy.document import default_policy
from tests.benchmarks.peer import arq_jobs_per_s, arq_noops_per_s
from tests.benchmarks.scene import ROUNDS, Figures, alone, durable, orders, scene, tell
from tests.worlds import MINUTE, NOON

PEER_SHARE = 5
"""The peer gets so many times fewer reminders: its rate does not depend on their number, its time does."""


async def dispatch_per_s(directory: Path, count: int) -> tuple[float, str]:
    """Fill a store with `count` reminders, work them all off; return the rate and what the store is."""
    async with scene(directory, default_policy()) as stage:
        await stage.take(orders(count))
        stage.clock.advance_to(NOON + 15 * MINUTE)
        began = time.perf_counter()
        done = await stage.drain()
        seconds = time.perf_counter() - began
        assert stage.stub.handed_over == count == done["send"], (stage.stub.handed_over, done)
        return count / seconds, await durable(stage.redis)


async def measure(directory: Path, count: int) -> Figures:
    """Give each side its turns and return the medians."""
    ours: list[float] = []
    jobs: list[float] = []
    noops: list[float] = []
    store = ""
    share = max(1, count // PEER_SHARE)
    for turn in range(ROUNDS):
        rate, store = await dispatch_per_s(directory / f"ours-{turn}", count)
        ours.append(rate)
        tell(f"dispatch: {rate:.0f} reminders/s")
        jobs.append(await arq_jobs_per_s(directory / f"jobs-{turn}", share))
        tell(f"peer, one arq job per reminder: {jobs[-1]:.0f} reminders/s")
        noops.append(await arq_noops_per_s(directory / f"noops-{turn}", share))
        tell(f"peer, empty arq jobs: {noops[-1]:.0f} jobs/s")
    return {
        "dispatch_per_s": round(median(ours)),
        "arq_job_per_reminder_per_s": round(median(jobs)),
        "arq_noop_per_s": round(median(noops)),
        "dispatch_ratio": round(median(ours) / median(jobs), 1),
        "store": store,
    }


if __name__ == "__main__":
    alone(measure, 20_000)
