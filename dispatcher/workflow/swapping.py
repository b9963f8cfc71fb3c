"""What a hand-off and its outcome make of the texts of its order and its customer's ledger.

That is what the scripts do with them too (`lua/lib/commit.lua`, `lua/lib/settle.lua`), where they have to
look at them.
"""

from msgspec import Struct
from msgspec.structs import replace

from dispatcher.messages.rendering import Rendered
from dispatcher.policy.decisions import Send
from dispatcher.policy.facts import Instant
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


def committing(
    item: Leased, token: int, decision: Send, rendered: Rendered, details: Packed, closes: Instant
) -> Swap | None:
    """Return how a hand-off is committed before `closes` by swapping texts.

    `None` where it changes more than its order and ledger, or where the script is to see for itself.
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
        rendered.text,
        rendered.template,
        step.attempt,
        decision.limits.day_start,
        min(closes, decision.limits.day_end),
    )
    return Swap(row, order, step)


def settling(swap: Swap, handed: Instant, details: Packed) -> SentRow:
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
