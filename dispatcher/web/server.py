"""The HTTP server under the application: whoever sends too much or too slowly is told so and let go."""

import asyncio
from functools import partial
from http import HTTPStatus
from typing import Any

import uvicorn
from httptools import HttpParserError, HttpParserUpgrade, HttpRequestParser
from uvicorn.protocols.http.httptools_impl import HttpToolsProtocol

from dispatcher.web.problems import of_code, refused
from dispatcher.web.unread import Watch

MAX_CONNECTIONS = 2_000
"""When there are so many, a new one takes the place of the one longest at rest."""

MAX_HEAD_BYTES = 64 * 1024
"""A request line with all its headers; and what comes with a body but is not of it, as what trails it."""

HEAD_SECONDS = 10.0
"""A request line with its headers must have come within so long, from its first byte or from connecting."""

BODY_SECONDS = 10.0
"""A body must have come within so long."""

KEEP_ALIVE_SECONDS = 75
"""How long a connection may rest: longer than the proxies before us usually keep theirs."""

LINGER_SECONDS = 1.0
"""A refused connection may still send for so long, into the void."""

SHUTDOWN_SECONDS = 5


Resting = dict["BoundedProtocol", None]


class BoundedProtocol(HttpToolsProtocol):
    """A connection whose requests have a limit in size and time from the first byte to the last.

    `resting` are the server's connections without a request, the longest at rest first.
    """

    _deadline: asyncio.TimerHandle | None = None
    _reading: Watch
    _in_head = False
    _in_body = False
    _bare_bytes = 0
    """What came since the last part of a request was whole: of a head, or of what is beside a body's data."""
    _went_on = False
    _refused = False

    def __init__(self, resting: Resting, **served: Any) -> None:
        super().__init__(**served)
        self._resting = resting

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]
        """Begin a connection, in place of the one longest at rest where there are too many."""
        super().connection_made(transport)
        self._reading = Watch(transport, self.loop)
        if len(self.connections) > MAX_CONNECTIONS and not self._take_place():
            self._refuse("overloaded")
        else:
            self._resting[self] = None
            self._within(HEAD_SECONDS)

    def connection_lost(self, error: Exception | None) -> None:
        """End a connection."""
        self._resting.pop(self, None)
        self._in_time()
        self._reading.end()
        super().connection_lost(error)

    def shutdown(self) -> None:
        """Let a request under way finish as the process ends, but no answer whose end is not known."""
        if self.cycle is not None and self.cycle.chunked_encoding and not self.cycle.response_complete:
            self.transport.abort()
        else:
            super().shutdown()

    def data_received(self, data: bytes) -> None:
        """Take what came in."""
        if self._refused:
            return
        self._unset_keepalive_if_required()
        self._went_on = False
        self._feed(data)
        if not self._went_on:
            self._bare_bytes += len(data)
            if self._bare_bytes > MAX_HEAD_BYTES:
                self._refuse("head-too-large")
        if self._in_body and self._deadline is None:  # most bodies come with their heads
            self._within(BODY_SECONDS)

    def on_message_begin(self) -> None:
        """Begin a request."""
        super().on_message_begin()
        self._resting.pop(self, None)
        self._in_head, self._bare_bytes = True, 0
        self._within(HEAD_SECONDS)

    def on_header(self, name: bytes, value: bytes) -> None:
        """Take a header; one that trails a body is nothing to anybody."""
        if self._in_head:
            super().on_header(name, value)

    def on_headers_complete(self) -> None:
        """Hand a request on."""
        connects = self.parser.get_method() == b"CONNECT"
        if self.parser.should_upgrade() and not connects:
            return  # the parser stops here, and `_feed` goes on
        self._in_head, self._in_body = False, True
        self._goes_on()
        self._in_time()
        super().on_headers_complete()
        if connects:
            self.cycle.keep_alive = False  # what comes behind it would be no HTTP

    def on_body(self, body: bytes) -> None:
        """Take a piece of a body."""
        self._goes_on()
        super().on_body(body)

    def on_message_complete(self) -> None:
        """End a request's body."""
        if self._in_head:
            return  # only what the parser takes for the end, before another protocol
        self._in_body = False
        self._goes_on()
        self._in_time()
        super().on_message_complete()

    def on_response_complete(self) -> None:
        """Wait for the next request, and not for ever for the rest of a body that nobody wants."""
        if self._in_body:
            self._within(BODY_SECONDS)
        super().on_response_complete()
        if self.transport.is_closing():
            self._reading.begin()  # it closes once all is written
        elif self.cycle.response_complete and not self._in_head:
            self._resting[self] = None

    def pause_writing(self) -> None:
        """Wait until the client has read some of what was written, if it reads at all."""
        super().pause_writing()
        self._reading.begin()

    def resume_writing(self) -> None:
        """Write on."""
        self._reading.end()
        super().resume_writing()

    def timeout_keep_alive_handler(self) -> None:
        """End a connection at rest, with whatever its client has not read."""
        self.transport.abort()

    def send_400_response(self, msg: str) -> None:
        """Answer what is not HTTP."""
        self._refuse("not-http")

    def _feed(self, data: bytes) -> None:
        rest = memoryview(data)
        try:
            while True:
                try:
                    self.parser.feed_data(rest)
                    return
                except HttpParserUpgrade as stopped:
                    if not self._in_head:
                        return  # CONNECT, which was handed on
                    rest = rest[stopped.args[0] :]
                    self._decline_upgrade()
        except HttpParserError:
            self._refuse("not-http")

    def _decline_upgrade(self) -> None:
        """Begin the request anew without its offer to change the protocol, which is ignored."""
        stopped, self.parser = self.parser, HttpRequestParser(self)
        self.parser.set_dangerous_leniencies(lenient_data_after_close=True)  # as the server's own
        lines = [b"%s %s HTTP/%s" % (stopped.get_method(), self.url, stopped.get_http_version().encode())]
        lines += [name + b": " + value for name, value in self.headers if name.lower() != b"upgrade"]
        self.parser.feed_data(b"\r\n".join((*lines, b"", b"")))

    def _take_place(self) -> bool:
        longest = next(iter(self._resting), None)
        if longest is None:
            return False
        del self._resting[longest]
        self.connections.discard(longest)  # it ends only later, and others may come before that
        longest.transport.abort()
        return True

    def _goes_on(self) -> None:
        self._went_on, self._bare_bytes = True, 0

    def _within(self, seconds: float) -> None:
        self._in_time()
        self._deadline = self.loop.call_later(seconds, self._too_late)

    def _in_time(self) -> None:
        if self._deadline is not None:
            self._deadline.cancel()
            self._deadline = None

    def _too_late(self) -> None:
        if self._in_head or self._in_body:
            self._refuse("too-slow")
        else:
            self.transport.abort()

    def _refuse(self, code: str) -> None:
        if self._refused or self.transport.is_closing():
            return
        self._in_time()
        self._resting.pop(self, None)
        if self._answering():
            self.transport.abort()
            return
        told = refused(of_code(code))
        lines = [b"HTTP/1.1 %d %s" % (told.status, HTTPStatus(told.status).phrase.encode())]
        lines += [name + b": " + value for name, value in (*told.headers, (b"connection", b"close"))]
        self.transport.write(b"\r\n".join((*lines, b"", told.body)))
        # Closed at once, what is still on its way here would destroy the answer on its way there.
        self._refused = True
        self.transport.write_eof()
        self._deadline = self.loop.call_later(LINGER_SECONDS, self.transport.abort)

    def _answering(self) -> bool:
        """Tell whether a refusal would stand within an answer, or behind the only one a request has."""
        if self.cycle is None or not self.cycle.response_started:
            return bool(self.pipeline)
        return self._in_body or not self.cycle.response_complete


def server_config(app: Any, **where: Any) -> uvicorn.Config:
    """Return how the application is served; `where` is uvicorn's `host` and `port`, `fd` or `uds`."""
    return uvicorn.Config(
        app,
        http=partial(BoundedProtocol, {}),  # type: ignore[arg-type]
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
