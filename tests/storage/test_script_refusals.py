"""A script either does all it was asked or writes nothing: Redis does not roll a script back."""

from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import msgspec
import pytest

from dispatcher.storage.client import StoreClient
from dispatcher.storage.scripts import SCRIPTS
from tests.storage.calls import NAMES, sound
from tests.storage.scenes import Call, Scene, dump, refused, restore, scene
from tests.worlds import NOON

NAN, INFINITE = float("nan"), float("inf")
WRONG: dict[str, tuple[object, ...]] = {
    "number": ("7", NAN, INFINITE, -INFINITE, True, [7]),
    "string": (7, NAN, False, ["x"]),
    "list": ("x", 7, True),
    "key": (0, -1, 1.5, 10_000, NAN, "1", [1]),
}
"""For each type a header names, values that are not of it."""

Broken = tuple[str, Call, bool]
"""What was broken, the broken call, and whether it must be refused."""


def tables(call: Call) -> Iterator[tuple[str, dict[str, Any]]]:
    """Yield each table of a call's arguments with the name of its line in the header."""
    spec = SCRIPTS[call.script].spec
    yield "head", call.head
    if "shops" in call.head:
        yield "shop", call.head["shops"][-1]
    if not call.items:
        return
    last = call.items[-1]
    yield "item", last
    if call.script == "intake":
        said = last["type"].startswith("customer.")
        yield "of_customer" if said else "of_order", last
        if last["type"] in {"order.paid", "order.cancelled"}:
            yield "ending", last
        if last["type"] == "order.reminded":
            yield "of_hand", last
    if "facts" in last:
        yield "facts", last
        yield "plan", last["plan"][-1]
    if "carries" in last:
        yield "carry", last["carries"][-1]
    assert spec.keys() <= {
        "head",
        "shop",
        "item",
        "of_order",
        "of_hand",
        "of_customer",
        "ending",
        "facts",
        "plan",
        "carry",
        "row",
    }


def broken_fields(call: Call) -> Iterator[Broken]:
    """Yield the call once for each field of each table: without it, and with each wrong value."""
    spec = SCRIPTS[call.script].spec
    for name, table in tables(call):
        for field, (kind, optional) in spec[name].items():
            if field not in table:
                continue
            was = table.pop(field)
            yield f"{name}.{field} missing", call.copy(), not optional
            for value in WRONG[kind]:
                table[field] = value
                yield f"{name}.{field} = {value!r}", call.copy(), True
            table[field] = was


def broken_references(call: Call) -> Iterator[Broken]:
    """Yield the call with shops, channels and keys that are not there."""
    for name, table in tables(call):
        for field in ("channel", "pause"):
            if table.get(field):
                was, table[field] = table[field], "fax"
                yield f"{name}.{field} unknown", call.copy(), True
                table[field] = was
        for field in ("kind", "outcome"):
            if field in table:
                was, table[field] = table[field], "guess"
                yield f"{name}.{field} unknown", call.copy(), True
                table[field] = was
        if isinstance(table.get("shop"), int):
            for number in (0, -1, 2, 1.5):
                was, table["shop"] = table["shop"], number
                yield f"{name}.shop = {number}", call.copy(), True
                table["shop"] = was
        for field in ("buckets", "erase", "due", "status"):
            within: Any = table.get(field)
            if not isinstance(within, dict | list):
                continue
            for place in list(within) if isinstance(within, dict) else range(len(within)):
                for value in WRONG["key"]:
                    was, within[place] = within[place], value
                    yield f"{name}.{field}[{place}] = {value!r}", call.copy(), True
                    within[place] = was


@pytest.fixture
async def full(redis: StoreClient, audit_directory: Path) -> Scene:
    """A store with reminders in every state."""
    return await scene(redis, audit_directory)


async def effects(full: Scene, broken: Iterator[Broken]) -> list[str]:
    """Make each broken call; tell which were taken though they must not be, or refused after a write."""
    before = await dump(full.redis)
    wrong = []
    for what, call, must in broken:
        refusal = await refused(full.redis, call.make(full.redis))
        changed = await dump(full.redis) != before
        if not refusal and must:
            wrong.append(f"{what}: taken")
        elif refusal and changed:
            wrong.append(f"{what}: wrote, then refused with {refusal}")
        if changed:
            await restore(full.redis, before)
    return wrong


@pytest.mark.parametrize("name", NAMES)
async def test_the_call_that_is_broken_in_these_tests_is_sound(full: Scene, name: str) -> None:
    call = await sound(full, name)
    before = await dump(full.redis)

    refusal = await refused(full.redis, call.make(full.redis))

    assert refusal == ""
    assert await dump(full.redis) != before
    assert name in {"lease", "trim", "send", "sent", "accept"} or len(call.items) == 2


