"""`GET /v1/phrases`: quick phrases for agents, found by a code."""

import msgspec
from litestar import get

from dispatcher.errors import FieldProblem, Forbidden, InvalidInput
from dispatcher.web.access import require
from dispatcher.web.answers import Answer, answer
from dispatcher.web.describing import Described, opens
from dispatcher.web.orders import SCOPE as READ_ORDERS
from dispatcher.web.paging import DEFAULT_LIMIT, LIMIT, Page, cursor, token
from dispatcher.web.parts import Asked, parts_of
from dispatcher.web.query import SHOP, identifier, line, read_query
from dispatcher.web.templates import READ
from dispatcher.workflow.phrases import Said

MAX_CODE = 20


class _After(msgspec.Struct, array_like=True, forbid_unknown_fields=True):
    """A list goes on after the phrase of this code."""

    code: str


PARAMS = {
    "shop": SHOP,
    "code": line(MAX_CODE, "What the code begins with, with or without the `/` that agents type."),
    "group": line(MAX_CODE, "The id of a group, such as `greeting`."),
    "order": identifier("An order of the shop that the phrases are written about."),
    "limit": LIMIT,
    "cursor": cursor(_After),
}


class Phrase(msgspec.Struct, frozen=True, kw_only=True):
    """A phrase, as it may be sent in the chat."""

    code: str
    group: str
    group_name: str
    text: str | None
    fields: tuple[str, ...]
    problem: str | None


@get(
    "/v1/phrases",
    opt=opens(
        READ, Described(query=PARAMS, answers={"application/json": Page[Phrase]}, codes=("unknown-order",))
    ),
)
async def list_phrases(request: Asked) -> Answer:
    """Find quick phrases by their code, those of one group or all; about an order, if one is given.

    An order needs the scope `orders:read` as well.
    """
    given = read_query(request, PARAMS)
    caller = require(request, given["shop"])
    order = given.get("order")
    if order is not None and READ_ORDERS not in caller.scopes:
        raise Forbidden(f"the key does not have the scope {READ_ORDERS}")
    phrases = parts_of(request).service.phrases
    found = phrases.find(given.get("code", ""), given.get("group"))
    first = _begins([one.code for one in found], given.get("cursor"))
    last = first + given.get("limit", DEFAULT_LIMIT)
    more = _After(found[last - 1].code) if last < len(found) else None
    said = await phrases.said(given["shop"], found[first:last], order)
    return answer(Page([_told(one) for one in said], token(more)))


def _begins(codes: list[str], after: _After | None) -> int:
    """Return where a page begins; raises `InvalidInput` for the cursor of another list."""
    if after is None:
        return 0
    if after.code not in codes:
        problem = FieldProblem("/cursor", "expected the next_cursor of an earlier answer about the same")
        raise InvalidInput(f"the query is not right: {problem}", (problem,))
    return codes.index(after.code) + 1


def _told(said: Said) -> Phrase:
    return msgspec.convert(said, Phrase, from_attributes=True)
