"""A site of a test's own, all real processes: a store that may be killed, hung or filled, an API, workers."""

import asyncio
import http.client
import os
import signal
import subprocess
import sys
import time
from collections.abc import AsyncIterator, Callable, Sequence
from contextlib import ExitStack, asynccontextmanager
from pathlib import Path
from types import TracebackType
from typing import Any, TypeVar

import msgspec
import redis

from dispatcher.api import listen
from dispatcher.ending import WORKER_SECONDS
from dispatcher.policy.document import Policy
from dispatcher.policy.event_text import EVERY_SHOP
from dispatcher.policy.events import Event
from dispatcher.policy.facts import CHANNELS, Instant
from dispatcher.settings import Settings
from dispatcher.storage.access import AccessKeys
from dispatcher.storage.embedded import EmbeddedStore
from dispatcher.storage.keys import SEPARATOR, LaneKeys, lane_of
from dispatcher.web.access import SCOPES
from dispatcher.web.issuing import issue
from dispatcher.wiring import Service, SystemClock, build, connect
from dispatcher.worker import HANDED_OVER
from tests.checkers.promises import CheckerRules
from tests.checkers.records import Record
from tests.faults.afterwards import AtRest, Line, contradictions, read_log

ROOT = Path(__file__).parents[2]
POLL_SECONDS = 0.01
START_SECONDS = 20.0
END_SECONDS = WORKER_SECONDS
"""A process that is told to end must have ended within so long."""
REVIVED_SECONDS = 30.0
"""How long a store that was killed may take to answer again."""
BATCH = 500
"""Events in one intake where intake is not what is tested."""

SLOW_WORKER = ("tests.faults.slow_worker",)
SILENT_WORKER = ("tests.faults.slow_worker", "--silent")
WORKER = ("dispatcher", "worker")

Found = TypeVar("Found")


async def until(condition: Callable[[], Found], seconds: float, what: str) -> Found:
    """Ask until the answer is true, and return it; fail after so many seconds."""
    deadline = time.monotonic() + seconds
    while not (found := condition()):
        assert time.monotonic() < deadline, f"not within {seconds} s: {what}"
        await asyncio.sleep(POLL_SECONDS)
    return found


class Running:
    """A process of a site, what it says in a file; it ends when its standard input does."""

    def __init__(
        self, command: Sequence[str], log: Path, environment: dict[str, str], fds: Sequence[int] = ()
    ) -> None:
        self.log = log
        self.told_to_end = False
        with log.open("wb") as said:
            self.process = subprocess.Popen(
                [sys.executable, "-m", *command, "--attached"],
                cwd=ROOT,
                stdin=subprocess.PIPE,
                stdout=said,
                stderr=said,
                env=environment,
                pass_fds=fds,
            )

    def still_runs(self) -> bool:
        """Return true; fail with what it said if it has ended by itself."""
        assert self.told_to_end or self.process.poll() is None, self.log.read_text()
        return True

    def end(self) -> float:
        """Tell it to end and return how many seconds that took; fail unless it ended well and in time."""
        began = time.monotonic()
        self.process.terminate()
        assert self.process.wait(END_SECONDS) == 0, self.log.read_text()
        self.told_to_end = True
        return time.monotonic() - began

    def kill(self) -> None:
        """Kill it and wait until it is dead; harmless when it is."""
        self.process.kill()
        self.process.wait()
        if self.process.stdin is not None:
            self.process.stdin.close()


