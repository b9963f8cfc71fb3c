"""`dispatcher up`, `api` and `worker`."""

import os
import socket
import tempfile
from pathlib import Path

import rich_click as click

from dispatcher import api, worker
from dispatcher.errors import DispatcherError, InvalidInput
from dispatcher.settings import Settings, read_settings
from dispatcher.telemetry import log_to_stderr
from dispatcher.terminal import fail, serve
from dispatcher.up import Up

MOST_WORKERS = 64

_DATA = click.option(
    "--data",
    type=click.Path(file_okay=False, path_type=Path),
    default=Path("data"),
    show_default=True,
    help="Data directory; made if it is missing.",
)
_HOST = click.option("--host", default="127.0.0.1", show_default=True, help="Address the API listens at.")
_PORT = click.option(
    "--port",
    type=click.IntRange(0, 65_535),
    default=8080,
    show_default=True,
    help="Port the API listens at; 0 picks a free one.",
)
_ATTACHED = click.option("--attached", is_flag=True, hidden=True)
"""Given by `up`: end when standard input does."""


def _with_store() -> Settings:
    settings = read_settings(os.environ)
    if settings.redis_url is None:
        raise InvalidInput("set DISPATCHER_REDIS_URL to the store's address, or run `dispatcher up`")
    return settings


def _make(data: Path) -> None:
    """Make the data directory, and say what is wrong where nothing can be written into it."""
    try:
        data.mkdir(parents=True, exist_ok=True)
        with tempfile.TemporaryFile(dir=data):
            pass
    except OSError as error:
        raise InvalidInput(
            f"{data} cannot be used: {error.strerror}; choose another --data directory"
        ) from error


@click.command("api")
@_HOST
@_PORT
@_DATA
@_ATTACHED
@click.option("--listener", type=int, hidden=True)
def api_command(host: str, port: int, data: Path, attached: bool, listener: int | None) -> None:
    """Run the API alone; the store is at DISPATCHER_REDIS_URL."""
    log_to_stderr()
    try:
        settings = _with_store()
        opened = api.listen(host, port) if listener is None else socket.socket(fileno=listener)
        with opened:
            serve(lambda told: api.answer_requests(settings, data, opened, told), attached=attached)
    except DispatcherError as error:
        fail(error)


@click.command("worker")
@_DATA
@_ATTACHED
def worker_command(data: Path, attached: bool) -> None:
    """Run one worker alone; the store is at DISPATCHER_REDIS_URL."""
    log_to_stderr()
    try:
        settings = _with_store()
        _make(data)
        serve(lambda told: worker.work(settings, data, told), attached=attached)
    except DispatcherError as error:
        fail(error)


@click.command("up")
@click.option("--demo", is_flag=True, help="With a demo shop and sample orders.")
@_HOST
@_PORT
@_DATA
@click.option("--workers", type=click.IntRange(0, MOST_WORKERS), default=1, show_default=True)
def up_command(demo: bool, host: str, port: int, data: Path, workers: int) -> None:
    """Run everything in one: store, API and workers; Ctrl-C ends it."""
    try:
        settings = read_settings(os.environ)
        _make(data)
        Up(settings, data, host, port, workers, demo=demo).run()
    except DispatcherError as error:
        fail(error)
