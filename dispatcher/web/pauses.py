"""Pauses: nothing of a shop is handed over, on one channel or on all, until the pause ends."""

import msgspec
from litestar import delete, get, post

from dispatcher.policy import event_values
from dispatcher.policy.event_wire import Field, Shape
from dispatcher.policy.facts import CHANNELS
from dispatcher.policy.zones import iso
from dispatcher.storage.looking import About, pauses_of
from dispatcher.web.access import require
from dispatcher.web.answers import Answer, answer
from dispatcher.web.describing import Described, opens
from dispatcher.web.parts import Asked, parts_of
from dispatcher.web.query import one_of, read_fields, read_query

READ, SCOPE = "policy:read", "shop:pause"

BODY = Shape({"channel": Field(event_values.one_of(CHANNELS))})
PARAMS = {"channel": one_of(CHANNELS, "The channel whose pause ends; if not given, the pause of all.")}


class Paused(msgspec.Struct, frozen=True):
    """The channels of a shop that are paused, `*` standing for all of them at once."""

    paused: tuple[str, ...]


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
    opt=opens(READ, Described(answers={"application/json": Pauses})),
)
async def get_pauses(request: Asked) -> Answer:
    """Tell what is paused of a shop, since when and by whom."""
    read_query(request, {})
    shop = request.path_params["shop"]
    require(request, shop)
    found = await pauses_of(parts_of(request).service.store, shop)
    pauses = tuple(_told(channel, about) for channel, about in found.items())
    return answer(Pauses(paused=tuple(found), pauses=pauses))


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
    """Pause a shop's channel, or without one the whole shop; what is being sent is sent."""
    read_query(request, {})
    shop = request.path_params["shop"]
    caller = require(request, shop)
    given = await read_fields(request, BODY)
    service = parts_of(request).service
    await service.store.pause(shop, given.get("channel"), service.clock.now(), caller.actor)
    return answer(Paused((await service.store.shop(shop)).paused))


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
    await service.store.resume(shop, given.get("channel"), service.clock.now(), caller.actor)
    return answer(Paused((await service.store.shop(shop)).paused))