@pytest.mark.parametrize("name", NAMES)
async def test_a_missing_or_wrong_field_writes_nothing(full: Scene, name: str) -> None:
    call = await sound(full, name)

    wrong = await effects(full, broken_fields(call))

    assert wrong == []


@pytest.mark.parametrize("name", NAMES)
async def test_a_reference_to_nothing_writes_nothing(full: Scene, name: str) -> None:
    call = await sound(full, name)

    wrong = await effects(full, broken_references(call))

    assert wrong == []


@pytest.mark.parametrize("name", NAMES)
async def test_arguments_that_are_no_messagepack_write_nothing(full: Scene, name: str) -> None:
    call = await sound(full, name)
    head, items = msgspec.msgpack.encode(call.head), msgspec.msgpack.encode(call.items)
    garbage = (b"", b"\xc1", b"\xc1\x80", b"\x07", b"\xa1x", b"\xdf\xff\xff\xff\xff")
    calls = [(bad, items) for bad in (*garbage, head[:-3])]
    calls += [(head, bad) for bad in (*garbage, *([items[:-3]] if call.items else []))]
    before = await dump(full.redis)

    taken = [
        arguments
        for arguments in calls
        if not await refused(full.redis, call.make_raw(full.redis, *arguments))
    ]

    assert taken == []
    assert await refused(full.redis, call.make_raw(full.redis, head)) != ""
    assert await refused(full.redis, call.make_raw(full.redis)) != ""
    assert await dump(full.redis) == before


GARBAGE = {
    "no MessagePack": b"\xc1garbage",
    "a number": b"\x07",
    "a text": b"\xa3not",
    "cut off": b"\x85\xa5state",
    "an empty map": b"\x80",
    "an empty list": b"\x90",
    "an order without steps": msgspec.msgpack.encode({"state": "unpaid", "rev": 1, "time": 1}),
    "an order without revision": msgspec.msgpack.encode({"state": "unpaid", "time": 1, "steps": []}),
}
"""What an order's key may hold that is no order."""


WRONG_TYPES: dict[str, Callable[[StoreClient, str], Any]] = {
    "string": lambda redis, key: redis.set(key, "x"),
    "list": lambda redis, key: redis.rpush(key, "x"),
    "hash": lambda redis, key: redis.hset(key, "x", "y"),
}

ROLES = {
    "lane": "hash",
    "audit": "stream",
    "ready": "zset",
    "leases": "zset",
    "timers": "zset",
    "order": "string",
    "ledger": "string",
    "shop": "hash",
    "pauses": "hash",
    "policies": "hash",
    "seen": "hash",
    "due": "zset",
    "status": "zset",
    "counts": "hash",
    "customer": "string",
    "text": "string",
    "facts": "string",
    "pools": "hash",
    "templates": "hash",
}
"""The type of each kind of key."""

WITHOUT_ORDERS = frozenset(
    {"lease", "trim", "configure", "spare", "template", "topup", "send", "sent", "accept"}
)
"""Scripts that look at no stored order, or go on without one."""

OVERWRITTEN = frozenset({"text", "facts"})
"""What a script that is given such a key writes or erases without looking: whatever was there goes."""


def role(key: str) -> str:
    """Return the kind of a key."""
    return key.partition("}:")[2].partition(":")[0]


@pytest.mark.parametrize("name", NAMES)
async def test_a_key_of_the_wrong_type_writes_nothing(full: Scene, name: str) -> None:
    call = await sound(full, name)
    sane = await dump(full.redis)
    wrong = []

    for key in dict.fromkeys(call.keys):
        for kind, write in WRONG_TYPES.items():
            erased = name == "turn forget" and role(key) == "seen"
            plain = name == "lease" and role(key) == "pools"  # without counts nothing is offered
            if kind == ROLES[role(key)] or role(key) in OVERWRITTEN or erased or plain:
                continue
            await full.redis.delete(key)
            await write(full.redis, key)
            before = await dump(full.redis)
            refusal = await refused(full.redis, call.make(full.redis))
            if not refusal:
                wrong.append(f"{key} a {kind}: taken")
            elif await dump(full.redis) != before:
                wrong.append(f"{key} a {kind}: wrote, then refused with {refusal}")
            await restore(full.redis, sane)

    assert wrong == []


@pytest.mark.parametrize(
    "name",
    [name for name in NAMES if name.split()[0] not in WITHOUT_ORDERS],
)
async def test_a_stored_order_that_is_none_writes_nothing(full: Scene, name: str) -> None:
    call = await sound(full, name)
    order = next(key for key in reversed(call.keys) if role(key) == "order")
    sane = await dump(full.redis)
    wrong = []

    for what, garbage in GARBAGE.items():
        await full.redis.set(order, garbage)
        before = await dump(full.redis)
        refusal = await refused(full.redis, call.make(full.redis))
        if not refusal:
            wrong.append(f"{what}: taken")
        elif await dump(full.redis) != before:
            wrong.append(f"{what}: wrote, then refused with {refusal}")
        await restore(full.redis, sane)

    assert wrong == []


