"""Reminders as they stand, and why: what the newest decision about one was made on."""

from collections.abc import Sequence
from typing import Any

import msgspec
from litestar import get

from dispatcher.policy.facts import CHANNELS, Channel
from dispatcher.policy.reminders import WAITING, Status
from dispatcher.policy.zones import iso
from dispatcher.storage.audit_record import AuditRecord
from dispatcher.storage.listing import Listed, Listing, Place, Wanted
from dispatcher.storage.reading import Reader
from dispatcher.storage.records import ShopState
from dispatcher.web.access import Caller, require
from dispatcher.web.answers import Answer, answer
from dispatcher.web.describing import Described, opens
from dispatcher.web.paging import DEFAULT_LIMIT, LIMIT, Page, cursor, token
from dispatcher.web.parts import Asked, parts_of
from dispatcher.web.query import SHOP, identifier, instant, one_of, read_query
from dispatcher.workflow import finding

SCOPE = "orders:read"

DECISIONS = {
    "reminder.planned": "plan",
    "reminder.deferred": "defer",
    "reminder.dropped": "drop",
    "reminder.sending": "send",
    "task.opened": "send",
    "task.overflowed": "defer",
    "task.claimed": "send",
}
"""The audit's kinds that are decisions about a reminder."""

BLOCKING = frozenset({"defer", "drop"})

PAUSED = "paused"
"""Blocks what is held by a pause, which no decision knows of."""

PARAMS = {
    "shop": SHOP,
    "status": one_of(Status, "Where a reminder stands."),
    "channel": one_of(CHANNELS, "The channel it goes by."),
    "customer": identifier("The customer's id."),
    "due_before": instant("Due before this time."),
    "limit": LIMIT,
    "cursor": cursor(Place),
}


class Reminder(msgspec.Struct, frozen=True, kw_only=True):
    """A reminder as it stands; `handed_at` once it is handed over, `agent` while a call is one's."""

    id: str
    shop: str
    order: str
    customer: str | None
    step: int
    status: Status
    channel: Channel
    due: str
    moment: str
    attempt: int
    handed_at: str | None
    agent: str | None


class Rule(msgspec.Struct, frozen=True, kw_only=True):
    """A rule that was applied: on `inputs`, and valid `until` time changes it."""

    rule: str
    outcome: str
    inputs: dict[str, Any]
    until: str | None = None


class Happened(msgspec.Struct, frozen=True, kw_only=True):
    """Something that happened to a reminder."""

    at: str
    kind: str
    channel: str | None
    reason: str | None


class Explanation(msgspec.Struct, frozen=True, kw_only=True):
    """Why a reminder stands where it does, as the newest decision about it was recorded.

    `rules` are empty where nothing was weighed, as at the end of an order; `blocking` names those that
    put the reminder off or dropped it, and `paused` while a pause holds it back.
    """

    reminder: str
    status: Status
    due: str
    decided_at: str | None = None
    kind: str | None = None
    decision: str | None = None
    channel: str | None = None
    reason: str | None = None
    policy: int | None = None
    rules: tuple[Rule, ...] = ()
    blocking: tuple[str, ...]
    history: tuple[Happened, ...]


class _Decided(msgspec.Struct):
    rules: tuple[Rule, ...] = ()


class _Details(msgspec.Struct):
    """Where the rules of a decision are in its record: a plan's stand at the top."""

    decision: _Decided | None = None
    rules: tuple[Rule, ...] = ()


_DETAILS = msgspec.json.Decoder(_Details)


def told(listed: Listed) -> Reminder:
    """Return a reminder as it is answered."""
    step = listed.step
    return Reminder(
        id=listed.reminder,
        shop=listed.shop,
        order=listed.order_id,
        customer=listed.order.customer,
        step=listed.number,
        status=step.status,
        channel=step.channel,
        due=iso(step.due),
        moment=iso(step.moment),
        attempt=step.attempt,
        handed_at=None if step.handed is None else iso(step.handed),
        agent=step.agent,
    )


