"""The store that a command works on: a server of one's own, the one that `up` runs, or the embedded one."""

import os
from collections.abc import AsyncIterator, Callable
from contextlib import ExitStack, asynccontextmanager
from pathlib import Path
from typing import Any, TypeVar

import rich_click as click

from dispatcher.errors import InvalidInput
from dispatcher.policy.event_text import Expected
from dispatcher.settings import Settings, read_settings
from dispatcher.storage.client import StoreClient
from dispatcher.storage.embedded import EmbeddedStore, attach, holds_data
from dispatcher.storage.listing import Listing, Wanted
from dispatcher.wiring import Service, SystemClock, build, connect

T = TypeVar("T")

ELSEWHERE = "name a data directory that a service has used with --data, or a server with DISPATCHER_REDIS_URL"

BY_HAND = "user:cli"
"""The actor of what a command changes."""

EXISTING_DATA = click.option(
    "--data",
    type=click.Path(file_okay=False, path_type=Path),
    default=Path("data"),
    show_default=True,
    help="Data directory; with DISPATCHER_REDIS_URL set, only the audit's segments are read from it.",
)


def read_by(read: Callable[[Any], T]) -> Callable[[click.Context, click.Parameter, Any], T | None]:
    """Return a callback that has an argument or option read, and refused as a wrong usage."""

    def callback(context: click.Context, option: click.Parameter, value: Any) -> T | None:
        try:
            return None if value is None else read(value)
        except Expected as wrong:
            raise click.BadParameter(f"{wrong}, got {value!r}", context, option) from None

    return callback


@asynccontextmanager
async def open_store(settings: Settings, data: Path) -> AsyncIterator[StoreClient]:
    """Open the store of a data directory, which must be there; started for so long if nobody runs it."""
    with ExitStack() as stack:
        running = None if settings.redis_url else attach(data / "store")
        if settings.redis_url is not None:
            redis = connect(url=settings.redis_url)
        elif running is not None:
            redis = connect(socket=running)
        else:
            embedded = _existing_store(data)
            stack.callback(embedded.stop)
            embedded.start(lambda told: click.echo(told, err=True))
            redis = connect(socket=embedded.socket)
        try:
            yield redis
        finally:
            await redis.aclose()


@asynccontextmanager
async def opened_service(data: Path) -> AsyncIterator[Service]:
    """Open the service of a data directory as `open_store` does, for a look or a change by hand."""
    settings = read_settings(os.environ)
    async with open_store(settings, data) as redis:
        yield await build(settings, redis, SystemClock(), {}, data / "audit")


async def warn_of_unknown(service: Service, shop: str) -> None:
    """Say on stderr that nothing is known of a shop: neither a policy of its own nor an order."""
    if (await service.store.shop(shop)).policy:
        return
    listed, _ = await Listing(service.store).reminders(Wanted(shop=shop), 1)
    if not listed:
        click.echo(f"warning: {shop} has no policy of its own and no order: is this the shop's id?", err=True)


def _existing_store(data: Path) -> EmbeddedStore:
    if not data.is_dir():
        raise click.BadParameter(f"{data} is not there; {ELSEWHERE}", param_hint="--data")
    if not holds_data(data / "store"):
        raise InvalidInput(f"there is no store in {data}; {ELSEWHERE}")
    return EmbeddedStore(data / "store")
