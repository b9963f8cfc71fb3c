"""How commands run and speak: to their end or until they are told to stop, errors in one line."""

import asyncio
import errno
import os
import signal
import sys
from collections.abc import Callable, Coroutine
from contextlib import suppress
from typing import Any, NoReturn, TypeVar

import rich_click as click
import uvloop
from rich.console import Console
from rich.progress import Progress, ProgressColumn, TextColumn

from dispatcher.errors import DispatcherError, InvalidInput

MAX_LINE = 400
"""Characters of one line of an error."""

NOBODY_THERE = (errno.EPIPE, errno.EIO)
"""How writing fails when the reader or the terminal is gone."""

DESCRIPTION = TextColumn("{task.description}")
"""What a bar counts."""

T = TypeVar("T")


def endings() -> tuple[signal.Signals, ...]:
    """Return the signals that tell us to end; SIGHUP is none of them where it is ignored, as by `nohup`."""
    ending = (signal.SIGTERM, signal.SIGINT)
    return ending if signal.getsignal(signal.SIGHUP) is signal.SIG_IGN else (*ending, signal.SIGHUP)


def say(line: str, *, err: bool = False) -> None:
    """Print a line; that it cannot be written, or that nobody reads it any more, ends nothing."""
    try:
        click.echo(line, err=err)
    except OSError as error:
        if error.errno in NOBODY_THERE:
            _mute((sys.stderr if err else sys.stdout).fileno())


def _mute(fd: int) -> None:
    """Let what is written from now on go nowhere; else Python fails at its end over what it still holds."""
    with suppress(OSError):
        nowhere = os.open(os.devnull, os.O_WRONLY)
        os.dup2(nowhere, fd)
        os.close(nowhere)


def run(work: Coroutine[Any, Any, T]) -> T:
    """Run `work` to its end, or until SIGTERM or SIGHUP, which end our own store too."""

    async def until_told() -> T:
        task = asyncio.current_task()
        assert task is not None
        for number in set(endings()) - {signal.SIGINT}:  # that one interrupts by itself
            asyncio.get_running_loop().add_signal_handler(number, task.cancel)
        return await work

    try:
        return uvloop.run(until_told())
    except asyncio.CancelledError:
        sys.exit(128 + signal.SIGTERM)


def serve(work: Callable[[asyncio.Event], Coroutine[Any, Any, None]], *, attached: bool) -> None:
    """Run `work` until it ends; a signal of `endings` and, if attached, the end of input set its event."""

    async def until_told() -> None:
        told = asyncio.Event()
        loop = asyncio.get_running_loop()
        for number in endings():
            loop.add_signal_handler(number, told.set)
        if attached:
            loop.add_reader(sys.stdin.fileno(), told.set)  # nobody writes to it: this is its end
        await work(told)

    uvloop.run(until_told())


def progress(*columns: ProgressColumn) -> Progress:
    """Return bars that a terminal shows on standard error while they move, and nothing else does."""
    console = Console(stderr=True)
    return Progress(*columns, console=console, transient=True, disable=not console.is_terminal)


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
    for problem in problems:
        click.echo(_printable(f"  {problem}"), err=True)


def _printable(text: str) -> str:
    """Return a line that a terminal shows as it is, whatever a file had in it."""
    line = "".join(letter if letter.isprintable() else "\N{REPLACEMENT CHARACTER}" for letter in text)
    return line if len(line) <= MAX_LINE else line[:MAX_LINE] + "…"
