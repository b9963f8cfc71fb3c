"""The `dispatcher` command. Exit codes: 0 done; 1 the thing checked is not right; 2 usage."""

import os
import sys
from collections.abc import AsyncIterator
from contextlib import ExitStack, asynccontextmanager
from pathlib import Path

import msgspec
import rich_click as click
from redis.exceptions import RedisError
from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn

from dispatcher.errors import DispatcherError, InvalidInput, InvalidPolicy, StoreUnavailable
from dispatcher.policy.document import Policy, default_policy, load_json, load_toml
from dispatcher.policy.event_text import Expected
from dispatcher.policy.event_values import instant
from dispatcher.policy.facts import Instant
from dispatcher.settings import read_settings
from dispatcher.simulation.readers import read_orders
from dispatcher.simulation.simulate import simulate
from dispatcher.storage.audit import AuditTrail, Checked, line
from dispatcher.storage.audit_filter import Filter
from dispatcher.storage.embedded import EmbeddedStore, holds_data
from dispatcher.storage.store import Store
from dispatcher.terminal import MAX_SHOWN, fail, run, tell
from dispatcher.wiring import connect, open_existing_audit

_ELSEWHERE = (
    "name a data directory that a service has used with --data, or a server with DISPATCHER_REDIS_URL"
)

_FILE = click.Path(exists=True, dir_okay=False, path_type=Path)


@click.group()
@click.version_option(package_name="dispatcher")
def main() -> None:
    """Reminds customers of orders they placed but have not paid."""


def _read_policy(path: Path | None) -> Policy:
    if path is None:
        return default_policy()
    try:
        text = path.read_text(encoding="utf-8-sig")
        return load_json(text) if path.suffix == ".json" else load_toml(text)
    except UnicodeDecodeError:
        raise InvalidInput(f"{path}: expected text in UTF-8") from None
    except InvalidPolicy as wrong:
        raise InvalidPolicy(f"{path}: {wrong}", wrong.problems) from None


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
    if (
        audit is not None
        and audit.exists()
        and any(audit.samefile(read) for read in (file, policy_file) if read)
    ):
        raise click.BadParameter("expected another file than those that are read", param_hint="--audit")
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
            outcome = run(simulate(events, policy, audit, lambda taken: progress.advance(bar, taken)))
    except DispatcherError as error:
        fail(error)
    except OSError as error:
        fail(InvalidInput(f"{error.filename or file}: {error.strerror}"))
    for result in outcome.rejected[:MAX_SHOWN]:
        assert result.problem is not None
        tell(result.problem, f"event {result.id} was rejected: ")
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
        fail(error)
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


def _instant(context: click.Context, option: click.Parameter, value: str | None) -> Instant | None:
    """Read a time with an offset (RFC 3339); what lies behind the milliseconds is cut off."""
    try:
        return None if value is None else instant(value)
    except Expected as wrong:
        raise click.BadParameter(f"{wrong}, got {value!r}", context, option) from None


@asynccontextmanager
async def _trail(data: Path) -> AsyncIterator[tuple[Store, AuditTrail]]:
    """Open the audit of a store that is there already, and change nothing in it."""
    settings = read_settings(os.environ)
    with ExitStack() as stack:
        if settings.redis_url is not None:
            redis = connect(url=settings.redis_url)
        else:
            embedded = _existing_store(data)
            stack.callback(embedded.stop)
            embedded.start(lambda told: click.echo(told, err=True))
            redis = connect(socket=embedded.socket)
        try:
            opened = await open_existing_audit(settings, redis, data / "audit")
            if opened is None:
                raise InvalidInput(f"no service has used this store yet; {_ELSEWHERE}")
            yield opened
        except RedisError as error:
            raise StoreUnavailable(f"the store does not answer ({type(error).__name__})") from error
        finally:
            await redis.aclose()


def _existing_store(data: Path) -> EmbeddedStore:
    if not holds_data(data / "store"):
        raise InvalidInput(f"there is no store in {data}; {_ELSEWHERE}")
    return EmbeddedStore(data / "store")


@audit.command("export")
@click.option("--shop", help="Only this shop.")
@click.option("--order", help="Only this order.")
@click.option("--customer", help="Only this customer.")
@click.option("--reminder", help="Only this reminder.")
@click.option("--kind", help="Only records of this kind.")
@click.option(
    "--since", callback=_instant, help="Only records at or after this time, as in 2026-11-11T00:00:00+08:00."
)
@click.option("--until", callback=_instant, help="Only records before this time.")
@_DATA
def audit_export(data: Path, since: Instant | None, until: Instant | None, **wanted: str | None) -> None:
    """Write audit records to standard output, one JSON object a line."""

    async def export() -> None:
        async with _trail(data) as (_, trail):
            async for record in trail.find(Filter(since=since, until=until, **wanted)):
                sys.stdout.buffer.write(line(record))

    try:
        run(export())
    except DispatcherError as error:
        fail(error)


@audit.command("verify")
@_DATA
def audit_verify(data: Path) -> None:
    """Check that no audit record is missing or was changed."""

    async def verify() -> list[Checked]:
        async with _trail(data) as (store, trail):
            return [_told(lane, await trail.check(lane)) for lane in range(store.lanes)]

    try:
        lanes = run(verify())
    except DispatcherError as error:
        fail(error)
    if any(lane.problems for lane in lanes):
        sys.exit(1)
    if not any(lane.records for lane in lanes):
        click.echo("the audit has no record yet")
    else:
        click.echo("the audit is complete and unchanged")


def _told(lane: int, found: Checked) -> Checked:
    if found.records:
        click.echo(f"lane {lane:02d}: {found.records} records checked, {found.segments} segments")
    for problem in found.problems:
        click.echo(problem, err=True)
    return found
