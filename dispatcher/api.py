"""The API's process: one server over one service, until it is told to end."""

import asyncio
import logging
import socket
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import uvicorn

from dispatcher.errors import AddressTaken
from dispatcher.opening import open_service
from dispatcher.settings import Settings
from dispatcher.storage.access import AccessKeys
from dispatcher.telemetry import ENDED, STARTED
from dispatcher.web.access import Access
from dispatcher.web.app import create_app
from dispatcher.web.server import server_config
from dispatcher.wiring import connect

STORE_SECONDS = 0.75
"""How long the store may take to answer a request, which is answered within a second even so."""
BACKLOG = 2_048
"""Connections that wait to be taken, as while the API is started again."""

_log = logging.getLogger(__name__)


def listen(host: str, port: int) -> socket.socket:
    """Return a socket that listens at an address; `AddressTaken` says what to do where that cannot be."""
    try:
        family, kind, protocol, _, address = socket.getaddrinfo(
            host, port, type=socket.SOCK_STREAM, flags=socket.AI_PASSIVE
        )[0]
        listener = socket.socket(family, kind, protocol)
    except OSError as error:
        raise AddressTaken(
            f"{host} port {port} cannot be used ({error.strerror}); choose another --host"
        ) from error
    try:
        listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        listener.bind(address)
        listener.listen(BACKLOG)
    except OSError as error:
        listener.close()
        raise AddressTaken(
            f"{host} port {port} cannot be used ({error.strerror}); choose another --port"
        ) from error
    return listener


class _Server(uvicorn.Server):
    """A server that leaves signals to the process it runs in."""

    @contextmanager
    def capture_signals(self) -> Iterator[None]:
        yield


async def answer_requests(
    settings: Settings, data: Path, listener: socket.socket, told: asyncio.Event
) -> None:
    """Answer requests until told to end; the store may come and go."""
    client = connect(url=settings.redis_url, timeout_seconds=STORE_SECONDS)
    try:
        service = await open_service(settings, client, {}, data, told)
        if service is None:
            return
        app = create_app(service, Access(AccessKeys(service.store)))
        server = _Server(server_config(app))
        serving = asyncio.create_task(server.serve(sockets=[listener]))
        waiting = asyncio.create_task(told.wait())
        _log.info(STARTED, extra={"role": "api"})
        await asyncio.wait({serving, waiting}, return_when=asyncio.FIRST_COMPLETED)
        server.should_exit = True
        await serving
        _log.info(ENDED, extra={"role": "api"})
    finally:
        await client.aclose()
