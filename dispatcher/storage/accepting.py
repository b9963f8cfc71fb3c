"""Takes new orders by writing texts that are made already, where nothing is known yet of what they are about.

That is what `intake` makes of them where it has to look (`accept` of `lua/lib/intake.lua`, `put_plan` of
`lua/lib/plans.lua`): whoever changes one changes the other.
"""

from collections import Counter
from collections.abc import Sequence

import msgspec

from dispatcher.policy.facts import Instant, OrderState
from dispatcher.policy.reminders import Status
from dispatcher.storage.calls import Call
from dispatcher.storage.client import StoreClient
from dispatcher.storage.commands import Intake, IntakeReply, PlanStep
from dispatcher.storage.keys import LaneKeys
from dispatcher.storage.packing import string
from dispatcher.storage.records import StoredOrder, StoredStep
from dispatcher.storage.rows import OrderRow, encoded
from dispatcher.storage.scripts import ACCEPT
from dispatcher.storage.stored_orders import text_of

MOST_PLANNED = 2
"""Reminders that a row has room for."""

_JSON = msgspec.json.Encoder()
_MSGPACK = msgspec.msgpack.Encoder()
_UNPAID, _PLANNED = OrderState.UNPAID, Status.PLANNED
_NO_MORE = ("", 0, string(b""))


async def accept_new(
    redis: StoreClient, keys: LaneKeys, events: Sequence[Intake], now: Instant, actor: str
) -> dict[int, IntakeReply]:
    """Take the new orders among events and return what those did, by their positions."""
    call = Call(keys)
    rows = _rows(events)
    if not rows:
        return {}
    for position, row in rows.items():
        row.shop = call.shop_of_events(events[position].shop_name, now)
    head = {
        "now": now,
        "actor": actor,
        "shops": call.shops,
        "order_prefix": keys.order_prefix,
        "facts_prefix": keys.facts_prefix,
        "unpaid_prefix": keys.unpaid_prefix,
    }
    left = set(await ACCEPT(redis, call.keys, head, [], encoded(list(rows.values()))))
    return {
        position: IntakeReply(status="accepted", reminders=2 if row.next_channel else 1)
        for number, (position, row) in enumerate(rows.items(), 1)
        if number not in left
    }


def _rows(events: Sequence[Intake]) -> dict[int, OrderRow]:
    """Return rows by positions, none of which overtakes an event of its id, its order or its customer."""
    rows: dict[int, OrderRow] = {}
    passed: set[tuple[str, str, str | None]] = set()
    ids = Counter(event.seen for event in events)
    for position, event in enumerate(events):
        shop = event.shop_name
        about = ("order", shop, event.order), ("customer", shop, event.customer)
        row = None if ids[event.seen] > 1 or not passed.isdisjoint(about) else row_of(event)
        if row is None:
            passed.update(about)
        else:
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
