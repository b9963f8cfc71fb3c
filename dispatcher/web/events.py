"""`POST /v1/events`: CloudEvents in, one result an event out."""

from collections.abc import Sequence
from functools import partial

import msgspec
from litestar import Request, post
from litestar.types import ASGIApp, Receive, Scope, Send

from dispatcher.errors import Forbidden, InvalidEvent, StoreFull
from dispatcher.policy.events import Event, decode_batch, decode_event
from dispatcher.web.access import Caller, caller_of, door, needs
from dispatcher.web.answers import Answer, answer
from dispatcher.web.bodies import JSON, media_type, read_body
from dispatcher.web.parts import Asked, Parts, parts_of
from dispatcher.web.problems import Problem, problem_of, refused
from dispatcher.web.query import read_query
from dispatcher.workflow.intake import Result

MAX_BYTES = 4 * 1024 * 1024

SCOPE = "events:write"
SINGLE = "application/cloudevents+json"
BATCH = "application/cloudevents-batch+json"
KINDS = (SINGLE, BATCH, JSON)

NOT_OPEN = "the key does not open this event's shop"


class EventResult(msgspec.Struct, frozen=True, kw_only=True):
    """What became of one event: `problem` is there for a rejected one."""

    id: str | None
    status: str
    order: str | None
    reminders: tuple[str, ...] = ()
    stopped: tuple[str, ...] = ()
    too_late: tuple[str, ...] = ()
    problem: Problem | msgspec.UnsetType = msgspec.UNSET


class EventResults(msgspec.Struct, frozen=True):
    """One result an event, in order."""

    results: list[EventResult]


def called_at_once(app: ASGIApp) -> ASGIApp:
    """Middleware that lets a request in and calls `post_events` itself, in place of the `app` behind it.

    The framework's own way to a handler makes ready what this one, which is asked most, has no use for:
    parameters, guards, `before_request`, `after_request`, `after_response`.
    """

    async def call(scope: Scope, receive: Receive, send: Send) -> None:
        request: Asked = Request(scope, receive, send)
        await door(request)
        told: Answer = await post_events.fn(request)
        await told(scope, receive, send)

    return call


@post("/v1/events", opt=needs(SCOPE), status_code=202, middleware=[called_at_once])
async def post_events(request: Asked) -> Answer:
    """Take one event, or a batch of which the good ones are taken.

    Where a full store let none of a batch be taken, all of it is refused, to be repeated.
    """
    read_query(request, {})
    parts, caller = parts_of(request), caller_of(request)
    kind = media_type(request, KINDS)
    body = await read_body(request, MAX_BYTES)
    if kind == BATCH:
        results = await _taken(parts, caller, decode_batch(body))
        problems = [result.problem for result in results]
        full = next((problem for problem in problems if isinstance(problem, StoreFull)), None)
        if full is not None and None not in problems:
            raise full
    else:
        results = [await parts.intake.take_one(partial(_read, caller, body), caller.actor)]
        if results[0].problem is not None:
            return refused(problem_of(results[0].problem))
    return answer(EventResults([_told(result) for result in results]), 202)


def _read(caller: Caller, body: bytes) -> Event:
    event = decode_event(body)
    if not caller.opens(event.shop):
        raise Forbidden(NOT_OPEN)
    return event


async def _taken(parts: Parts, caller: Caller, given: Sequence[Event | InvalidEvent]) -> list[Result]:
    """Return one result an event; only those that are right, and of shops the key opens, go on."""
    results: list[Result | None] = [_refused(caller, one) for one in given]
    events = [one for one, refusal in zip(given, results, strict=True) if refusal is None]
    taken = iter(await parts.intake.take(events, caller.actor) if events else ())  # type: ignore[arg-type]
    return [next(taken) if result is None else result for result in results]


def _refused(caller: Caller, given: Event | InvalidEvent) -> Result | None:
    if isinstance(given, InvalidEvent):
        return Result(id=given.event_id, status="rejected", problem=given)
    if caller.opens(given.shop):
        return None
    return Result(id=given.id, status="rejected", order=given.order, problem=Forbidden(NOT_OPEN))


def _told(result: Result) -> EventResult:
    return EventResult(
        id=result.id,
        status=result.status,
        order=result.order,
        reminders=result.reminders,
        stopped=result.stopped,
        too_late=result.too_late,
        problem=msgspec.UNSET if result.problem is None else problem_of(result.problem),
    )
