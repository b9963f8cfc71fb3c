"""Top-ups of incentive pools, beside what a policy grants."""

from dispatcher.policy.facts import Instant
from dispatcher.storage.calls import Call
from dispatcher.storage.packing import Packed
from dispatcher.storage.reading import Reader
from dispatcher.storage.scripts import SCRIPTS


async def top_up(
    store: Reader,
    shop: str,
    pool: str,
    quantity: int,
    details: Packed,
    now: Instant,
    actor: str,
    reference: str | None = None,
) -> bool:
    """Add items to a pool; a reference that was given before adds nothing again.

    `False` where it was given with another quantity.
    """
    call = Call(store.keys(store.lane_of(shop)))
    item = {
        "shop": shop,
        "pool": pool,
        "pools": call.key(call.lane.pools(shop)),
        "quantity": quantity,
        "details": details,
    }
    if reference is not None:
        item["reference"] = reference
    head = {"now": now, "actor": actor}
    (reply,) = await SCRIPTS["topup"](store.redis, call.keys, head, [item])
    return bool(reply != b"reused")
