"""The client of the store: every failure of a command is one of this package's own errors."""

import asyncio
from collections.abc import AsyncIterator, Iterable, Iterator
from contextlib import asynccontextmanager, contextmanager
from typing import Any

from hiredis import pack_command
from redis.asyncio import Redis
from redis.asyncio.client import Pipeline
from redis.asyncio.connection import Connection, ConnectionPool, SSLConnection, UnixDomainSocketConnection
from redis.exceptions import (
    AuthenticationError,
    ConnectionError,
    NoScriptError,
    OutOfMemoryError,
    ReadOnlyError,
    ResponseError,
    TimeoutError,
)

from dispatcher.errors import StoreFull, StoreRefused, StoreUnavailable

CONNECTIONS = 32
"""Most connections of one client; further commands wait for one, since the pool itself would refuse them."""

SCRIPTS_AT_ONCE = 4
"""Script calls of one client under way at once: one that runs, one that is there when it ends, two unheard.

The store answers all it finds waiting only when the last of it is done and synced: with more of them it
and its callers take turns, where they could work at the same time.
"""

NOT_NOW = ("BUSY ", "CLUSTERDOWN ", "MASTERDOWN ", "MISCONF ", "NOREPLICAS ", "TRYAGAIN ")
"""How answers begin that say nothing against the command: it was not done, and may be later."""


@contextmanager
def _own_errors() -> Iterator[None]:
    try:
        yield
    except (NoScriptError, StoreUnavailable, StoreRefused):
        raise
    except OutOfMemoryError as full:
        raise StoreFull("the store has reached its memory limit") from full
    except (ConnectionError, TimeoutError, ReadOnlyError, OSError) as away:
        if isinstance(away, AuthenticationError) or isinstance(away.__cause__, AuthenticationError):
            raise StoreUnavailable(
                "the store refuses our user or password; correct DISPATCHER_REDIS_URL"
            ) from away
        raise StoreUnavailable(f"the store does not answer ({type(away).__name__})") from away
    except ResponseError as refusal:
        if str(refusal).startswith(NOT_NOW):
            raise StoreUnavailable(f"the store takes no commands for now ({refusal})") from refusal
        raise StoreRefused(str(refusal)) from refusal


class _Sending:
    """Sends commands, with less effort than the asyncio connections of the library."""

    def pack_command(self, *args: Any) -> list[bytes]:
        """Put a command's arguments together in C; the library does so in Python."""
        name, *rest = args  # the library names some commands by two words
        return [pack_command((*str(name).split(), *rest))]

    async def send_packed_command(self, command: Any, check_health: bool = True) -> None:
        """Send a command.

        The library does so in a task under `asyncio.wait_for`, which before Python 3.12 forgets that it is
        cancelled when the send is done at that moment: what was to end would go on.
        """
        connection: Any = self
        if not connection.is_connected:
            await connection.connect()
        try:
            async with asyncio.timeout(connection.socket_timeout):
                await connection._send_packed_command(command)
        except OSError as error:
            await connection.disconnect(nowait=True)
            raise ConnectionError(f"a command could not be sent ({type(error).__name__})") from error
        except BaseException:
            await connection.disconnect(nowait=True)
            raise


class TcpConnection(_Sending, Connection):
    """A connection to a host and port."""


class TlsConnection(_Sending, SSLConnection):
    """A connection to a host and port under TLS."""


class SocketConnection(_Sending, UnixDomainSocketConnection):
    """A connection to a Unix socket."""


class StorePool(ConnectionPool):
    """Connections, each made by the command that needs it.

    The library makes one after the other, so that while the store is silent the last command that waits
    hears of it after as many timeouts as there are commands.
    """

    async def get_connection(self, command_name: object = None, *keys: object, **options: object) -> Any:
        """Return a connection that is ready for a command."""
        connection = self.get_available_connection()  # type: ignore[no-untyped-call]
        ready = False
        try:
            await self.ensure_connection(connection)
            ready = True
        finally:
            if not ready:
                await self.release(connection)
        return connection


class Room:
    """Room for so many commands or script calls at once.

    Whoever waits for a place is told with those who had one that the store is away: else the last of them
    would hear of it after one timeout more for each time that all places were taken.
    """

    def __init__(self, places: int) -> None:
        self._places = asyncio.Semaphore(places)
        self._absences = 0

    @asynccontextmanager
    async def place(self) -> AsyncIterator[None]:
        """Have a place; what goes wrong meanwhile is one of this package's own errors."""
        seen = self._absences
        async with self._places:
            if self._absences != seen:
                raise StoreUnavailable("the store does not answer")
            try:
                with _own_errors():
                    yield
            except StoreFull:
                raise
            except StoreUnavailable:
                self._absences += 1
                raise


class StorePipeline(Pipeline):
    """Commands sent together."""

    room: Room

    async def execute(self, raise_on_error: bool = True) -> Any:
        """Send the commands and return their answers; raises as `StoreClient` does."""
        async with self.room.place():
            return await super().execute(raise_on_error)

    def annotate_exception(self, exception: Exception, number: int, command: Iterable[object]) -> None:
        """Leave an error as the store told it: a command holds what belongs into no message."""


OF_THE_LIBRARY = {
    Connection: TcpConnection,
    SSLConnection: TlsConnection,
    UnixDomainSocketConnection: SocketConnection,
}
"""Our kind of connection in place of the library's."""


class StoreClient(Redis):
    """A client whose commands raise `StoreUnavailable`, `StoreFull`, `StoreRefused`, or nothing.

    `NoScriptError` alone passes, since who calls a script knows what to do about it.
    """

    def __init__(self, connection_pool: ConnectionPool) -> None:
        super().__init__(connection_pool=connection_pool)
        self._room = Room(CONNECTIONS)
        self.for_scripts = Room(SCRIPTS_AT_ONCE)

    async def execute_command(self, *args: Any, **options: Any) -> Any:
        """Send one command and return its answer."""
        async with self._room.place():
            return await super().execute_command(*args, **options)  # type: ignore[no-untyped-call]

    def pipeline(self, transaction: bool = True, shard_hint: str | None = None) -> StorePipeline:
        """Return an empty pipeline."""
        pipe = StorePipeline(self.connection_pool, self.response_callbacks, transaction, shard_hint)
        pipe.room = self._room
        return pipe
