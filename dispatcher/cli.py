"""The `dispatcher` command. Exit codes: 0 done; 1 the thing checked is not right; 2 usage."""

import os
import sys
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import NoReturn

import msgspec
import rich_click as click
import uvloop
from redis.exceptions import RedisError
from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn

from dispatcher.errors import DispatcherError, InvalidInput, StoreUnavailable
from dispatcher.policy.document import Policy, default_policy, load_toml
from dispatcher.settings import read_settings
from dispatcher.simulation.readers import read_orders
from dispatcher.simulation.simulate import simulate
from dispatcher.storage.audit import AuditTrail, line
from dispatcher.storage.embedded import EmbeddedStore
from dispatcher.storage.store import Store
from dispatcher.wiring import connect, open_audit

MAX_SHOWN = 20
"""Wrong fields and rejected events shown one by one."""

_FILE = click.Path(exists=True, dir_okay=False, path_type=Path)


@click.group()
@click.version_option(package_name="dispatcher")
def main() -> None:
    """Reminds customers of orders they placed but have not paid."""


def _fail(error: DispatcherError) -> NoReturn:
    """Say in one line what is wrong and what to do, then each wrong field."""
    console = Console(stderr=True, soft_wrap=True, highlight=False, markup=False)
    console.print(f"dispatcher: {error}")
    problems = error.problems if isinstance(error, InvalidInput) else ()
    for problem in problems[:MAX_SHOWN]:
        console.print(f"  {problem.pointer}: {problem.detail}")
    sys.exit(1)


def _read_policy(path: Path | None) -> Policy:
    if path is None:
        return default_policy()
    try:
        return load_toml(path.read_text(encoding="utf-8"))
    except UnicodeDecodeError:
        raise InvalidInput(f"{path}: expected text in UTF-8") from None


@main.command("simulate")
@click.argument("file", type=_FILE)
@click.option("--format", "form", type=click.Choice(["tmall", "jsonl"]), required=True)
@click.option("--policy", "policy_file", type=_FILE, help="Policy file; without it the default policy.")
@click.option("--shop", default="demo", show_default=True, help="Shop of a file that names none.")
@click.option("--json", "as_json", is_flag=True, help="Print the figures as one JSON object.")
@click.option("--audit", type=click.Path(dir_okay=False, path_type=Path), help="Write the audit here.")
def simulate_command(
    file: Path, form: str, policy_file: Path | None, shop: str, as_json: bool, audit: Path | None
) -> None:
    """Run an order FILE through the real wiring under a virtual clock; nothing leaves this machine."""
    console = Console(stderr=True)
    progress = Progress(
        TextColumn("{task.description}"),
        BarColumn(),
        MofNCompleteColumn(),
        TimeRemainingColumn(),
        console=console,
        transient=True,
        disable=not console.is_terminal,
    )
    try:
        policy = _read_policy(policy_file)
        events = read_orders(file, form, policy, shop)
        with progress:
            bar = progress.add_task("events", total=len(events))
            outcome = uvloop.run(simulate(events, policy, audit, lambda taken: progress.advance(bar, taken)))
    except DispatcherError as error:
        _fail(error)
    except OSError as error:
        _fail(InvalidInput(f"{error.filename or file}: {error.strerror}"))
    for result in outcome.rejected[:MAX_SHOWN]:
        click.echo(f"dispatcher: event {result.id} was rejected: {result.problem}", err=True)
    if as_json:
        click.echo(msgspec.json.encode(outcome.report).decode())
    else:
        _show(msgspec.structs.asdict(outcome.report))
    sys.exit(1 if outcome.rejected else 0)


def _show(figures: dict[str, object]) -> None:
    for name, value in figures.items():
        if isinstance(value, dict):
            click.echo(f"{name}:")
            for key, count in value.items():
                click.echo(f"  {key:<20} {count:>8}")
        else:
            click.echo(f"{name:<22} {value:>8}")
    orders, seconds = figures["orders"], figures["seconds"]
    if isinstance(orders, int) and isinstance(seconds, float) and seconds:
        click.echo(f"{'orders_per_second':<22} {orders / seconds:>8.0f}")


@main.group()
def policy() -> None:
    """Policies of shops."""


@policy.command("check")
@click.argument("file", type=_FILE)
def policy_check(file: Path) -> None:
    """Check a policy FILE and name each wrong field."""
    try:
        _read_policy(file)
    except DispatcherError as error:
        _fail(error)
    click.echo(f"{file} is right")


@main.group()
def audit() -> None:
    """The audit trail."""


_DATA = click.option(
    "--data",
    type=click.Path(exists=True, file_okay=False, path_type=Path),
    default=Path("data"),
    show_default=True,
    help="Data directory; with DISPATCHER_REDIS_URL set, only the audit's segments are read from it.",
)


@asynccontextmanager
async def _trail(data: Path) -> AsyncIterator[tuple[Store, AuditTrail]]:
    settings = read_settings(os.environ)
    url = os.environ.get("DISPATCHER_REDIS_URL")
    embedded = None
    if url is None:
        embedded = EmbeddedStore(data / "store")
        embedded.start(lambda told: click.echo(told, err=True))
    try:
        redis = connect(url=url) if embedded is None else connect(socket=embedded.socket)
        try:
            yield await open_audit(settings, redis, data / "audit")
        except RedisError as error:
            raise StoreUnavailable(f"the store does not answer ({type(error).__name__})") from error
        finally:
            await redis.aclose()
    finally:
        if embedded is not None:
            embedded.stop()


@audit.command("export")
@click.option("--shop", help="Only this shop.")
@click.option("--order", help="Only this order.")
@click.option("--customer", help="Only this customer.")
@click.option("--reminder", help="Only this reminder.")
@click.option("--kind", help="Only records of this kind.")
@click.option("--since", help="Only records at or after this UTC time, as in 2026-11-11T00:00:00.000Z.")
@click.option("--until", help="Only records before this UTC time.")
@_DATA
def audit_export(data: Path, since: str | None, until: str | None, **wanted: str | None) -> None:
    """Write audit records to standard output, one JSON object a line."""
    filters = {name: value for name, value in wanted.items() if value is not None}

    async def export() -> None:
        async with _trail(data) as (store, trail):
            lanes = [store.lane_of(filters["shop"])] if "shop" in filters else range(store.lanes)
            for lane in lanes:
                async for record in trail.read(lane):
                    if all(getattr(record, name) == value for name, value in filters.items()) and (
                        (since or "") <= record.at < (until or "~")
                    ):
                        sys.stdout.buffer.write(line(record))

    try:
        uvloop.run(export())
    except DispatcherError as error:
        _fail(error)


@audit.command("verify")
@_DATA
def audit_verify(data: Path) -> None:
    """Check that no audit record is missing or was changed."""

    async def verify() -> list[str]:
        async with _trail(data) as (store, trail):
            return [problem for lane in range(store.lanes) for problem in await trail.verify(lane)]

    try:
        problems = uvloop.run(verify())
    except DispatcherError as error:
        _fail(error)
    for problem in problems:
        click.echo(problem, err=True)
    if problems:
        sys.exit(1)
    click.echo("the audit is complete and unchanged")
