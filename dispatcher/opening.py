"""Opens the service for a process that outlives absences of the store."""

import asyncio
import gc
import logging
from collections.abc import Mapping
from pathlib import Path

from dispatcher.channels.base import Channel
from dispatcher.errors import StoreUnavailable
from dispatcher.policy.facts import Channel as ChannelName
from dispatcher.settings import Settings
from dispatcher.storage.client import StoreClient
from dispatcher.storage.server_settings import SETTINGS, other_settings
from dispatcher.telemetry import STORE_AWAY, STORE_UNSAFE
from dispatcher.wiring import Service, SystemClock, build

RETRY_SECONDS = 0.25

ALLOCATIONS = 10_000
"""New objects after which the young ones are looked through: about as many as a batch makes."""

_log = logging.getLogger(__name__)


def settle_memory() -> None:
    """Have what is there by now looked through no more for garbage, and the rest less often."""
    gc.collect()
    gc.freeze()
    gc.set_threshold(ALLOCATIONS)


async def open_service(
    settings: Settings,
    client: StoreClient,
    channels: Mapping[ChannelName, Channel],
    data: Path,
    told: asyncio.Event,
) -> Service | None:
    """Put the service together as soon as the store is there; `None` when told to end before."""
    away = False
    while not told.is_set():
        try:
            service = await build(settings, client, SystemClock(), channels, data / "audit")
            others = await other_settings(client)
        except StoreUnavailable as error:
            if not away:
                away = True
                _log.warning(STORE_AWAY, extra={"error": error.code, "detail": str(error)})
        else:
            for name, found in others.items():
                about = {"setting": name, "expected": SETTINGS[name], "found": found}
                _log.warning(STORE_UNSAFE, extra=about)
            settle_memory()
            return service
        try:
            async with asyncio.timeout(RETRY_SECONDS):
                await told.wait()
        except TimeoutError:
            continue
    return None
