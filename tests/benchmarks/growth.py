"""Reminders per second while 10,000 others wait, and while 1,000,000 do.

    python -m tests.benchmarks.growth [MANY]

The same shop, batch and number due; the rest waits in the same queue. Both stores are filled first and
then have their turns, small and large alternating. While a store is filled it does not sync, since that
is not measured; before each turn it does, and has finished rewriting its file.
"""

import asyncio
import time
from contextlib import AsyncExitStack
from pathlib import Path
from statistics import median
from typing import NamedTuple

import msgspec

from dispatcher.policy.decisions import Planned
from dispatcher.policy.events import facts_of
from dispatcher.policy.facts import OrderFacts
from dispatcher.policy.schedule import plan
from dispatcher.storage.client import StoreClient
from dispatcher.storage.commands import Intake, PlanStep
from dispatcher.storage.packing import pack
from dispatcher.workflow import details
from dispatcher.workflow.policies import InForce
from tests.benchmarks.scene import (
    ACTOR,
    BATCH,
    ONE_STEP,
    ROUNDS,
    SHOP,
    Figures,
    Scene,
    alone,
    durable,
    order,
    orders,
    scene,
    tell,
)
from tests.worlds import HOUR, MINUTE, NOON

FEW = 10_000
DUE = 20_000
PLACE = "O-PLACE"
TOLD_EVERY = 100_000
REWRITE_POLL_SECONDS = 0.1
WAITERS_FROM = 100_000_000
"""The numbers of orders that wait; those that are due have lower ones."""


async def measure(directory: Path, many: int) -> Figures:
    """Fill both stores, give each its turns and return the medians."""
    few = min(FEW, many // 10)
    due = min(DUE, many)
    turns: dict[int, list[_Turn]] = {few: [], many: []}
    async with AsyncExitStack() as stack:
        stages: dict[int, Scene] = {}
        for waiting in turns:
            stage = await stack.enter_async_context(scene(directory / str(waiting), ONE_STEP))
            await _let_wait(stage, waiting)
            stages[waiting] = stage
        for turn in range(ROUNDS):
            for waiting, stage in stages.items():
                took = await _turn(stage, turn, waiting, due)
                turns[waiting].append(took)
                tell(f"growth: {took.rate:.0f}/s with {waiting} waiting, {took.cpu_us:.0f} µs of CPU each")
        store = await durable(stages[many].redis)
    rate = {waiting: median(took.rate for took in turns[waiting]) for waiting in turns}
    cpu_us = {waiting: median(took.cpu_us for took in turns[waiting]) for waiting in turns}
    return {
        "dispatch_per_s_at_10k": round(rate[few]),
        "dispatch_per_s_at_1m": round(rate[many]),
        "growth_ratio": round(rate[few] / rate[many], 2),
        "cpu_us_per_reminder_at_10k": round(cpu_us[few]),
        "cpu_us_per_reminder_at_1m": round(cpu_us[many]),
        "store": store,
    }


class _Turn(NamedTuple):
    """Reminders a second, and the time of worker and store on a CPU for each in µs.

    The second is the steadier one where others use the machine too.
    """

    rate: float
    cpu_us: float


async def _turn(stage: Scene, turn: int, waiting: int, due: int) -> _Turn:
    """Let `due` reminders fall due and work them off; the others must still wait afterwards."""
    placed = NOON + turn * MINUTE
    sent = stage.stub.handed_over
    await stage.take(orders(due, start=turn * due, placed_at=placed))
    stage.clock.advance_to(placed + 15 * MINUTE)
    await durable(stage.redis)
    cpu, began = await _cpu_seconds(stage), time.perf_counter()
    done = await stage.drain()
    seconds, cpu = time.perf_counter() - began, await _cpu_seconds(stage) - cpu
    assert stage.stub.handed_over - sent == due == done["send"], done
    left = await stage.redis.zcard(stage.service.store.keys(_lane(stage)).due(SHOP, "chat"))
    assert left == waiting, left
    return _Turn(due / seconds, cpu / due * 1_000_000)


async def _cpu_seconds(stage: Scene) -> float:
    """Return the time on a CPU of this process and the store's."""
    store = await stage.redis.info("cpu")
    return time.process_time() + float(store["used_cpu_user"]) + float(store["used_cpu_sys"])


async def _let_wait(stage: Scene, count: int) -> None:
    """Fill the store with orders whose reminder is due later today, through the script that takes events."""
    store, redis = stage.service.store, stage.redis
    await redis.config_set("appendonly", "no")
    sample = _Sample(await stage.service.policies.in_force(SHOP, anew=True), count)
    began = time.perf_counter()
    for start in range(0, count, BATCH):
        numbers = range(start, min(start + BATCH, count))
        replies = await store.intake(
            _lane(stage), [sample.numbered(number) for number in numbers], NOON, ACTOR
        )
        assert all(reply.status == "accepted" for reply in replies), replies[0]
        if (start + BATCH) % TOLD_EVERY == 0:
            tell(f"growth: {start + BATCH} of {count} wait after {time.perf_counter() - began:.0f} s")
    await redis.config_set("appendonly", "yes")
    while await _rewrites(redis):  # noqa: ASYNC110 (the store tells nobody when it is done)
        await asyncio.sleep(REWRITE_POLL_SECONDS)
    await redis.config_set("auto-aof-rewrite-percentage", 0)


async def _rewrites(redis: StoreClient) -> bool:
    state = await redis.info("persistence")
    return bool(state["aof_rewrite_in_progress"] or state["aof_rewrite_scheduled"])


class _Sample:
    """One order as intake would tell the store of it, and the same order under other numbers."""

    def __init__(self, force: InForce, count: int) -> None:
        self._count = count
        self._event = order(WAITERS_FROM)
        self._facts = facts_of(self._event, ONE_STEP)
        (step,) = plan(self._facts, ONE_STEP, NOON)
        assert isinstance(step, Planned)
        self._step = PlanStep(
            moment=step.moment,
            due=step.due,
            channel=step.channel,
            policy=force.version,
            details=details.of_plan(step),
        )
        self._details = details.of_order(self._facts)
        self._shop_rev = force.rev

    def numbered(self, number: int) -> Intake:
        """Return the order under a number of its own, its reminder due between 3 and 23 hours from now."""
        event, facts, own = self._event, self._facts, WAITERS_FROM + number
        about = msgspec.structs.replace(facts.order, id=f"O-{own}", pay_url=f"https://pay.example/O-{own}")
        customer = msgspec.structs.replace(facts.customer, id=f"C-{own}")
        due = NOON + 3 * HOUR + number * 20 * HOUR // self._count
        return Intake(
            event=f"{event.id}-{own}",
            seen=f"{event.source}\x1f{event.id}-{own}",
            digest=event.digest,
            type=event.type,
            time=event.time,
            order=about.id,
            shop_name=SHOP,
            shop_rev=self._shop_rev,
            customer=customer.id,
            facts=pack(msgspec.json.encode(OrderFacts(order=about, customer=customer))),
            closes=about.closes_at,
            details=self._details,
            plan=[msgspec.structs.replace(self._step, due=due)],
        )


def _lane(stage: Scene) -> int:
    return stage.service.store.lane_of(SHOP)


if __name__ == "__main__":
    alone(measure, 1_000_000)
