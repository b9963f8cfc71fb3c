"""Workers are killed while they hold leases: nothing is lost, nothing is sent twice, no cap is broken."""

import asyncio
from collections import Counter
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from random import Random
from typing import NamedTuple

import redis

from dispatcher.policy.facts import CHANNELS
from dispatcher.storage.embedded import EmbeddedStore
from dispatcher.storage.keys import LaneKeys, lane_of
from dispatcher.wiring import Service, SystemClock, build, connect
from tests.checkers.dump import dump
from tests.checkers.promises import CheckerRules
from tests.checkers.records import Record
from tests.checkers.state import Reminder
from tests.faults.afterwards import AtRest, Line, contradictions, read_log
from tests.faults.crew import Crew, Kill, until
from tests.faults.worker import SETTINGS, Assignment, ShiftedClock
from tests.worlds import HOUR, NOON, as_json, at_once, event

SEED = 20251111
WORKERS = 4
KILLS = 32
"""So many that hit a worker while it holds leases."""
CUSTOMERS = 10_000
TOMORROW = NOON + 12 * HOUR
NEIGHBOURS = 400
"""The two orders of a customer stand among so many, so that different workers often hold them at once."""

POLICY = at_once(
    """
    [caps]
    per_day = 1
    [routing]
    channels = ["sms"]
    """
)
RULES = CheckerRules(zone="Asia/Shanghai", per_day=1)
LANE = lane_of("demo", SETTINGS.lanes)
KEYS = LaneKeys(LANE)


class Aftermath(NamedTuple):
    """What was found when all was done: `problems` by the product's own check, `contradictions` by ours."""

    kills: list[Kill]
    lines: list[Line]
    reminders: dict[str, Reminder]
    records: list[Record]
    segments: list[Path]
    problems: list[str]
    contradictions: list[str]

    def those(self, status: str) -> set[str]:
        """Return the reminders that ended up in a status."""
        return {reminder for reminder, found in self.reminders.items() if found.status == status}


def test_killed_workers_lose_nothing_and_send_nothing_twice(tmp_path: Path) -> None:
    customer_of = _orders()

    after = _drain_while_killing(tmp_path, customer_of)

    sent, uncertain, planned = after.those("sent"), after.those("uncertain"), after.those("planned")
    handed = {line.reminder for line in after.lines}
    assert sum(bool(kill.leased | kill.sending) for kill in after.kills) == KILLS
    assert any(kill.leased for kill in after.kills)
    assert uncertain == {reminder for kill in after.kills for reminder in kill.sending}
    assert uncertain & handed != set()
    assert uncertain - handed != set()
    assert sent <= handed <= sent | uncertain
    assert len(after.lines) == len(handed) == len({line.customer for line in after.lines})
    assert CUSTOMERS - len(uncertain) <= len(after.lines) <= CUSTOMERS
    assert _not_served(customer_of, sent | uncertain, planned) == set()
    assert _not_put_off(planned, after) == set()
    assert after.segments != []
    assert after.problems == []
    assert after.contradictions == []


def _drain_while_killing(directory: Path, customer_of: dict[str, str]) -> Aftermath:
    offset = NOON - SystemClock().now()
    log, audit = directory / "handoffs.jsonl", directory / "audit"
    log.touch()
    with (
        EmbeddedStore(directory / "store") as server,
        redis.Redis(unix_socket_path=str(server.socket)) as client,
    ):
        asyncio.run(_fill(server.socket, offset, customer_of, audit))
        example = Assignment(
            name="",
            socket=str(server.socket),
            handoffs=str(log),
            traces=str(directory),
            audit=str(audit),
            offset=offset,
        )
        with Crew(WORKERS, client, KEYS, example) as crew:
            kills = _kill_often(crew, log)
            until(lambda: _nothing_left_today(crew, client), 60, "the day's work is done")
            crew.end()
        records, problems = asyncio.run(_audit(server.socket, offset, audit))
        at_rest = AtRest(client)
        return Aftermath(
            kills=kills,
            lines=read_log(log),
            reminders=dump(at_rest, SETTINGS.lanes).reminders,
            records=records,
            segments=sorted(audit.rglob("*.jsonl")),
            problems=problems,
            contradictions=contradictions(records, at_rest, SETTINGS.lanes, RULES),
        )


