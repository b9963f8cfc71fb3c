"""The settings of a server that the promises rest on."""

from dispatcher.errors import StoreRefused
from dispatcher.storage.client import StoreClient
from dispatcher.storage.scripts import NODE_BYTES

SETTINGS = {
    "appendonly": "yes",
    "appendfsync": "always",
    "aof-use-rdb-preamble": "yes",
    "maxmemory-policy": "noeviction",
    "stream-node-max-bytes": str(NODE_BYTES),
}


async def other_settings(redis: StoreClient) -> dict[str, str | None]:
    """Return the settings that are otherwise, and how: `None` where the server does not tell it.

    Raises `StoreUnavailable`.
    """
    try:
        told = await redis.config_get(*SETTINGS)  # type: ignore[arg-type]
    except StoreRefused:  # as a server does whose owner keeps its settings
        told = {}
    return {name: told.get(name) for name, wanted in SETTINGS.items() if told.get(name) != wanted}
