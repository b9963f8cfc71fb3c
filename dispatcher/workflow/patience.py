"""Repeats what is safe to repeat while the store is away."""

import asyncio
from collections.abc import Awaitable, Callable
from typing import TypeVar

from dispatcher.errors import StoreUnavailable

FIRST_PAUSE_SECONDS = 0.05
LONGEST_PAUSE_SECONDS = 0.5

T = TypeVar("T")


async def patiently(act: Callable[[], Awaitable[T]], seconds: float) -> T:
    """Return what `act` does; while the store is away repeat it, for so many seconds, then raise that."""
    loop = asyncio.get_running_loop()
    end = loop.time() + seconds
    pause = FIRST_PAUSE_SECONDS
    while True:
        try:
            return await act()
        except StoreUnavailable:
            if loop.time() + pause >= end:
                raise
        await asyncio.sleep(pause)
        pause = min(2 * pause, LONGEST_PAUSE_SECONDS)
