"""Opening a store: what it says of itself is believed only when it can be right."""

from pathlib import Path

import pytest

from dispatcher.errors import StoreRefused, StoreUnavailable
from dispatcher.settings import Settings
from dispatcher.storage.client import StoreClient
from dispatcher.storage.embedded import EmbeddedStore
from dispatcher.storage.keys import META
from dispatcher.wiring import connect, open_audit, open_existing_audit


@pytest.mark.parametrize("lanes", ["abc", "0", "-5", "1000", "", "04", "\N{SUPERSCRIPT TWO}"])
async def test_a_number_of_lanes_that_cannot_be_is_refused(
    redis: StoreClient, audit_directory: Path, lanes: str
) -> None:
    await redis.hset(META, "lanes", lanes)  # type: ignore[misc]

    for opening in (open_audit, open_existing_audit):
        with pytest.raises(StoreRefused, match=f"expected a whole number from 1 to 99, got {lanes}$"):
            await opening(Settings(), redis, audit_directory)


async def test_a_store_is_opened_with_the_lanes_it_began_with(
    redis: StoreClient, audit_directory: Path
) -> None:
    await open_audit(Settings(lanes=99), redis, audit_directory)

    store, _ = await open_audit(Settings(lanes=3), redis, audit_directory)

    assert store.lanes == 99


@pytest.mark.parametrize("given", ["", ":wrong@", "nobody:wrong@"])
async def test_a_wrong_password_is_told_as_such(tmp_path: Path, given: str) -> None:
    with EmbeddedStore(tmp_path / "store", durable=False) as server:
        owner = connect(socket=server.socket)
        await owner.config_set("requirepass", "right")
        client = connect(url=f"unix://{given}{server.socket}")

        with pytest.raises(StoreUnavailable, match="the store refuses our user or password"):
            await client.ping()

        await client.aclose()
        await owner.aclose()
