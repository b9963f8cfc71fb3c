"""`dispatcher templates list|show|publish|rollback|preview`: the templates of a shop, by hand."""

import sys
from collections.abc import Callable, Coroutine
from pathlib import Path
from typing import Any, TypeVar, get_args

import msgspec
import rich_click as click

from dispatcher.commands.stores import BY_HAND, EXISTING_DATA, opened_service, read_by, warn_of_unknown
from dispatcher.errors import DispatcherError, InvalidInput
from dispatcher.messages.bounds import MAX_SOURCE_CHARACTERS
from dispatcher.messages.previewing import Preview
from dispatcher.policy.event_text import Expected, line_or_nothing, shop_id
from dispatcher.policy.terms import Locale
from dispatcher.terminal import fail, run
from dispatcher.web.policies import MAX_NOTE
from dispatcher.web.previews import MAX_SAMPLE
from dispatcher.workflow.authoring import Place, Published
from dispatcher.workflow.previewing import DRAFT, Subjects

SHOP = click.argument("shop", callback=read_by(shop_id))
NAME = click.argument("name", metavar="LOCALE/SCENARIO/CHANNEL")
NOTE = click.option("--note", callback=read_by(line_or_nothing(MAX_NOTE)), help="Why, for the audit.")
VERSION = click.option(
    "--version", type=click.IntRange(min=0), help="Without it what is in force; 0 is the product's own."
)
FILE = click.Path(exists=True, dir_okay=False, path_type=Path)

T = TypeVar("T")

MOST_DIGITS = 9
UTF8_MOST = 4
"""Bytes that a character of a file takes at most."""


def _version(text: str) -> int:
    """Read the number of a version, or `draft`."""
    if text == "draft":
        return DRAFT
    if not (text.isascii() and text.isdigit() and len(text) <= MOST_DIGITS):
        raise Expected("expected the number of a version, or draft")
    return int(text)


@click.command("list")
@SHOP
@click.option("--locale", type=click.Choice(get_args(Locale)), help="Those of one language.")
@click.option("--own", is_flag=True, help="What the shop has put in place of the product's, or drafts.")
@EXISTING_DATA
def templates_list(shop: str, locale: str | None, own: bool, data: Path) -> None:
    """Tell which templates a SHOP has in force, its own and the product's, and which have a draft."""

    async def read() -> list[Place]:
        async with opened_service(data) as service:
            return await service.authoring.places(shop)

    for place in _done(read):
        if own and not place.version and place.draft is None:
            continue
        if locale is not None and not place.name.startswith(f"{locale}/"):
            continue
        click.echo(f"{place.name}  {place.template}{'  draft' if place.draft else ''}")


@click.command("show")
@SHOP
@NAME
@VERSION
@EXISTING_DATA
def templates_show(shop: str, name: str, version: int | None, data: Path) -> None:
    """Print a template of a SHOP as it is written."""

    async def read() -> tuple[str | None, str]:
        async with opened_service(data) as service:
            found = await service.authoring.source(shop, name, version)
            return found.template, found.text

    template, text = _done(read)
    click.echo(template, err=True)
    click.echo(text)


@click.command("publish")
@SHOP
@NAME
@click.argument("file", type=FILE)
@NOTE
@click.option("--over-draft", is_flag=True, help="Even if a draft that somebody has not published is lost.")
@EXISTING_DATA
def templates_publish(
    shop: str, name: str, file: Path, note: str | None, over_draft: bool, data: Path
) -> None:
    """Check the template in FILE and put it into force for a SHOP as a new version.

    It becomes the draft, too, but not in place of one that somebody else has not published yet.
    """

    async def publish() -> Published:
        source = _read(file)
        async with opened_service(data) as service:
            await warn_of_unknown(service, shop)
            return await service.authoring.publish_text(
                shop, name, source, BY_HAND, note, over_draft=over_draft
            )

    click.echo(f"{_done(publish).template} is in force")


@click.command("rollback")
@SHOP
@NAME
@click.argument("version", type=click.IntRange(min=0))
@NOTE
@EXISTING_DATA
def templates_rollback(shop: str, name: str, version: int, note: str | None, data: Path) -> None:
    """Put an older VERSION of a SHOP's template into force again, 0 being the product's own."""

    async def roll_back() -> Published:
        async with opened_service(data) as service:
            return await service.authoring.rollback(shop, name, version, BY_HAND, note)

    click.echo(f"{_done(roll_back).template} is in force")


@click.command("preview")
@SHOP
@NAME
@click.option("--file", type=FILE, help="A template that is tried out.")
@click.option("--version", callback=read_by(_version), help="A version, or `draft`; else what is in force.")
@click.option("--order", help="What it would say of this order.")
@click.option("--sample", type=click.IntRange(1, MAX_SAMPLE), help="Of so many orders that wait.")
@click.option("--json", "as_json", is_flag=True, help="Print one JSON object a message and line.")
@EXISTING_DATA
def templates_preview(
    shop: str,
    name: str,
    file: Path | None,
    version: int | None,
    order: str | None,
    sample: int | None,
    as_json: bool,
    data: Path,
) -> None:
    """Show what a template of a SHOP would say: of an order, of some that wait, else of built-in extremes."""
    if None not in (file, version) or None not in (order, sample):
        raise click.UsageError("expected only one of --file and --version, and of --order and --sample")

    async def show() -> tuple[Preview, ...]:
        async with opened_service(data) as service:
            previewing = service.previewing
            source = await previewing.source(shop, name, version) if file is None else _read(file)
            orders: tuple[str, ...] = ()
            if order is not None:
                orders = (await previewing.order(shop, order),)
            elif sample is not None:
                orders = await previewing.sample(shop, sample)
            subjects = Subjects(orders=orders, extremes=order is None and sample is None)
            return await previewing.show(shop, name, source, subjects)

    found = _done(show)
    if not found:
        click.echo("the shop has no order to show", err=True)
    for one in found:
        if as_json:
            sys.stdout.buffer.write(msgspec.json.encode(one) + b"\n")
        else:
            _print(one)


def _print(one: Preview) -> None:
    costs = {"characters": one.characters, "segments": one.segments, "seconds": one.seconds}
    cost = ", ".join(f"{figure:g} {name}" for name, figure in costs.items() if figure is not None)
    click.echo(f"── {one.order or one.example}{f': {cost}' if cost else ''}")
    click.echo(one.text if one.text is not None else f"not sent: {one.problem}")
    for title, words in (("without", one.missing), ("says", one.elements)):
        if words:
            click.echo(f"   {title} {', '.join(words)}")
    for title, met in (("left out for", one.masked), ("better not said", one.advised)):
        if met:
            click.echo(f"   {title} {', '.join(word.word for word in met)}")


def _done(work: Callable[[], Coroutine[Any, Any, T]]) -> T:
    """Do a piece of work on the store, or tell why not and end."""
    try:
        return run(work())
    except DispatcherError as error:
        fail(error)


def _read(path: Path) -> str:
    with path.open("rb") as file:
        content = file.read(MAX_SOURCE_CHARACTERS * UTF8_MOST + 1)
    try:
        return content.decode("utf-8-sig")
    except UnicodeDecodeError:
        expected = f"expected a template of up to {MAX_SOURCE_CHARACTERS} characters in UTF-8"
        raise InvalidInput(f"{path}: {expected}") from None
