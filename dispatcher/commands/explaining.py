"""`dispatcher explain`."""

import sys
from pathlib import Path

import msgspec
import rich_click as click
from rich.console import Console
from rich.table import Table
from rich.text import Text

from dispatcher.commands.stores import EXISTING_DATA, opened_service, read_by
from dispatcher.errors import DispatcherError
from dispatcher.policy.event_text import shop_id
from dispatcher.terminal import fail, run
from dispatcher.web import explanations
from dispatcher.web.explanations import MAX_EXPLAINED, Explanation
from dispatcher.web.outlooks import Rule
from dispatcher.web.reminders import find
from dispatcher.wiring import Service
from dispatcher.workflow import finding

FILE_COLUMNS = 500
"""Where no terminal shows it, a rule with its inputs stays on one line."""


@click.command("explain")
@click.argument("reminder", required=False)
@click.option("--shop", callback=read_by(shop_id), help="The shop of --order or --customer.")
@click.option("--order", help="Each reminder of this order.")
@click.option("--customer", help="Each reminder of this customer; all orders of the shop are looked through.")
@click.option(
    "--json", "as_json", is_flag=True, help="One JSON object a reminder and line, as the API tells it."
)
@EXISTING_DATA
def explain_command(
    reminder: str | None,
    shop: str | None,
    order: str | None,
    customer: str | None,
    as_json: bool,
    data: Path,
) -> None:
    """Tell why a REMINDER stands where it does, or those of an order or a customer.

    First the newest decision as it was recorded, then what would be decided at this moment, each with its
    rules and what they looked at. Nothing is changed.
    """
    if [reminder, order, customer].count(None) != 2 or (shop is None) != (reminder is not None):
        raise click.UsageError("expected a REMINDER, or --shop with either --order or --customer")

    async def explain() -> list[Explanation]:
        async with opened_service(data) as service:
            return await _found(service, reminder, shop, order, customer)

    try:
        told = run(explain())
    except DispatcherError as error:
        fail(error)
    if as_json:
        for one in told:
            sys.stdout.buffer.write(msgspec.json.encode(one) + b"\n")
        return
    console = Console(highlight=False, width=None if sys.stdout.isatty() else FILE_COLUMNS)
    for one in told:
        _show(console, one)
    if not told:
        click.echo("no reminder is known of this customer", err=True)


async def _found(
    service: Service, reminder: str | None, shop: str | None, order_id: str | None, customer: str | None
) -> list[Explanation]:
    """Return the wanted explanations; raises `UnknownOrder`."""
    if reminder is not None:
        return [await explanations.of_reminder(service, await find(service.store, reminder))]
    assert shop is not None
    if order_id is not None:
        order = await finding.order(service.store, shop, order_id)
        return list(await explanations.of_order(service, shop, order_id, order))
    assert customer is not None
    told, _, place = await explanations.of_customer(service, shop, customer, MAX_EXPLAINED, None)
    while place is not None:
        more, _, place = await explanations.of_customer(service, shop, customer, MAX_EXPLAINED, place)
        told += more
    return told


def _show(console: Console, told: Explanation) -> None:
    console.print(Text(f"{told.reminder}: {told.status}, due {told.due}", style="bold"))
    if told.decided_at is not None:
        _decision(console, _head(told), told.channel, told.reason, told.rules)
        _message(console, "written by", told.template, told.why)
    if told.carrier is not None:
        console.print(Text(f"  carried by {told.carrier}"))
    now = told.now
    if now is not None:
        head = f"now {now.at} under policy {now.policy}: {now.decision}"
        _decision(console, head, now.channel, now.reason, now.rules)
        console.print(Text(f"  could go next: {now.next_eligible or 'no time is known'}"))
        _message(console, "would be written by", now.template, now.why)
    console.print()


def _head(told: Explanation) -> str:
    """Return what was decided, by whom, and under which policy if one was asked."""
    agent = f" by {told.agent}" if told.agent else ""
    if told.by_hand == "reported":
        return f"reported{agent} {told.decided_at}: sent"
    policy = "" if told.policy is None else f" under policy {told.policy}"
    hand = ", by hand" if told.by_hand else ""
    return f"decided {told.decided_at}{policy}{hand}{agent}: {told.decision}"


def _decision(
    console: Console, head: str, channel: str | None, reason: str | None, rules: tuple[Rule, ...]
) -> None:
    told = "".join((f" by {channel}" if channel else "", f", {reason}" if reason else ""))
    console.print(Text(f"  {head}{told}"))
    if not rules:
        return
    table = Table(box=None, padding=(0, 1), show_header=False)
    for rule in rules:
        inputs = ", ".join(f"{name}={_value(value)}" for name, value in rule.inputs.items())
        table.add_row(
            Text("   "),
            Text(_outcome(rule), no_wrap=True),
            Text(rule.rule, no_wrap=True),
            Text(inputs, overflow="fold"),
        )
    console.print(table)


def _message(console: Console, written: str, template: str | None, why: str | None) -> None:
    if template is not None:
        console.print(Text(f"  {written} {template}{f' ({why})' if why else ''}"))


def _outcome(rule: Rule) -> str:
    match rule.outcome:
        case "pass":
            return "✓"
        case "drop":
            return "dropped"
        case "defer":
            return f"held until {rule.until}" if rule.until else "held"
    return f"✓ {rule.outcome}"


def _value(value: object) -> str:
    return value if isinstance(value, str) else msgspec.json.encode(value).decode()
