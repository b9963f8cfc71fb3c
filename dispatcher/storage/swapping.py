"""What a hand-off and its outcome make of the texts of its order and its customer's ledger.

That is what `COMMIT.send` and `SETTLE.sent` of the scripts do with them, where they have to look at them
(`lua/lib/commit.lua`, `lua/lib/settle.lua`): whoever changes one changes the other.
"""

from msgspec import Struct
from msgspec.structs import replace

from dispatcher.policy.facts import Channel, Instant
from dispatcher.policy.reminders import MOVES, Status
from dispatcher.storage.ledgers import before_mark
from dispatcher.storage.packing import Packed, string
from dispatcher.storage.records import Leased, StoredOrder, StoredStep
from dispatcher.storage.rows import AT_COMMIT, SendRow, SentRow, parted
from dispatcher.storage.stored_orders import text_of

_SENDING, _SENT = Status.SENDING, Status.SENT
_SENDABLE = tuple(status for status, after in MOVES.items() if Status.SENDING in after)


class Swap(Struct, frozen=True, gc=False):
    """The row that commits a hand-off, and the order and its reminder as that leaves them."""

    row: SendRow
    order: StoredOrder
    step: StoredStep


def commit_swap(
    item: Leased,
    token: int,
    channel: Channel,
    template: str,
    text: str,
    details: Packed,
    opens: Instant,
    closes: Instant,
) -> Swap | None:
    """Return how a hand-off that changes no more than its order and ledger is committed by swapping texts.

    It is only between `opens` and `closes`. `None` where the script is to see for itself.
    """
    texts, step = item.texts, item.step
    if texts is None or item.person is not None or step.status not in _SENDABLE:
        return None
    step = replace(
        step,
        status=_SENDING,
        channel=channel,
        attempt=step.attempt + 1,
        handed=AT_COMMIT,
        answered=token,
        answer="committed",
        leases=0,
        person=None,
        offered=None,
        offer_ends=None,
    )
    order = _with(item.order, item.number, step)
    try:
        before, after = parted(text_of(order))
        marks = before_mark(texts.ledger, item.reminder)
    except ValueError:
        return None
    row = SendRow(
        item.order_id,
        item.number,
        order.customer or "",
        string(texts.customer),
        string(texts.order),
        string(before),
        string(after),
        string(texts.ledger),
        string(marks),
        details,
        text,
        template,
        step.attempt,
        opens,
        closes,
    )
    return Swap(row, order, step)


def settle_swap(swap: Swap, handed: Instant, details: Packed) -> SentRow:
    """Return how it is settled that the message was handed over."""
    row = swap.row
    step = replace(swap.step, status=_SENT, handed=handed, settled=swap.step.answered)
    becomes = string(text_of(_with(swap.order, row.step, step)))
    return SentRow(
        row.order,
        row.step,
        row.customer,
        row.before,
        row.after,
        becomes,
        row.marks,
        details,
        row.attempt,
        handed,
        step.due,
    )


def _with(order: StoredOrder, place: int, step: StoredStep) -> StoredOrder:
    steps = list(order.steps)
    steps[place - 1] = step
    return replace(order, steps=steps)
