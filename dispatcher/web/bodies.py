"""Bodies of requests: read as bytes within a size and a time, of a kind that is read here."""

import asyncio
from collections.abc import Collection

import msgspec

from dispatcher.errors import FieldProblem, InvalidInput, TooLarge, UnsupportedMediaType
from dispatcher.policy import event_json
from dispatcher.web.access import admit
from dispatcher.web.parts import Asked

SMALL_BYTES = 64 * 1024
"""The most a body may have, except for events."""

PROMPT_SECONDS = 0.1
"""Whose body takes longer is let in once more: the key may have been revoked since."""

JSON = "application/json"
CHARSETS = frozenset({"utf-8", "utf8", "us-ascii"})

_PLAIN = msgspec.json.Decoder()


def media_type(request: Asked, read: Collection[str]) -> str:
    """Return which of the kinds that are `read` the body is; raises `UnsupportedMediaType`."""
    given = [value for name, value in request.scope["headers"] if name == b"content-type"]
    essence, *parameters = given[0].decode("latin-1").split(";") if given else [""]
    media = essence.strip().lower()
    if len(given) != 1 or media not in read or not all(map(_harmless, parameters)):
        raise UnsupportedMediaType(f"expected a Content-Type of {', '.join(read)}, in UTF-8")
    return media


def _harmless(parameter: str) -> bool:
    name, _, value = parameter.strip().lower().partition("=")
    return name != "charset" or value.strip('"') in CHARSETS


async def read_body(request: Asked, limit: int = SMALL_BYTES) -> bytes:
    """Return the whole body; raises `TooLarge`, and as `admit` does when the key was revoked meanwhile.

    The server ends a connection whose body is too slow.
    """
    # Litestar's own headers would decode and sort them all.
    for name, value in request.scope["headers"]:
        if name == b"content-length" and value.isdigit() and int(value) > limit:
            raise _too_large(limit)
    loop = asyncio.get_running_loop()
    began = loop.time()
    body = await _received(request, limit)
    if loop.time() - began > PROMPT_SECONDS:
        await admit(request)
    return body


async def _received(request: Asked, limit: int) -> bytes:
    message = await request.receive()
    if message["type"] == "http.request" and not message.get("more_body"):
        body: bytes = message.get("body", b"")
        if len(body) > limit:
            raise _too_large(limit)
        return body
    parts: list[bytes] = []
    size = 0
    while message["type"] == "http.request":
        part = message.get("body", b"")
        size += len(part)
        if size > limit:
            raise _too_large(limit)
        parts.append(part)
        if not message.get("more_body"):
            return b"".join(parts)
        message = await request.receive()
    raise InvalidInput("the connection ended before the body did")


def _too_large(limit: int) -> TooLarge:
    return TooLarge(f"expected a body of at most {limit} bytes")


async def read_object(request: Asked) -> dict[str, object]:
    """Return the JSON object in a small body; `InvalidInput` if it is none, or gives a name twice."""
    media_type(request, (JSON,))
    body = await read_body(request)
    try:
        content = _PLAIN.decode(body)
        written = event_json.canonical(content)
    except (msgspec.MsgspecError, UnicodeDecodeError, RecursionError):
        content, written = None, b""
    if not isinstance(content, dict):
        raise _wrong("expected one JSON object in UTF-8")
    twice = event_json.repeated_name(body, written)
    if twice is not None:
        raise _wrong("a field is given more than once")
    return content


def _wrong(expected: str) -> InvalidInput:
    return InvalidInput(f"the body is not right: {expected}", (FieldProblem("", expected),))
