"""A sound call of every script and of every kind of item it takes: one good item stands before it."""

from collections.abc import Awaitable, Callable
from typing import Any, Literal, get_args

import msgspec

from dispatcher.policy.reminders import Status
from dispatcher.storage.commands import (
    Carry,
    Commit,
    Intake,
    PlanStep,
    Replan,
    Settlement,
    Steer,
    TaskEnd,
)
from dispatcher.storage.incentives import top_up
from dispatcher.storage.keys import LaneKeys, split_reminder_id
from dispatcher.storage.ledgers import before_mark
from dispatcher.storage.new_orders import rows_of
from dispatcher.storage.operators import Operators
from dispatcher.storage.packing import pack, string
from dispatcher.storage.records import Lease, Leased
from dispatcher.storage.replanning import replan
from dispatcher.storage.rows import SentRow
from dispatcher.storage.store import Store
from dispatcher.storage.stored_orders import order_alone, text_of
from dispatcher.storage.swapping import commit_swap
from dispatcher.storage.template_changes import Change, TemplateChange
from dispatcher.storage.templates import ShopTemplates
from tests.storage.scenes import LATER, Call, Scene, caught, kept, plain, send, settlement
from tests.worlds import DAY, HOUR, MINUTE, NOON

AFTER_LEASES = LATER + MINUTE
AFTER_CLOSE = NOON + 2 * DAY
AFTER_RETENTION = NOON + 40 * DAY
KINDS = ("send", "open", "claim", "hand", "defer", "drop", "release")
TASKS = ("demo~C-claimed-1~1", "demo~C-claimed-2~1")
NAME = "zh-CN/first_reminder/sms"
DETAILS = plain(b'{"made":"up"}')


def _event(order: str, kind: str) -> Intake:
    event = Intake(
        event=f"e-{order}",
        seen=f"/shops/demo e-{order}",
        digest="0" * 32,
        type=kind,
        time=LATER,
        order=order,
        shop_name="demo",
    )
    if kind in ("order.paid", "order.cancelled"):
        event.details = DETAILS
        return event
    if kind == "order.reminded":
        event.order, event.channel, event.handed, event.details = "F-due-1", "sms", LATER, DETAILS
        return event
    if kind.startswith("customer."):
        event.order, event.customer, event.channel, event.details = None, order, "sms", DETAILS
        return event
    event.shop_rev, event.customer, event.facts, event.details = 1, "C-new", DETAILS, DETAILS
    event.closes, event.rev = LATER + DAY, 0
    event.plan = [
        PlanStep(moment=LATER, reason="too_late", policy=1, details=DETAILS),
        PlanStep(moment=LATER, due=LATER + HOUR, channel="sms", policy=1, details=DETAILS),
    ]
    return event


def _intake(kind: str) -> Callable[[Scene, Store], Awaitable[Any]]:
    async def make(scene: Scene, store: Store) -> Any:
        events = [_event("N-1", "order.unpaid"), _event("N-2", kind)]
        return await store.intake(0, events, LATER, "key:test")

    return make


async def _accept(scene: Scene, store: Store) -> Any:
    events = [new_order("N-1"), new_order("N-2")]
    return await store.accept(0, events, rows_of(events), LATER, "key:test")


def new_order(order: str) -> Intake:
    """Return an event of an order that is not known, with two reminders to be planned."""
    event = _event(order, "order.unpaid")
    event.customer, event.facts, event.details, event.rev = f"C-{order}", pack(b"{}"), pack(b"{}"), None
    of: dict[str, Any] = {"moment": LATER, "policy": 1, "details": pack(b"{}")}
    event.plan = [
        PlanStep(**of, due=LATER + MINUTE, channel="sms"),
        PlanStep(**of, due=LATER + HOUR, channel="chat"),
    ]
    return event


def _decision(scene: Scene, kind: str) -> Commit:
    made = _asked(scene) if kind == "hand" else _decided(scene, kind)
    return msgspec.structs.replace(made, details=DETAILS)


def _decided(scene: Scene, kind: str) -> Commit:
    lease, item = scene.leased, scene.leased.items[1]
    match kind:
        case "send":
            offer: dict[str, Any] = {
                "pool": "tea",
                "quantity": 5,
                "per_customer": 2,
                "offer_ends": LATER + DAY,
            }
            return send(lease, item, per_day=5, min_gap=MINUTE, per_order=5, **offer)
        case "open":
            return send(lease, item, kind="open", channel="phone", due=LATER + HOUR)
        case "defer":
            return kept(lease, item, kind, channel="chat", due=LATER + HOUR, reason="min_gap", tried=("sms",))
        case "drop":
            return kept(lease, item, kind, reason="too_late")
        case "release":
            return kept(lease, item, kind)
        case _:
            reminder = "demo~B-open-2~1"
            of = {"reminder": reminder, "order": "B-open-2", "customer": "C-B-open-2", "step": 1}
            of |= {"agent": "wang", "handed": LATER, "token": None}
            return send(lease, item, kind="claim", channel="phone", **of)


