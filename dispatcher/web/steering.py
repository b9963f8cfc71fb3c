"""What people do with reminders: send one by hand, end one, or move it."""

from typing import Any

from litestar import post

from dispatcher.policy import event_text, event_values
from dispatcher.policy.event_wire import Field, Shape
from dispatcher.policy.facts import CHANNELS
from dispatcher.storage.listing import Listed
from dispatcher.web.access import Caller, require
from dispatcher.web.answers import Answer, answer
from dispatcher.web.describing import Described, opens
from dispatcher.web.parts import Asked, parts_of
from dispatcher.web.query import read_fields, read_query
from dispatcher.web.reminders import Reminder, asked_for, find, told
from dispatcher.web.tasks import MAX_AGENT

SEND, STEER = "reminders:send", "reminders:steer"

MAX_NOTE = 200

_NOTE = Field(event_text.line(MAX_NOTE))
HAND = Shape(
    {
        "id": Field(event_text.identifier, nullable=False),
        "shop": Field(event_text.shop_id, nullable=False),
        "order": Field(event_text.identifier, nullable=False),
        "channel": Field(event_values.one_of(CHANNELS), nullable=False),
        "agent": Field(event_text.line(MAX_AGENT), nullable=False),
    },
    frozenset({"id", "shop", "order", "channel", "agent"}),
)
CANCEL = Shape({"note": _NOTE})
POSTPONE = Shape({"until": Field(event_values.instant, nullable=False), "note": _NOTE}, frozenset({"until"}))
NOTHING = Shape({})

CODES = ("unknown-order", "not-waiting", "contended")


@post(
    "/v1/reminders",
    status_code=200,
    opt=opens(
        SEND,
        Described(
            body={"application/json": HAND},
            answers={"application/json": Reminder},
            codes=("unknown-order", "not-now", "event-id-reused", "contended"),
        ),
    ),
)
async def send_by_hand(request: Asked) -> Answer:
    """Take the slot of a reminder that an agent sends by hand now, once for each id within the order.

    It is judged as any other; where the policy forbids it, the problem names the rules that block and when
    they stop to.
    """
    read_query(request, {})
    given = await read_fields(request, HAND)
    caller = require(request, given["shop"])
    service = parts_of(request).service
    reminder = await service.by_hand.hand_over(
        given["shop"], given["order"], given["id"], given["channel"], given["agent"], caller.actor
    )
    return answer(told(await find(service.store, reminder)))


@post(
    "/v1/reminders/{reminder:str}/cancel",
    status_code=200,
    opt=opens(
        STEER,
        Described(
            body={"application/json": CANCEL},
            body_required=False,
            answers={"application/json": Reminder},
            codes=CODES,
        ),
    ),
)
async def cancel_reminder(request: Asked) -> Answer:
    """Drop a reminder that waits, or an open task; one that was dropped before stays so."""
    caller, listed, given = await _steering(request, CANCEL)
    service = parts_of(request).service
    await service.steering.cancel(listed.reminder, given.get("note"), caller.actor)
    return answer(told(await find(service.store, listed.reminder)))


@post(
    "/v1/reminders/{reminder:str}/send-now",
    status_code=200,
    opt=opens(
        STEER,
        Described(
            body={"application/json": NOTHING},
            body_required=False,
            answers={"application/json": Reminder},
            codes=(*CODES, "not-now"),
        ),
    ),
)
async def send_now(request: Asked) -> Answer:
    """Let a planned reminder be due now; nothing changes where the policy would not let it go."""
    caller, listed, _ = await _steering(request, NOTHING)
    service = parts_of(request).service
    await service.steering.send_now(listed.reminder, caller.actor)
    return answer(told(await find(service.store, listed.reminder)))


@post(
    "/v1/reminders/{reminder:str}/postpone",
    status_code=200,
    opt=opens(
        STEER,
        Described(
            body={"application/json": POSTPONE},
            answers={"application/json": Reminder},
            codes=(*CODES, "wrong-moment"),
        ),
    ),
)
async def postpone_reminder(request: Asked) -> Answer:
    """Let a planned reminder be due later, before its order closes."""
    caller, listed, given = await _steering(request, POSTPONE)
    service = parts_of(request).service
    await service.steering.postpone(listed.reminder, given["until"], given.get("note"), caller.actor)
    return answer(told(await find(service.store, listed.reminder)))


async def _steering(request: Asked, shape: Shape) -> tuple[Caller, Listed, dict[str, Any]]:
    read_query(request, {})
    caller, listed = await asked_for(request)
    return caller, listed, await read_fields(request, shape)
