"""Pauses: nothing is handed over, on a channel of a shop, on all, or to a customer, until the pause ends."""

from typing import Any

import msgspec
from litestar import delete, get, post

from dispatcher.errors import FieldProblem, InvalidInput
from dispatcher.policy import event_text, event_values
from dispatcher.policy.event_wire import Field, Shape
from dispatcher.policy.facts import CHANNELS
from dispatcher.policy.zones import iso
from dispatcher.storage.looking import pauses_of
from dispatcher.storage.records import About
from dispatcher.web.access import require
from dispatcher.web.answers import Answer, answer
from dispatcher.web.describing import Described, opens
from dispatcher.web.parts import Asked, parts_of
from dispatcher.web.query import identifier, one_of, read_fields, read_query
from dispatcher.wiring import Service

READ, SCOPE = "policy:read", "shop:pause"

BODY = Shape({"channel": Field(event_values.one_of(CHANNELS)), "customer": Field(event_text.identifier)})
ABOUT = {"customer": identifier("A customer who may be paused.")}
PARAMS = {
    "channel": one_of(CHANNELS, "The channel whose pause ends; if not given, the pause of all."),
    "customer": identifier("The customer whose pause ends, instead of a channel."),
}


class Paused(msgspec.Struct, frozen=True, omit_defaults=True):
    """The channels of a shop that are paused, `*` standing for all of them at once.

    Of a customer who was asked about and is paused it is told since when and by whom, if that is known.
    """

    paused: tuple[str, ...]
    customer_paused_since: str | None = None
    customer_paused_by: str | None = None


class Pause(msgspec.Struct, frozen=True, kw_only=True):
    """A pause, since when it is and whose; null where that is not known."""

    channel: str
    since: str | None
    actor: str | None


class Pauses(Paused, frozen=True, kw_only=True):
    """What is paused, and each pause."""

    pauses: tuple[Pause, ...]


@get(
    "/v1/shops/{shop:str}/pause",
    opt=opens(READ, Described(query=ABOUT, answers={"application/json": Pauses})),
)
async def get_pauses(request: Asked) -> Answer:
    """Tell what is paused of a shop, since when and by whom."""
    given = read_query(request, ABOUT)
    shop = request.path_params["shop"]
    require(request, shop)
    service = parts_of(request).service
    found = await pauses_of(service.store, shop)
    pauses = tuple(_told(channel, about) for channel, about in found.items())
    since, actor = await _pause_of(service, shop, given.get("customer"))
    return answer(
        Pauses(paused=tuple(found), customer_paused_since=since, customer_paused_by=actor, pauses=pauses)
    )


def _told(channel: str, about: About | None) -> Pause:
    if about is None:
        return Pause(channel=channel, since=None, actor=None)
    return Pause(channel=channel, since=iso(about.at), actor=about.actor)


@post(
    "/v1/shops/{shop:str}/pause",
    status_code=200,
    opt=opens(
        SCOPE,
        Described(body={"application/json": BODY}, body_required=False, answers={"application/json": Paused}),
    ),
)
async def pause_shop(request: Asked) -> Answer:
    """Pause a shop's channel, or without one the whole shop; what is being sent is sent.

    With a customer only that one is left alone: what comes due meanwhile is dropped.
    """
    read_query(request, {})
    shop = request.path_params["shop"]
    caller = require(request, shop)
    given = await read_fields(request, BODY)
    service = parts_of(request).service
    customer = _customer(given)
    if customer is None:
        await service.store.pause(shop, given.get("channel"), service.clock.now(), caller.actor)
    else:
        await service.operators.pause(shop, customer, service.clock.now(), caller.actor)
    return await _left(service, shop, customer)


@delete(
    "/v1/shops/{shop:str}/pause",
    status_code=200,
    opt=opens(SCOPE, Described(query=PARAMS, answers={"application/json": Paused})),
)
async def resume_shop(request: Asked) -> Answer:
    """End a pause; where there is none, nothing changes."""
    given = read_query(request, PARAMS)
    shop = request.path_params["shop"]
    caller = require(request, shop)
    service = parts_of(request).service
    customer = _customer(given)
    if customer is None:
        await service.store.resume(shop, given.get("channel"), service.clock.now(), caller.actor)
    else:
        await service.operators.resume(shop, customer, service.clock.now(), caller.actor)
    return await _left(service, shop, customer)


def _customer(given: dict[str, Any]) -> str | None:
    """Return the customer that is named; `InvalidInput` where a channel is, too."""
    customer: str | None = given.get("customer")
    if customer is not None and given.get("channel") is not None:
        problem = FieldProblem("/customer", "expected without a channel: a customer is paused on all")
        raise InvalidInput(f"the request is not right: {problem}", (problem,))
    return customer


async def _left(service: Service, shop: str, customer: str | None) -> Answer:
    paused = (await service.store.shop(shop)).paused
    return answer(Paused(paused, *await _pause_of(service, shop, customer)))


async def _pause_of(service: Service, shop: str, customer: str | None) -> tuple[str | None, str | None]:
    """Return since when a customer is paused, and by whom."""
    known = None if customer is None else await service.store.customer(shop, customer)
    return (None, None) if known is None or known.paused is None else (iso(known.paused), known.paused_by)
