"""A worker like any other, but for its channels: each takes a while before it hands over, or never answers.

python -m tests.faults.slow_worker --data DIRECTORY --attached [--silent]
"""

import os
from functools import partial
from pathlib import Path
from unittest.mock import patch

import rich_click as click

from dispatcher.channels.base import Message
from dispatcher.channels.stub import Behaviour, StubChannel
from dispatcher.settings import read_settings
from dispatcher.telemetry import log_to_stderr
from dispatcher.terminal import serve
from dispatcher.worker import work

DELAY_SECONDS = 0.2


def silent(message: Message) -> Behaviour:
    """Hand every message over and never answer."""
    return Behaviour.SILENT


@click.command()
@click.option("--data", type=click.Path(path_type=Path))
@click.option("--attached", is_flag=True)
@click.option("--silent", "never_answers", is_flag=True)
def main(data: Path, attached: bool, never_answers: bool) -> None:
    """Work until told to end."""
    log_to_stderr()
    slow = partial(StubChannel, delay_seconds=DELAY_SECONDS)
    never = partial(StubChannel, behaviour=silent)
    with patch("dispatcher.worker.StubChannel", never if never_answers else slow):
        serve(lambda told: work(read_settings(os.environ), data, told), attached=attached)


if __name__ == "__main__":
    main()
