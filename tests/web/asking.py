"""Asks the application as a client would, with keys of any kind; everything behind it is real."""

from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from hashlib import sha256
from pathlib import Path
from typing import Any

import httpx
from litestar import Litestar
from redis.asyncio import Redis

from dispatcher.storage.access import AccessKeys, StoredKey
from dispatcher.web.access import SCOPES, Access
from dispatcher.web.app import create_app
from tests.worlds import NOON, World, world

SECRET = "example-secret"

SINGLE = "application/cloudevents+json"
BATCH = "application/cloudevents-batch+json"


class Asking:
    """A running application and a client of it whose key opens the shop `demo` with every scope."""

    def __init__(self, here: World, app: Litestar, keys: AccessKeys, client: httpx.AsyncClient) -> None:
        self.world = here
        self.app = app
        self.keys = keys
        self.client = client

    async def key(
        self, name: str, *, shops: Sequence[str] = ("demo",), scopes: Sequence[str] = SCOPES
    ) -> dict[str, str]:
        """Create a key and return the headers that carry it."""
        stored = StoredKey(
            sha256=sha256(SECRET.encode()).hexdigest(),
            shops=tuple(shops),
            scopes=tuple(scopes),
            created_at=NOON,
        )
        await self.keys.create(name, stored, NOON, "user:test")
        return bearer(name)

    async def post(self, body: bytes | str, kind: str = SINGLE, **headers: str) -> httpx.Response:
        """Post events."""
        return await self.client.post("/v1/events", content=body, headers={"content-type": kind} | headers)

    async def records(self) -> list[dict[str, Any]]:
        """Return the audit of the shop's orders."""
        return [record for record in await self.world.audit() if record["order"] is not None]


def bearer(name: str, secret: str = SECRET) -> dict[str, str]:
    """Return the header that carries a key."""
    return {"authorization": f"Bearer dk_{name}_{secret}"}


@asynccontextmanager
async def asking(redis: Redis, audit_directory: Path, **of_world: Any) -> AsyncIterator[Asking]:
    """Build the application over an empty store; what is not given of its world is as ever."""
    here = await world(redis, audit_directory, **of_world)
    keys = AccessKeys(here.service.store)
    app = create_app(here.service, Access(keys))
    transport = httpx.ASGITransport(app)
    async with httpx.AsyncClient(transport=transport, base_url="http://api.example") as client:
        ready = Asking(here, app, keys, client)
        client.headers.update(await ready.key("all"))
        yield ready
