"""The store is killed again and again under load: what was answered holds, and work goes on by itself."""

import asyncio
from collections import Counter
from collections.abc import Callable
from pathlib import Path
from random import Random
from typing import NamedTuple

from dispatcher.policy.facts import Instant
from dispatcher.settings import Settings
from dispatcher.wiring import SystemClock
from tests.checkers.promises import CheckerRules
from tests.checkers.records import Record, instant
from tests.checkers.trail import effects
from tests.faults.afterwards import Line
from tests.faults.load import Load
from tests.faults.site import SLOW_WORKER, START_SECONDS, Site, until
from tests.faults.visitor import Answer, Visitor, not_soon
from tests.worlds import at_once

SEED = 20251111
KILLS = 20
CONNECTIONS = 4
BACK_SECONDS = 3.0
"""After the store's return the first hand-off comes within so long."""
ROUND_SECONDS = 20.0
REST_SECONDS = 30.0

SETTINGS = Settings(lease_seconds=6.0, channel_timeout_seconds=3.0, segment_records=2_000)
"""A short lease, so that a test need not wait long for what nobody knows the outcome of."""

POLICY = at_once(
    """
    [caps]
    per_day = 1
    [routing]
    channels = ["chat", "sms"]
    """
)
RULES = CheckerRules(zone="Asia/Shanghai", per_day=1)


class Aftermath(NamedTuple):
    """What was found when all was done."""

    load: Load
    answers: list[Answer]
    kills: list[Instant]
    lines: list[Line]
    records: list[Record]
    contradictions: list[str]


async def test_a_store_that_is_killed_under_load_costs_nothing_but_repeats(tmp_path: Path) -> None:
    with Site(tmp_path, SETTINGS) as site:
        await site.prepare(POLICY)
        site.start_api()
        site.start_worker()
        site.start_worker(SLOW_WORKER)
        await site.ready()

        after = await _load_while_killing(site)

    load, handed = after.load, [line.reminder for line in after.lines]
    sent, uncertain = _those("reminder.sent", after), _those("reminder.uncertain", after)
    stopped = {reminder for result in load.results("order.paid") for reminder in result["stopped"]}
    assert load.wrong == []
    assert not_soon(after.answers) == []
    assert sum(answer.status == 503 for answer in after.answers) > KILLS
    assert _without_effect(load, after.records) == {}
    assert stopped
    assert stopped.isdisjoint(handed)
    assert len(handed) == len(set(handed)) > KILLS
    assert sent <= set(handed) <= sent | uncertain
    assert _not_under_way_at_a_kill(uncertain, after) == set()
    assert after.contradictions == []


async def _load_while_killing(site: Site) -> Aftermath:
    async with Visitor(site) as visitor:
        load = Load(visitor, SEED)
        posting = asyncio.create_task(load.run(CONNECTIONS))
        try:
            kills = await _kill_often(site, visitor, posting)
        finally:
            load.stop()
            await asyncio.gather(posting, return_exceptions=True)
        await until(site.nothing_left, REST_SECONDS, "everything that is due is done")
        answers = list(visitor.answers)
        records = await visitor.audit()
        site.end()
        return Aftermath(
            load=load,
            answers=answers,
            kills=kills,
            lines=site.lines(),
            records=records,
            contradictions=site.contradictions(records, RULES),
        )


async def _kill_often(site: Site, visitor: Visitor, posting: "asyncio.Task[None]") -> list[Instant]:
    """Kill the store again and again; return when."""
    chance = Random(SEED)

    def goes_on() -> bool:
        assert not posting.done(), posting.exception()
        return site.all_run()

    await until(lambda: goes_on() and site.handed(), START_SECONDS, "the first hand-off")
    return [await _kill_once(site, visitor, chance, goes_on) for _ in range(KILLS)]


async def _kill_once(site: Site, visitor: Visitor, chance: Random, goes_on: Callable[[], bool]) -> Instant:
    """Kill the store after some work and keep it away for some refusals, as many as chance chooses."""
    enough = site.handed() + chance.randint(5, 60)
    await until(lambda: goes_on() and site.handed() >= enough, ROUND_SECONDS, "some hand-offs")
    killed_at = SystemClock().now()
    site.kill_store()
    refused = _refused(visitor) + chance.randint(1, 50)
    await until(lambda: goes_on() and _refused(visitor) >= refused, ROUND_SECONDS, "some refusals")
    await site.revive_store()
    before = site.handed()
    await until(lambda: goes_on() and site.handed() > before, BACK_SECONDS, "a hand-off after the return")
    return killed_at


def _refused(visitor: Visitor) -> int:
    return sum(answer.status == 503 for answer in visitor.answers)


def _those(kind: str, after: Aftermath) -> set[str]:
    return {record["reminder"] for record in after.records if record["kind"] == kind}


def _without_effect(load: Load, records: list[Record]) -> Counter[tuple[str, str]]:
    """Return the events that were answered and have not had their effect once; and those never answered."""
    had = Counter({event: len(instants) for event, instants in effects(records).items()})
    answered = Counter(("demo", event) for event in load.taken)
    return (answered - had) + (had - answered)


def _not_under_way_at_a_kill(uncertain: set[str], after: Aftermath) -> set[str]:
    """Return the uncertain ones that were not committed just before a kill."""
    committed = {
        record["reminder"]: instant(record["at"])
        for record in after.records
        if record["kind"] == "reminder.sending"
    }
    longest = int(SETTINGS.start_within_seconds * 1000)
    return {
        reminder
        for reminder in uncertain
        if not any(committed[reminder] <= kill <= committed[reminder] + longest for kill in after.kills)
    }
