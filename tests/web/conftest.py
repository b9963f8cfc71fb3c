"""The application over a real store, and ways to ask it."""

from collections.abc import AsyncIterator
from pathlib import Path

import pytest
from redis.asyncio import Redis

from tests.web.asking import Asking, asking


@pytest.fixture
async def api(redis: Redis, audit_directory: Path) -> AsyncIterator[Asking]:
    """The application of a shop `demo` under a virtual clock, with a key that opens all of it."""
    async with asking(redis, audit_directory) as ready:
        yield ready