def _asked(scene: Scene) -> Commit:
    of = {"reminder": "demo~F-due-2~2", "order": "F-due-2", "customer": "C-F-due-2", "step": 2}
    of |= {"agent": "li", "handed": LATER, "token": None, "id": "h-1"}
    return send(scene.leased, scene.leased.items[1], kind="hand", channel="sms", **of)


def _commit(kind: str) -> Callable[[Scene, Store], Awaitable[Any]]:
    async def make(scene: Scene, store: Store) -> Any:
        first = send(scene.leased, scene.leased.items[0], details=DETAILS)
        return await store.commit(0, [first, _decision(scene, kind)], LATER)

    return make


async def _send(scene: Scene, store: Store) -> Any:
    return await store.commit(0, [swapping(scene.leased, item) for item in scene.leased.items], LATER)


def swapping(lease: Lease, item: Leased, **more: Any) -> Commit:
    """Return the commit of a hand-off by SMS that swaps texts first."""
    commit = send(lease, item, **more)
    opens, closes = commit.day_start or 0, min(commit.day_end or 0, commit.valid_until or 0)
    template, text = commit.template or "", commit.text or ""
    swap = commit_swap(item, lease.token, "sms", template, text, commit.details, opens, closes)
    assert swap is not None
    commit.swap = swap.row
    return commit


async def _sent(scene: Scene, store: Store) -> Any:
    return await store.settle(0, [await settling(scene, one) for one in scene.sending], LATER)


async def settling(scene: Scene, commit: Commit) -> Settlement:
    """Return that a message of the scene was handed over, by swapping texts first."""
    order, was = order_alone(await scene.redis.get(LaneKeys(0).order("demo", commit.order)) or b"")
    assert was is not None
    step = order.steps[0]
    instant = was.index(b"handed") + len(b"handed")
    before, after = was[:instant], was[instant + 9 :]
    step.status, step.handed, step.settled = Status.SENT, LATER, commit.token
    settled = settlement(commit, "sent", channel="sms", committed=NOON)
    settled.swap = SentRow(
        commit.order,
        1,
        commit.customer or "",
        string(before),
        string(after),
        string(text_of(order)),
        string(before_mark(b"", commit.reminder)),
        pack(b"{}"),
        1,
        LATER,
        step.due,
    )
    return settled


async def _carrying(scene: Scene, store: Store) -> Any:
    order = await store.order("demo", "F-due-1")
    assert order is not None
    carry = Carry(order="F-due-1", step=1, rev=order.rev, due=order.steps[0].due)
    first, second = scene.leased.items[:2]
    commits = [send(scene.leased, first, details=DETAILS)]
    commits.append(send(scene.leased, second, details=DETAILS, carries=(carry,)))
    return await store.commit(0, commits, LATER)


def _settle(outcome: str) -> Callable[[Scene, Store], Awaitable[Any]]:
    async def make(scene: Scene, store: Store) -> Any:
        one, other = scene.sending
        return await store.settle(0, [settlement(one, "retry"), settlement(other, outcome)], LATER)

    return make


def _task(
    kind: Literal["completed", "released"], result: str = "other"
) -> Callable[[Scene, Store], Awaitable[Any]]:
    async def make(scene: Scene, store: Store) -> Any:
        ends = []
        for task in TASKS:
            _, order, step = split_reminder_id(task)
            of: dict[str, Any] = {"reminder": task, "order": order, "customer": f"C-{order}", "step": step}
            of |= {"agent": "agent", "result": result, "why": "price", "said": LATER + HOUR}
            ends.append(TaskEnd(**of, kind=kind, details=DETAILS))
        return await store.end_tasks(0, ends, LATER, "user:agent")

    return make


async def _sweep(scene: Scene, store: Store) -> Any:
    gone = [scene.sending[0].reminder, scene.leased.items[1].reminder]
    return await store.sweep(0, gone, AFTER_LEASES)


def _turn(*timers: str, at: int) -> Callable[[Scene, Store], Awaitable[Any]]:
    async def make(scene: Scene, store: Store) -> Any:
        return await store.turn(0, timers, at)

    return make


async def _lease(scene: Scene, store: Store) -> Any:
    return await store.lease("demo", "sms", 10, LATER)


async def _replan(scene: Scene, store: Store) -> Any:
    order = await store.order("demo", "F-due-1")
    assert order is not None
    state = await store.shop("demo")
    of: dict[str, Any] = {"order": "F-due-1", "step": 1, "rev": order.rev, "shop_rev": state.rev}
    of |= {"was": order.steps[0].due, "moment": LATER, "policy": state.policy, "details": DETAILS}
    plans = [Replan(**of, due=LATER + HOUR, channel="chat"), Replan(**of, reason="too_late")]
    return await replan(store, "demo", plans, LATER, "user:test")


