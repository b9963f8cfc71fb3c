"""Who counts as one person: the ledger of a phone number, and the pseudonym that stands for it everywhere."""

import hmac
import secrets
from collections.abc import Sequence

from dispatcher.errors import StoreRefused
from dispatcher.storage import keys as names
from dispatcher.storage.client import StoreClient
from dispatcher.storage.ledgers import Ledger, ledger_of, ledger_with
from dispatcher.storage.reading import Reader
from dispatcher.storage.unreadable import if_readable, readable

KEY_BYTES = 32
DIGEST_BYTES = 16

SHOPS_KEPT = 100
"""Shops whose blocked addresses are kept in memory; beyond that all are read anew."""


def _key(stored: bytes) -> bytes:
    return bytes.fromhex(stored.decode())


async def make_key(redis: StoreClient) -> None:
    """Make the store's own key for pseudonyms, which stays; a store that is full takes none any more."""
    await redis.hsetnx(names.META, "pseudonyms", secrets.token_hex(KEY_BYTES))  # type: ignore[misc]


class People:
    """Pseudonyms of addresses, made with a key that the store keeps and shows nobody, and ledgers."""

    def __init__(self, store: Reader) -> None:
        self._store = store
        self._key: bytes | None = None
        self._blocked: dict[str, tuple[int, frozenset[str]]] = {}

    async def pseudonyms(self, shop: str, addresses: Sequence[str]) -> list[str]:
        """Return what stands for addresses of a shop's customers; the same one in another shop is another."""
        key = self._key or await self._kept_key()
        return [
            hmac.digest(key, f"{shop}\0{address}".encode(), "sha256")[:DIGEST_BYTES].hex()
            for address in addresses
        ]

    async def _kept_key(self) -> bytes:
        """Return the store's own key."""
        redis = self._store.redis
        stored = await redis.hget(names.META, "pseudonyms")  # type: ignore[misc]
        if stored is None:
            await make_key(redis)
            stored = await redis.hget(names.META, "pseudonyms")  # type: ignore[misc]
        self._key = readable("the key of the store's pseudonyms", _key, stored)
        return self._key

    async def blocked(self, shop: str, rev: int) -> frozenset[str]:
        """Return the names of the addresses that a shop blocks (`blocking.address`), read once a revision.

        What came after that revision may be among them: who decides on it is told at the commit.
        """
        known = self._blocked.get(shop)
        if known is None or known[0] != rev:
            found = await self._store.redis.hkeys(self._store.keys(self._store.lane_of(shop)).blocked(shop))  # type: ignore[misc]
            if len(self._blocked) >= SHOPS_KEPT:
                self._blocked.clear()
            known = self._blocked[shop] = rev, frozenset(name.decode() for name in found)
        return known[1]

    async def of_customer(self, shop: str, customer: str) -> Ledger:
        """Return a customer's own ledger."""
        lane = self._store.keys(self._store.lane_of(shop))
        return await self._read_one(lane.ledger(shop, customer))

    async def of_people(self, shop: str, people: Sequence[str]) -> list[Ledger | None]:
        """Return the ledgers of phone numbers, by their pseudonyms; `None` for one that cannot be read."""
        lane = self._store.keys(self._store.lane_of(shop))
        keys = [lane.shared(shop, person) for person in people]
        try:
            async with self._store.redis.pipeline(transaction=False) as pipe:
                for key in keys:
                    pipe.get(key)
                found = await pipe.execute()
        except StoreRefused:  # one is no text
            return [await self._if_readable(key) for key in keys]
        return [if_readable(ledger_of, text or b"") for text in found]

    async def _if_readable(self, key: str) -> Ledger | None:
        try:
            return await self._read_one(key)
        except StoreRefused:
            return None

    async def _read_one(self, key: str) -> Ledger:
        redis = self._store.redis
        try:
            text = await redis.get(key)
        except StoreRefused:  # an earlier version kept a sorted set
            scores = await redis.zrange(key, 0, -1, withscores=True)
            return ledger_with(int(score * 4) for _, score in scores)
        return readable("a ledger of hand-offs", ledger_of, text)
