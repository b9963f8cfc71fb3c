"""Templates of a shop's own at work: what is published at the moment of deciding writes what is sent."""

import gc
import weakref
from collections.abc import Awaitable, Callable, Sequence
from pathlib import Path
from typing import Any

import msgspec
import pytest
import redis as blocking

from dispatcher.errors import StoreRefused
from dispatcher.messages.catalog import Catalog
from dispatcher.messages.own import names
from dispatcher.storage.client import StoreClient
from dispatcher.storage.records import published
from dispatcher.storage.template_changes import TemplateChange
from dispatcher.storage.templates import ShopTemplates
from dispatcher.workflow import templates
from dispatcher.workflow.recomputing import Recomputer, recompute
from dispatcher.workflow.recorded import Record
from dispatcher.workflow.templates import TemplateBook
from tests.checkers.dump import dump
from tests.checkers.replay import replay
from tests.checkers.state import diff
from tests.checkers.structure import structure
from tests.worlds import NOON, World, at_once, event, world

SMS = "zh-CN/first_time/sms"
CALL = "zh-CN/high_value/phone"
BY_SMS = at_once(
    """
    [routing]
    channels = ["sms"]
    high_value = "500.00"
    """
)


@pytest.fixture
async def here(redis: StoreClient, audit_directory: Path) -> World:
    return await world(redis, audit_directory, policy=BY_SMS)


async def publish(here: World, word: str, name: str = SMS, shop: str = "demo") -> str:
    """Publish the product's own template with a word behind its beginning; return what it is called."""
    authoring = here.service.authoring
    source = (await authoring.source(shop, name, 0)).text
    begins = "】" if name.endswith("/sms") else "#}"
    await authoring.draft(shop, name, source.replace(begins, begins + word, 1), "user:li", None)
    return (await authoring.publish(shop, name, "user:li", None)).template


async def take(here: World, *orders: str, **more: Any) -> None:
    events = [event("order.unpaid", order, NOON, customer=f"C-{order}", **more) for order in orders]
    await here.service.intake.take(events, "key:test")


async def written(here: World) -> list[tuple[str, str]]:
    """Return each order with the template that wrote to its customer."""
    kinds = ("reminder.sending", "task.opened", "task.claimed")
    return [(one["order"], one["template"]) for one in await here.audit() if one["kind"] in kinds]


async def violations(here: World, reader: blocking.Redis) -> list[str]:
    """Return what the checkers, and deciding again, find wrong."""
    records = await here.audit()
    lanes = here.service.store.lanes
    return [
        *diff(replay(records), dump(reader, lanes)),
        *replay(records).problems,
        *structure(reader, lanes),
        *recompute(msgspec.convert(records, list[Record]), Recomputer()),
    ]


class Reads:
    """Counts what is read of shops' templates."""

    def __init__(self, here: World) -> None:
        book = here.service.dispatcher._templates
        self._texts = book._published.texts
        self.asked: list[str] = []
        book._published.texts = self.texts  # type: ignore[method-assign]

    async def texts(self, shop: str, versions: Sequence[str]) -> list[bytes | None]:
        self.asked += versions
        return await self._texts(shop, versions)


async def test_what_was_decided_by_the_former_text_is_decided_anew(
    here: World, reader: blocking.Redis
) -> None:
    await publish(here, "甲")
    await take(here, "A")
    judge_all = here.service.dispatcher._judge_all
    names = []

    async def meanwhile(lease: Any) -> Any:
        judged = await judge_all(lease)
        if not names:
            names.append(await publish(here, "乙"))
        return judged

    here.service.dispatcher._judge_all = meanwhile  # type: ignore[method-assign]

    done = await here.dispatch()

    assert (done["changed"], done["send"]) == (1, 1)
    assert await written(here) == [("A", names[0])]
    assert await violations(here, reader) == []


async def test_every_change_can_be_told_from_the_audit(here: World, reader: blocking.Redis) -> None:
    authoring = here.service.authoring
    twin = here.twin()
    await publish(here, "甲")
    await publish(here, "乙")
    await publish(here, "丙", "zh-CN/before_close/chat", twin)
    await authoring.draft(twin, SMS, "half a text", "user:li", "later")
    await authoring.rollback("demo", SMS, 1, "user:li", None)
    await authoring.withdraw(twin, "zh-CN/before_close/chat", "user:li", None)
    await authoring.discard("demo", SMS, "user:li")

    found = await violations(here, reader)

    assert found == []
    assert (await here.service.store.shop("demo")).templates == f"{SMS}@1"
    assert (await here.service.store.shop(twin)).templates == ""


async def test_a_shop_without_templates_of_its_own_costs_no_read_and_others_one_a_version(
    here: World,
) -> None:
    reads = Reads(here)
    await take(here, "A", "B")
    await here.dispatch()
    before = list(reads.asked)
    await publish(here, "甲")
    await publish(here, "乙", CALL)
    reads.asked.clear()

    await take(here, "C", "D")
    await here.dispatch()
    await take(here, "E", "F")
    await here.dispatch()

    assert before == []
    assert sorted(reads.asked) == [f"{SMS}@1", f"{CALL}@1"]
    own = [order for order, template in await written(here) if template == "first_time/sms@shop.1"]
    assert sorted(own) == ["C", "D", "E", "F"]


async def test_one_shops_template_is_not_anothers(here: World) -> None:
    twin = here.twin()
    await here.service.put_policy(twin, BY_SMS, "test", "user:test")
    name = await publish(here, "甲")

    await take(here, "A")
    await take(here, "B", shop=twin)
    await here.dispatch()

    found = dict(await written(here))
    assert found["A"] == name
    assert "shop" not in found["B"]


