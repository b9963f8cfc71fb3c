"""Keys of the API as stored: what each opens, and the digest of its secret, never the secret."""

from typing import Annotated

import msgspec

from dispatcher.errors import StoreRefused
from dispatcher.policy.facts import Instant
from dispatcher.storage.keys import ACCESS, ACCESS_LANE
from dispatcher.storage.packing import pack
from dispatcher.storage.scripts import SCRIPTS
from dispatcher.storage.store import Store
from dispatcher.storage.unreadable import readable

MAX_KEYS = 10_000
"""Keys that may exist at once."""


class StoredKey(msgspec.Struct, frozen=True, kw_only=True):
    """A key: the SHA-256 of its secret as hex, and the shops (or every shop) and scopes it opens."""

    sha256: Annotated[str, msgspec.Meta(pattern="^[0-9a-f]{64}$")]
    shops: tuple[str, ...]
    scopes: tuple[str, ...]
    created_at: Instant


_KEY = msgspec.json.Decoder(StoredKey)
_encode = msgspec.json.encode


def _read(key: str, text: bytes) -> StoredKey:
    return readable(f"what is stored of the key {key}", _KEY.decode, text)


class AccessKeys:
    """The keys of the API; each change is audited in the same step."""

    def __init__(self, store: Store) -> None:
        self._store = store

    async def find(self, key: str) -> StoredKey | None:
        """Return the key of this id, or `None`; raises `StoreRefused` when it cannot be read."""
        text = await self._store.redis.hget(ACCESS, key)  # type: ignore[misc]
        return None if text is None else _read(key, text)

    async def all(self) -> dict[str, StoredKey]:
        """Return all keys by id."""
        found = await self._store.redis.hgetall(ACCESS)  # type: ignore[misc]
        return {key.decode(): _read(key.decode(), text) for key, text in found.items()}

    async def create(self, key: str, stored: StoredKey, now: Instant, actor: str) -> None:
        """Put a new key into force; raises `StoreRefused` when there are too many, or one of this id."""
        entry = _encode(stored).decode()
        if await self._change("create", key, stored, entry, now, actor) != "created":
            raise StoreRefused(f"expected a new key, and fewer than {MAX_KEYS} of them")

    async def revoke(self, key: str, now: Instant, actor: str) -> bool:
        """Take a key out of force; `False` when there is none of this id."""
        stored = await self.find(key)
        if stored is None:
            return False
        return await self._change("revoke", key, stored, None, now, actor) == "revoked"

    async def _change(
        self, kind: str, key: str, stored: StoredKey, entry: str | None, now: Instant, actor: str
    ) -> str:
        fixed = self._store.keys(ACCESS_LANE).fixed
        details = {"key": key, "shops": stored.shops, "scopes": stored.scopes}
        item = {"kind": kind, "id": key, "key": len(fixed) + 1, "details": pack(_encode(details))}
        if entry is not None:
            item["entry"] = entry
        head = {"now": now, "actor": actor, "most": MAX_KEYS}
        (reply,) = await SCRIPTS["access"](self._store.redis, [*fixed, ACCESS], head, [item])
        answered: str = reply.decode()
        return answered
