"""What a hand-off and its outcome make of the texts of its order and its customer's ledger.

That is what the scripts do with them too (`lua/lib/commit.lua`, `lua/lib/settle.lua`), where they have to
look at them.
"""

from msgspec import Struct
from msgspec.structs import replace

from dispatcher.messages.rendering import Rendered
from dispatcher.policy.decisions import Send
from dispatcher.policy.facts import Channel, Instant
from dispatcher.policy.reminders import MOVES, Status
from dispatcher.storage.ledgers import QUARTERS, before_mark
from dispatcher.storage.packing import Packed, string
from dispatcher.storage.records import Leased, StoredOrder, StoredStep
from dispatcher.storage.rows import AT_COMMIT, SendRow, SentRow, number, parted
from dispatcher.storage.stored_orders import text_of

_SENDING, _SENT = Status.SENDING, Status.SENT
_SENDABLE = tuple(status for status, after in MOVES.items() if Status.SENDING in after)


class Swap(Struct, frozen=True, gc=False):
    """An order whose hand-off is committed, its text but for the instant, its ledger's but for the mark."""

    order: StoredOrder
    step: StoredStep
    before: bytes
    after: bytes
    marks: bytes


def committed(item: Leased, token: int, decision: Send) -> Swap | None:
    """Return what a hand-off's commit makes of its order and ledger.

    `None` where it changes more than these, or where the script is to see for itself.
    """
    texts, step = item.texts, item.step
    if texts is None or item.person is not None or step.status not in _SENDABLE:
        return None
    if decision.carries or decision.offer is not None or decision.limits.pace is not None:
        return None
    if step.person is not None or step.offered is not None:
        return None
    step = replace(
        step,
        status=_SENDING,
        channel=decision.channel,
        attempt=step.attempt + 1,
        handed=AT_COMMIT,
        answered=token,
        answer="committed",
        leases=0,
    )
    order = _with(item.order, item.number, step)
    try:
        return Swap(order, step, *parted(text_of(order)), before_mark(texts.ledger, item.reminder))
    except ValueError:
        return None


def send_row(
    item: Leased, swap: Swap, decision: Send, rendered: Rendered, details: Packed, closes: Instant
) -> SendRow:
    """Return the row that commits a hand-off before `closes`."""
    assert item.texts is not None
    return SendRow(
        item.order_id,
        item.number,
        item.order.customer or "",
        string(item.texts.customer),
        string(item.texts.order),
        string(swap.before),
        string(swap.after),
        string(item.texts.ledger),
        string(swap.marks),
        details,
        rendered.text,
        rendered.template,
        swap.step.attempt,
        decision.limits.day_start,
        min(closes, decision.limits.day_end),
    )


def sent_row(
    swap: Swap, order: str, step: int, committed_at: Instant, handed: Instant, details: Packed
) -> SentRow:
    """Return the row that settles a message which was handed over."""
    after = replace(swap.step, status=_SENT, handed=handed, settled=swap.step.answered)
    return SentRow(
        order,
        step,
        swap.order.customer or "",
        string(swap.before + number(committed_at) + swap.after),
        string(text_of(_with(swap.order, step, after))),
        string(swap.marks + _mark(committed_at, after.channel)),
        string(swap.marks + _mark(handed, after.channel)),
        details,
        after.attempt,
        handed,
        after.due,
    )


def _mark(at: Instant, channel: Channel) -> bytes:
    return number(4 * at + QUARTERS.index(channel))


def _with(order: StoredOrder, place: int, step: StoredStep) -> StoredOrder:
    steps = list(order.steps)
    steps[place - 1] = step
    return replace(order, steps=steps)
