"""Makes keys: the token is given out once, only the digest of its secret is kept."""

import secrets
from collections.abc import Iterable
from hashlib import sha256
from typing import NamedTuple

from dispatcher.policy.facts import Instant
from dispatcher.storage.access import StoredKey
from dispatcher.web.access import KEY_MARK

ID_BYTES = 5
SECRET_BYTES = 24


class Issued(NamedTuple):
    """A new key: its id, the token for its holder, and what is stored of it."""

    key: str
    token: str
    stored: StoredKey


def issue(shops: Iterable[str], scopes: Iterable[str], now: Instant) -> Issued:
    """Make a key that opens shops and scopes; it is in force once it is stored."""
    key, secret = secrets.token_hex(ID_BYTES), secrets.token_hex(SECRET_BYTES)
    digest = sha256(secret.encode()).hexdigest()
    stored = StoredKey(sha256=digest, shops=tuple(shops), scopes=tuple(scopes), created_at=now)
    return Issued(key, f"{KEY_MARK}_{key}_{secret}", stored)
