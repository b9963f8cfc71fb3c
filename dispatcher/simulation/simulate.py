"""`dispatcher simulate`: an order file in, a report and the whole audit out; nothing leaves the machine."""

import tempfile
import time
from collections.abc import Callable
from pathlib import Path

import msgspec

from dispatcher.channels.stub import StubChannel
from dispatcher.policy.document import Policy
from dispatcher.policy.facts import Channel
from dispatcher.policy.zones import zone
from dispatcher.settings import Settings
from dispatcher.simulation.clock import VirtualClock
from dispatcher.simulation.readers import SourceEvent
from dispatcher.simulation.report import Report, report
from dispatcher.simulation.run import ACTOR, LANE, RETENTION_DAYS, Simulation
from dispatcher.storage.audit import line
from dispatcher.storage.audit_record import AuditRecord
from dispatcher.storage.embedded import EmbeddedStore
from dispatcher.wiring import build, connect
from dispatcher.workflow.intake import Result

SETTINGS = Settings(lanes=1, hands=1, retention_days=RETENTION_DAYS)


class Simulated(msgspec.Struct, kw_only=True):
    """The outcome of a simulation; `rejected` are the events that were refused."""

    report: Report
    rejected: list[Result]


async def simulate(
    events: list[SourceEvent],
    policy: Policy,
    audit: Path | None = None,
    progress: Callable[[int], None] = lambda taken: None,
) -> Simulated:
    """Run events under one policy for all their shops; the audit goes to `audit` as JSON lines."""
    began = time.monotonic()
    clock = VirtualClock(events[0].at if events else 0)
    with tempfile.TemporaryDirectory(prefix="dispatcher-simulate-") as directory:
        folder = Path(directory)
        with EmbeddedStore(folder / "store", durable=False) as store:
            redis = connect(socket=store.socket)
            try:
                channels: dict[Channel, StubChannel] = {
                    "chat": StubChannel("chat", clock.now),
                    "sms": StubChannel("sms", clock.now),
                }
                service = await build(SETTINGS, redis, clock, channels, folder / "audit")
                for shop in sorted({source.event.shop for source in events}):
                    await service.put_policy(shop, policy, "simulation", ACTOR)
                simulation = Simulation(service, clock)
                await simulation.run(events, progress)
                records = [record async for record in service.audit.read(LANE)]
            finally:
                await redis.aclose()
    if audit is not None:
        _write(audit, records)
    seconds = time.monotonic() - began
    return Simulated(
        report=report(records, zone(policy.timezone), len(simulation.rejected), seconds),
        rejected=simulation.rejected,
    )


def _write(path: Path, records: list[AuditRecord]) -> None:
    with path.open("wb") as file:
        file.writelines(line(record) for record in records)