BROKEN = {"not there": None, "no text": b"\xff\xfe", "not right any more": b"{{ gone }}"}


@pytest.mark.parametrize("how", BROKEN)
async def test_a_version_that_cannot_be_used_fails_what_it_is_for_and_nothing_else(
    here: World, redis: StoreClient, how: str
) -> None:
    await publish(here, "甲")
    await take(here, "A", "B")
    await take(here, "dear", total="900.00")
    await publish(here, "乙", CALL)
    key = here.service.store.keys(here.lane).templates("demo")
    if BROKEN[how] is None:
        await redis.hdel(key, f"{CALL}@1")  # type: ignore[misc]
    else:
        await redis.hset(key, f"{CALL}@1", BROKEN[how])  # type: ignore[misc,arg-type]

    done = await here.dispatch()

    ended = {one["order"]: (one["kind"], one["reason"]) for one in await here.audit() if one["order"]}
    assert done["send"] == 2
    assert ended["A"][0] == ended["B"][0] == "reminder.sent"
    assert ended["dear"] == ("reminder.failed", "internal")


async def test_a_version_that_cannot_be_used_is_foretold_to_fail_what_it_is_for_and_nothing_else(
    here: World, redis: StoreClient
) -> None:
    await publish(here, "甲")
    await take(here, "A")
    await take(here, "dear", total="900.00")
    await redis.delete(here.service.store.keys(here.lane).templates("demo"))
    orders = {name: await here.service.store.order("demo", name) for name in ("A", "dear")}

    found = await here.service.explaining.outlooks("demo", {name: one for name, one in orders.items() if one})

    told = {order: (one.decision, one.reason) for (order, _), one in found.items()}
    assert told == {"A": ("fail", "internal"), "dear": ("send", None)}
    assert found["A", 1].next_eligible is None


class Shelf:
    """Has every version of every shop, and lets something happen while a version is read."""

    def __init__(self, source: str) -> None:
        self._source = source.encode()
        self.meanwhile: dict[str, Callable[[], Awaitable[object]]] = {}

    async def texts(self, shop: str, versions: Sequence[str]) -> list[bytes | None]:
        for each in versions:
            if each in self.meanwhile:
                await self.meanwhile.pop(each)()
        return [self._source for _ in versions]


@pytest.fixture
def shelf() -> Shelf:
    return Shelf(names(Catalog.load())[SMS].source)


async def test_what_others_read_meanwhile_takes_nothing_from_a_shop(
    shelf: Shelf, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(templates, "KEPT_TEMPLATES", 2)
    book = TemplateBook(shelf, Catalog.load())
    shelf.meanwhile[f"{CALL}@2"] = lambda: book.writer("other", f"{CALL}@1,{SMS}@1")
    await book.writer("demo", f"{SMS}@1")

    write = await book.writer("demo", f"{CALL}@2,{SMS}@1")

    assert await book.writer("demo", f"{CALL}@2,{SMS}@1") is write


async def test_what_wrote_by_a_former_version_is_not_kept(shelf: Shelf) -> None:
    book = TemplateBook(shelf, Catalog.load())
    former = weakref.ref(await book.writer("demo", f"{SMS}@1"))

    await book.writer("demo", f"{SMS}@2")

    gc.collect()
    assert former() is None


async def test_so_many_templates_are_kept_at_most(shelf: Shelf, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(templates, "KEPT_TEMPLATES", 2)
    book = TemplateBook(shelf, Catalog.load())

    kept = [weakref.ref(await book.writer(f"shop {number}", f"{SMS}@1")) for number in range(5)]

    gc.collect()
    assert [one() is not None for one in kept] == [False, False, False, False, True]


async def test_a_change_tells_that_what_it_is_about_is_gone(here: World) -> None:
    await here.service.authoring.draft("demo", SMS, "a text", "user:li", None)
    change = TemplateChange(kind="rollback", name=SMS, called="first_time/sms@shop.", told={}, version=7)
    store = ShopTemplates(here.service.store)

    gone = await store.change("demo", change, NOON, "user:li")
    withdrawn = await store.change(
        "demo", msgspec.structs.replace(change, kind="withdraw", version=None), NOON, "user:li"
    )

    assert (gone, withdrawn) == (None, 0)


@pytest.mark.parametrize(
    ("text", "told"),
    [("", {}), (f"{SMS}@3", {SMS: 3}), (f"{CALL}@12,{SMS}@3", {CALL: 12, SMS: 3})],
)
def test_what_is_published_is_read_by_name(text: str, told: dict[str, int]) -> None:
    assert published(text) == told


@pytest.mark.parametrize("text", [",", SMS, f"{SMS}@", f"{SMS}@x", f"{SMS}@-1"])
def test_what_is_published_and_cannot_be_read_is_refused(text: str) -> None:
    with pytest.raises(StoreRefused, match="published cannot be read"):
        published(text)


async def test_a_call_is_claimed_with_the_script_in_force(here: World, reader: blocking.Redis) -> None:
    await publish(here, "甲", CALL)
    await take(here, "A", total="900.00")
    await here.dispatch()
    await publish(here, "乙", CALL)

    await here.service.tasks.claim("demo~A~1", "小林", "key:test")

    assert await written(here) == [
        ("A", "high_value/phone@shop.1"),
        ("A", "high_value/phone@shop.2"),
    ]
    assert await violations(here, reader) == []
