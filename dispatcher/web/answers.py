"""Answers: JSON as bytes with its headers, sent as it is."""

from typing import Any

import msgspec
from litestar.types import Receive, Scope, Send

JSON = b"application/json"
PROBLEM_JSON = b"application/problem+json"

_ENCODER = msgspec.json.Encoder()

Headers = list[tuple[bytes, bytes]]


class Answer:
    """A whole answer, encoded; an ASGI application of its own."""

    __slots__ = ("body", "headers", "status")

    def __init__(self, status: int, body: bytes, headers: Headers) -> None:
        self.status = status
        self.body = body
        self.headers = headers

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Send the answer."""
        await send({"type": "http.response.start", "status": self.status, "headers": self.headers})
        await send({"type": "http.response.body", "body": self.body, "more_body": False})


def answer(content: Any, status: int = 200, *, media: bytes = JSON, more: Headers | None = None) -> Answer:
    """Return `content` (structs, and what JSON has) as an answer with its length and no leave to cache it."""
    body = _ENCODER.encode(content)
    headers = [
        (b"content-type", media),
        (b"content-length", b"%d" % len(body)),
        (b"cache-control", b"no-store"),
    ]
    return Answer(status, body, headers + more if more else headers)
