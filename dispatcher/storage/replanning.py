"""Plans of waiting reminders, put in place of those they were planned by."""

from collections.abc import Sequence

from dispatcher.policy.facts import Instant
from dispatcher.storage.calls import Call
from dispatcher.storage.commands import Replan
from dispatcher.storage.reading import Reader
from dispatcher.storage.scripts import SCRIPTS


async def replan(store: Reader, shop: str, plans: Sequence[Replan], now: Instant, actor: str) -> list[str]:
    """Move waiting reminders of a shop; each answers moved, dropped or changed (it is not as it was read)."""
    call = Call(store.keys(store.lane_of(shop)))
    for plan in plans:
        plan.shop = call.shop(shop)
        plan.order_key = call.key(call.lane.order(shop, plan.order))
    head = {"now": now, "actor": actor, "shops": call.shops}
    replies = await SCRIPTS["replan"](store.redis, call.keys, head, plans)
    return [reply.decode() for reply in replies]