class Site:
    """Everything of one test; no process of it outlives the `with` block."""

    def __init__(self, directory: Path, settings: Settings | None = None) -> None:
        self.data = directory / "data"
        self.settings = settings or Settings()
        self.processes: list[Running] = []
        self.port = 0
        self.token = ""
        self._handed = 0
        self._read_to = 0
        self._hung: int | None = None
        self._stack = ExitStack()
        self.store = EmbeddedStore(self.data / "store")

    def __enter__(self) -> "Site":
        with ExitStack() as stack:
            stack.enter_context(self.store)
            stack.callback(self.let_store_go_on)
            self.client = stack.enter_context(redis.Redis(unix_socket_path=str(self.store.socket)))
            (self.data / HANDED_OVER).touch()
            self._stack = stack.pop_all()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._stack.close()

    def _start(self, command: Sequence[str], fds: Sequence[int] = ()) -> Running:
        knobs = {
            f"DISPATCHER_{name.upper()}": str(value)
            for name, value in msgspec.structs.asdict(self.settings).items()
            if value is not None
        }
        knobs["DISPATCHER_REDIS_URL"] = f"unix://{self.store.socket}"
        log = self.data / f"process-{len(self.processes)}.log"
        running = Running((*command, "--data", str(self.data)), log, os.environ | knobs, fds)
        self._stack.callback(running.kill)
        self.processes.append(running)
        return running

    def start_api(self) -> Running:
        """Start the API at a free port of loopback; it listens from the first moment on."""
        with listen("127.0.0.1", 0) as listener:
            self.port = listener.getsockname()[1]
            return self._start(
                ("dispatcher", "api", "--listener", str(listener.fileno())), [listener.fileno()]
            )

    def start_worker(self, command: Sequence[str] = WORKER) -> Running:
        """Start a worker."""
        return self._start(command)

    async def ready(self) -> None:
        """Wait until the API is ready."""
        await until(lambda: self.all_run() and self._answers(), START_SECONDS, "the API is ready")

    def _answers(self) -> bool:
        connection = http.client.HTTPConnection("127.0.0.1", self.port, timeout=START_SECONDS)
        try:
            connection.request("GET", "/health/ready")
            return connection.getresponse().status == http.HTTPStatus.OK
        finally:
            connection.close()

    def all_run(self) -> bool:
        """Return true; fail if a process has ended by itself."""
        return all(running.still_runs() for running in self.processes)

    def end(self) -> None:
        """Let all processes end well."""
        for running in self.processes:
            if not running.told_to_end:
                running.end()

    @asynccontextmanager
    async def service(self) -> AsyncIterator[Service]:
        """Open a service over the store, without channels, in the test's own process."""
        redis = connect(socket=self.store.socket)
        try:
            yield await build(self.settings, redis, SystemClock(), {}, self.data / "audit")
        finally:
            await redis.aclose()

    async def prepare(self, policy: Policy, shops: Sequence[str] = ("demo",)) -> None:
        """Put a policy into force for shops, and a key that opens everything."""
        async with self.service() as service:
            for shop in shops:
                await service.put_policy(shop, policy, "test", "user:test")
            now = service.clock.now()
            issued = issue([EVERY_SHOP], SCOPES, now)
            await AccessKeys(service.store).create(issued.key, issued.stored, now, "user:test")
            self.token = issued.token

    async def fill(self, events: Sequence[Event]) -> None:
        """Take events, every one of which must be accepted."""
        async with self.service() as service:
            for start in range(0, len(events), BATCH):
                results = await service.intake.take(events[start : start + BATCH], "key:test")
                assert {result.status for result in results} == {"accepted"}

    def kill_store(self) -> None:
        """Kill the store and wait until it is dead; it is not started again before `revive_store`."""
        pid = self._store_pid()
        os.kill(pid, signal.SIGKILL)
        os.waitid(os.P_PID, pid, os.WEXITED | os.WNOWAIT)

    async def revive_store(self) -> None:
        """Start the store that was killed again, and wait until it answers."""
        await until(self.store.revive, REVIVED_SECONDS, "the store answers again")

    def hang_store(self) -> None:
        """Stop the store where it is: it keeps its connections and answers nobody."""
        self._hung = self._store_pid()
        os.kill(self._hung, signal.SIGSTOP)

    def let_store_go_on(self) -> None:
        """Let a store that hangs go on; harmless when it does not."""
        if self._hung is not None:
            os.kill(self._hung, signal.SIGCONT)
            self._hung = None

    def _store_pid(self) -> int:
        found: Any = self.client.info("server")
        pid: int = found["process_id"]
        return pid

    def handed(self) -> int:
        """Return how many hand-offs the stubs have written down so far."""
        with (self.data / HANDED_OVER).open("rb") as log:
            log.seek(self._read_to)
            more = log.read()
        self._read_to += len(more)
        self._handed += more.count(b"\n")
        return self._handed

    def lines(self) -> list[Line]:
        """Return all hand-offs that the stubs wrote down."""
        return read_log(self.data / HANDED_OVER)

    def waiting(self, shop: str) -> int:
        """Return how many reminders of a shop wait, due or not."""
        return sum(self._standing(shop, "inf")[1:])

    def nothing_left(self, shop: str = "demo", due: Instant | None = None) -> bool:
        """Tell whether nothing of a shop is under way, or due by an instant (if not given: by now).

        Fails if a process has ended.
        """
        return self.all_run() and not any(self._standing(shop, due or SystemClock().now()))

    def _standing(self, shop: str, due: Instant | str) -> list[int]:
        """Return how many reminders of a shop are leased, and how many wait for each channel."""
        keys = LaneKeys(lane_of(shop, self.settings.lanes))
        pipe = self.client.pipeline(transaction=True)
        pipe.zrange(keys.leases, 0, -1)
        for channel in CHANNELS:
            pipe.zcount(keys.due(shop, channel), "-inf", due)
        leases, *waiting = pipe.execute()
        mine = f"{shop}{SEPARATOR}".encode()
        return [sum(reminder.startswith(mine) for reminder in leases), *waiting]

    def contradictions(self, records: Sequence[Record], rules: CheckerRules) -> list[str]:
        """Return broken promises, and what audit and store tell differently; the store must be at rest."""
        return contradictions(records, AtRest(self.client), self.settings.lanes, rules)
