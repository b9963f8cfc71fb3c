"""How many lanes a store has, which never changes."""

from dispatcher.errors import StoreRefused
from dispatcher.settings import HIGHEST_LANES, SHOWN_CHARS
from dispatcher.storage import keys as names
from dispatcher.storage.client import StoreClient

_LANES = {str(number).encode(): number for number in range(1, HIGHEST_LANES + 1)}


async def stored_lanes(redis: StoreClient) -> int | None:
    """Return the number of lanes a store was first started with; `None` when it never was."""
    stored = await redis.hget(names.META, "lanes")  # type: ignore[misc]
    if stored is not None and stored not in _LANES:
        raise StoreRefused(
            f"{names.META} lanes: expected a whole number from 1 to {HIGHEST_LANES}, "
            f"got {stored[:SHOWN_CHARS].decode(errors='replace')}"
        )
    return None if stored is None else _LANES[stored]
