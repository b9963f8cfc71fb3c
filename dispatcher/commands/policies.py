"""`dispatcher policy`."""

from pathlib import Path

import msgspec
import rich_click as click
from rich.progress import TextColumn, TimeElapsedColumn

from dispatcher.commands.stores import BY_HAND, EXISTING_DATA, opened_service, read_by
from dispatcher.errors import DispatcherError, InvalidInput, InvalidPolicy
from dispatcher.messages.naming import all_warnings
from dispatcher.policy.document import Policy, default_policy, load_json, load_toml, to_json
from dispatcher.policy.event_text import line_or_nothing, shop_id
from dispatcher.storage.listing import Listing, Wanted
from dispatcher.terminal import fail, progress, run
from dispatcher.web.policies import MAX_NOTE
from dispatcher.workflow.replanning import PAGE, Moves

FILE = click.Path(exists=True, dir_okay=False, path_type=Path)


def read_policy(path: Path | None) -> Policy:
    """Return the policy in a file of TOML or JSON, without one the default policy."""
    if path is None:
        return default_policy()
    try:
        text = path.read_text(encoding="utf-8-sig")
        return load_json(text) if path.suffix == ".json" else load_toml(text)
    except UnicodeDecodeError:
        raise InvalidInput(f"{path}: expected text in UTF-8") from None
    except InvalidPolicy as wrong:
        raise InvalidPolicy(f"{path}: {wrong}", wrong.problems) from None


@click.group()
def policy() -> None:
    """Policies of shops."""


@policy.command("check")
@click.argument("file", type=FILE)
def policy_check(file: Path) -> None:
    """Check a policy FILE and name each wrong field."""
    try:
        read = read_policy(file)
    except DispatcherError as error:
        fail(error)
    _warn(all_warnings(read))
    click.echo(f"{file} is right")


def _warn(told: tuple[str, ...]) -> None:
    for warning in told:
        click.echo(f"warning: {warning}", err=True)


@policy.command("show")
@click.argument("shop", callback=read_by(shop_id))
@click.option(
    "--version", type=click.IntRange(min=0), help="Without it the version in force; 0 is the default."
)
@EXISTING_DATA
def policy_show(shop: str, version: int | None, data: Path) -> None:
    """Print the policy of a SHOP as JSON, as `policy apply` takes it in a file that ends in .json."""

    async def read() -> tuple[int, Policy]:
        async with opened_service(data) as service:
            return await service.policies.wanted(shop, version)

    try:
        number, found = run(read())
    except DispatcherError as error:
        fail(error)
    click.echo(f"version {number}{', the default' if number == 0 else ''}", err=True)
    click.echo(msgspec.json.format(msgspec.json.encode(to_json(found))).decode())


@policy.command("apply")
@click.argument("shop", callback=read_by(shop_id))
@click.argument("file", type=FILE)
@click.option("--note", callback=read_by(line_or_nothing(MAX_NOTE)), help="Why, for the audit.")
@EXISTING_DATA
def policy_apply(shop: str, file: Path, note: str | None, data: Path) -> None:
    """Put the policy in FILE into force for a SHOP, as a new version unless it is in force already."""

    async def apply() -> int:
        wanted = read_policy(file)
        _warn(all_warnings(wanted))
        async with opened_service(data) as service:
            version = await service.put_policy(shop, wanted, note or "", BY_HAND)
            _warn(await service.authoring.unsuited(shop, wanted))
            return version

    try:
        version = run(apply())
    except DispatcherError as error:
        fail(error)
    click.echo(f"version {version} is in force")


@policy.command("replan")
@click.argument("shop", callback=read_by(shop_id))
@click.option("--apply", is_flag=True, help="Move or drop them; without it they are only counted.")
@EXISTING_DATA
def policy_replan(shop: str, apply: bool, data: Path) -> None:
    """Count what the policy in force plans otherwise of what waits in a SHOP, or plan it so."""
    bars = progress(TextColumn("{task.completed} reminders looked at"), TimeElapsedColumn())

    async def look() -> tuple[int, Moves]:
        looked_at, moves, place = 0, Moves(), None
        async with opened_service(data) as service:
            bar = bars.add_task("", total=None)
            while True:
                listed, place = await Listing(service.store).reminders(Wanted(shop=shop), PAGE, place)
                moves += await service.replanning.look(shop, listed, actor=BY_HAND if apply else None)
                looked_at += len(listed)
                bars.advance(bar, len(listed))
                if place is None:
                    return looked_at, moves

    try:
        with bars:
            looked_at, moves = run(look())
    except DispatcherError as error:
        fail(error)
    click.echo(f"{looked_at} reminders, of which {moves.kept} wait and stay")
    click.echo(f"{moves.earlier} earlier, {moves.later} later")
    for channel, count in sorted(moves.to_channel.items()):
        click.echo(f"{count} by {channel} instead")
    for reason, count in sorted(moves.dropped.items()):
        click.echo(f"{count} dropped: {reason}")
    if moves.changed:
        click.echo(f"{moves.changed} had moved by themselves meanwhile")
    if not apply:
        click.echo("nothing was moved; --apply does it")