def _orders() -> dict[str, str]:
    """Return customer by order: two each, near each other and seldom next to each other."""
    chance, numbers = Random(SEED), []
    for start in range(0, 2 * CUSTOMERS, NEIGHBOURS):
        block = list(range(start, start + NEIGHBOURS))
        chance.shuffle(block)
        numbers += block
    return {f"O-{number:05d}": f"C-{place // 2:05d}" for place, number in enumerate(numbers)}


@asynccontextmanager
async def _open(socket: Path, offset: int, audit: Path) -> AsyncIterator[Service]:
    client = connect(socket=socket)
    yield await build(SETTINGS, client, ShiftedClock(offset), {}, audit)
    await client.aclose()


async def _fill(socket: Path, offset: int, customer_of: dict[str, str], audit: Path) -> None:
    """Take an unpaid order of noon for each."""
    events = [
        event("order.unpaid", order, NOON, customer=customer) for order, customer in customer_of.items()
    ]
    async with _open(socket, offset, audit) as service:
        await service.put_policy("demo", POLICY, "test", "user:test")
        for start in range(0, len(events), 500):
            await service.intake.take(events[start : start + 500], "key:test")


async def _audit(socket: Path, offset: int, audit: Path) -> tuple[list[Record], list[str]]:
    """Return the whole audit, and what its own verification finds."""
    async with _open(socket, offset, audit) as service:
        records = [as_json(record) async for record in service.audit.read(LANE)]
        return records, (await service.audit.check(LANE)).problems


def _kill_often(crew: Crew, log: Path) -> list[Kill]:
    """Kill workers whom and when chance chooses: mostly while they send, now and then before a commit."""
    chance = Random(SEED)
    points = sorted(chance.sample(range(CUSTOMERS * 9 // 10), KILLS))
    kills = []
    for nth, point in enumerate(points):
        _wait_for(point, crew, log)
        hit = False
        while not hit:
            preferred = chance.sample(range(WORKERS), WORKERS)
            kills.append(crew.kill(preferred, while_sending=nth % 4 != 0))
            hit = bool(kills[-1].leased | kills[-1].sending)
    return kills


def _wait_for(handoffs: int, crew: Crew, log: Path) -> None:
    until(lambda: crew.all_work() and log.read_bytes().count(b"\n") >= handoffs, 60, f"{handoffs} hand-offs")


def _nothing_left_today(crew: Crew, client: redis.Redis) -> bool:
    pipe = client.pipeline(transaction=True)
    pipe.zcard(KEYS.leases)
    for channel in CHANNELS:
        pipe.zcount(KEYS.due("demo", channel), "-inf", f"({TOMORROW}")
    return crew.all_work() and not any(pipe.execute())


def _not_served(customer_of: dict[str, str], handed_over: set[str], planned: set[str]) -> set[str]:
    """Return customers of whose two orders not one was handed over, perhaps, while the other waits."""
    handed: Counter[str] = Counter()
    waiting: Counter[str] = Counter()
    for order, customer in customer_of.items():
        reminder = f"demo~{order}~1"
        handed[customer] += reminder in handed_over
        waiting[customer] += reminder in planned
    return {customer for customer in customer_of.values() if (handed[customer], waiting[customer]) != (1, 1)}


def _not_put_off(planned: set[str], after: Aftermath) -> set[str]:
    """Return planned reminders that the cap, as their last record tells, did not put off until tomorrow."""
    last = {record["reminder"]: record for record in after.records}
    return {
        reminder
        for reminder in planned
        if after.reminders[reminder].due != TOMORROW
        or (last[reminder]["kind"], last[reminder]["reason"]) != ("reminder.deferred", "daily_cap")
    }
