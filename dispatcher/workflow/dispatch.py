"""Brings due reminders to customers: lease, decide, render, commit, send, settle."""

import asyncio
import logging
import traceback
from collections import Counter
from collections.abc import Mapping, Sequence
from typing import Any

import msgspec

from dispatcher.channels.base import Accepted, Refused, Unknown
from dispatcher.errors import InvalidPolicy
from dispatcher.policy.decisions import Drop, Fail, Retry
from dispatcher.policy.document import Policy
from dispatcher.policy.facts import Channel, Instant
from dispatcher.policy.retries import after_refusal
from dispatcher.storage.records import Lease, Leased, SettledAs, Settlement
from dispatcher.telemetry import OUTCOME_CAME_LATE, REMINDER_NOT_DECIDED
from dispatcher.workflow import details
from dispatcher.workflow.judging import Handover, Judged, Renderer, judge, released
from dispatcher.workflow.policies import PolicyBook
from dispatcher.workflow.ports import Clock, Store
from dispatcher.workflow.sending import HandedOver, Sender

QUEUES_AT_ONCE = 100
"""How many queues of a lane are looked at in one round."""

_log = logging.getLogger(__name__)


class Dispatcher:
    """Works off what is due, batch by batch, each of one shop and channel.

    `senders` has one for each channel that sends by itself; calls are handed to people as tasks.
    """

    def __init__(
        self,
        store: Store,
        policies: PolicyBook,
        render: Renderer,
        senders: Mapping[Channel, Sender],
        clock: Clock,
        batch: int,
        hands: int,
    ) -> None:
        self._store = store
        self._policies = policies
        self._render = render
        self._senders = senders
        self._clock = clock
        self._batch = batch
        self._hands = hands

    async def drain(self, lane: int) -> Counter[str]:
        """Work a lane off until nothing is due; return what was done.

        While the store works for one hand, another decides: leases keep them apart.
        """
        done: Counter[str] = Counter()
        shift = _Shift()
        async with asyncio.TaskGroup() as group:
            for _ in range(self._hands):
                group.create_task(self._drain(lane, done, shift))
        return done

    async def _drain(self, lane: int, done: Counter[str], shift: "_Shift") -> None:
        """Go round until no hand finds anything; one that finds nothing waits for what others free."""
        while not shift.over:
            shift.working += 1
            busy = await self._round(lane, done)
            shift.working -= 1
            if not busy and shift.working:
                await shift.news()
            else:
                shift.over = not busy
                shift.tell()

    async def _round(self, lane: int, done: Counter[str]) -> bool:
        """Give each queue one turn and tell whether any had something to do; resting ones hold up nobody."""
        start, busy = 0, False
        while queues := await self._store.ready(lane, self._clock.now(), start, QUEUES_AT_ONCE):
            for shop, channel in queues:
                one = await self.dispatch(shop, channel)
                done.update(one)
                busy = busy or bool(one)
            start += QUEUES_AT_ONCE
        return busy

    async def dispatch(self, shop: str, channel: Channel) -> Counter[str]:
        """Work off one batch of a shop and channel; return counts by what became of its reminders."""
        if channel == "phone":
            return await self._dispatch(shop, channel, self._batch)
        sender = self._senders.get(channel)
        room = 0 if sender is None else sender.take(self._batch)
        if sender is None or not room:
            return Counter()
        try:
            return await self._dispatch(shop, channel, room)
        finally:
            sender.give_back(room)

    async def _dispatch(self, shop: str, channel: Channel, limit: int) -> Counter[str]:
        lease = await self._store.lease(shop, channel, limit, self._clock.now())
        if not lease.items:
            return Counter()
        judged = await self._judge_all(lease)
        lane = self._store.lane_of(shop)
        answers = await self._store.commit(lane, [one.commit for one in judged], self._clock.now())
        decided = list(zip(judged, answers, strict=True))
        await self._send(
            lane, channel, [one.handover for one, answer in decided if answer == "committed" and one.handover]
        )
        return Counter(one.commit.kind if answer == "committed" else answer for one, answer in decided)

    async def _judge_all(self, lease: Lease) -> list[Judged]:
        """Decide about a batch; without its policy all of it is given back."""
        try:
            policy = await self._policies.version(lease.shop, lease.policy)
        except InvalidPolicy as error:
            return [self._release(item, lease, error) for item in lease.items]
        return [self._judge(item, lease, policy) for item in lease.items]

    def _judge(self, item: Leased, lease: Lease, policy: Policy) -> Judged:
        """Decide about one reminder; one that cannot be decided about never stops its batch."""
        now = max(self._clock.now(), lease.now)
        sender = self._senders.get(lease.channel)
        latest = sender.latest_start(now, lease.lease_end) if sender else lease.lease_end
        try:
            return judge(item, lease, policy, self._render, now, latest)
        except Exception as error:
            return self._release(item, lease, error)

    def _release(self, item: Leased, lease: Lease, error: Exception) -> Judged:
        frame = traceback.extract_tb(error.__traceback__)[-1:]
        where = f"{frame[0].filename}:{frame[0].lineno}" if frame else ""
        fields = {"reminder": item.reminder, "error": type(error).__name__, "where": where}
        _log.error(REMINDER_NOT_DECIDED, extra=fields)
        return released(item, lease, error)

    async def _send(self, lane: int, channel: Channel, messages: Sequence[Handover]) -> None:
        if not messages:
            return

        async def settle(finished: Sequence[HandedOver]) -> None:
            now = self._clock.now()
            outcomes = [_settlement(one, now) for one in finished]
            answers = await self._store.settle(lane, outcomes, now)
            late = [one.reminder for one, answer in zip(outcomes, answers, strict=True) if answer == "lost"]
            if late:
                _log.warning(OUTCOME_CAME_LATE, extra={"reminders": late})

        await self._senders[channel].send(messages, settle)


