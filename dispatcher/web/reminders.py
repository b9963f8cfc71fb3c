"""Reminders as they stand."""

from typing import Any

import msgspec
from litestar import get

from dispatcher.policy.facts import CHANNELS, Channel, WhyUnpaid
from dispatcher.policy.reminders import Status
from dispatcher.policy.zones import iso
from dispatcher.storage.listing import Listed, Listing, Place, Wanted
from dispatcher.storage.reading import Reader
from dispatcher.web.access import Caller, require
from dispatcher.web.answers import Answer, answer
from dispatcher.web.describing import Described, opens
from dispatcher.web.paging import DEFAULT_LIMIT, LIMIT, Page, cursor, token
from dispatcher.web.parts import Asked, parts_of
from dispatcher.web.query import SHOP, identifier, instant, one_of, read_query
from dispatcher.workflow import finding

SCOPE = "orders:read"

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
    """A reminder as it stands; `handed_at` once it is handed over, `agent` while a call is one's, `outcome`
    once that was made, and `told` the reason for not having paid that was told in it.
    """

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
    outcome: str | None
    told: WhyUnpaid | None


class Written(Reminder, frozen=True, kw_only=True):
    """A reminder with the `template` that wrote its newest message or script; null before."""

    template: str | None


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
        outcome=step.result,
        told=step.why,  # type: ignore[arg-type]
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
    opt=opens(SCOPE, Described(answers={"application/json": Written}, codes=("unknown-order",))),
)
async def get_reminder(request: Asked) -> Answer:
    """Return a reminder as it stands, and which template wrote it."""
    read_query(request, {})
    _, listed = await asked_for(request)
    service = parts_of(request).service
    records = await service.audit.pick(service.store.lane_of(listed.shop), listed.order.records)
    wrote = [one.template for one in records if one.reminder == listed.reminder and one.template is not None]
    return answer(Written(template=wrote[-1] if wrote else None, **msgspec.structs.asdict(told(listed))))
