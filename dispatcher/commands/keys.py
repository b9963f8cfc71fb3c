"""`dispatcher keys`."""

from pathlib import Path

import rich_click as click

from dispatcher.commands.stores import BY_HAND, EXISTING_DATA, opened_service, read_by
from dispatcher.errors import DispatcherError, InvalidInput
from dispatcher.policy.event_text import EVERY_SHOP, shop_or_every
from dispatcher.policy.zones import iso
from dispatcher.storage.access import AccessKeys, StoredKey
from dispatcher.terminal import fail, run
from dispatcher.web.access import SCOPES
from dispatcher.web.issuing import issue


@click.group()
def keys() -> None:
    """Keys of the API."""


def _shops(given: tuple[str, ...]) -> tuple[str, ...]:
    return tuple(map(shop_or_every, given))


@keys.command("create")
@click.option(
    "--shop",
    "shops",
    multiple=True,
    required=True,
    callback=read_by(_shops),
    help=f"A shop that the key opens; '{EVERY_SHOP}' for every shop.",
)
@click.option(
    "--scope",
    "scopes",
    multiple=True,
    required=True,
    type=click.Choice(SCOPES),
    help="What the key may do there.",
)
@EXISTING_DATA
def keys_create(shops: tuple[str, ...], scopes: tuple[str, ...], data: Path) -> None:
    """Create a key and print its token, which is shown this once."""

    async def create() -> str:
        async with opened_service(data) as service:
            now = service.clock.now()
            issued = issue(dict.fromkeys(shops), dict.fromkeys(scopes), now)
            await AccessKeys(service.store).create(issued.key, issued.stored, now, BY_HAND)
            return issued.token

    try:
        click.echo(run(create()))
    except DispatcherError as error:
        fail(error)


@keys.command("revoke")
@click.argument("key")
@EXISTING_DATA
def keys_revoke(key: str, data: Path) -> None:
    """Revoke the KEY of this id; it is refused within a second."""

    async def revoke() -> None:
        async with opened_service(data) as service:
            if not await AccessKeys(service.store).revoke(key, service.clock.now(), BY_HAND):
                raise InvalidInput("there is no key of this id; `dispatcher keys list` names them")

    try:
        run(revoke())
    except DispatcherError as error:
        fail(error)
    click.echo("the key is revoked")


@keys.command("list")
@EXISTING_DATA
def keys_list(data: Path) -> None:
    """List the keys: id, since when, shops, scopes."""

    async def read() -> dict[str, StoredKey]:
        async with opened_service(data) as service:
            return await AccessKeys(service.store).all()

    try:
        found = run(read())
    except DispatcherError as error:
        fail(error)
    for key, stored in sorted(found.items(), key=lambda one: one[1].created_at):
        click.echo("\t".join((key, iso(stored.created_at), ",".join(stored.shops), ",".join(stored.scopes))))
