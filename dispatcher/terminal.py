"""How commands run and speak: to their end or until they are told to stop, errors in one line."""

import asyncio
import signal
import sys
from collections.abc import Callable, Coroutine
from typing import Any, NoReturn, TypeVar

import rich_click as click
import uvloop

from dispatcher.errors import DispatcherError, InvalidInput

MAX_SHOWN = 20
"""Wrong fields and rejected events shown one by one."""

MAX_LINE = 400
"""Characters of one line of an error."""

T = TypeVar("T")


def run(work: Coroutine[Any, Any, T]) -> T:
    """Run `work` to its end, or until SIGTERM, which ends our own store too."""

    async def until_told() -> T:
        task = asyncio.current_task()
        assert task is not None
        asyncio.get_running_loop().add_signal_handler(signal.SIGTERM, task.cancel)
        return await work

    try:
        return uvloop.run(until_told())
    except asyncio.CancelledError:
        sys.exit(128 + signal.SIGTERM)


def serve(work: Callable[[asyncio.Event], Coroutine[Any, Any, None]], *, attached: bool) -> None:
    """Run `work` until it ends; SIGTERM, SIGINT and, if attached, the end of standard input set its event."""

    async def until_told() -> None:
        told = asyncio.Event()
        loop = asyncio.get_running_loop()
        for number in (signal.SIGTERM, signal.SIGINT):
            loop.add_signal_handler(number, told.set)
        if attached:
            loop.add_reader(sys.stdin.fileno(), told.set)  # nobody writes to it: this is its end
        await work(told)

    uvloop.run(until_told())


def fail(error: DispatcherError) -> NoReturn:
    """Say what is wrong and end with exit code 1."""
    tell(error)
    sys.exit(1)


def tell(error: DispatcherError, about: str = "") -> None:
    """Say in one line what is wrong and what to do, then name each wrong field that the line does not."""
    click.echo(_printable(f"dispatcher: {about}{error}"), err=True)
    problems = error.problems if isinstance(error, InvalidInput) else ()
    if len(problems) == 1 and problems[0].detail in str(error):
        return
    for problem in problems[:MAX_SHOWN]:
        where = f"{problem.pointer}: " if problem.pointer else ""
        click.echo(_printable(f"  {where}{problem.detail}"), err=True)
    if len(problems) > MAX_SHOWN:
        click.echo(f"  … and {len(problems) - MAX_SHOWN} more", err=True)


def _printable(text: str) -> str:
    """Return a line that a terminal shows as it is, whatever a file had in it."""
    line = "".join(letter if letter.isprintable() else "\N{REPLACEMENT CHARACTER}" for letter in text)
    return line if len(line) <= MAX_LINE else line[:MAX_LINE] + "…"
