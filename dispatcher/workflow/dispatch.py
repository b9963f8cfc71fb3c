"""Brings due reminders to customers: lease, decide, render, commit, send, settle."""

import asyncio
import logging
from collections import Counter
from collections.abc import Awaitable, Callable, Mapping, Sequence
from typing import TypeVar

from dispatcher.errors import StoreRefused, StoreUnavailable
from dispatcher.policy.facts import Channel, Instant
from dispatcher.storage.commands import Command
from dispatcher.storage.records import Lease, Leased
from dispatcher.telemetry import OUTCOME_CAME_LATE, OUTCOME_NOT_RECORDED, REMINDER_NOT_DECIDED, about_error
from dispatcher.workflow.blocking import heed_leased
from dispatcher.workflow.committing import released
from dispatcher.workflow.draining import Hands
from dispatcher.workflow.judging import Judged, judge
from dispatcher.workflow.outcomes import settlement
from dispatcher.workflow.patience import patiently
from dispatcher.workflow.people import People, by_phone, count_together
from dispatcher.workflow.policies import PolicyBook
from dispatcher.workflow.ports import Clock, Store
from dispatcher.workflow.sending import HandedOver, Sender
from dispatcher.workflow.templates import TemplateBook

C = TypeVar("C", bound=Command)

_log = logging.getLogger(__name__)


class Dispatcher:
    """Works off what is due, batch by batch, each of one shop and channel.

    `senders` has one for each channel that sends by itself; calls are handed to people as tasks. Of each
    channel up to `hands` batches are under way at once.
    """

    def __init__(
        self,
        store: Store,
        people: People,
        policies: PolicyBook,
        templates: TemplateBook,
        senders: Mapping[Channel, Sender],
        clock: Clock,
        batch: int,
        hands: int,
    ) -> None:
        self._store = store
        self._people = people
        self._policies = policies
        self._templates = templates
        self._senders = senders
        self._clock = clock
        self._batch = batch
        self._judging = asyncio.Lock()
        self._hands = Hands(self._ready, self._room, self._work, self._leave, clock, hands)

    async def drain(self, lanes: Sequence[int], until: Instant | None = None) -> Counter[str]:
        """Work lanes off until nothing is due; return what was done.

        With `until` it keeps looking for what becomes due up to that instant, or until a later drain
        relieves it, and leaves behind the batches that are still under way then. `StoreUnavailable` when
        nothing can be leased; batches that were leased before are finished all the same.
        """
        if until is None:
            return await self._hands.work_off(lanes)
        return await self._hands.keep_watch(lanes, until)

    async def finish(self, seconds: float) -> None:
        """Take no more batches and wait so long for those under way; what is not done then is cut short."""
        await self._hands.finish(seconds)

    async def _ready(self, lanes: Sequence[int]) -> list[tuple[str, Channel]]:
        return await self._store.ready(lanes, self._clock.now())

    def _room(self, channel: Channel) -> int:
        """Take room for a batch; a call is a task for people, who need no room."""
        if channel == "phone":
            return self._batch
        sender = self._senders.get(channel)
        return 0 if sender is None else sender.take(self._batch)

    def _leave(self, channel: Channel, room: int) -> None:
        if channel != "phone":
            self._senders[channel].give_back(room)

    async def _work(self, shop: str, channel: Channel, limit: int) -> Counter[str]:
        lease = await self._store.lease(shop, channel, limit, self._clock.now())
        if not lease.items:
            return Counter()
        judged = await self._judge_all(lease)
        answers = await self._commit(lease, judged)
        decided = list(zip(judged, answers, strict=True))
        await self._send(lease, [one for one, answer in decided if answer == "committed" and one.handover])
        return Counter(one.commit.kind if answer == "committed" else answer for one, answer in decided)

    async def _commit(self, lease: Lease, judged: Sequence[Judged]) -> list[str]:
        """Commit a batch; an answer that is unknown is asked for as long as the lease lasts.

        What turns out to be committed too late to start is settled as not handed over, so that it is
        decided again; left alone, it would end uncertain.
        """
        lane, commits = self._store.lane_of(lease.shop), [one.commit for one in judged]
        return await self._recorded(
            lambda some: self._store.commit(lane, some, self._clock.now()), commits, lease
        )

    async def _recorded(
        self, record: Callable[[Sequence[C]], Awaitable[list[str]]], commands: Sequence[C], lease: Lease
    ) -> list[str]:
        """Record a batch; where an order of it cannot be read, the others one by one."""
        try:
            return await patiently(lambda: record(commands), self._seconds_to(lease.lease_end))
        except StoreRefused as refusal:
            if len(commands) == 1:
                about = {"reminders": [commands[0].reminder], **about_error(refusal)}
                _log.error(OUTCOME_NOT_RECORDED, extra=about)
                return ["lost"]
        return [answer for one in commands for answer in await self._recorded(record, [one], lease)]

    def _seconds_to(self, end: Instant) -> float:
        return (end - self._clock.now()) / 1000

    async def _judge_all(self, lease: Lease) -> list[Judged]:
        """Decide about a batch; without its policy, templates, blocks or shared ledgers each goes back."""
        try:
            policy = await self._policies.version(lease.shop, lease.policy)
            write = await self._templates.writer(lease.shop, lease.templates)
            if lease.blocked:
                await heed_leased(self._people, lease.shop, lease.shop_rev, lease.items)
            if by_phone(policy):
                await count_together(self._people, lease.shop, lease.items)
        except (StoreRefused, ValueError) as error:
            return [self._release(item, lease, error) for item in lease.items]
        sender = self._senders.get(lease.channel)
        async with self._judging:  # two at once would only be done later, and together
            now = max(self._clock.now(), lease.now)
            latest = sender.latest_start(now, lease.lease_end) if sender else lease.lease_end
            judged = await judge(lease, policy, write, now, latest)
        return [
            self._release(item, lease, one) if isinstance(one, Exception) else one
            for item, one in zip(lease.items, judged, strict=True)
        ]

    def _release(self, item: Leased, lease: Lease, error: Exception) -> Judged:
        _log.error(REMINDER_NOT_DECIDED, extra={"reminder": item.reminder} | about_error(error))
        return Judged(commit=released(item, lease, error))

    async def _send(self, lease: Lease, committed: Sequence[Judged]) -> None:
        if not committed:
            return
        lane = self._store.lane_of(lease.shop)
        swapped_at = {one.commit.reminder: one.commit.handed for one in committed}

        async def settle(finished: Sequence[HandedOver]) -> None:
            now = self._clock.now()
            outcomes = [settlement(one, swapped_at[one.handover.message.reference], now) for one in finished]
            names = [one.reminder for one in outcomes]
            try:
                answers = await self._recorded(
                    lambda some: self._store.settle(lane, some, self._clock.now()), outcomes, lease
                )
            except StoreUnavailable:  # the sweep will find them uncertain
                _log.error(OUTCOME_NOT_RECORDED, extra={"reminders": names})
                return
            late = [name for name, answer in zip(names, answers, strict=True) if answer == "lost"]
            if late:
                _log.warning(OUTCOME_CAME_LATE, extra={"reminders": late})

        messages = [one.handover for one in committed if one.handover]
        await self._senders[lease.channel].send(messages, settle)
