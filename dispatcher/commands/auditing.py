"""`dispatcher audit`."""

import os
import sys
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

import rich_click as click

from dispatcher.commands.recomputing import recompute_command
from dispatcher.commands.stores import ELSEWHERE, EXISTING_DATA, open_store, read_by
from dispatcher.errors import DispatcherError, InvalidInput
from dispatcher.policy.event_text import EVERY_SHOP, shop_or_every
from dispatcher.policy.event_values import instant, one_of
from dispatcher.policy.facts import Instant
from dispatcher.settings import read_settings
from dispatcher.storage.audit import AuditTrail, Checked, line
from dispatcher.storage.audit_filter import Filter
from dispatcher.storage.audit_record import KINDS
from dispatcher.storage.store import Store
from dispatcher.terminal import fail, run
from dispatcher.wiring import open_existing_audit


@click.group()
def audit() -> None:
    """The audit trail."""


audit.add_command(recompute_command)


@asynccontextmanager
async def _trail(data: Path) -> AsyncIterator[tuple[Store, AuditTrail]]:
    """Open the audit of a store that is there already, and change nothing in it."""
    settings = read_settings(os.environ)
    async with open_store(settings, data) as redis:
        opened = await open_existing_audit(settings, redis, data / "audit")
        if opened is None:
            raise InvalidInput(f"no service has used this store yet; {ELSEWHERE}")
        yield opened


@audit.command("export")
@click.option(
    "--shop",
    callback=read_by(shop_or_every),
    help=f"Only this shop; '{EVERY_SHOP}' are the records about keys.",
)
@click.option("--order", help="Only this order.")
@click.option("--customer", help="Only this customer.")
@click.option("--reminder", help="Only this reminder.")
@click.option(
    "--kind",
    callback=read_by(one_of(KINDS)),
    help="Only records of this kind, such as reminder.sent.",
)
@click.option(
    "--since",
    callback=read_by(instant),
    help="Only records at or after this time, as in 2026-11-11T00:00:00+08:00.",
)
@click.option("--until", callback=read_by(instant), help="Only records before this time.")
@EXISTING_DATA
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
@EXISTING_DATA
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
