"""A process that `up` starts and keeps running."""

import subprocess
import sys
import time
from collections.abc import Sequence
from pathlib import Path

from dispatcher.terminal import say

FIRST_PAUSE_SECONDS = 0.2
LONGEST_PAUSE_SECONDS = 5.0
"""A process that keeps ending is started again after pauses that grow so far."""
STEADY_SECONDS = 10.0
"""A process that ran so long is started again without much of a pause."""


class Child:
    """A process of ours: in a session of its own, ending when we do, its standard error in a file."""

    def __init__(self, name: str, arguments: Sequence[str], log: Path, fds: Sequence[int] = ()) -> None:
        self.name = name
        self._arguments = arguments
        self._log = log
        self._fds = fds
        self._process: subprocess.Popen[bytes] | None = None
        self._started = 0.0
        self._pause = FIRST_PAUSE_SECONDS

    def start(self, environment: dict[str, str]) -> None:
        """Start it; where that cannot be, say so, and `revive` tries again."""
        self._started = time.monotonic()
        try:
            with self._log.open("ab") as log:
                self._process = subprocess.Popen(  # noqa: S603
                    [sys.executable, "-m", "dispatcher", *self._arguments, "--attached"],
                    stdin=subprocess.PIPE,
                    stdout=log,
                    stderr=log,
                    env=environment,
                    pass_fds=self._fds,
                    start_new_session=True,
                )
        except OSError as error:
            self._rest()
            say(f"{self.name} cannot be started: {error}; trying again", err=True)

    def revive(self, environment: dict[str, str]) -> None:
        """Start it again if it has ended, after a pause that grows as long as it keeps ending."""
        if self._process is None:
            if time.monotonic() - self._started > self._pause:
                self.start(environment)
            return
        code = self._process.poll()
        if code is None:
            return
        if self._process.stdin is not None:
            self._process.stdin.close()
        self._process = None
        self._rest()
        say(f"{self.name} ended with {code}, {self._log} says why; starting it again", err=True)

    def _rest(self) -> None:
        """Begin the pause before the next start."""
        now = time.monotonic()
        steady = now - self._started > STEADY_SECONDS
        self._pause = FIRST_PAUSE_SECONDS if steady else min(2 * self._pause, LONGEST_PAUSE_SECONDS)
        self._started = now

    def tell(self) -> None:
        """Tell it to end."""
        if self._process is not None:
            self._process.terminate()

    def end(self, deadline: float) -> None:
        """Wait until it has ended; kill it at the deadline."""
        if self._process is None:
            return
        try:
            self._process.wait(max(0.0, deadline - time.monotonic()))
        except subprocess.TimeoutExpired:
            say(f"{self.name} did not end in time and was killed", err=True)
            self._process.kill()
            self._process.wait()
        if self._process.stdin is not None:
            self._process.stdin.close()
