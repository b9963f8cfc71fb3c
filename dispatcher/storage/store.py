"""The store: one typed function a script."""

from collections.abc import Iterable, Sequence
from typing import Any

import msgspec

from dispatcher.errors import StoreUnavailable
from dispatcher.policy.facts import EVERY_CHANNEL, Channel, Instant
from dispatcher.policy.units import MAX_MIN_GAP
from dispatcher.policy.zones import DAY
from dispatcher.storage import keys as names
from dispatcher.storage.accepting import accept_new
from dispatcher.storage.calls import Call
from dispatcher.storage.client import StoreClient
from dispatcher.storage.commands import Command, Commit, Intake, IntakeReply, LeaseTerms, Settlement, TaskEnd
from dispatcher.storage.lanes import stored_lanes
from dispatcher.storage.leasing import leased
from dispatcher.storage.new_orders import Rows
from dispatcher.storage.packing import Packed, pack
from dispatcher.storage.people import make_key
from dispatcher.storage.pools import counted
from dispatcher.storage.reading import Reader
from dispatcher.storage.records import Lease
from dispatcher.storage.scripts import NEW_ORDERS, SCRIPTS
from dispatcher.storage.swaps import swap_commits, swap_settlements

SLOT_KEPT_MS = MAX_MIN_GAP + DAY
"""How long a hand-off stays in its customer's ledger at least: as long as a policy can look back."""

NO_TERMS = LeaseTerms()
"""Of a policy that means nothing for leases."""

_REPLY = msgspec.msgpack.Decoder(IntakeReply)


