"""What people, rivals and limits bring into a decision, altered in its record: it decides otherwise.

What a simulated day has is tried in `test_recomputing`.
"""

from collections.abc import Awaitable, Callable
from copy import deepcopy
from pathlib import Path
from typing import Any

import pytest

from dispatcher.policy.document import load_toml
from dispatcher.policy.facts import WhyUnpaid
from dispatcher.policy.zones import iso
from dispatcher.storage.client import StoreClient
from tests.checkers.recompute import recompute as recompute_apart
from tests.checkers.simulated import inputs
from tests.workflow.test_recomputing import differences
from tests.worlds import BASE, HOUR, MINUTE, NOON, World, at_once, event, world

BY_SMS = '[routing]\nchannels = ["sms"]\n'
CALLED = '[routing]\nchannels = ["sms", "chat"]\nhigh_value = "500.00"\n'
POOL = """
[[incentives]]
id = "tea"
kind = "gift"
use = "this_order"
name = "茶样2袋"
quantity = 1
"""
LATER = '[before_close]\nlead = "20h"\n'

Scene = Callable[[World], Awaitable[None]]
Alter = Callable[[dict[str, Any]], object]
"""Alters the inputs of a rule."""


async def under(here: World, sections: str) -> None:
    await here.service.put_policy("demo", at_once(sections), "test", "user:test")


async def take(here: World, order: str, **more: Any) -> None:
    unpaid = event("order.unpaid", order, here.clock.now(), **more)
    await here.service.intake.take([unpaid], "key:test")


async def dispatched(here: World, after: int = 0) -> None:
    here.clock.advance_to(here.clock.now() + after)
    await here.dispatch()


async def channel_cap(here: World) -> None:
    await under(here, "[caps.per_channel]\nsms = 1\n" + CALLED)
    for order in "BA":
        await take(here, order)
        await dispatched(here)


async def paced(here: World) -> None:
    policy = load_toml('max_late = "2h"\n' + BASE + "[pace]\nsms = 5\n" + BY_SMS)
    await here.service.put_policy("demo", policy, "test", "user:test")
    await take(here, "A")
    await dispatched(here)


async def open_tasks(here: World) -> None:
    await under(here, CALLED + "[phone]\nmax_open = 1\n")
    for order in "BA":
        await take(here, order, total="900.00")
        await dispatched(here)


async def called(
    here: World, outcome: Any, said: int | None = None, why: WhyUnpaid | None = None, **more: Any
) -> None:
    await take(here, "A", total="900.00", **more)
    await dispatched(here)
    await here.service.tasks.claim("demo~A~1", "li", "user:li")
    await here.service.tasks.complete("demo~A~1", "li", outcome, "user:li", said=said, why=why)


async def promised(here: World) -> None:
    await under(here, CALLED + LATER)
    await called(here, "promised", NOON + 6 * HOUR)
    await dispatched(here, 4 * HOUR)


async def refused(here: World) -> None:
    """A step that only a later policy has is planned by an amendment after the call."""
    await under(here, CALLED)
    await called(here, "refused")
    await under(here, CALLED + LATER)
    await here.service.intake.take([event("order.amended", "A", NOON + 1, total="900.00")], "key:test")
    await dispatched(here, 4 * HOUR)


async def paused(here: World) -> None:
    await under(here, BY_SMS)
    await take(here, "A")
    await here.service.operators.pause("demo", "C-1", NOON, "user:wang")
    await dispatched(here)


async def blocked(here: World) -> None:
    await under(here, BY_SMS)
    await take(here, "A")
    await here.service.blocking.block("demo", "phone", "+8613800000000", "user:wang")
    await dispatched(here)


async def arbitration(here: World) -> None:
    await under(here, "[caps]\nmin_gap = '3h'\n" + BY_SMS)
    await take(here, "A", total="10.00")
    await take(here, "B", total="99.00", placed_at=NOON + HOUR)
    await dispatched(here)


async def merge(here: World) -> None:
    await under(here, BY_SMS + '[merge]\nwithin = "1h"\n')
    await take(here, "A")
    await take(here, "B")
    await dispatched(here)


async def merge_but_for_a_changed_mind(here: World) -> None:
    await under(here, CALLED + LATER + '[merge]\nwithin = "1h"\n')
    await called(here, "no_answer", why="changed_mind")
    here.clock.advance_to(NOON + 4 * HOUR)
    await take(here, "B")
    await here.dispatch()


async def incentive(here: World) -> None:
    await under(here, BY_SMS + POOL)
    await take(here, "A", consent={"promotion": True})
    await dispatched(here)


