"""What the store is to hold of an order of which nothing is known yet, as texts.

That is what `accept` of `lua/lib/intake.lua` and `put_plan` of `lua/lib/plans.lua` make of it, where they
have to look at what is known: whoever changes one changes the other.
"""

from collections import Counter
from collections.abc import Sequence

import msgspec

from dispatcher.policy.facts import OrderState
from dispatcher.policy.reminders import Status
from dispatcher.storage.commands import Intake, PlanStep
from dispatcher.storage.packing import string
from dispatcher.storage.records import StoredOrder, StoredStep
from dispatcher.storage.rows import OrderRow
from dispatcher.storage.stored_orders import text_of

MOST_PLANNED = 2
"""Reminders that a row has room for."""

Rows = dict[int, OrderRow]
"""Rows by the positions of their events."""

_JSON = msgspec.json.Encoder()
_MSGPACK = msgspec.msgpack.Encoder()
_UNPAID, _PLANNED = OrderState.UNPAID, Status.PLANNED
_NO_MORE = ("", 0, string(b""))


def rows_of(events: Sequence[Intake]) -> Rows:
    """Return the rows of orders that may be new among events of one lane, by their positions.

    There is none where another event has the same id, order or customer: one must not overtake the other.
    """
    ids = Counter(event.seen for event in events)
    orders = Counter((event.shop_name, event.order) for event in events)
    customers = Counter((event.shop_name, event.customer) for event in events)
    rows = {}
    for position, event in enumerate(events):
        shop = event.shop_name
        if ids[event.seen] == orders[shop, event.order] == customers[shop, event.customer] == 1:
            row = row_of(event)
            if row is not None:
                rows[position] = row
    return rows


def row_of(event: Intake) -> OrderRow | None:
    """Return the row of an order, but for its shop; `None` unless all that it plans waits."""
    order, customer, closes, plan = event.order, event.customer, event.closes, event.plan
    if order is None or customer is None or closes is None or plan is None or event.rev is not None:
        return None
    facts, details, revision = event.facts, event.details, event.shop_rev
    steps = [_waiting(step) for step in plan]
    waiting = [step for step in steps if step is not None]
    if (
        facts is None
        or details is None
        or revision is None
        or not 1 <= len(waiting) == len(plan) <= MOST_PLANNED
    ):
        return None
    text = text_of(
        StoredOrder(state=_UNPAID, rev=1, time=event.time, closes=closes, customer=customer, steps=waiting)
    )
    answer = {"status": "accepted", "reminders": len(plan), "digest": event.digest}
    first, *more = [(step.channel, step.due, of.details) for step, of in zip(waiting, plan, strict=True)]
    return OrderRow(
        0,
        order,
        customer,
        event.seen,
        string(_MSGPACK.encode(answer)),
        revision,
        plan[0].policy,
        closes,
        string(text),
        facts,
        details,
        string(b'{"event":%b,"revision":1,"state":"unpaid"}' % _JSON.encode(event.event)),
        *first,
        *(more[0] if more else _NO_MORE),
    )


def _waiting(step: PlanStep) -> StoredStep | None:
    if step.reason is not None or step.due is None or step.channel is None:
        return None
    return StoredStep(status=_PLANNED, moment=step.moment, due=step.due, channel=step.channel, attempt=0)