NO_LEDGERS = {
    "no MessagePack": b"\xc1garbage",
    "a number": b"\x07",
    "cut off": b"\x81\xa3a~1",
    "a list": msgspec.msgpack.encode([4 * NOON]),
    "an instant that is a text": msgspec.msgpack.encode({"demo~A-sent~1": "7"}),
    "an instant that is none": msgspec.msgpack.encode({"demo~A-sent~1": NAN}),
    "a part of an instant": msgspec.msgpack.encode({"demo~A-sent~1": 0.25}),
}
"""What a ledger's key may hold that is no ledger."""


@pytest.mark.parametrize(
    "name",
    [
        "commit send",
        "commit open",
        "commit claim",
        "commit hand",
        "settle sent",
        "settle retry",
        "task released",
        "turn retire",
        "intake reminded",
    ],
)
async def test_a_ledger_that_is_none_writes_nothing(full: Scene, name: str) -> None:
    call = await sound(full, name)
    order = next(key for key in reversed(call.keys) if role(key) == "order")
    ledger = order.replace("order:demo~", "ledger:demo~C-")
    sane = await dump(full.redis)
    wrong = []

    for what, garbage in NO_LEDGERS.items():
        await full.redis.set(ledger, garbage)
        before = await dump(full.redis)
        refusal = await refused(full.redis, call.make(full.redis))
        if "not a ledger" not in refusal:
            wrong.append(f"{what}: {refusal or 'taken'}")
        elif await dump(full.redis) != before:
            wrong.append(f"{what}: wrote, then refused with {refusal}")
        await restore(full.redis, sane)

    assert wrong == []


@pytest.mark.parametrize("family", ["order", "facts", "ledger", "customer"])
async def test_a_lease_leaves_what_it_cannot_read_and_takes_the_others(full: Scene, family: str) -> None:
    keys = full.store.keys(0)
    broken = {
        "order": keys.order("demo", "F-due-2"),
        "facts": keys.facts("demo", "F-due-2"),
        "ledger": keys.ledger("demo", "C-F-due-2"),
        "customer": keys.customer("demo", "C-F-due-2"),
    }[family]
    before = await full.store.lease("demo", "sms", 10, NOON + 1000)
    await full.store.sweep(0, [item.reminder for item in before.items], before.lease_end)
    await full.redis.delete(broken)
    await WRONG_TYPES["list"](full.redis, broken)

    after = await full.store.lease("demo", "sms", 10, before.lease_end)

    taken = {item.reminder for item in before.items}
    assert "demo~F-due-2~1" in taken
    assert {item.reminder for item in after.items} == taken - {"demo~F-due-2~1"}
    assert await full.redis.zscore(keys.due("demo", "sms"), "demo~F-due-2~1") is not None


@pytest.mark.parametrize("garbage", NO_LEDGERS.values(), ids=NO_LEDGERS.keys())
async def test_a_lease_leaves_a_reminder_with_a_ledger_that_is_none(full: Scene, garbage: bytes) -> None:
    await full.redis.set(full.store.keys(0).ledger("demo", "C-F-due-2"), garbage)

    found = await full.store.lease("demo", "sms", 10, NOON + 1000)

    assert "demo~F-due-1~1" in {item.reminder for item in found.items}
    assert "demo~F-due-2~1" not in {item.reminder for item in found.items}


async def test_a_ledger_that_scripts_alone_can_read_keeps_its_reminder_from_being_decided(
    full: Scene,
) -> None:
    ledger = b"\x81\xa1\xff" + msgspec.msgpack.encode(4 * NOON)
    await full.redis.set(full.store.keys(0).ledger("demo", "C-F-due-2"), ledger)

    found = await full.store.lease("demo", "sms", 10, NOON + 1000)

    assert {item.reminder: item.facts is None for item in found.items} == {
        "demo~F-due-1~1": False,
        "demo~F-due-2~1": True,
    }


async def test_items_that_are_a_map_are_refused(full: Scene) -> None:
    call = await sound(full, "sweep")
    head, items = msgspec.msgpack.encode(call.head), msgspec.msgpack.encode({"a": call.items[0]})
    before = await dump(full.redis)

    refusal = await refused(full.redis, call.make_raw(full.redis, head, items))

    assert "items" in refusal
    assert await dump(full.redis) == before


@pytest.mark.parametrize("channel", ["sms", "chat", "phone"])
@pytest.mark.parametrize("name", ["commit send", "sweep", "settle retry", "turn close", "intake paid"])
async def test_a_shop_without_a_queue_for_a_channel_is_refused(full: Scene, name: str, channel: str) -> None:
    call = await sound(full, name)
    del call.head["shops"][0]["due"][channel]
    before = await dump(full.redis)

    refusal = await refused(full.redis, call.make(full.redis))

    assert channel in refusal
    assert await dump(full.redis) == before