async def incentive_for_a_reason(here: World) -> None:
    await under(here, CALLED + LATER + POOL + 'for = ["price", "doubt"]\n')
    await called(here, "no_answer", why="price", consent={"promotion": True})
    await dispatched(here, 4 * HOUR)


async def incentive_for_a_changed_mind(here: World) -> None:
    await under(here, CALLED + LATER + POOL)
    await called(here, "no_answer", why="changed_mind", consent={"promotion": True})
    await dispatched(here, 4 * HOUR)


def sees(**values: object) -> Alter:
    return lambda seen: seen.update(values)


def other_is(**values: object) -> Alter:
    return lambda seen: seen["others"][0].update(values)


CASES: dict[str, tuple[Scene, str, Alter]] = {
    "channel cap": (channel_cap, "channel_cap", sees(today={})),
    "late, by its pace": (paced, "late", sees(pace=6)),
    "late, by its time": (paced, "late", sees(due=iso(NOON - 3 * HOUR))),
    "open tasks": (open_tasks, "routing", sees(open_tasks=0)),
    "promise": (promised, "promise", sees(promised_until=iso(NOON + 5 * HOUR))),
    "refused": (refused, "refused", sees(refused_at=iso(NOON + MINUTE))),
    "paused": (paused, "paused", sees(paused_since=iso(NOON + MINUTE))),
    "blocked": (blocked, "routing", sees(blocked=[])),
    "blocked in part": (blocked, "routing", sees(blocked=["phone"])),
    "arbitration, the other's total": (arbitration, "arbitration", other_is(total="1.00")),
    "arbitration, the other's obstacle": (arbitration, "arbitration", other_is(obstacle="no_address")),
    "merge, the other's obstacle": (merge, "merge", other_is(obstacle="address")),
    "merge, the other's time": (merge, "merge", other_is(due=iso(NOON + 9 * HOUR))),
    "merge, what is not wanted": (merge_but_for_a_changed_mind, "merge", other_is(obstacle=None)),
    "incentive, what is taken": (incentive, "incentive", lambda seen: seen["pools"]["tea"].update(taken=1)),
    "incentive, consent": (incentive, "incentive", sees(agreed=False)),
    "incentive, the reason": (incentive_for_a_reason, "incentive", sees(told="delivery")),
    "incentive, a changed mind": (incentive_for_a_changed_mind, "incentive", sees(told="price")),
}


@pytest.mark.parametrize(("scene", "rule", "alter"), CASES.values(), ids=CASES)
async def test_an_altered_input_decides_otherwise(
    redis: StoreClient, audit_directory: Path, scene: Scene, rule: str, alter: Alter
) -> None:
    here = await world(redis, audit_directory)
    await scene(here)
    told = await here.audit()
    altered = deepcopy(told)
    record = _last_with(altered, rule)

    alter(inputs(record, rule))

    about = f"{record['kind']} {record['reminder']}"
    assert (recompute_apart(told), differences(told)) == ([], [])
    assert any(about in one for one in recompute_apart(altered))
    assert any(about in one for one in differences(altered))


HEARD: dict[str, tuple[Scene, str, dict[str, object]]] = {
    "a promise": (promised, "task.completed", {"details": {"outcome": "no_answer", "agent": "li"}}),
    "a refusal": (refused, "task.completed", {"details": {"outcome": "no_answer", "agent": "li"}}),
    "a reason": (
        incentive_for_a_reason,
        "task.completed",
        {"details": {"outcome": "no_answer", "agent": "li", "reason": "delivery"}},
    ),
    "a pause": (paused, "operator.paused", {"at": iso(NOON - MINUTE)}),
}
"""What other records tell, and what is put in its place."""


@pytest.mark.parametrize(("scene", "kind", "altered"), HEARD.values(), ids=HEARD)
async def test_what_was_said_otherwise_before_decides_otherwise(
    redis: StoreClient, audit_directory: Path, scene: Scene, kind: str, altered: dict[str, object]
) -> None:
    here = await world(redis, audit_directory)
    await scene(here)
    told = await here.audit()
    (heard,) = [record for record in told if record["kind"] == kind]

    heard |= altered

    # The product decides on what the decision's own record says; the checkers believe who said it.
    assert any(" demo~A~" in one for one in recompute_apart(told))


def _last_with(records: list[dict[str, Any]], rule: str) -> dict[str, Any]:
    """Return the newest record of a decision about order `A` that the rule is in."""
    found = [
        record
        for record in records
        if record["order"] == "A"
        and any(each["rule"] == rule for each in record["details"].get("decision", {}).get("rules", ()))
    ]
    return found[-1]
