"""Explanations: of a reminder, of all of an order, and of a customer's."""

from litestar import get

from dispatcher.storage.listing import Place
from dispatcher.web import explanations, orders, reminders
from dispatcher.web.access import require
from dispatcher.web.answers import Answer, answer
from dispatcher.web.describing import Described, opens
from dispatcher.web.explanations import MAX_EXPLAINED, CustomerExplanation, Explanation, OrderExplanation
from dispatcher.web.paging import cursor, token
from dispatcher.web.parts import Asked, parts_of
from dispatcher.web.query import SHOP, identifier, number, read_query

SCOPE = "orders:read"

PARAMS = {
    "shop": SHOP,
    "customer": identifier("The customer's id.", required=True),
    "limit": number(
        1, MAX_EXPLAINED, f"How many at most, {MAX_EXPLAINED} if not given; a page may hold fewer, or none."
    ),
    "cursor": cursor(Place),
}


@get(
    "/v1/reminders/{reminder:str}/explain",
    opt=opens(SCOPE, Described(answers={"application/json": Explanation}, codes=("unknown-order",))),
)
async def explain_reminder(request: Asked) -> Answer:
    """Explain a reminder: the newest decision as it was recorded, what would be decided now, its history."""
    read_query(request, {})
    _, listed = await reminders.asked_for(request)
    return answer(await explanations.of_reminder(parts_of(request).service, listed))


@get(
    "/v1/orders/{shop:str}/{order:str}/explain",
    opt=opens(SCOPE, Described(answers={"application/json": OrderExplanation}, codes=("unknown-order",))),
)
async def explain_order(request: Asked) -> Answer:
    """Explain each reminder of an order."""
    shop, order_id, order = await orders.asked_for(request)
    told = await explanations.of_order(parts_of(request).service, shop, order_id, order)
    return answer(OrderExplanation(shop=shop, order=order_id, state=order.state, reminders=told))


@get(
    "/v1/explain",
    opt=opens(
        SCOPE,
        Described(query=PARAMS, answers={"application/json": CustomerExplanation}, codes=("contended",)),
    ),
)
async def explain_customer(request: Asked) -> Answer:
    """Explain the reminders of a customer: why did this one get nothing today?

    Nothing lists a customer's orders, so the shop's are looked through, so many at a time: a page may be
    empty and still be followed by others. A reminder that moves meanwhile may come twice.
    """
    given = read_query(request, PARAMS)
    shop, customer = given["shop"], given["customer"]
    require(request, shop)
    service = parts_of(request).service
    told, hand_offs, place = await explanations.of_customer(
        service, shop, customer, given.get("limit", MAX_EXPLAINED), given.get("cursor")
    )
    return answer(
        CustomerExplanation(
            shop=shop,
            customer=customer,
            hand_offs=hand_offs,
            items=told,
            next_cursor=token(place),
        )
    )
