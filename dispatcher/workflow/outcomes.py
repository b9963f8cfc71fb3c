"""What is recorded of a hand-off: a channel's answer becomes a settlement."""

from functools import lru_cache
from typing import Any

import msgspec

from dispatcher.channels.base import Accepted, Refused, Unknown
from dispatcher.policy.decisions import Drop, Fail, Retry
from dispatcher.policy.facts import Instant
from dispatcher.policy.retries import after_refusal
from dispatcher.storage.commands import SettledAs, Settlement
from dispatcher.storage.packing import Packed
from dispatcher.storage.swapping import settle_swap
from dispatcher.workflow import details
from dispatcher.workflow.sending import HandedOver


def settlement(handed: HandedOver, swapped_at: Instant | None, now: Instant) -> Settlement:
    """Return what is to be recorded of a message that went out, was refused, or never left.

    `swapped_at` is when it was committed, if by swapping texts.
    """
    match handed.outcome:
        case Accepted():
            assert handed.at is not None
            return _sent(handed, handed.at, swapped_at)
        case Unknown(reason=reason):
            written = details.packed({"error": reason})
            return _settled(handed, "uncertain", reason="channel_down", details=written)
        case Refused() as refusal:
            return _refused(handed, refusal, now)
        case None:
            facts = handed.handover.facts
            again = Retry(due=now, channel=facts.channel, reason="changed", tried=facts.tried)
            return _retried(handed, again)


def _sent(done: HandedOver, at: Instant, swapped_at: Instant | None) -> Settlement:
    settled, swap = _settled(done, "sent", handed=at, details=_handed(at)), done.handover.swap
    if swap is not None and swapped_at is not None:
        settled.channel, settled.committed = swap.step.channel, swapped_at
        settled.swap = settle_swap(swap, at, _handed(at))
    return settled


@lru_cache(maxsize=256)  # calls of a batch start in the same few milliseconds
def _handed(at: Instant) -> Packed:
    return details.packed({"handed_at": details.moment(at)})


def _refused(handed: HandedOver, refusal: Refused, now: Instant) -> Settlement:
    handover = handed.handover
    facts = msgspec.structs.replace(handover.facts, attempt=handover.facts.attempt + 1)
    match after_refusal(facts, refusal.reason, refusal.temporary, handover.policy, now):
        case Retry() as retry:
            return _retried(handed, retry)
        case Fail(reason=reason) | Drop(reason=reason):
            return _settled(handed, "fail", reason=reason, **_back(handed, now))


def _retried(handed: HandedOver, retry: Retry) -> Settlement:
    return _settled(
        handed,
        "retry",
        reason=retry.reason,
        due=retry.due,
        channel=retry.channel,
        tried=retry.tried,
        details=details.packed({"due": details.moment(retry.due)}),
        **_back(handed, retry.due),
    )


def _back(handed: HandedOver, due: Instant) -> dict[str, Any]:
    """Return when what the message carried is looked at again: with it, so that both may go together."""
    if not handed.handover.carries:
        return {}
    told = {"due": details.moment(due), "carrier": handed.handover.message.reference}
    return {"back": due, "back_details": details.packed(told)}


def _settled(done: HandedOver, outcome: SettledAs, **more: Any) -> Settlement:
    facts = done.handover.facts
    return Settlement(
        outcome=outcome,
        reminder=done.handover.message.reference,
        order=facts.order.id,
        customer=facts.customer.id,
        step=facts.step,
        token=done.handover.token,
        person=done.handover.person,
        pool=done.handover.pool,
        **more,
    )