class Store(Reader):
    """Everything the dispatcher keeps, by lane; `retention`, `lease` in ms.

    Every change is one script call about one lane, takes `now` from its caller and writes its audit
    records with it.
    """

    def __init__(
        self, redis: StoreClient, lanes: int, *, retention: int, lease: int, max_leases: int
    ) -> None:
        super().__init__(redis, lanes)
        self.retention = retention
        self.lease_ms = lease
        self.max_leases = max_leases

    @classmethod
    async def open(
        cls, redis: StoreClient, lanes: int, *, retention: int, lease: int, max_leases: int
    ) -> "Store":
        """Open the store; `lanes` counts only at the very first start, afterwards the stored number does."""
        stored = await stored_lanes(redis)
        if stored is None:  # written only then: a store that is full takes no writes, and is opened too
            await make_key(redis)
            await redis.hsetnx(names.META, "lanes", str(lanes))  # type: ignore[misc]
            stored = await stored_lanes(redis)
        if stored is None:
            raise StoreUnavailable("the store did not keep its number of lanes")
        return cls(redis, stored, retention=retention, lease=lease, max_leases=max_leases)

    async def accept(
        self, lane: int, events: Sequence[Intake], rows: Rows, now: Instant, actor: str
    ) -> dict[int, IntakeReply]:
        """Take those of one lane's events that have a row and of which nothing is known yet.

        Returns what they did, by their positions; all others are for `intake`. Raises as that does.
        """
        return await accept_new(self.redis, self._keys[lane], events, rows, now, actor)

    async def intake(
        self, lane: int, events: Sequence[Intake], now: Instant, actor: str
    ) -> list[IntakeReply]:
        """Take events of one lane, each exactly once, and return what each did, in order.

        Raises `StoreFull` when events bring what is new and there is no memory for it.
        """
        call = Call(self._keys[lane])
        for event in events:
            call.about_event(event, now)
        head = {
            "now": now,
            "actor": actor,
            "retention": self.retention,
            "customer_prefix": call.lane.customer_prefix,
            "customer_kept": SLOT_KEPT_MS,
            "order_prefix": call.lane.order_prefix,
            "unpaid_prefix": call.lane.unpaid_prefix,
            "ledger_prefix": call.lane.ledger_prefix,
            "shops": call.shops,
        }
        script = NEW_ORDERS if any(event.plan is not None for event in events) else SCRIPTS["intake"]
        replies = await script(self.redis, call.keys, head, events)
        return [_REPLY.decode(reply) for reply in replies]

    async def lease(self, shop: str, channel: Channel, limit: int, now: Instant) -> Lease:
        """Lease up to `limit` due reminders of a shop and channel; none while it is paused."""
        call = Call(self._of(shop))
        call.shop(shop)
        head = {
            "now": now,
            "shops": call.shops,
            "channel": channel,
            "limit": limit,
            "lease": self.lease_ms,
            "order_prefix": call.lane.order_prefix,
            "facts_prefix": call.lane.facts_prefix,
            "ledger_prefix": call.lane.ledger_prefix,
            "customer_prefix": call.lane.customer_prefix,
            "pace_prefix": call.lane.pace_prefix,
            "unpaid_prefix": call.lane.unpaid_prefix,
            "pools": call.key(call.lane.pools(shop)),
        }
        reply = await SCRIPTS["lease"](self.redis, call.keys, head, [])
        token, rev, policy, lane_now, tasks, pools, blocked, templates, *rest = reply
        return Lease(
            shop=shop,
            channel=channel,
            token=token,
            now=lane_now,
            shop_rev=rev,
            policy=policy,
            items=leased(rest),
            open_tasks=None if tasks < 0 else tasks,
            counted=counted(pools),
            blocked=blocked,
            templates=templates.decode(),
        )

    async def _commands(
        self, script: str, lane: int, commands: Sequence[Command], now: Instant, **head: Any
    ) -> list[str]:
        call = Call(self._keys[lane])
        for command in commands:
            call.about(command)
        head |= {"now": now, "shops": call.shops, "order_prefix": call.lane.order_prefix}
        replies = await SCRIPTS[script](self.redis, call.keys, head, commands)
        return [reply.decode() for reply in replies]

    async def commit(
        self, lane: int, commits: Sequence[Commit], now: Instant, actor: str = "system"
    ) -> list[str]:
        """Record decisions; each answers committed, changed (decide again), lost (not ours) or failed."""
        done = await swap_commits(self.redis, self._keys[lane], commits, now, actor)
        rest = [commit for position, commit in enumerate(commits) if position not in done]
        head = {"actor": actor, "max_leases": self.max_leases}
        answers = await self._commands("commit", lane, rest, now, **head) if rest else []
        return _merged(len(commits), done, "committed", answers)

    async def settle(self, lane: int, settlements: Sequence[Settlement], now: Instant) -> list[str]:
        """Record outcomes of hand-offs; each answers settled or lost."""
        done = await swap_settlements(self.redis, self._keys[lane], settlements, now)
        rest = [one for position, one in enumerate(settlements) if position not in done]
        answers = await self._commands("settle", lane, rest, now) if rest else []
        return _merged(len(settlements), done, "settled", answers)

    async def end_tasks(self, lane: int, ends: Sequence[TaskEnd], now: Instant, actor: str) -> list[str]:
        """Complete or release claimed tasks; each answers completed, released or lost, repeated the same."""
        return await self._commands("task", lane, ends, now, actor=actor)

    async def sweep(self, lane: int, reminders: Iterable[str], now: Instant) -> list[str]:
        """End expired leases; each answers uncertain, back, failed or gone."""
        commands = []
        for reminder in reminders:
            _, order, step = names.split_reminder_id(reminder)
            commands.append(Command(reminder=reminder, order=order, step=step))
        return await self._commands("sweep", lane, commands, now, max_leases=self.max_leases)

    async def turn(self, lane: int, timers: Sequence[str], now: Instant) -> list[str]:
        """Give timers their turn; each answers closed, retired, forgotten, later or gone."""
        call = Call(self._keys[lane])
        parts = [names.split_timer(timer) for timer in timers]
        orders = await self.orders([(shop, rest) for kind, shop, rest in parts if kind == "o"])
        items: list[dict[str, Any]] = []
        for timer, (kind, shop, rest) in zip(timers, parts, strict=True):
            item: dict[str, Any] = {"timer": timer, "shop": call.shop(shop)}
            if kind == "e":
                item["seen_key"] = call.key(call.lane.seen(shop, int(rest)))
            elif kind == "c":
                item |= {"customer": rest, "customer_key": call.key(call.lane.customer(shop, rest))}
            else:
                order = orders.get((shop, rest))
                item |= {"order": rest, "order_key": call.key(call.lane.order(shop, rest))}
                item["erase"] = [call.key(call.lane.facts(shop, rest))]
                if order is not None and order.customer is not None:
                    item["ledger"] = call.key(call.lane.ledger(shop, order.customer))
                    people = {step.person for step in order.steps if step.person is not None}
                    if people:
                        item["shared"] = [call.key(call.lane.shared(shop, person)) for person in people]
                    item["erase"] += [
                        call.key(call.lane.text(names.reminder_id(shop, rest, number)))
                        for number in range(1, len(order.steps) + 1)
                    ]
            items.append(item)
        head = {
            "now": now,
            "retention": self.retention,
            "slot_kept": SLOT_KEPT_MS,
            "unpaid_prefix": call.lane.unpaid_prefix,
            "shops": call.shops,
        }
        replies = await SCRIPTS["turn"](self.redis, call.keys, head, items)
        return [reply.decode() for reply in replies]

    async def _configure(self, shop: str, item: dict[str, Any], now: Instant, actor: str) -> int:
        call = Call(self._of(shop))
        call.shop(shop)
        if "policy" in item:
            item["policies"] = call.key(call.lane.policies(shop))
        else:
            item |= {"pauses": call.key(call.lane.pauses), "queue": names.queue(shop, item["pause"])}
        head = {"now": now, "actor": actor, "shops": call.shops}
        (version,) = await SCRIPTS["configure"](self.redis, call.keys, head, [item])
        return int(version)

    async def put_policy(
        self,
        shop: str,
        document: str,
        note: str,
        details: Packed,
        now: Instant,
        actor: str,
        terms: LeaseTerms = NO_TERMS,
    ) -> int:
        """Put a checked policy document into force and return its version; one that is in force stays so.

        `terms` are what leases must know of it.
        """
        about = msgspec.json.encode({"at": now, "actor": actor, "note": note}).decode()
        item: dict[str, Any] = {"kind": "policy", "policy": document, "about": about, "details": details}
        item |= msgspec.to_builtins(terms)
        return await self._configure(shop, item, now, actor)

    async def pause(self, shop: str, channel: str | None, now: Instant, actor: str) -> None:
        """Stop hand-offs of a shop, on one channel or (`None`) on all; what is paused stays so."""
        await self._pausing("pause", shop, channel, now, actor)

    async def resume(self, shop: str, channel: str | None, now: Instant, actor: str) -> None:
        """End a pause, if there is one."""
        await self._pausing("resume", shop, channel, now, actor)

    async def _pausing(self, kind: str, shop: str, channel: str | None, now: Instant, actor: str) -> None:
        details = pack(msgspec.json.encode({"channel": channel}))
        about = msgspec.json.encode({"at": now, "actor": actor}).decode()
        item = {"kind": kind, "pause": channel or EVERY_CHANNEL, "about": about, "details": details}
        await self._configure(shop, item, now, actor)


def _merged(count: int, done: set[int], answer: str, others: Sequence[str]) -> list[str]:
    """Return so many answers: one for the positions that are done, the others in order for the rest."""
    rest = iter(others)
    return [answer if position in done else next(rest) for position in range(count)]
