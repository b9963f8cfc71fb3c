"""The peer: the ordinary way to build this, one deferred arq job per reminder.

    python -m tests.benchmarks.peer [N]

A job reads its order and the customer's ledger, decides, renders, hands over to the same stub, and writes
the order's state, the ledger and an audit record in one transaction, on the same durable store. It is
spared what else a dispatcher must do (a lease, a second look before the hand-off, gapless numbers).

The settings are the best found for arq 0.28 on 2 cores, see `SETTINGS`.
"""

import asyncio
import time
from collections.abc import AsyncIterator, Awaitable, Callable, Sequence
from contextlib import asynccontextmanager
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import msgspec
from arq import create_pool
from arq.connections import ArqRedis, RedisSettings
from arq.worker import Worker, func

from dispatcher.channels.base import Accepted, Message
from dispatcher.channels.stub import StubChannel
from dispatcher.messages.catalog import Catalog
from dispatcher.messages.rendering import Rendered, render
from dispatcher.policy.decide import decide
from dispatcher.policy.decisions import Planned, Send
from dispatcher.policy.document import default_policy
from dispatcher.policy.events import Event, facts_of
from dispatcher.policy.facts import Channel, Facts, Instant, OrderFacts, OrderState
from dispatcher.policy.schedule import plan
from dispatcher.policy.zones import iso
from dispatcher.storage.embedded import EmbeddedStore
from tests.benchmarks.scene import SHOP, Figures, alone, orders
from tests.worlds import MINUTE, NOON

QUEUE = "peer:jobs"
AUDIT = "peer:audit"
NOW = NOON + 15 * MINUTE
ENQUEUED_AT_ONCE = 50

SETTINGS: dict[str, Any] = {
    "max_jobs": 20,
    "queue_read_limit": 100,
    "poll_delay": 0.001,
    "keep_result": 0,
    "job_timeout": 15,
    "log_results": False,
}
"""Tried: 10 to 1,000 jobs at once, 40 to 1,500 read at once, polls 0 to 10 ms apart; uvloop, a Unix socket.

From 50 jobs on it gets slower: what runs is read again with each poll. 20 had the highest
rates for jobs that do something, on a machine that others used too.
"""


class Reminder(msgspec.Struct, kw_only=True):
    """What the peer keeps of an order and its reminder."""

    facts: OrderFacts
    state: OrderState = OrderState.UNPAID
    status: str = "planned"
    channel: Channel
    moment: Instant
    due: Instant
    handed_at: str | None = None


_REMINDER = msgspec.json.Decoder(Reminder)


class Shop:
    """What a job needs besides its arguments."""

    def __init__(self, stub: StubChannel) -> None:
        self.stub = stub
        self.catalog = Catalog.load(None)
        self.policy = default_policy()


def _order_key(order: str) -> str:
    return f"peer:order:{order}"


def _ledger_key(customer: str) -> str:
    return f"peer:ledger:{customer}"


async def remind(ctx: dict[str, Any], order: str, customer: str) -> None:
    """Bring one due reminder to its customer."""
    redis: ArqRedis = ctx["redis"]
    shop: Shop = ctx["shop"]
    async with redis.pipeline(transaction=False) as pipe:
        pipe.get(_order_key(order))
        pipe.zrange(_ledger_key(customer), 0, -1, withscores=True)
        stored, ledger = await pipe.execute()
    reminder = _REMINDER.decode(stored)
    facts = _facts(reminder, tuple(int(at) for _, at in ledger))
    decision = decide(facts, shop.policy, NOW)
    assert isinstance(decision, Send), decision
    message = render(shop.catalog, facts, decision, shop.policy, NOW)
    assert reminder.facts.customer.chat is not None
    outcome = await shop.stub.send(
        Message(
            reference=f"{SHOP}~{order}~1",
            shop=SHOP,
            order=order,
            customer=customer,
            channel=decision.channel,
            address=reminder.facts.customer.chat,
            text=message.text,
        )
    )
    assert isinstance(outcome, Accepted), outcome
    reminder.status, reminder.handed_at = "sent", iso(NOW)
    async with redis.pipeline(transaction=True) as pipe:
        pipe.set(_order_key(order), msgspec.json.encode(reminder))
        pipe.zadd(_ledger_key(customer), {order: NOW})
        pipe.xadd(AUDIT, {"record": _record(reminder, decision, message)})
        await pipe.execute()


