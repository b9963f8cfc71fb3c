"""Worker processes over one store, of which a test kills one after the other."""

import subprocess
import sys
import time
from collections.abc import Callable, Sequence
from pathlib import Path
from types import TracebackType
from typing import Any, NamedTuple, TypeVar

import msgspec
import redis

from dispatcher.policy.reminders import Status
from dispatcher.storage.keys import LaneKeys, split_reminder_id
from dispatcher.storage.stored_orders import order_of
from tests.faults.worker import Assignment

POLL_SECONDS = 0.005
KILL_SECONDS = 60.0
Found = TypeVar("Found")
ROOT = Path(__file__).parents[2]


def until(condition: Callable[[], Found], seconds: float, what: str) -> Found:
    """Wait for other processes: ask until the answer is true, and return it; fail after so many seconds."""
    deadline = time.monotonic() + seconds
    while not (found := condition()):
        assert time.monotonic() < deadline, f"not within {seconds} s: {what}"
        time.sleep(POLL_SECONDS)
    return found


class Kill(NamedTuple):
    """What a victim held when it was gone: reminders it had leased only, and those it was sending."""

    leased: frozenset[str]
    sending: frozenset[str]


class UnderWay(NamedTuple):
    """A leased reminder: the token of its lease, and where it stands."""

    token: int
    status: Status


class Worker:
    """A process and its traces: `tokens` are those of every lease it ever had."""

    def __init__(self, assignment: Assignment) -> None:
        self.assignment = assignment
        with assignment.errors.open("wb") as stderr:
            self.process = subprocess.Popen(
                [sys.executable, "-m", "tests.faults.worker", msgspec.json.encode(assignment).decode()],
                cwd=ROOT,
                stdin=subprocess.PIPE,
                stdout=subprocess.DEVNULL,
                stderr=stderr,
            )

    @property
    def tokens(self) -> set[int]:
        """Return the tokens it has told so far."""
        path = self.assignment.tokens
        return {int(token) for token in path.read_text().split()} if path.exists() else set()

    def still_works(self) -> None:
        """Fail with what it said if it ended by itself."""
        assert self.process.poll() is None, self.assignment.errors.read_text()

    def end(self) -> None:
        """Let it finish what it is doing; fail unless it ends well."""
        assert self.process.stdin is not None
        self.process.stdin.close()
        assert self.process.wait(30) == 0, self.assignment.errors.read_text()

    def kill(self) -> None:
        """Kill it with SIGKILL and wait until it is dead; harmless when it is."""
        self.process.kill()
        self.process.wait()
        if self.process.stdin is not None:
            self.process.stdin.close()


class Crew:
    """Workers `0` to `size - 1`; a killed one is replaced at once. None outlives the `with` block."""

    def __init__(self, size: int, client: redis.Redis, keys: LaneKeys, example: Assignment) -> None:
        self.workers: list[Worker] = []
        self.gone: list[Worker] = []
        self._size = size
        self._client = client
        self._keys = keys
        self._example = example

    def __enter__(self) -> "Crew":
        self.workers = [self._hire(f"worker-{number}") for number in range(self._size)]
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        for worker in self.workers:
            worker.kill()

    def _hire(self, name: str) -> Worker:
        return Worker(msgspec.structs.replace(self._example, name=name))

    def _under_way(self) -> dict[str, UnderWay]:
        leases: Any = self._client.zrange(self._keys.leases, 0, -1, withscores=True)
        tokens = {reminder.decode(): int(token) for reminder, token in leases}
        if not tokens:
            return {}
        parts = [split_reminder_id(reminder) for reminder in tokens]
        stored: Any = self._client.mget([self._keys.order(shop, order) for shop, order, _ in parts])
        return {
            reminder: UnderWay(token, order_of(text).steps[number - 1].status)
            for (reminder, token), (_, _, number), text in zip(tokens.items(), parts, stored, strict=True)
        }

    def kill(self, preferred: Sequence[int], while_sending: bool) -> Kill:
        """Kill the first worker that holds leases, replace it, and return what it held when wholly gone.

        It is caught while it is sending, or between lease and commit. One that was just done held nothing.
        """
        number, *_ = until(
            lambda: self._exposed(preferred, while_sending),
            KILL_SECONDS,
            f"a worker to kill (while sending: {while_sending})",
        )
        victim = self.workers[number]
        victim.kill()
        self.gone.append(victim)
        self.workers[number] = self._hire(f"worker-{number}-{len(self.gone)}")
        # What a dead client wrote into its socket is still executed: only now nothing of it can follow.
        until(lambda: not self._is_connected(victim), KILL_SECONDS, "the victim is disconnected")
        return _held(victim, self._under_way())

    def _exposed(self, preferred: Sequence[int], while_sending: bool) -> list[int]:
        assert self.all_work()
        under_way = self._under_way()
        held = {number: _held(self.workers[number], under_way) for number in preferred}
        return [number for number, one in held.items() if (one.sending if while_sending else one.leased)]

    def _is_connected(self, worker: Worker) -> bool:
        clients: Any = self._client.client_list()
        return any(client["name"] == worker.assignment.name for client in clients)

    def all_work(self) -> bool:
        """Return true; fail if a worker ended by itself."""
        for worker in self.workers:
            worker.still_works()
        return True

    def end(self) -> None:
        """Let all end well."""
        for worker in self.workers:
            worker.end()


def _held(worker: Worker, under_way: dict[str, UnderWay]) -> Kill:
    tokens = worker.tokens
    held = {reminder: one.status for reminder, one in under_way.items() if one.token in tokens}
    sending = frozenset(reminder for reminder, status in held.items() if status is Status.SENDING)
    return Kill(frozenset(held) - sending, sending)
