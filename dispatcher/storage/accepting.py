"""Takes new orders by writing texts that are made already, where nothing is known yet of what they are about.

That is what `intake` makes of them where it has to look (`accept` of `lua/lib/intake.lua`, `put_plan` of
`lua/lib/plans.lua`): whoever changes one changes the other.
"""

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
from dispatcher.storage.scripts import SCRIPTS
from dispatcher.storage.stored_orders import text_of

_JSON = msgspec.json.Encoder()
_MSGPACK = msgspec.msgpack.Encoder()
_NO_MORE = ("", 0, string(b""))
MOST_PLANNED = 2
"""A plan has no more reminders than a row has room for."""

_UNPAID, _PLANNED = OrderState.UNPAID, Status.PLANNED


async def accept_new(
    redis: StoreClient, keys: LaneKeys, events: Sequence[Intake], now: Instant, actor: str
) -> dict[int, IntakeReply]:
    """Take the new orders among events and return what those did, by their positions."""
    if len({event.seen for event in events}) < len(events):
        return {}  # which of two events of one id comes first is for `intake` to say
    call = Call(keys)
    rows = {}
    for position, event in enumerate(events):
        row = row_of(event, call.shop_of_events(event.shop_name, now))
        if row is not None:
            rows[position] = row
    if not rows:
        return {}
    head = {
        "now": now,
        "actor": actor,
        "shops": call.shops,
        "order_prefix": keys.order_prefix,
        "facts_prefix": keys.facts_prefix,
        "unpaid_prefix": keys.unpaid_prefix,
    }
    left = set(await SCRIPTS["accept"](redis, call.keys, head, [], encoded(list(rows.values()))))
    return {
        position: IntakeReply(status="accepted", reminders=2 if row.next_channel else 1)
        for number, (position, row) in enumerate(rows.items(), 1)
        if number not in left
    }


def row_of(event: Intake, shop: int) -> OrderRow | None:
    """Return the row of a new order of the shop of that number; `None` unless all that it plans waits."""
    plan, facts, details, revision = event.plan, event.facts, event.details, event.shop_rev
    if plan is None or facts is None or details is None or revision is None or event.rev is not None:
        return None
    waiting = [
        (step.channel, step.due, step.details)
        for step in plan
        if step.channel is not None and step.due is not None
    ]
    if not 1 <= len(waiting) == len(plan) <= MOST_PLANNED:
        return None
    answer = {"status": "accepted", "reminders": len(plan), "digest": event.digest}
    return OrderRow(
        shop,
        event.order or "",
        event.customer or "",
        event.seen,
        string(_MSGPACK.encode(answer)),
        revision,
        plan[0].policy,
        event.closes or 0,
        string(_text(event, plan)),
        facts,
        details,
        string(b'{"event":%b,"revision":1,"state":"unpaid"}' % _JSON.encode(event.event)),
        *waiting[0],
        *(waiting[1] if len(waiting) > 1 else _NO_MORE),
    )


def _text(event: Intake, plan: Sequence[PlanStep]) -> bytes:
    steps = [
        StoredStep(
            status=_PLANNED, moment=step.moment, due=step.due or 0, channel=step.channel or "sms", attempt=0
        )
        for step in plan
    ]
    return text_of(
        StoredOrder(
            state=_UNPAID, rev=1, time=event.time, closes=event.closes, customer=event.customer, steps=steps
        )
    )
