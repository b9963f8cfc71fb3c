"""Brings due reminders to customers: lease, decide, render, commit, send, settle."""

import asyncio
import logging
from collections import Counter
from collections.abc import Mapping, Sequence

import msgspec

from dispatcher.channels.base import Accepted, Refused, Unknown
from dispatcher.policy.decisions import Drop, Fail, Retry
from dispatcher.policy.document import Policy
from dispatcher.policy.facts import Channel, Instant
from dispatcher.policy.retries import after_refusal
from dispatcher.storage.records import Lease, Leased, Settlement
from dispatcher.telemetry import REMINDER_NOT_DECIDED
from dispatcher.workflow import details
from dispatcher.workflow.judging import Judged, Renderer, judge, released
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
        async with asyncio.TaskGroup() as group:
            for _ in range(self._hands):
                group.create_task(self._drain(lane, done))
        return done

    async def _drain(self, lane: int, done: Counter[str]) -> None:
        """Give every queue turns of one batch until a round finds nothing due."""
        while True:
            queues = await self._store.ready(lane, self._clock.now(), QUEUES_AT_ONCE)
            idle = True
            for shop, channel in queues:
                one = await self.dispatch(shop, channel)
                done.update(one)
                idle = idle and not one
            if idle:
                return

    async def dispatch(self, shop: str, channel: Channel) -> Counter[str]:
        """Work off one batch of a shop and channel; return counts by what became of its reminders."""
        limit = self._allowance(channel)
        if not limit:
            return Counter()
        lease = await self._store.lease(shop, channel, limit, self._clock.now())
        if not lease.items:
            return Counter()
        policy = await self._policies.version(shop, lease.policy)
        judged = [self._judge(item, lease, policy) for item in lease.items]
        lane = self._store.lane_of(shop)
        answers = await self._store.commit(lane, [one.commit for one in judged], self._clock.now())
        done = Counter(
            answer if answer != "committed" else one.commit.kind
            for one, answer in zip(judged, answers, strict=True)
        )
        sendable = [
            one
            for one, answer in zip(judged, answers, strict=True)
            if answer == "committed" and one.message is not None
        ]
        await self._send(lane, channel, sendable, policy)
        return done

    def _allowance(self, channel: Channel) -> int:
        if channel == "phone":
            return self._batch
        sender = self._senders.get(channel)
        return 0 if sender is None else sender.allowance(self._batch, self._clock.now())

    def _judge(self, item: Leased, lease: Lease, policy: Policy) -> Judged:
        """One reminder that cannot be decided about never stops its batch."""
        now = self._clock.now()
        sender = self._senders.get(item.step.channel)
        latest = sender.latest_start(now, lease.lease_end) if sender else lease.lease_end
        try:
            return judge(item, lease, policy, self._render, now, latest)
        except Exception as error:
            _log.exception(REMINDER_NOT_DECIDED, extra={"reminder": item.reminder})
            return released(item, lease, error)

    async def _send(self, lane: int, channel: Channel, messages: Sequence[Judged], policy: Policy) -> None:
        if not messages:
            return

        async def settle(finished: Sequence[HandedOver]) -> None:
            now = self._clock.now()
            await self._store.settle(lane, [_settlement(one, policy, now) for one in finished], now)

        await self._senders[channel].send(messages, settle)


def _settlement(handed: HandedOver, policy: Policy, now: Instant) -> Settlement:
    commit = handed.judged.commit
    assert commit.token is not None
    settlement = Settlement(
        outcome="sent",
        reminder=commit.reminder,
        order=commit.order,
        customer=commit.customer,
        step=commit.step,
        token=commit.token,
    )
    match handed.outcome:
        case Accepted():
            assert handed.at is not None
            settlement.handed = handed.at
            settlement.details = details.encoded({"handed_at": details.moment(handed.at)})
        case Unknown(reason=reason):
            settlement.outcome, settlement.reason = "uncertain", "channel_down"
            settlement.details = details.encoded({"error": reason})
        case Refused() as refusal:
            _refused(settlement, handed.judged, refusal, policy, now)
        case None:
            _retried(
                settlement,
                Retry(
                    due=now,
                    channel=handed.judged.facts.channel,
                    reason="changed",
                    tried=handed.judged.facts.tried,
                ),
            )
    return settlement


def _refused(settlement: Settlement, judged: Judged, refusal: Refused, policy: Policy, now: Instant) -> None:
    facts = msgspec.structs.replace(judged.facts, attempt=judged.facts.attempt + 1)
    match after_refusal(facts, refusal.reason, refusal.temporary, policy, now):
        case Retry() as retry:
            _retried(settlement, retry)
        case Fail(reason=reason) | Drop(reason=reason):
            settlement.outcome, settlement.reason = "fail", reason


def _retried(settlement: Settlement, retry: Retry) -> None:
    settlement.outcome, settlement.reason = "retry", retry.reason
    settlement.due, settlement.channel, settlement.tried = retry.due, retry.channel, retry.tried
    settlement.details = details.encoded({"due": details.moment(retry.due)})