def _record(reminder: Reminder, decision: Send, message: Rendered) -> bytes:
    return msgspec.json.encode(
        {
            "at": reminder.handed_at,
            "kind": "reminder.sent",
            "actor": "system",
            "shop": SHOP,
            "order": reminder.facts.order.id,
            "customer": reminder.facts.customer.id,
            "step": 1,
            "channel": decision.channel,
            "policy": 1,
            "template": message.template,
            "details": {"decision": decision, "text_sha256": message.sha256},
        }
    )


async def nothing(ctx: dict[str, Any], order: str, customer: str) -> None:
    """Do nothing: what arq alone costs."""


def _facts(reminder: Reminder, ledger: tuple[Instant, ...]) -> Facts:
    return Facts(
        shop=SHOP,
        order=reminder.facts.order,
        customer=reminder.facts.customer,
        state=reminder.state,
        step=1,
        status=reminder.status,
        moment=reminder.moment,
        due=reminder.due,
        channel=reminder.channel,
        ledger=ledger,
    )


def _planned(event: Event) -> Reminder:
    facts = facts_of(event, default_policy())
    step = plan(facts, default_policy(), NOON)[0]
    assert isinstance(step, Planned)
    return Reminder(facts=facts, channel=step.channel, moment=step.moment, due=step.due)


@asynccontextmanager
async def _queue(directory: Path) -> AsyncIterator[ArqRedis]:
    with EmbeddedStore(directory / "store") as store:
        redis = await create_pool(
            RedisSettings(unix_socket_path=str(store.socket)),
            job_serializer=msgspec.msgpack.encode,
            job_deserializer=msgspec.msgpack.decode,
            default_queue_name=QUEUE,
        )
        try:
            yield redis
        finally:
            await redis.aclose()


async def _enqueue(redis: ArqRedis, events: Sequence[Event], job: str) -> None:
    due = datetime.now(UTC)
    for start in range(0, len(events), ENQUEUED_AT_ONCE):
        some = events[start : start + ENQUEUED_AT_ONCE]
        await asyncio.gather(
            *(
                redis.enqueue_job(
                    job, event.order, f"C-{event.order[2:]}", _job_id=f"{event.order}-1", _defer_until=due
                )
                for event in some
            )
        )


async def _work_off(
    redis: ArqRedis, job: Callable[..., Awaitable[None]], shop: Shop, settings: dict[str, Any]
) -> float:
    """Run a worker until its queue is empty; return the seconds it took."""
    worker = Worker(
        functions=[func(job)],  # type: ignore[arg-type]
        redis_pool=redis,
        queue_name=QUEUE,
        burst=True,
        handle_signals=False,
        job_serializer=msgspec.msgpack.encode,
        job_deserializer=msgspec.msgpack.decode,
        ctx={"shop": shop},
        **settings,
    )
    began = time.perf_counter()
    await worker.async_run()
    seconds = time.perf_counter() - began
    assert worker.jobs_failed == worker.jobs_retried == 0, (worker.jobs_failed, worker.jobs_retried)
    return seconds


async def arq_jobs_per_s(directory: Path, count: int, settings: dict[str, Any] = SETTINGS) -> float:
    """Return how many reminders a second one arq worker brings to customers, one job each."""
    async with _queue(directory) as redis:
        events = orders(count)
        for event in events:
            await redis.set(_order_key(event.order), msgspec.json.encode(_planned(event)))
        await _enqueue(redis, events, "remind")
        stub = StubChannel("chat", lambda: NOW, directory / "handed_over.log")
        seconds = await _work_off(redis, remind, Shop(stub), settings)
        stub.close()
        recorded = await redis.xlen(AUDIT)
        assert stub.handed_over == recorded == count, (stub.handed_over, recorded)
        return count / seconds


async def arq_noops_per_s(directory: Path, count: int, settings: dict[str, Any] = SETTINGS) -> float:
    """Return how many empty jobs a second one arq worker runs under the same settings."""
    async with _queue(directory) as redis:
        await _enqueue(redis, orders(count), "nothing")
        stub = StubChannel("chat", lambda: NOW)
        return count / await _work_off(redis, nothing, Shop(stub), settings)


async def measure(directory: Path, count: int) -> Figures:
    """Measure both once."""
    return {
        "arq_job_per_reminder_per_s": round(await arq_jobs_per_s(directory / "jobs", count)),
        "arq_noop_per_s": round(await arq_noops_per_s(directory / "noops", count)),
    }


if __name__ == "__main__":
    alone(measure, 4_000)