def _steer(kind: str) -> Callable[[Scene, Store], Awaitable[Any]]:
    async def make(scene: Scene, store: Store) -> Any:
        steers = []
        for name in ("F-due-1", "F-due-2"):
            order = await store.order("demo", name)
            assert order is not None
            of: dict[str, Any] = {"reminder": f"demo~{name}~1", "order": name, "step": 1, "rev": order.rev}
            of |= {"was": order.steps[0].due, "due": LATER + HOUR, "details": DETAILS}
            steers.append(Steer(**of, kind=kind))  # type: ignore[arg-type]
        return await Operators(store).steer("demo", steers, LATER, "user:li")

    return make


async def _spare(scene: Scene, store: Store) -> Any:
    return await Operators(store).pause("demo", "C-G-paid", LATER, "user:li")


def _twice(call: Call) -> None:
    """Put another customer before the one that a call is about."""
    call.keys.append(LaneKeys(0).customer("demo", "C-F-due-1"))
    call.items[0]["details"] = "{}"
    call.items.insert(0, {**call.items[0], "customer": "C-F-due-1", "customer_key": len(call.keys)})


async def _top_up(scene: Scene, store: Store) -> Any:
    return await top_up(store, "demo", "tea", 10, DETAILS, LATER, "user:test", "T-1")


async def _policy(scene: Scene, store: Store) -> Any:
    return await store.put_policy("demo", "{}", "note", DETAILS, LATER, "user:test")


async def _pause(scene: Scene, store: Store) -> Any:
    return await store.pause("demo", "sms", LATER, "user:test")


def _template(kind: Change) -> Callable[[Scene, Store], Awaitable[Any]]:
    async def make(scene: Scene, store: Store) -> Any:
        text = None if kind in ("rollback", "withdraw", "discard") else "a text"
        version = 1 if kind == "rollback" else None
        change = TemplateChange(
            kind=kind, name=NAME, called=f"{NAME}@shop.", told={}, text=text, version=version
        )
        return await ShopTemplates(store).change("demo", change, LATER, "user:test")

    return make


def _drafted(call: Call) -> None:
    """Put a draft before the change that a call is about."""
    call.items[0]["details"] = "{}"
    draft = {**call.items[0], "kind": "draft", "text": "a text", "about": "{}"}
    draft.pop("version", None)
    call.items.insert(0, draft)


MAKERS: dict[str, Callable[[Scene, Store], Awaitable[Any]]] = {
    "accept": _accept,
    "intake unpaid": _intake("order.unpaid"),
    "intake paid": _intake("order.paid"),
    "intake opted out": _intake("customer.opted_out"),
    "intake replied": _intake("customer.replied"),
    "intake reminded": _intake("order.reminded"),
    **{f"steer {kind}": _steer(kind) for kind in ("cancel", "send_now", "postpone")},
    "spare": _spare,
    "lease": _lease,
    **{f"commit {kind}": _commit(kind) for kind in KINDS},
    "commit carrying": _carrying,
    "send": _send,
    "sent": _sent,
    **{f"settle {outcome}": _settle(outcome) for outcome in ("sent", "uncertain", "retry", "fail")},
    "task completed": _task("completed"),
    **{f"task {result}": _task("completed", result) for result in ("promised", "refused", "wrong_number")},
    "task released": _task("released"),
    "sweep": _sweep,
    "turn close": _turn("o~demo~A-sent", "o~demo~F-due-1", at=AFTER_CLOSE),
    "turn retire": _turn("o~demo~F-due-1", "o~demo~G-paid", at=AFTER_RETENTION),
    "turn forget": _turn("o~demo~A-sent", f"e~demo~{NOON // DAY}", at=AFTER_RETENTION),
    "replan": _replan,
    "turn customer": _turn("o~demo~A-sent", "c~demo~C-G-paid", at=AFTER_RETENTION),
    "topup": _top_up,
    **{f"template {kind}": _template(kind) for kind in get_args(Change)},
    "configure policy": _policy,
    "configure pause": _pause,
}
NAMES = (*MAKERS, "trim")


async def sound(scene: Scene, name: str) -> Call:
    """Return the call of that name, which would succeed on the scene."""
    if name == "trim":
        return await caught(scene.redis, scene.store, lambda store, trail: trail.archive(0))
    call = await caught(scene.redis, scene.store, lambda store, trail: MAKERS[name](scene, store))
    if name == "spare":
        _twice(call)
    if name.startswith("template"):
        _drafted(call)
    if name == "topup":
        call.items.insert(0, {**call.items[0], "pool": "cup"})
    if name.startswith("configure"):
        call.keys.append(LaneKeys(0).pauses)
        pause = {"kind": "pause", "pause": "chat", "queue": "demo~chat", "about": "{}", "details": "{}"}
        call.items.insert(0, pause | {"pauses": len(call.keys)})
    return call
