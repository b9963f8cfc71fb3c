"""Whether the process is up, and whether it can do its work."""

import asyncio
from typing import Any

from litestar import get

from dispatcher.errors import StoreUnavailable
from dispatcher.web.access import PUBLIC
from dispatcher.web.answers import Answer, answer
from dispatcher.web.parts import Asked, parts_of
from dispatcher.web.query import read_query

READY_SECONDS = 0.5
"""The store must answer within so long."""


@get("/health/live", opt=PUBLIC)
async def live(request: Asked) -> Answer:
    """Answer as long as the process does."""
    read_query(request, {})
    return answer({"status": "live"})


@get("/health/ready", opt=PUBLIC)
async def ready(request: Asked) -> Answer:
    """Answer whether the store does."""
    read_query(request, {})
    redis: Any = parts_of(request).service.store.redis
    try:
        async with asyncio.timeout(READY_SECONDS):
            await redis.ping()
    except TimeoutError:
        raise StoreUnavailable(f"the store did not answer within {READY_SECONDS:g} s") from None
    return answer({"status": "ready"})
