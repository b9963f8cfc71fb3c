"""Reminders per second through lease, decide, render, commit, send and settle, fsync always.

    python -m tests.benchmarks.dispatch [N]

The default policy at an hour when it sends, distinct orders and customers, the full decision in the
audit, one worker. Prints one JSON object; the stub's count must equal N.
"""

import json
import os
import sys
import tempfile
import time
from pathlib import Path

import uvloop

from dispatcher.channels.stub import StubChannel
from dispatcher.policy.document import default_policy
from dispatcher.policy.events import Event
from dispatcher.settings import Settings
from dispatcher.simulation.clock import VirtualClock
from dispatcher.storage.embedded import EmbeddedStore
from dispatcher.wiring import Service, build, connect
from tests.worlds import MINUTE, NOON, event

BATCH = 500


def events(count: int) -> list[Event]:
    """Return unpaid orders of as many customers, due 15 minutes after noon."""
    return [
        event(
            "order.unpaid",
            f"O-{number}",
            NOON,
            customer=f"C-{number}",
            phone=f"+8613{number:09d}",
            name="王女士",
        )
        for number in range(count)
    ]


async def measure(count: int, directory: Path) -> dict[str, object]:
    """Fill a durable store with `count` reminders, then work them all off."""
    with EmbeddedStore(directory / "store") as store:
        redis = connect(socket=store.socket)
        clock = VirtualClock(NOON)
        stub = StubChannel("chat", clock.now, directory / "handoffs.jsonl")
        service = await build(Settings(lanes=4), redis, clock, {"chat": stub}, directory / "audit")
        await service.put_policy("demo", default_policy(), "benchmark", "user:benchmark")
        intake_seconds = await fill(service, events(count))
        clock.advance_to(NOON + 15 * MINUTE)
        fsync = (await redis.config_get("appendfsync"))["appendfsync"]
        began = time.perf_counter()
        done = await service.dispatcher.drain(service.store.lane_of("demo"))
        seconds = time.perf_counter() - began
        memory = (await redis.info("memory"))["used_memory"]
        await redis.aclose()
        assert stub.handed_over == count == done["send"], (stub.handed_over, done)
    return {
        "reminders": count,
        "dispatch_per_s": round(count / seconds),
        "intake_per_s": round(count / intake_seconds),
        "bytes_per_reminder_after": memory // count,
        "appendfsync": fsync,
        "cpus": os.cpu_count(),
    }


async def fill(service: Service, taken: list[Event]) -> float:
    """Take events in batches; return the seconds it took."""
    began = time.perf_counter()
    for start in range(0, len(taken), BATCH):
        await service.intake.take(taken[start : start + BATCH], "key:benchmark")
    return time.perf_counter() - began


def main() -> None:
    """Measure and print."""
    count = int(sys.argv[1]) if len(sys.argv) > 1 else 20_000
    with tempfile.TemporaryDirectory(prefix="dispatcher-bench-") as directory:
        print(json.dumps(uvloop.run(measure(count, Path(directory)))))


if __name__ == "__main__":
    main()