async def find(store: Reader, reminder: str) -> Listed:
    """Return a reminder by its id; raises `UnknownOrder`."""
    shop, order_id, number, order = await finding.find(store, reminder)
    return Listed(shop=shop, order_id=order_id, number=number, order=order)


async def asked_for(request: Asked) -> tuple[Caller, Listed]:
    """Return the caller and the reminder that the path names, if the key opens its shop."""
    reminder = request.path_params["reminder"]
    caller = require(request, finding.parts_of(reminder)[0])
    return caller, await find(parts_of(request).service.store, reminder)


@get(
    "/v1/reminders",
    opt=opens(
        SCOPE, Described(query=PARAMS, answers={"application/json": Page[Reminder]}, codes=("contended",))
    ),
)
async def list_reminders(request: Asked) -> Answer:
    """List reminders of a shop: those that wait by when they are due, others in no order to rely on.

    A reminder that moves meanwhile may come twice. A status with an index (planned, sending, open, claimed,
    uncertain, failed) is found at once; else all orders are looked through, so many at a time.
    """
    given = read_query(request, PARAMS)
    require(request, given["shop"])
    status = given.get("status")
    wanted = Wanted(
        shop=given["shop"],
        status=None if status is None else Status(status),
        channel=given.get("channel"),
        customer=given.get("customer"),
        due_before=given.get("due_before"),
    )
    return await page_of(request, wanted, given)


async def page_of(request: Asked, wanted: Wanted, given: dict[str, Any]) -> Answer:
    """Answer with the page of wanted reminders that a query asks for."""
    listing = Listing(parts_of(request).service.store)
    found, place = await listing.reminders(wanted, given.get("limit", DEFAULT_LIMIT), given.get("cursor"))
    return answer(Page([told(one) for one in found], token(place)))


@get(
    "/v1/reminders/{reminder:str}",
    opt=opens(SCOPE, Described(answers={"application/json": Reminder}, codes=("unknown-order",))),
)
async def get_reminder(request: Asked) -> Answer:
    """Return a reminder as it stands."""
    read_query(request, {})
    _, listed = await asked_for(request)
    return answer(told(listed))


@get(
    "/v1/reminders/{reminder:str}/explain",
    opt=opens(SCOPE, Described(answers={"application/json": Explanation}, codes=("unknown-order",))),
)
async def explain_reminder(request: Asked) -> Answer:
    """Explain a reminder: the newest decision about it as it was recorded, and what happened before."""
    read_query(request, {})
    _, listed = await asked_for(request)
    service = parts_of(request).service
    records = await service.audit.pick(service.store.lane_of(listed.shop), listed.order.records)
    return answer(explained(listed, records, await service.store.shop(listed.shop)))


def explained(listed: Listed, records: Sequence[AuditRecord], shop: ShopState) -> Explanation:
    """Return why a reminder stands where it does; `records` are its order's, oldest first."""
    step = listed.step
    held = step.status in WAITING and shop.paused_for(step.channel)
    about = [record for record in records if record.reminder == listed.reminder]
    newest = next((record for record in reversed(about) if record.kind in DECISIONS), None)
    decided: dict[str, Any] = {}
    if newest is not None:
        decided = {name: getattr(newest, name) for name in ("kind", "channel", "reason", "policy")}
        decided |= {"decided_at": newest.at, "decision": DECISIONS[newest.kind], "rules": _rules(newest)}
    rules: tuple[Rule, ...] = decided.get("rules", ())
    return Explanation(
        reminder=listed.reminder,
        status=step.status,
        due=iso(step.due),
        blocking=(*(rule.rule for rule in rules if rule.outcome in BLOCKING), *((PAUSED,) if held else ())),
        history=tuple(
            Happened(at=one.at, kind=one.kind, channel=one.channel, reason=one.reason) for one in about
        ),
        **decided,
    )


def _rules(record: AuditRecord) -> tuple[Rule, ...]:
    assert isinstance(record.details, msgspec.Raw)
    details = _DETAILS.decode(record.details)
    return details.rules if details.decision is None else details.decision.rules
