"""Calls by people: who makes which, what there is to say, and how it went."""

from typing import Any, get_args

import msgspec
from litestar import get, post

from dispatcher.errors import FieldProblem, InvalidInput
from dispatcher.policy import event_text, event_values
from dispatcher.policy.event_wire import Field, Shape
from dispatcher.policy.facts import Instant, WhyUnpaid
from dispatcher.policy.reminders import Status
from dispatcher.policy.zones import iso
from dispatcher.storage.listing import Listed, Place, Wanted
from dispatcher.storage.looking import text_of
from dispatcher.web.access import Caller, require
from dispatcher.web.answers import Answer, answer
from dispatcher.web.describing import Described, opens
from dispatcher.web.paging import LIMIT, Page, cursor
from dispatcher.web.parts import Asked, parts_of
from dispatcher.web.query import SHOP, one_of, read_fields, read_query
from dispatcher.web.reminders import Reminder, asked_for, find, page_of, told
from dispatcher.workflow.tasks import APPOINTED, Claim, Outcome

READ, WORK = "tasks:read", "tasks:work"

MAX_AGENT = 100

PARAMS = {
    "shop": SHOP,
    "status": one_of((Status.OPEN, Status.CLAIMED), "`open` if not given."),
    "limit": LIMIT,
    "cursor": cursor(Place),
}

_AGENT = Field(event_text.line(MAX_AGENT), nullable=False)
_OUTCOME = Field(event_values.one_of(get_args(Outcome)), nullable=False)
_TIME = Field(event_values.instant)
AGENT = Shape({"agent": _AGENT}, frozenset({"agent"}))
END = Shape(
    {
        "agent": _AGENT,
        "outcome": _OUTCOME,
        "promised_until": _TIME,
        "call_back_at": _TIME,
        "reason": Field(event_values.one_of(get_args(WhyUnpaid))),
    },
    frozenset({"agent", "outcome"}),
)

CODES = ("unknown-order", "task-not-open")


class Called(msgspec.Struct, frozen=True, kw_only=True):
    """Whom to call."""

    id: str
    name: str | None
    phone: str | None
    grade: int | None
    paid_orders: int


class Line(msgspec.Struct, frozen=True, kw_only=True):
    """One line of the order; what is sensitive is not to be named."""

    name: str
    quantity: int
    price: str | None
    spec: str | None
    sensitive: bool


class Ordered(msgspec.Struct, frozen=True, kw_only=True):
    """What the call is about."""

    id: str
    placed_at: str
    closes_at: str
    total: str
    currency: str
    items: tuple[Line, ...]
    buyer_note: str | None
    pay_url: str | None


class Claimed(msgspec.Struct, frozen=True, kw_only=True):
    """A claimed task: whom to call, about what, the text to say, and from when on it is too late."""

    task: Reminder
    customer: Called
    order: Ordered
    text: str | None
    until: str | None


@get(
    "/v1/tasks",
    opt=opens(
        READ,
        Described(query=PARAMS, answers={"application/json": Page[Reminder]}, codes=("contended",)),
    ),
)
async def list_tasks(request: Asked) -> Answer:
    """List call tasks of a shop, those that stand so longest first."""
    given = read_query(request, PARAMS)
    require(request, given["shop"])
    wanted = Wanted(shop=given["shop"], status=Status(given.get("status", Status.OPEN)))
    return await page_of(request, wanted, given)


@post(
    "/v1/tasks/{reminder:str}/claim",
    status_code=200,
    opt=opens(
        WORK,
        Described(
            body={"application/json": AGENT},
            answers={"application/json": Claimed},
            codes=(*CODES, "not-now", "contended"),
        ),
    ),
)
async def claim_task(request: Asked) -> Answer:
    """Claim an open task for an agent, who calls now; who has it already gets it again."""
    service = parts_of(request).service
    caller, listed, given = await _working(request, AGENT)
    claim = await service.tasks.claim(listed.reminder, given["agent"], caller.actor)
    claimed = await find(service.store, listed.reminder)
    text = await text_of(service.store, listed.shop, listed.reminder)
    return answer(_claimed(claimed, claim, text))


@post(
    "/v1/tasks/{reminder:str}/release",
    status_code=200,
    opt=opens(
        WORK,
        Described(body={"application/json": AGENT}, answers={"application/json": Reminder}, codes=CODES),
    ),
)
async def release_task(request: Asked) -> Answer:
    """Give a claimed task back, for others to claim: the call was not made. It may be repeated."""
    service = parts_of(request).service
    caller, listed, given = await _working(request, AGENT)
    await service.tasks.release(listed.reminder, given["agent"], caller.actor)
    return answer(told(await find(service.store, listed.reminder)))


@post(
    "/v1/tasks/{reminder:str}/complete",
    status_code=200,
    opt=opens(
        WORK,
        Described(body={"application/json": END}, answers={"application/json": Reminder}, codes=CODES),
    ),
)
async def complete_task(request: Asked) -> Answer:
    """Record how the call of an agent went; it may be repeated with the same outcome.

    A promise needs `promised_until`, a call back `call_back_at`: until then nothing goes for this order.
    """
    service = parts_of(request).service
    caller, listed, given = await _working(request, END)
    await service.tasks.complete(
        listed.reminder,
        given["agent"],
        given["outcome"],
        caller.actor,
        said=_appointed(given),
        why=given.get("reason"),
    )
    return answer(told(await find(service.store, listed.reminder)))


async def _working(request: Asked, shape: Shape) -> tuple[Caller, Listed, dict[str, Any]]:
    read_query(request, {})
    caller, listed = await asked_for(request)
    return caller, listed, await read_fields(request, shape)


def _appointed(given: dict[str, Any]) -> Instant | None:
    """Return the time that the outcome names; `InvalidInput` if it is missing or another's is there."""
    needed = APPOINTED.get(given["outcome"])
    problems = [
        FieldProblem(f"/{name}", f"expected with the outcome {outcome} alone")
        for outcome, name in APPOINTED.items()
        if name != needed and given.get(name) is not None
    ]
    said: Instant | None = given.get(needed) if needed else None
    if needed and said is None:
        problems.append(FieldProblem(f"/{needed}", f"required with the outcome {given['outcome']}"))
    if problems:
        raise InvalidInput(f"the body is not right: {problems[0]}", tuple(problems))
    return said


def _claimed(listed: Listed, claim: Claim, text: str | None) -> Claimed:
    customer, order = claim.facts.customer, claim.facts.order
    return Claimed(
        task=told(listed),
        customer=Called(
            id=customer.id,
            name=customer.name,
            phone=customer.phone,
            grade=customer.grade,
            paid_orders=customer.paid_orders,
        ),
        order=Ordered(
            id=order.id,
            placed_at=iso(order.placed_at),
            closes_at=iso(order.closes_at),
            total=order.total,
            currency=order.currency,
            items=tuple(
                Line(
                    name=item.name,
                    quantity=item.quantity,
                    price=item.price,
                    spec=item.spec,
                    sensitive=item.sensitive,
                )
                for item in order.items
            ),
            buyer_note=order.buyer_note,
            pay_url=order.pay_url,
        ),
        text=text,
        until=None if claim.valid_until is None else iso(claim.valid_until),
    )
