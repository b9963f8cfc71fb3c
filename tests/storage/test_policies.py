"""Versions of a shop's policy: each stays, with when, by whom and why it was put into force."""

import msgspec

from dispatcher.storage.client import StoreClient
from dispatcher.storage.packing import pack
from dispatcher.storage.store import Store
from tests.worlds import HOUR, NOON, World


async def test_a_version_is_kept_with_what_it_is_about(here: World, redis: StoreClient, store: Store) -> None:
    note = 'quieter nights, "夜间" ~ 1:about'

    version = await store.put_policy("demo", '{"a":1}', note, pack(b'{"n":1}'), NOON + HOUR, "user:li")

    about = await redis.hget(store.keys(here.lane).policies("demo"), f"{version}:about")  # type: ignore[misc]
    assert about is not None
    assert msgspec.json.decode(about) == {"at": NOON + HOUR, "actor": "user:li", "note": note}
    assert version == 2
    assert await store.policy("demo", 2) == b'{"a":1}'
    changed = (await here.audit())[-1]
    assert (changed["kind"], changed["policy"], changed["details"]) == ("policy.changed", 2, {"n": 1})


async def test_a_document_that_is_in_force_changes_nothing(here: World, store: Store) -> None:
    first = await store.put_policy("demo", '{"a":1}', "once", pack(b"{}"), NOON, "user:li")
    before = await store.shop("demo"), await here.audit()

    again = await store.put_policy("demo", '{"a":1}', "twice", pack(b"{}"), NOON + HOUR, "user:wang")

    assert again == first
    assert (await store.shop("demo"), await here.audit()) == before


async def test_a_new_version_leaves_those_before_it(here: World, redis: StoreClient, store: Store) -> None:
    policies = store.keys(here.lane).policies("demo")
    before = await redis.hgetall(policies)  # type: ignore[misc]

    await store.put_policy("demo", "{}", "", pack(b"{}"), NOON, "user:li")

    after = await redis.hgetall(policies)  # type: ignore[misc]
    assert set(before) == {b"1", b"1:about"}
    assert {name: after.pop(name) for name in before} == before
    assert set(after) == {b"2", b"2:about"}
