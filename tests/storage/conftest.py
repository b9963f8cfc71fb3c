"""A shop with two due reminders."""

from pathlib import Path

import pytest

from dispatcher.storage.client import StoreClient
from dispatcher.storage.store import Store
from tests.worlds import NOON, World, event, world


@pytest.fixture
async def here(redis: StoreClient, audit_directory: Path) -> World:
    """A shop with two due reminders, of one customer."""
    here = await world(redis, audit_directory)
    orders = [event("order.unpaid", order, NOON) for order in ("O-1", "O-2")]
    await here.service.intake.take(orders, "key:test")
    return here


@pytest.fixture
def store(here: World) -> Store:
    """The store of that shop."""
    return here.service.store