class _Shift:
    """What the hands of one drain know of each other."""

    def __init__(self) -> None:
        self.working = 0
        self.over = False
        self._news = asyncio.Event()

    def tell(self) -> None:
        """Wake the hands that wait."""
        self._news.set()
        self._news.clear()

    async def news(self) -> None:
        """Wait until another hand has done something, or all is over."""
        await self._news.wait()


def _settlement(handed: HandedOver, now: Instant) -> Settlement:
    match handed.outcome:
        case Accepted():
            assert handed.at is not None
            written = details.encoded({"handed_at": details.moment(handed.at)})
            return _settled(handed, "sent", handed=handed.at, details=written)
        case Unknown(reason=reason):
            written = details.encoded({"error": reason})
            return _settled(handed, "uncertain", reason="channel_down", details=written)
        case Refused() as refusal:
            return _refused(handed, refusal, now)
        case None:
            facts = handed.handover.facts
            again = Retry(due=now, channel=facts.channel, reason="changed", tried=facts.tried)
            return _retried(handed, again)


def _refused(handed: HandedOver, refusal: Refused, now: Instant) -> Settlement:
    handover = handed.handover
    facts = msgspec.structs.replace(handover.facts, attempt=handover.facts.attempt + 1)
    match after_refusal(facts, refusal.reason, refusal.temporary, handover.policy, now):
        case Retry() as retry:
            return _retried(handed, retry)
        case Fail(reason=reason) | Drop(reason=reason):
            return _settled(handed, "fail", reason=reason)


def _retried(handed: HandedOver, retry: Retry) -> Settlement:
    return _settled(
        handed,
        "retry",
        reason=retry.reason,
        due=retry.due,
        channel=retry.channel,
        tried=retry.tried,
        details=details.encoded({"due": details.moment(retry.due)}),
    )


def _settled(done: HandedOver, outcome: SettledAs, **more: Any) -> Settlement:
    facts = done.handover.facts
    return Settlement(
        outcome=outcome,
        reminder=done.handover.message.reference,
        order=facts.order.id,
        customer=facts.customer.id,
        step=facts.step,
        token=done.handover.token,
        **more,
    )
