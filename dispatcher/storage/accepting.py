"""Takes new orders as the texts that are made of them (`new_orders.py`)."""

from collections.abc import Sequence

from dispatcher.policy.facts import Instant
from dispatcher.storage.calls import Call
from dispatcher.storage.client import StoreClient
from dispatcher.storage.commands import Intake, IntakeReply
from dispatcher.storage.keys import LaneKeys
from dispatcher.storage.new_orders import Rows
from dispatcher.storage.rows import encoded
from dispatcher.storage.scripts import ACCEPT


async def accept_new(
    redis: StoreClient,
    keys: LaneKeys,
    events: Sequence[Intake],
    rows: Rows,
    now: Instant,
    actor: str,
) -> dict[int, IntakeReply]:
    """Take those of the rows that are new orders and return what they did, by their events' positions."""
    call = Call(keys)
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
