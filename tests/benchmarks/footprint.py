"""Bytes of the store's memory that an order with one waiting reminder takes, everything counted.

    python -m tests.benchmarks.footprint [N]

The contract's example event, ids apart, under the default policy without its second step, so that one
reminder waits: order, facts, queue, timer, remembered event and its audit records, none archived yet.
"""

from pathlib import Path

from dispatcher.policy.events import Event, decode_event
from tests.benchmarks.example import INSTANT, example
from tests.benchmarks.scene import ONE_STEP, Figures, alone, durable, scene, tell


async def measure(directory: Path, count: int) -> Figures:
    """Take `count` events and return what each left behind."""
    async with scene(directory, ONE_STEP, INSTANT) as stage:
        await stage.take(_examples(1, start=count))
        before = (await stage.redis.info("memory"))["used_memory"]
        await stage.take(_examples(count))
        after = (await stage.redis.info("memory"))["used_memory"]
        lane = stage.service.store.lane_of("demo")
        waiting = len(await stage.service.store.waiting(lane, "phone"))
        assert waiting == count + 1, waiting
        figure = round((after - before) / count)
        tell(f"footprint: {figure} bytes for an order with one waiting reminder")
        return {"store_bytes_per_reminder": figure, "store": await durable(stage.redis)}


def _examples(count: int, start: int = 0) -> list[Event]:
    return [decode_event(example(number)) for number in range(start, start + count)]


if __name__ == "__main__":
    alone(measure, 20_000)
