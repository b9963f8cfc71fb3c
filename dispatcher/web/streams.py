"""Answers too long to be held: sent piece by piece, and cut off where they cannot be finished."""

import asyncio
import logging
from collections.abc import AsyncGenerator

from litestar.types import Receive, Scope, Send

from dispatcher.telemetry import STREAM_BROKEN, about_error
from dispatcher.web.problems import of_code, refused

MAX_STREAMS = 32
"""Answers in pieces that one process sends at once."""

_log = logging.getLogger(__name__)


class Stream:
    """An answer in pieces; an ASGI application of its own.

    It is in `under_way` while it is sent, and refused where too many others are.
    """

    def __init__(
        self, first: bytes, pieces: AsyncGenerator[bytes, None], media: bytes, under_way: "set[Stream]"
    ) -> None:
        self._first = first
        self._pieces = pieces
        self._media = media
        self._under_way = under_way

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Send the pieces until there are no more or nobody listens, if there is room for one more answer."""
        if len(self._under_way) >= MAX_STREAMS:
            await self._pieces.aclose()
            await refused(of_code("overloaded"))(scope, receive, send)
            return
        self._under_way.add(self)
        try:
            await self._send(receive, send)
        finally:
            self._under_way.discard(self)

    async def _send(self, receive: Receive, send: Send) -> None:
        """Send the pieces.

        An error after the first of them is logged, and the answer is left without its end: the server then
        closes the connection, by which a client tells that something is missing.
        """
        gone = asyncio.create_task(_gone(receive))
        headers = [(b"content-type", self._media), (b"cache-control", b"no-store")]
        try:
            await send({"type": "http.response.start", "status": 200, "headers": headers})
            await send({"type": "http.response.body", "body": self._first, "more_body": True})
            async for piece in self._pieces:
                if gone.done():
                    return
                await send({"type": "http.response.body", "body": piece, "more_body": True})
            await send({"type": "http.response.body", "body": b"", "more_body": False})
        except Exception as error:
            _log.error(STREAM_BROKEN, extra=about_error(error))
        finally:
            gone.cancel()
            await self._pieces.aclose()


async def _gone(receive: Receive) -> None:
    while (await receive())["type"] != "http.disconnect":
        pass
