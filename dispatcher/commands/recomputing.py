"""`dispatcher audit recompute`."""

import sys
from collections.abc import Iterator
from typing import BinaryIO

import msgspec
import rich_click as click
from rich.progress import BarColumn, Progress, TaskProgressColumn, TimeRemainingColumn

from dispatcher.errors import InvalidInput
from dispatcher.terminal import DESCRIPTION, fail, progress, say
from dispatcher.workflow.recomputing import Recomputer, recompute
from dispatcher.workflow.recorded import Record

TOLD_EACH = 500
"""Records between two moves of the progress bar."""


@click.command("recompute")
@click.argument("file", type=click.File("rb"), default="-")
def recompute_command(file: BinaryIO) -> None:
    """Decide again what an audit export in FILE says was decided, and tell each difference.

    FILE is what `audit export` or `simulate --audit` wrote; without it, or with `-`, it is read from standard
    input. Every plan and decision is made again by the policy version in the export and on what is recorded;
    its kind, reason, channel, times, limits and rules are compared. Texts are not in the audit. A record
    whose order or policy is not in the export, since it was filtered, is named and counted apart.
    """
    recomputer = Recomputer()
    try:
        with progress(DESCRIPTION, BarColumn(), TaskProgressColumn(), TimeRemainingColumn()) as bars:
            found = 0
            for difference in recompute(_records(file, bars), recomputer):
                say(difference)
                found += 1
    except InvalidInput as wrong:
        fail(wrong)
    made = f"{recomputer.plans} plans and {recomputer.decisions} decisions made again"
    left = f", {recomputer.left} could not be" if recomputer.left else ""
    say(f"{made}{left}: {found - recomputer.left} differences")
    sys.exit(1 if found else 0)


def _records(file: BinaryIO, bars: Progress) -> Iterator[Record]:
    """Yield the records of an export; raises `InvalidInput` naming the line that is none."""
    decoder = msgspec.json.Decoder(Record)
    bar = bars.add_task("records", total=_size(file))
    read = 0
    for number, line in enumerate(file, 1):
        read += len(line)
        if number % TOLD_EACH == 0:
            bars.update(bar, completed=read)
        try:
            record = decoder.decode(line)
        except (msgspec.DecodeError, UnicodeDecodeError) as wrong:
            raise InvalidInput(f"line {number}: expected an audit record as JSON: {wrong}") from None
        yield record


def _size(file: BinaryIO) -> int | None:
    """Return how long a file is, `None` where nobody knows before its end."""
    if not file.seekable():
        return None
    size = file.seek(0, 2)
    file.seek(0)
    return size
