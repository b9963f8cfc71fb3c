"""Blocking addresses: each by its pseudonym, in one step with its audit record."""

from dispatcher.policy.facts import Instant
from dispatcher.storage.blocked import Block, Kind, address, block_of, told
from dispatcher.storage.calls import Call
from dispatcher.storage.reading import Reader
from dispatcher.storage.scripts import SCRIPTS


class Blocks:
    """The addresses that shops block."""

    def __init__(self, store: Reader) -> None:
        self._store = store

    async def block(self, shop: str, kind: Kind, person: str, block: Block) -> bool:
        """Block an address, one that is blocked staying as it is; tell whether there was room for it."""
        item: dict[str, object] = {"kind": "block", "about": block.stored, "told": told(kind, person)}
        return await self._change(shop, kind, person, item, block.at, block.actor) != "full"

    async def unblock(self, shop: str, kind: Kind, person: str, now: Instant, actor: str) -> None:
        """End the block of an address, if there is one."""
        await self._change(shop, kind, person, {"kind": "unblock", "told": told(kind, person)}, now, actor)

    async def _change(
        self, shop: str, kind: Kind, person: str, item: dict[str, object], now: Instant, actor: str
    ) -> str:
        call = Call(self._store.keys(self._store.lane_of(shop)))
        item |= {"shop": call.shop(shop), "address": address(kind, person)}
        item["addresses"] = call.key(call.lane.blocked(shop))
        head = {"now": now, "actor": actor, "shops": call.shops}
        (reply,) = await SCRIPTS["block"](self._store.redis, call.keys, head, [item])
        return str(reply.decode())

    async def of_shop(self, shop: str) -> dict[str, Block]:
        """Return what a shop blocks, by name."""
        key = self._store.keys(self._store.lane_of(shop)).blocked(shop)
        found = await self._store.redis.hgetall(key)  # type: ignore[misc]
        return {name.decode(): block_of(shop, text) for name, text in found.items()}

    async def one(self, shop: str, kind: Kind, person: str) -> Block | None:
        """Return since when and by whom an address is blocked, `None` if it is not."""
        key = self._store.keys(self._store.lane_of(shop)).blocked(shop)
        text = await self._store.redis.hget(key, address(kind, person))  # type: ignore[misc]
        return None if text is None else block_of(shop, text)
