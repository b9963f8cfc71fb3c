"""Addresses that a shop blocks: reminders take them as none. They come in a body and leave masked."""

from typing import Any

import msgspec
from litestar import delete, get, post

from dispatcher.errors import FieldProblem, InvalidInput
from dispatcher.policy import event_text, event_values
from dispatcher.policy.event_wire import Field, Shape
from dispatcher.policy.zones import iso
from dispatcher.storage.blocked import Block, Kind
from dispatcher.web.access import require
from dispatcher.web.answers import Answer, answer
from dispatcher.web.describing import Described, opens
from dispatcher.web.paging import DEFAULT_LIMIT, LIMIT, Page, cursor, token
from dispatcher.web.parts import Asked, parts_of
from dispatcher.web.pauses import READ, SCOPE
from dispatcher.web.query import read_fields, read_query

BODY = Shape(
    {
        "phone": Field(event_values.phone, nullable=False),
        "chat": Field(event_text.identifier, nullable=False),
    }
)


class Blocked(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """A blocked address, as much of it as may be shown; with an agent who found it wrong in a call."""

    kind: Kind
    address: str
    since: str
    actor: str
    agent: str | None = None


class Unblocked(msgspec.Struct, frozen=True):
    """Addresses that a shop still blocks."""

    blocked: int


class _After(msgspec.Struct, array_like=True, forbid_unknown_fields=True):
    """A list goes on after the address of this name."""

    name: str


PARAMS = {"limit": LIMIT, "cursor": cursor(_After)}


@get(
    "/v1/shops/{shop:str}/blocked",
    opt=opens(READ, Described(query=PARAMS, answers={"application/json": Page[Blocked]})),
)
async def list_blocked(request: Asked) -> Answer:
    """List the addresses that a shop blocks, since when and by whom."""
    given = read_query(request, PARAMS)
    shop = request.path_params["shop"]
    require(request, shop)
    found = await parts_of(request).service.blocks.of_shop(shop)
    after, limit = given.get("cursor"), given.get("limit", DEFAULT_LIMIT)
    names = sorted(name for name in found if after is None or name > after.name)
    page, more = names[:limit], len(names) > limit
    items = [_told("chat" if name.startswith("chat:") else "phone", found[name]) for name in page]
    return answer(Page(items, token(_After(page[-1])) if more else None))


def _told(kind: Kind, block: Block) -> Blocked:
    return Blocked(kind=kind, address=block.masked, since=iso(block.at), actor=block.actor, agent=block.agent)


@post(
    "/v1/shops/{shop:str}/blocked",
    status_code=200,
    opt=opens(
        SCOPE,
        Described(
            body={"application/json": BODY},
            answers={"application/json": Blocked},
            codes=("too-many-blocked",),
        ),
    ),
)
async def block_address(request: Asked) -> Answer:
    """Block a phone number or a chat handle for all of the shop's customers; what is being sent is sent.

    One that is blocked already stays as it is.
    """
    read_query(request, {})
    shop = request.path_params["shop"]
    caller = require(request, shop)
    kind, text = _address(await read_fields(request, BODY))
    return answer(_told(kind, await parts_of(request).service.blocking.block(shop, kind, text, caller.actor)))


@delete(
    "/v1/shops/{shop:str}/blocked",
    status_code=200,
    opt=opens(SCOPE, Described(body={"application/json": BODY}, answers={"application/json": Unblocked})),
)
async def unblock_address(request: Asked) -> Answer:
    """End the block of an address; where there is none, nothing changes."""
    read_query(request, {})
    shop = request.path_params["shop"]
    caller = require(request, shop)
    kind, text = _address(await read_fields(request, BODY))
    service = parts_of(request).service
    await service.blocking.unblock(shop, kind, text, caller.actor)
    return answer(Unblocked((await service.store.shop(shop)).blocked))


def _address(given: dict[str, Any]) -> tuple[Kind, str]:
    if len(given) != 1:
        problem = FieldProblem("", "expected a phone or a chat, and not both")
        raise InvalidInput(f"the body is not right: {problem}", (problem,))
    return ("phone", given["phone"]) if "phone" in given else ("chat", given["chat"])
