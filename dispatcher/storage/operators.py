"""What operators do by hand: steer single reminders, have a customer left alone."""

from collections.abc import Sequence

import msgspec

from dispatcher.policy.facts import Instant
from dispatcher.storage.calls import Call
from dispatcher.storage.commands import Steer
from dispatcher.storage.packing import pack
from dispatcher.storage.reading import Reader
from dispatcher.storage.scripts import SCRIPTS


class Operators:
    """What operators do, each in one step with its audit record."""

    def __init__(self, store: Reader) -> None:
        self._store = store

    async def steer(self, shop: str, steers: Sequence[Steer], now: Instant, actor: str) -> list[str]:
        """End or move reminders; each answers dropped, moved, changed (read it again) or lost."""
        call = Call(self._store.keys(self._store.lane_of(shop)))
        for steer in steers:
            call.about(steer)
        head = {"now": now, "actor": actor, "shops": call.shops}
        replies = await SCRIPTS["steer"](self._store.redis, call.keys, head, steers)
        return [reply.decode() for reply in replies]

    async def pause(self, shop: str, customer: str, now: Instant, actor: str) -> None:
        """Have a customer left alone; who is stays so."""
        await self._spare("pause", shop, customer, now, actor)

    async def resume(self, shop: str, customer: str, now: Instant, actor: str) -> None:
        """End the pause of a customer, if there is one."""
        await self._spare("resume", shop, customer, now, actor)

    async def _spare(self, kind: str, shop: str, customer: str, now: Instant, actor: str) -> None:
        call = Call(self._store.keys(self._store.lane_of(shop)))
        item: dict[str, object] = {
            "kind": kind,
            "shop_name": shop,
            "customer": customer,
            "details": pack(msgspec.json.encode({})),
        }
        item["customer_key"] = call.key(call.lane.customer(shop, customer))
        await SCRIPTS["spare"](self._store.redis, call.keys, {"now": now, "actor": actor}, [item])
