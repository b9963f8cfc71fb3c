"""Whether a client reads what is written to it."""

import asyncio
from fcntl import ioctl
from sys import byteorder
from termios import TIOCOUTQ

STALLED_SECONDS = 30.0
"""A client that has not read a byte of its answer for so long is let go."""


class Watch:
    """Ends a connection whose client has stopped reading while something waits to be written."""

    def __init__(self, transport: asyncio.Transport, loop: asyncio.AbstractEventLoop) -> None:
        self._transport = transport
        self._loop = loop
        self._look: asyncio.TimerHandle | None = None
        self._before = 0

    def begin(self) -> None:
        """Watch from now on."""
        self.end()
        self._before = self._unread()
        self._look = self._loop.call_later(STALLED_SECONDS, self._see)

    def end(self) -> None:
        """Watch no longer."""
        if self._look is not None:
            self._look.cancel()
            self._look = None

    def _see(self) -> None:
        if self._unread() < self._before:
            self.begin()
        else:
            self._transport.abort()

    def _unread(self) -> int:
        """Return how many bytes the client has not taken; the kernel holds megabytes of them besides ours."""
        connected = self._transport.get_extra_info("socket")
        queued = ioctl(connected.fileno(), TIOCOUTQ, bytes(4))
        return self._transport.get_write_buffer_size() + int.from_bytes(queued, byteorder)
