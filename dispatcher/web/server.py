"""The HTTP server under the application: whoever sends too much or too slowly is told so and let go."""

import asyncio
from http import HTTPStatus
from typing import Any

import uvicorn
from uvicorn.protocols.http.httptools_impl import HttpToolsProtocol

from dispatcher.web.problems import of_code, refused

MAX_CONNECTIONS = 2_000
MAX_HEAD_BYTES = 64 * 1024
"""A request line with all its headers."""

HEAD_SECONDS = 10.0
"""A request line with its headers must have come within so long, from its first byte or from connecting."""

BODY_SECONDS = 10.0
"""A body must have come within so long."""

KEEP_ALIVE_SECONDS = 75
"""How long a connection may rest: longer than the proxies before us usually keep theirs."""

LINGER_SECONDS = 1.0
"""A refused connection may still send for so long, into the void."""

SHUTDOWN_SECONDS = 5


class BoundedProtocol(HttpToolsProtocol):
    """A connection whose requests have a limit in size and time from the first byte to the last."""

    _deadline: asyncio.TimerHandle | None = None
    _in_head = True
    _head_bytes = 0
    _refused = False

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]
        """Begin a connection, if there are not too many."""
        super().connection_made(transport)
        if len(self.connections) > MAX_CONNECTIONS:
            self._refuse("overloaded")
        else:
            self._within(HEAD_SECONDS)

    def connection_lost(self, error: Exception | None) -> None:
        """End a connection."""
        self._in_time()
        super().connection_lost(error)

    def data_received(self, data: bytes) -> None:
        """Take what came in."""
        if self._refused:
            return
        super().data_received(data)
        if self._in_head:
            self._head_bytes += len(data)
            if self._head_bytes > MAX_HEAD_BYTES:
                self._refuse("head-too-large")
        elif self._deadline is None and self.cycle.more_body:  # most bodies come with their heads
            self._within(BODY_SECONDS)

    def on_message_begin(self) -> None:
        """Begin a request."""
        super().on_message_begin()
        self._in_head, self._head_bytes = True, 0
        self._within(HEAD_SECONDS)

    def on_headers_complete(self) -> None:
        """Hand a request on."""
        self._in_head = False
        self._in_time()
        super().on_headers_complete()

    def on_message_complete(self) -> None:
        """End a request's body."""
        self._in_time()
        super().on_message_complete()

    def on_response_complete(self) -> None:
        """Wait for the next request, and not for ever for the rest of a body that nobody wants."""
        if self.cycle.more_body:
            self._within(BODY_SECONDS)
        super().on_response_complete()

    def send_400_response(self, msg: str) -> None:
        """Answer what is not HTTP."""
        self._refuse("not-http")

    def _within(self, seconds: float) -> None:
        self._in_time()
        self._deadline = self.loop.call_later(seconds, self._too_late)

    def _in_time(self) -> None:
        if self._deadline is not None:
            self._deadline.cancel()
            self._deadline = None

    def _too_late(self) -> None:
        waited_for = self._head_bytes if self._in_head else not self.cycle.response_started
        if waited_for:
            self._refuse("too-slow")
        else:
            self.transport.close()

    def _refuse(self, code: str) -> None:
        if self._refused or self.transport.is_closing():
            return
        self._in_time()
        told = refused(of_code(code))
        lines = [b"HTTP/1.1 %d %s" % (told.status, HTTPStatus(told.status).phrase.encode())]
        lines += [name + b": " + value for name, value in (*told.headers, (b"connection", b"close"))]
        self.transport.write(b"\r\n".join((*lines, b"", told.body)))
        # Closed at once, what is still on its way here would destroy the answer on its way there.
        self._refused = True
        self.transport.write_eof()
        self._deadline = self.loop.call_later(LINGER_SECONDS, self.transport.close)


def server_config(app: Any, **where: Any) -> uvicorn.Config:
    """Return how the application is served; `where` is uvicorn's `host` and `port`, `fd` or `uds`."""
    return uvicorn.Config(
        app,
        http=BoundedProtocol,
        loop="uvloop",
        ws="none",
        lifespan="on",
        access_log=False,
        log_config=None,
        proxy_headers=False,
        server_header=False,
        timeout_keep_alive=KEEP_ALIVE_SECONDS,
        timeout_graceful_shutdown=SHUTDOWN_SECONDS,
        **where,
    )
