"""What commands say and hear: signals that end them, and output that nobody reads."""

import os
import signal
import subprocess
import sys
from collections.abc import Iterator

import pytest

from dispatcher.terminal import endings

SAYS = """
from dispatcher.terminal import say
for line in range(3):
    say("a line")
    say("an error", err=True)
"""


@pytest.fixture
def hangup() -> Iterator[None]:
    """The signal SIGHUP, which is afterwards as it was."""
    before = signal.getsignal(signal.SIGHUP)
    yield
    signal.signal(signal.SIGHUP, before)


@pytest.mark.parametrize(
    ("handler", "ends"), [(signal.SIG_DFL, True), (signal.SIG_IGN, False)], ids=["terminal", "nohup"]
)
def test_a_hang_up_ends_commands_unless_it_is_ignored(
    hangup: None, handler: signal.Handlers, ends: bool
) -> None:
    signal.signal(signal.SIGHUP, handler)

    found = endings()

    assert (signal.SIGHUP in found) is ends
    assert {signal.SIGINT, signal.SIGTERM} <= set(found)


def test_saying_what_nobody_reads_ends_nothing() -> None:
    reader, writer = os.pipe()
    os.close(reader)

    done = subprocess.run([sys.executable, "-c", SAYS], check=False, stdout=writer, stderr=writer, timeout=30)

    os.close(writer)
    assert done.returncode == 0


def test_saying_on_a_full_disk_ends_nothing() -> None:
    with open("/dev/full", "wb") as full:
        done = subprocess.run(
            [sys.executable, "-c", SAYS], check=False, stderr=full, stdout=subprocess.PIPE, timeout=30
        )

    assert done.stdout == b"a line\n" * 3
