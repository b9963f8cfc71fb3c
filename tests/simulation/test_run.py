"""Order files through the real wiring: what falls on one instant, and what the figures say of it."""

from collections.abc import Sequence
from pathlib import Path

import msgspec

from dispatcher.policy.document import load_toml
from dispatcher.policy.events import Event
from dispatcher.policy.terms import Policy
from dispatcher.simulation.readers import SourceEvent
from dispatcher.simulation.simulate import Simulated, simulate
from tests.worlds import AT_ONCE, DAY, HOUR, MINUTE, NOON, event

IN_HALF_AN_HOUR = load_toml(
    """
    timezone = "Asia/Shanghai"
    platform = "own"
    pay_within = "24h"
    [[cadence]]
    placed = ["00:00", "24:00"]
    remind = {after = "30m"}
    [routing]
    channels = ["sms", "chat"]
    high_value = "500.00"
    [phone]
    windows = [["09:00", "12:15"], ["14:00", "20:00"]]
    overflow_after = "6h"
    """
)


async def run(
    events: Sequence[Event], policy: Policy = IN_HALF_AN_HOUR, audit: Path | None = None
) -> Simulated:
    return await simulate([SourceEvent(one.time, one) for one in events], policy, audit)


def unpaid(order: str = "O-1", at: int = NOON, total: str = "99.00") -> Event:
    return event("order.unpaid", order, at, customer=f"C-{order}", total=total)


async def test_a_payment_at_the_instant_of_the_reminder_comes_first() -> None:
    due = NOON + 30 * MINUTE

    outcome = await run(
        [unpaid(), unpaid("O-2"), event("order.paid", "O-1", due), event("order.paid", "O-2", due + 1)]
    )

    assert outcome.report.sent == 1
    assert outcome.report.dropped_by_reason == {"paid": 1}
    assert outcome.report.unpaid_at_due == 1


async def test_a_payment_at_the_instant_of_the_close_comes_first(tmp_path: Path) -> None:
    audit = tmp_path / "audit.jsonl"

    await run([unpaid(), unpaid("O-2"), event("order.paid", "O-1", NOON + DAY)], audit=audit)

    lines = [msgspec.json.decode(line) for line in audit.read_bytes().splitlines()]
    ends = {
        record["order"]: record["kind"]
        for record in lines
        if record["kind"] in ("order.paid", "order.closed")
    }
    assert ends == {"O-1": "order.paid", "O-2": "order.closed"}


async def test_every_reminder_has_its_turn_after_the_last_event() -> None:
    outcome = await run([unpaid(f"O-{number}", NOON + number * MINUTE) for number in range(5)])

    assert outcome.report.orders == outcome.report.sent == outcome.report.unpaid_at_due == 5
    assert outcome.report.sent_by_channel == {"sms": 5}
    assert outcome.report.sent_by_day == {"2025-11-11": 5}
    assert outcome.report.largest_minute == 1


async def test_what_goes_out_in_one_minute_is_counted() -> None:
    outcome = await run([unpaid(f"O-{number}") for number in range(7)], AT_ONCE)

    assert outcome.report.largest_minute == 7


async def test_a_task_is_claimed_when_the_hours_for_calls_begin(tmp_path: Path) -> None:
    audit = tmp_path / "audit.jsonl"

    outcome = await run([unpaid(total="900.00"), unpaid("O-2", NOON + 3 * HOUR, total="10.00")], audit=audit)

    lines = [msgspec.json.decode(line) for line in audit.read_bytes().splitlines()]
    (claimed,) = [record for record in lines if record["kind"] == "task.claimed"]
    assert claimed["at"] == "2025-11-11T06:00:00.000Z"
    assert (outcome.report.tasks, outcome.report.sent_by_channel) == (1, {"phone": 1, "sms": 1})


async def test_days_are_the_shops() -> None:
    night = NOON + 12 * HOUR

    outcome = await run([unpaid("O-1", night - 1), unpaid("O-2", night)], AT_ONCE)

    assert outcome.report.sent_by_day == {"2025-11-11": 1, "2025-11-12": 1}


async def test_a_rejected_event_is_counted_and_told() -> None:
    other = event("order.unpaid", "O-1", NOON + 1, placed_at=NOON, customer="C-2")

    outcome = await run([unpaid(), other])

    assert outcome.report.rejected == 1
    assert [result.order for result in outcome.rejected] == ["O-1"]


async def test_events_of_several_shops_run_under_the_one_policy() -> None:
    events = [unpaid(), event("order.unpaid", "O-1", NOON, shop="other")]

    outcome = await run(events)

    assert outcome.report.sent == 2


async def test_no_events_give_a_report_of_zeros() -> None:
    outcome = await run([])

    figures = msgspec.structs.asdict(outcome.report)
    assert {name for name, value in figures.items() if value} <= {"seconds"}


async def test_the_same_events_give_the_same_audit_twice(tmp_path: Path) -> None:
    events = [unpaid(f"O-{number}", NOON + number * 1000) for number in range(20)]
    paths = [tmp_path / name for name in ("one", "two")]

    for path in paths:
        await run(events, audit=path)

    assert paths[0].read_bytes() == paths[1].read_bytes() != b""


async def test_progress_hears_of_every_event() -> None:
    heard: list[int] = []

    await simulate(
        [SourceEvent(one.time, one) for one in (unpaid(), unpaid("O-2"), unpaid("O-3", NOON + 1))],
        AT_ONCE,
        None,
        heard.append,
    )

    assert heard == [2, 1]
