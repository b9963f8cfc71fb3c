"""`dispatcher templates`."""

import sys
from pathlib import Path

import msgspec
import rich_click as click
from rich.console import Console
from rich.table import Table
from rich.text import Text

from dispatcher.commands import shop_templates
from dispatcher.commands.explaining import FILE_COLUMNS
from dispatcher.errors import DispatcherError, InvalidTemplate
from dispatcher.messages.checking import Checked, check, rules_in
from dispatcher.messages.phrases import check_phrases
from dispatcher.terminal import fail, tell

DIRECTORY = click.Path(exists=True, file_okay=False, path_type=Path)
HEADS = ("template", "class", "characters", "segments", "seconds", "wording", "elements")


@click.group()
def templates() -> None:
    """Templates of messages."""


for command in (
    shop_templates.templates_list,
    shop_templates.templates_show,
    shop_templates.templates_publish,
    shop_templates.templates_rollback,
    shop_templates.templates_preview,
):
    templates.add_command(command)


@templates.command("check")
@click.argument("directory", metavar="[DIR]", required=False, type=DIRECTORY)
@click.option("--json", "as_json", is_flag=True, help="Print one JSON object a template and line.")
def templates_check(directory: Path | None, as_json: bool) -> None:
    """Check every template in DIR, else those that come with the product, and tell what each costs.

    Characters, SMS segments and seconds to read out are those of an ordinary order and the worst over
    orders with long, missing and many values. Wording counts the words that a platform forbids and those
    that it advises against, where there are any. Everything that is wrong is named with file and line, quick
    phrases too.
    """
    try:
        rules = rules_in(directory)
        found, phrases = check(directory, rules), check_phrases(directory, rules)
    except DispatcherError as error:
        fail(error)
    if as_json:
        for one in found:
            sys.stdout.buffer.write(msgspec.json.encode(one) + b"\n")
    else:
        _show(found)
    problems = [problem for one in found for problem in one.problems] + list(phrases)
    for problem in problems:
        tell(InvalidTemplate(problem))
    sys.exit(1 if problems else 0)


def _show(found: tuple[Checked, ...]) -> None:
    on_screen = sys.stdout.isatty()
    table = Table(box=None, padding=(0, 2, 0, 0))
    for head in HEADS:
        table.add_column(head, no_wrap=head != "elements", overflow="fold")
    for one in found:
        table.add_row(
            Text(one.template, style="bold red" if one.problems else ""),
            one.message_class,
            _figures(one.characters_typical, one.characters_worst, f" of {one.most_characters}"),
            _figures(one.segments_typical, one.segments_worst),
            _figures(one.seconds_typical, one.seconds_worst),
            Text(_wording(one)),
            Text(", ".join(one.elements)),
        )
    Console(highlight=False, width=None if on_screen else FILE_COLUMNS).print(table)


def _figures(typical: float | None, worst: float | None, most: str = "") -> str:
    """The typical and the worst figure, or what stands where there is none."""
    return "–" if worst is None else f"{'–' if typical is None else f'{typical:g}'}/{worst:g}{most}"


def _wording(one: Checked) -> str:
    """Each platform with a hit, its forbidden words and those it advises against."""
    told = [
        f"{platform} {len(words.forbidden)}/{len(words.advised)}" for platform, words in one.wording.items()
    ]
    return ", ".join(told) or "–"
