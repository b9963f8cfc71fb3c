"""Processes that a measurement starts and that end with it."""

import asyncio
import os
import socket
import sys
from asyncio.subprocess import Process
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from pathlib import Path

STOP_SECONDS = 15.0
"""How long a process may take to end when it is told to."""
READY_SECONDS = 30.0
"""How long a process may take to be ready for work."""
POLL_SECONDS = 0.05


@asynccontextmanager
async def started(
    module: str, *arguments: str, environment: Mapping[str, str], stdout: int = asyncio.subprocess.DEVNULL
) -> AsyncIterator[Process]:
    """Run `python -m module` with more in its environment; what it says on standard error is passed on."""
    process = await asyncio.create_subprocess_exec(
        *(sys.executable, "-m", module, *arguments),
        stdin=asyncio.subprocess.DEVNULL,
        stdout=stdout,
        env=os.environ | environment,
    )
    try:
        yield process
    finally:
        await _end(process)


async def _end(process: Process) -> None:
    if process.returncode is None:
        process.terminate()
    try:
        async with asyncio.timeout(STOP_SECONDS):
            await process.wait()
    except TimeoutError:
        process.kill()
        await process.wait()


async def output(module: str, *arguments: str) -> bytes:
    """Run `python -m module` to its end and return what it printed; it must end well."""
    async with started(module, *arguments, environment={}, stdout=asyncio.subprocess.PIPE) as process:
        printed, _ = await process.communicate()
        assert process.returncode == 0, f"{module} ended with {process.returncode}"
        return printed


def store_at(socket_path: Path) -> dict[str, str]:
    """Return the environment that names a store."""
    return {"DISPATCHER_REDIS_URL": f"unix://{socket_path}"}


def free_port() -> int:
    """Return a port of loopback that nobody listens on."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
        return port


async def answering(process: Process, port: int) -> None:
    """Wait until a process serves HTTP and says that it is ready."""
    async with asyncio.timeout(READY_SECONDS):
        while not await _ready(port):
            assert process.returncode is None, f"the server ended with {process.returncode}"
            await asyncio.sleep(POLL_SECONDS)


async def _ready(port: int) -> bool:
    try:
        reader, writer = await asyncio.open_connection("127.0.0.1", port)
        writer.write(b"GET /health/ready HTTP/1.1\r\nHost: 127.0.0.1\r\nConnection: close\r\n\r\n")
        answer = await reader.readline()
        writer.close()
    except OSError:
        return False
    return b" 200 " in answer
