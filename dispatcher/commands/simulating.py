"""`dispatcher simulate`."""

import sys
from pathlib import Path

import msgspec
import rich_click as click
from rich.progress import BarColumn, MofNCompleteColumn, TimeRemainingColumn

from dispatcher.commands.policies import FILE, read_policy
from dispatcher.commands.stores import read_by
from dispatcher.errors import DispatcherError, InvalidInput
from dispatcher.policy.event_text import shop_id
from dispatcher.simulation.readers import read_orders
from dispatcher.simulation.simulate import simulate
from dispatcher.terminal import DESCRIPTION, fail, progress, run, tell

MAX_SHOWN = 20
"""Rejected events shown one by one."""


@click.command("simulate")
@click.argument("file", type=FILE)
@click.option("--format", "form", type=click.Choice(["tmall", "jsonl"]), required=True)
@click.option("--policy", "policy_file", type=FILE, help="Policy file; without it the default policy.")
@click.option(
    "--shop",
    default="demo",
    show_default=True,
    callback=read_by(shop_id),
    help="Shop of a file that names none.",
)
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
    bars = progress(DESCRIPTION, BarColumn(), MofNCompleteColumn(), TimeRemainingColumn())
    try:
        policy = read_policy(policy_file)
        events = read_orders(file, form, policy, shop)
        with bars:
            bar = bars.add_task("events", total=len(events))
            outcome = run(simulate(events, policy, audit, lambda taken: bars.advance(bar, taken)))
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
