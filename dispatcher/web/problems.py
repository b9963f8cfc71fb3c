"""Every error as an RFC 9457 problem: one table from an error's code to status and title."""

from typing import NamedTuple

import msgspec

from dispatcher.errors import DispatcherError, InvalidInput, NotNow
from dispatcher.policy.zones import iso
from dispatcher.web.answers import PROBLEM_JSON, Answer, answer

TYPE = "urn:dispatcher:problem:"
TOO_MANY, UNAVAILABLE = 429, 503
RETRY_LATER = frozenset({TOO_MANY, UNAVAILABLE})
"""Statuses that say when to come again."""

RETRY_AFTER_SECONDS = 1


class Kind(NamedTuple):
    """How a code is answered; `detail` stands in for the error's own text where that is not for callers."""

    status: int
    title: str
    detail: str | None = None


KINDS: dict[str, Kind] = {
    "invalid-input": Kind(400, "The request is not right"),
    "not-http": Kind(400, "This is not HTTP"),
    "invalid-event": Kind(400, "The event is not right"),
    "invalid-policy": Kind(400, "The policy is not right"),
    "invalid-template": Kind(400, "The template is not right"),
    "missing-field": Kind(400, "The message needs a field that is missing"),
    "forbidden-wording": Kind(400, "The message says what its platform forbids"),
    "message-too-long": Kind(400, "The message is too long for its channel"),
    "unauthenticated": Kind(401, "No key that is known here"),
    "forbidden": Kind(403, "The key does not open this"),
    "not-found": Kind(404, "There is nothing here", "no such path"),
    "unknown-order": Kind(404, "No such order or reminder"),
    "unknown-incentive": Kind(404, "No such pool of incentives"),
    "unknown-template": Kind(404, "No such template, draft or version"),
    "unknown-policy": Kind(404, "No such version of the policy"),
    "method-not-allowed": Kind(
        405, "Not with this method", "the header Allow names the methods of this path"
    ),
    "too-slow": Kind(408, "The request came too slowly"),
    "contended": Kind(409, "Too much changed at once"),
    "customer-differs": Kind(409, "The order belongs to another customer"),
    "event-id-reused": Kind(409, "The event's id was used before"),
    "not-now": Kind(409, "The policy does not allow this now"),
    "not-waiting": Kind(409, "The reminder does not wait for its time"),
    "reference-reused": Kind(409, "The reference was given with another quantity"),
    "task-not-open": Kind(409, "The task is not in the state for this"),
    "too-many-blocked": Kind(409, "The shop blocks as many addresses as it may"),
    "store-refused": Kind(
        409,
        "What is stored does not allow this",
        "an operator must look into it; the service's log says where",
    ),
    "path-too-long": Kind(414, "The path is too long", "no id is that long"),
    "too-large": Kind(413, "The request is too large", "a path of this service takes a smaller body"),
    "unsupported-media-type": Kind(415, "No such kind of body is read here"),
    "wrong-moment": Kind(422, "The reminder cannot be moved there"),
    "head-too-large": Kind(431, "The headers are too large"),
    "overloaded": Kind(TOO_MANY, "Too much waits already"),
    "internal": Kind(500, "Something is wrong with this service", "it was logged; repeating it is safe"),
    "store-full": Kind(UNAVAILABLE, "The store is full"),
    "store-unavailable": Kind(
        UNAVAILABLE, "The store does not answer", "whether it had an effect is not known; repeat it"
    ),
}


class WrongField(msgspec.Struct, frozen=True):
    """A wrong field and what was expected of it."""

    pointer: str
    detail: str


class Problem(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """An RFC 9457 problem; one about the policy names the rules that block, and when they stop to."""

    type: str
    title: str
    status: int
    detail: str
    errors: tuple[WrongField, ...] = ()
    blocking: tuple[str, ...] = ()
    next_eligible: str | None = None


def problem_of(error: DispatcherError) -> Problem:
    """Return the problem that an error is told as."""
    kind = KINDS[error.code]
    wrong = error.problems if isinstance(error, InvalidInput) else ()
    blocked = error if isinstance(error, NotNow) else None
    eligible = blocked.next_eligible if blocked else None
    return Problem(
        type=TYPE + error.code,
        title=kind.title,
        status=kind.status,
        detail=kind.detail or str(error),
        errors=tuple(WrongField(one.pointer, one.detail) for one in wrong),
        blocking=blocked.blocking if blocked else (),
        next_eligible=None if eligible is None else iso(eligible),
    )


def of_code(code: str) -> Problem:
    """Return the problem of a code that has no error class, or whose error is not for callers."""
    kind = KINDS[code]
    return Problem(type=TYPE + code, title=kind.title, status=kind.status, detail=kind.detail or kind.title)


def refused(problem: Problem) -> Answer:
    """Return a problem as the whole answer."""
    more = []
    if problem.status in RETRY_LATER:
        more.append((b"retry-after", b"%d" % RETRY_AFTER_SECONDS))
    elif problem.status == 401:
        more.append((b"www-authenticate", b"Bearer"))
    return answer(problem, problem.status, media=PROBLEM_JSON, more=more)
