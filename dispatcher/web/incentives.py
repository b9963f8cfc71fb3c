"""Incentives: what the pools of a shop hold, and topping one up, which is not for who writes the policy."""

import msgspec
from litestar import get, post

from dispatcher.policy import event_text, event_values
from dispatcher.policy.document_values import MAX_COUNT
from dispatcher.policy.event_wire import Field, Shape
from dispatcher.web.access import require
from dispatcher.web.answers import Answer, answer
from dispatcher.web.describing import Described, opens
from dispatcher.web.parts import Asked, parts_of
from dispatcher.web.policies import MAX_NOTE
from dispatcher.web.query import read_fields, read_query
from dispatcher.workflow.incentives import Pool

READ, TOP_UP = "policy:read", "incentives:top-up"

BODY = Shape(
    {
        "quantity": Field(event_values.whole_number(1, MAX_COUNT), nullable=False),
        "note": Field(event_text.line(MAX_NOTE)),
        "reference": Field(event_text.identifier),
    },
    frozenset({"quantity"}),
)


class Pools(msgspec.Struct, frozen=True):
    """The pools of a shop's policy in force, in its order."""

    incentives: tuple[Pool, ...]


@get(
    "/v1/shops/{shop:str}/incentives",
    opt=opens(READ, Described(answers={"application/json": Pools})),
)
async def get_incentives(request: Asked) -> Answer:
    """Tell what each pool of incentives was granted, and what is taken of it."""
    read_query(request, {})
    shop = request.path_params["shop"]
    require(request, shop)
    return answer(Pools(await parts_of(request).service.incentives.pools(shop)))


@post(
    "/v1/shops/{shop:str}/incentives/{pool:str}/top-up",
    status_code=200,
    opt=opens(
        TOP_UP,
        Described(
            body={"application/json": BODY},
            answers={"application/json": Pool},
            codes=("unknown-incentive", "reference-reused"),
        ),
    ),
)
async def top_up_incentive(request: Asked) -> Answer:
    """Add items to a pool. With a reference it may be repeated: the same one adds nothing again."""
    read_query(request, {})
    shop = request.path_params["shop"]
    caller = require(request, shop)
    given = await read_fields(request, BODY)
    pool = await parts_of(request).service.incentives.top_up(
        shop,
        request.path_params["pool"],
        given["quantity"],
        given.get("note") or "",
        given.get("reference"),
        caller.actor,
    )
    return answer(pool)
