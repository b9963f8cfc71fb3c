"""Who may do what: a key opens scopes and shops, every route names its scope, and nothing else opens."""

import asyncio
import logging
from hashlib import sha256
from hmac import compare_digest
from typing import Any, NamedTuple

import msgspec
from litestar import Request

from dispatcher.errors import Forbidden, StoreRefused, Unauthenticated
from dispatcher.policy.event_text import EVERY_SHOP
from dispatcher.storage.access import AccessKeys
from dispatcher.telemetry import KEY_UNREADABLE
from dispatcher.web.paths import decoded

SCOPES = (
    "events:write",
    "orders:read",
    "reminders:send",
    "reminders:steer",
    "audit:read",
    "tasks:read",
    "tasks:work",
    "policy:read",
    "policy:write",
    "templates:read",
    "templates:write",
    "shop:pause",
    "incentives:top-up",
)

KEY_MARK = "dk"
MAX_TOKEN_CHARS = 200

FRESH_SECONDS = 0.5
"""What was read of a key is believed so long, so that a revoked key is refused within a second."""

MAX_CACHED = 10_000
"""Ids of keys, known and unknown, that are remembered at once."""

_log = logging.getLogger(__name__)
_BEARER = b"bearer "
_NO_SECRET = "0" * 64


def needs(scope: str) -> dict[str, str]:
    """Return the `opt` of a route that a key with this scope opens."""
    assert scope in SCOPES
    return {"scope": scope}


PUBLIC = {"scope": ""}
"""The `opt` of a route that needs no key."""


class Caller(msgspec.Struct, frozen=True, kw_only=True):
    """Whose request it is, and what that key opens."""

    key: str
    shops: frozenset[str]
    scopes: frozenset[str]

    @property
    def actor(self) -> str:
        """The name in audit records."""
        return f"key:{self.key}"

    def opens(self, shop: str | None) -> bool:
        """Tell whether the key opens a shop, or (`None`) every shop."""
        return EVERY_SHOP in self.shops or shop in self.shops


class _Known(NamedTuple):
    """A key as it was read."""

    sha256: str
    caller: Caller


class Access:
    """Tells callers by their tokens; what is read of keys is fresh by half a second."""

    def __init__(self, keys: AccessKeys) -> None:
        self._keys = keys
        self._cached: dict[str, tuple[float, asyncio.Task[_Known | None]]] = {}

    async def caller(self, token: str) -> Caller:
        """Return who holds this token; raises `Unauthenticated`, or `StoreUnavailable`."""
        mark, _, rest = token.partition("_")
        key, _, secret = rest.partition("_")
        if mark != KEY_MARK or not key or not secret or len(token) > MAX_TOKEN_CHARS:
            raise Unauthenticated("expected a key as it was given out, which begins with dk_")
        reading = self._reading(key)
        known = reading.result() if reading.done() else await asyncio.shield(reading)
        digest = sha256(secret.encode()).hexdigest()
        right = compare_digest(digest, known.sha256 if known else _NO_SECRET)
        if known is None or not right:
            raise Unauthenticated("the key is not known, or was revoked")
        return known.caller

    async def _read(self, key: str) -> "_Known | None":
        try:
            stored = await self._keys.find(key)
        except StoreRefused:
            _log.error(KEY_UNREADABLE, extra={"key": key})
            return None
        if stored is None:
            return None
        caller = Caller(key=key, shops=frozenset(stored.shops), scopes=frozenset(stored.scopes))
        return _Known(stored.sha256, caller)

    def _reading(self, key: str) -> "asyncio.Task[_Known | None]":
        """Read a key, once for all who ask at the same time; a read begun too long ago does not count."""
        now = asyncio.get_running_loop().time()
        found = self._cached.get(key)
        if found is None or now - found[0] >= FRESH_SECONDS or _failed(found[1]):
            if len(self._cached) >= MAX_CACHED:
                self._cached.clear()
            found = self._cached[key] = (now, asyncio.create_task(self._read(key)))
        return found[1]


def _failed(task: asyncio.Task[Any]) -> bool:
    return task.done() and (task.cancelled() or task.exception() is not None)


def _token(request: Request[Any, Any, Any]) -> str:
    given = [value for name, value in request.scope["headers"] if name == b"authorization"]
    if len(given) != 1 or given[0][: len(_BEARER)].lower() != _BEARER:
        raise Unauthenticated("expected one header Authorization: Bearer KEY")
    return given[0][len(_BEARER) :].strip().decode("latin-1")


async def admit(request: Request[Any, Any, Any]) -> None:
    """Let a request in: its route needs no key, or the key opens the scope that the route names.

    Raises `Unauthenticated`, `Forbidden` or `StoreUnavailable`.
    """
    scope = request.route_handler.opt.get("scope")
    if scope is None:
        raise Forbidden("this route opens to nobody")
    if scope:
        access: Access = request.app.state["access"]
        caller = request.scope["auth"] = await access.caller(_token(request))
        if scope not in caller.scopes:
            raise Forbidden(f"the key does not have the scope {scope}")


async def door(request: Request[Any, Any, Any]) -> None:
    """Let a request in: its path decoded, its key opening the scope that its route names."""
    if request.scope["path_params"]:
        request.scope["path_params"] = decoded(request.scope["path_params"])
    if request.method != "OPTIONS":
        await admit(request)


def caller_of(request: Request[Any, Any, Any]) -> Caller:
    """Return who was let in by a key."""
    caller = request.scope["auth"]
    assert isinstance(caller, Caller)
    return caller


def require(request: Request[Any, Any, Any], shop: str | None) -> Caller:
    """Return who was let in if their key opens the shop, `None` being every shop; raises `Forbidden`."""
    caller = caller_of(request)
    if not caller.opens(shop):
        raise Forbidden("the key does not open this shop" if shop else "the key does not open every shop")
    return caller
