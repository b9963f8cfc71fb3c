"""Looks for an empty slot in what odd orders are told: `python -m tests.simulation.holes [ORDERS] [SEED]`."""

import asyncio
import sys
import tempfile
from collections import Counter
from pathlib import Path
from random import Random
from typing import Any, NamedTuple
from urllib.parse import quote

import msgspec

from dispatcher.channels.base import Message
from dispatcher.channels.stub import Behaviour
from dispatcher.errors import NotNow, TaskNotOpen
from dispatcher.policy.facts import WhyUnpaid
from dispatcher.settings import Settings
from dispatcher.storage.client import StoreClient
from dispatcher.storage.embedded import EmbeddedStore
from dispatcher.storage.keys import split_reminder_id
from dispatcher.storage.looking import text_of
from dispatcher.wiring import connect
from tests.simulation.empty_slots import empty_slots
from tests.simulation.odd_orders import Told, orders, shops
from tests.web.asking import Asking, asking
from tests.worlds import DAY, NOON

BATCH = 1_000
"""Orders in one store."""

AGENT = "someone"
ACTOR = "user:someone"
SAID: tuple[WhyUnpaid | None, ...] = (
    "cannot_pay", "forgot", "price", "doubt", "comparing", "changed_mind", "delivery", None,
)  # fmt: skip
"""What customers answer in a call."""


class Hole(NamedTuple):
    """An empty slot of a message."""

    template: str
    found: str
    text: str


class Figures(msgspec.Struct, kw_only=True):
    """What came of odd orders.

    `missing` counts the reminders not sent by the field that explain names; `unexplained` are those of
    which it does not name a field that the order lacks.
    """

    orders: int = 0
    refused: int = 0
    messages: Counter[str] = msgspec.field(default_factory=Counter)
    holes: list[Hole] = msgspec.field(default_factory=list)
    missing: Counter[str] = msgspec.field(default_factory=Counter)
    unexplained: list[str] = msgspec.field(default_factory=list)


class _Run:
    """A day of some shops, with what they said to customers."""

    def __init__(self, random: Random) -> None:
        self.random = random
        self.texts: list[tuple[str, str]] = []

    def hear(self, message: Message) -> Behaviour:
        self.texts.append((message.reference, message.text))
        return Behaviour.ACCEPT

    async def live(self, api: Asking, told: list[Told]) -> None:
        """Take the events at their times, and let everything have its turn until a day later."""
        service, clock = api.world.service, api.world.clock
        for at in sorted({one.at for one in told}):
            await self._live_until(api, at)
            clock.advance_to(at)
            events = [one.event for one in told if one.at == at and one.event is not None]
            for first in range(0, len(events), 200):
                await service.intake.take(events[first : first + 200], "key:test")
        await self._live_until(api, NOON + DAY)

    async def _live_until(self, api: Asking, end: int) -> None:
        service, lane = api.world.service, api.world.lane
        while (turn := await service.store.next_turn(lane)) is not None and turn < end:
            api.world.clock.advance_to(turn)
            done = await api.world.dispatch()
            if done.get("open"):
                await self._call(api)

    async def _call(self, api: Asking) -> None:
        """Make the calls that wait, and tell what customers said."""
        service = api.world.service
        for task in await service.store.waiting(api.world.lane, "phone"):
            try:
                await service.tasks.claim(task, AGENT, ACTOR)
            except (NotNow, TaskNotOpen):
                continue
            text = await text_of(service.store, split_reminder_id(task)[0], task)
            assert text is not None
            self.texts.append((task, text))
            await service.tasks.complete(task, AGENT, "other", ACTOR, why=self.random.choice(SAID))


async def look(redis: StoreClient, directory: Path, number: int, *, seed: int, figures: Figures) -> None:
    """Let some orders of a seed live in an empty store, and add what came of them."""
    run = _Run(Random(seed))
    among = shops(run.random)
    told = list(orders(run.random, number, among))
    figures.orders += number
    figures.refused += sum(one.event is None for one in told)
    settings = Settings(lanes=1, retention_days=3)
    async with asking(redis, directory, behaviour=run.hear, settings=settings) as api:
        api.client.headers.update(await api.key("every", shops=("*",)))
        for shop in among:
            await api.world.service.put_policy(shop.id, shop.policy, "test", ACTOR)
        await run.live(api, told)
        await _judge(api, run, told, figures)


async def _judge(api: Asking, run: _Run, told: list[Told], figures: Figures) -> None:
    records = await api.world.audit()
    by = {
        one["reminder"]: one["template"]
        for one in records
        if one["kind"] in ("reminder.sending", "task.claimed")
    }
    language = {one.shop.id: one.shop.locale for one in told}
    for reminder, text in run.texts:
        template = by[reminder]
        figures.messages[template] += 1
        locale = language[split_reminder_id(reminder)[0]]
        figures.holes += [Hole(template, found, text) for found in empty_slots(text, locale)]
    lacks = {(one.shop.id, one.order): one.lacks for one in told}
    for record in records:
        if record["kind"] == "reminder.dropped" and record["reason"] == "missing_field":
            named = await _explained(api, record["reminder"])
            figures.missing[named or "?"] += 1
            if named not in lacks[record["shop"], record["order"]]:
                figures.unexplained.append(f"{record['reminder']}: {named}")


async def _explained(api: Asking, reminder: str) -> str | None:
    """Return the field that explain names as the reason."""
    answer = await api.client.get(f"/v1/reminders/{quote(reminder, safe='')}/explain")
    told: dict[str, Any] = answer.json()
    if answer.status_code != 200 or told["reason"] != "missing_field":
        return None
    rule = told["rules"][-1]
    named: str = rule["inputs"]["missing"]
    return named if rule["rule"] == "template_fields" else None


async def _main(number: int, seed: int) -> int:
    figures = Figures()
    with tempfile.TemporaryDirectory(prefix="dispatcher-holes-") as name:
        folder = Path(name)
        with EmbeddedStore(folder / "store", durable=False) as store:
            redis = connect(socket=store.socket)
            for place, first in enumerate(range(0, number, BATCH)):
                await redis.flushall()
                await look(
                    redis, folder / f"{place}", min(BATCH, number - first), seed=seed + place, figures=figures
                )
            await redis.aclose()
    for template, count in sorted(figures.messages.items()):
        print(f"{count:7} {template}")
    print(f"{figures.orders} orders ({figures.refused} refused), {figures.messages.total()} messages by")
    print(f"{len(figures.messages)} templates, {len(figures.holes)} with an empty slot; not sent for want of")
    print(", ".join(f"{field} {count}" for field, count in figures.missing.most_common()))
    for hole in figures.holes[:20]:
        print(*hole, sep="\n  ")
    print(*figures.unexplained[:20], sep="\n")
    return 1 if figures.holes or figures.unexplained else 0


if __name__ == "__main__":
    ORDERS, SEED = (int(given) for given in (sys.argv[1:] + ["20000", "1"][len(sys.argv) - 1 :]))
    sys.exit(asyncio.run(_main(ORDERS, SEED)))
