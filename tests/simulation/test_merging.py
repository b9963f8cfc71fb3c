"""A simulation that merges: its audit alone shows that every message was right."""

from pathlib import Path

import msgspec

from dispatcher.policy.document import DEFAULT_TOML, load_toml
from dispatcher.policy.events import Event
from dispatcher.simulation.readers import SourceEvent
from dispatcher.simulation.simulate import simulate
from tests.checkers.promises import DEFAULT_POLICY, check_all
from tests.worlds import HOUR, MINUTE, NOON, event

POLICY = load_toml(DEFAULT_TOML + '[merge]\nwithin = "2h"\n')


def orders() -> list[Event]:
    """Twelve customers with three orders each within the hour, a third of which are paid later."""
    events = []
    for number in range(36):
        order, at = f"O-{number}", NOON + number % 3 * 20 * MINUTE
        total = f"{number * 10 + 9}.90"
        events.append(event("order.unpaid", order, at, customer=f"C-{number // 3}", total=total))
        if number % 5 == 0:
            events.append(event("order.paid", order, at + HOUR))
    return sorted(events, key=lambda one: one.time)


async def test_an_audit_of_merges_keeps_every_promise(tmp_path: Path) -> None:
    audit = tmp_path / "audit.jsonl"

    outcome = await simulate([SourceEvent(one.time, one) for one in orders()], POLICY, audit)

    records = [msgspec.json.decode(line) for line in audit.read_bytes().splitlines()]

    assert check_all(records, DEFAULT_POLICY) == []
    assert outcome.report.dropped_by_reason["merged"] >= 12
