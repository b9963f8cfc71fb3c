"""`POST /v1/templates/preview`: what a template would say, before anybody is sent it."""

from typing import Any

import msgspec
from litestar import post

from dispatcher.errors import FieldProblem, Forbidden, InvalidInput
from dispatcher.messages.previewing import Preview
from dispatcher.policy import event_text, event_values
from dispatcher.policy.event_wire import Field, Shape
from dispatcher.policy.facts import CHANNELS
from dispatcher.web.access import Caller, require
from dispatcher.web.answers import Answer, answer
from dispatcher.web.describing import Described, opens
from dispatcher.web.orders import SCOPE as READ_ORDERS
from dispatcher.web.parts import Asked, parts_of
from dispatcher.web.policies import HIGHEST_VERSION
from dispatcher.web.publishing import SOURCE
from dispatcher.web.query import read_fields, read_query
from dispatcher.web.templates import READ
from dispatcher.wiring import Service
from dispatcher.workflow.previewing import DRAFT, Subjects

MAX_SAMPLE = 20

_ID = Field(event_text.identifier, nullable=False)
BODY = Shape(
    {
        "shop": Field(event_text.shop_id, nullable=False),
        "locale": _ID,
        "scenario": _ID,
        "channel": Field(event_values.one_of(CHANNELS), nullable=False),
        "source": SOURCE,
        "version": Field(event_values.whole_number(0, HIGHEST_VERSION), nullable=False),
        "draft": Field(event_values.yes_or_no, nullable=False),
        "order": _ID,
        "sample": Field(event_values.whole_number(1, MAX_SAMPLE), nullable=False),
        "extremes": Field(event_values.yes_or_no, nullable=False),
    },
    frozenset({"shop", "locale", "scenario", "channel"}),
)


class Previews(msgspec.Struct, frozen=True):
    """What a template would say."""

    previews: tuple[Preview, ...]


@post(
    "/v1/templates/preview",
    status_code=200,
    opt=opens(
        READ,
        Described(
            body={"application/json": BODY},
            answers={"application/json": Previews},
            codes=("unknown-template", "unknown-order", "invalid-template", "contended"),
        ),
    ),
)
async def preview_template(request: Asked) -> Answer:
    """Show what a template would say of an order, of a sample of those that wait, or of built-in extremes.

    It is a `source`, a `version`, the `draft`, or what is in force. Real orders need the scope `orders:read`
    as well. Nothing is kept or sent.
    """
    read_query(request, {})
    given = await read_fields(request, BODY)
    caller = require(request, given["shop"])
    _one_of(given, "source", "version", "draft")
    _one_of(given, "order", "sample")
    service = parts_of(request).service
    shop, name = given["shop"], "/".join(given[part] for part in ("locale", "scenario", "channel"))
    if "source" in given:
        source = given["source"] or ""
    else:
        version = DRAFT if given.get("draft") else given.get("version")
        source = await service.previewing.source(shop, name, version)
    orders = await _orders(service, caller, given)
    extremes = given.get("extremes", not {"order", "sample"} & given.keys())
    found = await service.previewing.show(shop, name, source, Subjects(orders=orders, extremes=extremes))
    return answer(Previews(found))


async def _orders(service: Service, caller: Caller, given: dict[str, Any]) -> tuple[str, ...]:
    """Return the real orders that are asked for; raises `Forbidden`, `UnknownOrder`."""
    order, sample = given.get("order"), given.get("sample")
    if order is None and sample is None:
        return ()
    if READ_ORDERS not in caller.scopes:
        raise Forbidden(f"the key does not have the scope {READ_ORDERS}")
    if order is not None:
        return (await service.previewing.order(given["shop"], order),)
    return await service.previewing.sample(given["shop"], sample or MAX_SAMPLE)


def _one_of(given: dict[str, Any], *names: str) -> None:
    both = [name for name in names if given.get(name, False) is not False]
    if len(both) > 1:
        problem = FieldProblem(f"/{both[1]}", f"expected without {both[0]}")
        raise InvalidInput(f"the body is not right: {problem}", (problem,))
