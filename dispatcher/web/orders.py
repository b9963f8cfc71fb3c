"""An order: where it stands, its reminders, and all that happened to it."""

from collections.abc import Sequence

import msgspec
from litestar import get

from dispatcher.policy.facts import OrderFacts, OrderState, WhyUnpaid
from dispatcher.policy.zones import iso
from dispatcher.storage.audit_record import AuditRecord
from dispatcher.storage.listing import Listed
from dispatcher.storage.records import StoredOrder
from dispatcher.web.access import require
from dispatcher.web.answers import Answer, answer
from dispatcher.web.describing import Described, opens
from dispatcher.web.parts import Asked, parts_of
from dispatcher.web.query import read_query
from dispatcher.web.reminders import Reminder, told
from dispatcher.workflow import finding

SCOPE = "orders:read"


class Order(msgspec.Struct, frozen=True, kw_only=True):
    """An order; while only its end is known, what an unpaid order tells is null.

    `told` is the reason for not having paid that was told in a call, the last one.
    `timeline` holds its newest audit records, oldest first: all of them, unless it has hundreds.
    """

    shop: str
    order: str
    state: OrderState
    revision: int
    customer: str | None
    placed_at: str | None
    closes_at: str | None
    total: str | None
    currency: str | None
    told: WhyUnpaid | None
    reminders: tuple[Reminder, ...]
    timeline: Sequence[AuditRecord]


@get(
    "/v1/orders/{shop:str}/{order:str}",
    opt=opens(SCOPE, Described(answers={"application/json": Order}, codes=("unknown-order",))),
)
async def get_order(request: Asked) -> Answer:
    """Return an order with its reminders and what happened to it."""
    shop, order_id, order = await asked_for(request)
    service = parts_of(request).service
    known = (await service.store.facts([(shop, order_id)])).get((shop, order_id))
    timeline = await service.audit.pick(service.store.lane_of(shop), order.records)
    return answer(_told(shop, order_id, order, known, timeline))


async def asked_for(request: Asked) -> tuple[str, str, StoredOrder]:
    """Return the shop and the id of the order a request names, and where it stands; it has no query."""
    read_query(request, {})
    shop, order_id = request.path_params["shop"], request.path_params["order"]
    require(request, shop)
    return shop, order_id, await finding.order(parts_of(request).service.store, shop, order_id)


def _told(
    shop: str,
    order_id: str,
    order: StoredOrder,
    known: OrderFacts | None,
    timeline: Sequence[AuditRecord],
) -> Order:
    facts = None if known is None else known.order
    return Order(
        shop=shop,
        order=order_id,
        state=order.state,
        revision=order.rev,
        customer=order.customer,
        placed_at=None if facts is None else iso(facts.placed_at),
        closes_at=None if order.closes is None else iso(order.closes),
        total=None if facts is None else facts.total,
        currency=None if facts is None else facts.currency,
        told=order.told,
        reminders=tuple(
            told(Listed(shop=shop, order_id=order_id, number=number, order=order))
            for number in range(1, len(order.steps) + 1)
        ),
        timeline=timeline,
    )
