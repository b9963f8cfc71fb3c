"""Keys of the API as stored: created and revoked with their audit records, without any secret."""

from pathlib import Path

import pytest
from redis.asyncio import Redis

from dispatcher.errors import StoreRefused
from dispatcher.storage import access
from dispatcher.storage.access import AccessKeys, StoredKey
from dispatcher.storage.audit_filter import Filter
from dispatcher.storage.keys import ACCESS_LANE
from tests.worlds import NOON, World, as_json, world

KEY = StoredKey(sha256="ab" * 32, shops=("demo", "二店"), scopes=("events:write",), created_at=NOON)


@pytest.fixture
async def here(redis: Redis, audit_directory: Path) -> World:
    """A service."""
    return await world(redis, audit_directory)


async def records(here: World) -> list[tuple[object, ...]]:
    """What the audit says of keys."""
    read = [as_json(record) async for record in here.service.audit.read(ACCESS_LANE)]
    return [
        (record["kind"], record["actor"], record["shop"], record["details"])
        for record in read
        if record["kind"].startswith("access.")
    ]


async def test_a_key_is_found_as_it_was_created(here: World) -> None:
    keys = AccessKeys(here.service.store)

    await keys.create("k1", KEY, NOON, "user:ops")

    assert await keys.find("k1") == KEY
    assert await keys.find("k2") is None
    assert await keys.all() == {"k1": KEY}


async def test_each_change_is_audited_without_the_digest(here: World) -> None:
    keys = AccessKeys(here.service.store)
    details = {"key": "k1", "shops": ["demo", "二店"], "scopes": ["events:write"]}

    await keys.create("k1", KEY, NOON, "user:ops")
    revoked = await keys.revoke("k1", NOON, "user:boss")

    assert revoked
    assert await keys.all() == {}
    assert await records(here) == [
        ("access.key_created", "user:ops", "*", details),
        ("access.key_revoked", "user:boss", "*", details),
    ]
    assert (await here.service.audit.check(ACCESS_LANE)).problems == []


async def test_records_about_keys_are_found_by_their_shop(here: World) -> None:
    await AccessKeys(here.service.store).create("k1", KEY, NOON, "user:ops")

    found = [record.kind async for record in here.service.audit.find(Filter(shop="*"))]

    assert here.service.store.lane_of("*") == ACCESS_LANE
    assert found == ["access.key_created"]


async def test_a_second_key_of_an_id_changes_nothing(here: World) -> None:
    keys = AccessKeys(here.service.store)
    await keys.create("k1", KEY, NOON, "user:ops")
    other = StoredKey(sha256="0" * 64, shops=(), scopes=(), created_at=0)

    with pytest.raises(StoreRefused):
        await keys.create("k1", other, NOON, "user:ops")

    assert await keys.find("k1") == KEY
    assert len(await records(here)) == 1


async def test_what_is_not_there_is_not_revoked(here: World) -> None:
    keys = AccessKeys(here.service.store)

    revoked = await keys.revoke("k1", NOON, "user:ops")

    assert not revoked
    assert await records(here) == []


async def test_there_are_at_most_so_many_keys(here: World, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(access, "MAX_KEYS", 1)
    keys = AccessKeys(here.service.store)
    await keys.create("k1", KEY, NOON, "user:ops")

    with pytest.raises(StoreRefused):
        await keys.create("k2", KEY, NOON, "user:ops")

    assert list(await keys.all()) == ["k1"]
