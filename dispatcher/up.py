"""Everything in one: the store, the API and the workers are started, kept running and ended in order."""

import http.client
import os
import signal
import socket
import threading
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import ExitStack, contextmanager
from functools import partial
from pathlib import Path
from types import FrameType

from dispatcher.api import listen
from dispatcher.child import Child
from dispatcher.demo import Demo
from dispatcher.ending import API_SECONDS, SPARE_SECONDS, WORKER_SECONDS
from dispatcher.errors import AddressTaken, StoreUnavailable
from dispatcher.settings import Settings
from dispatcher.storage.embedded import EmbeddedStore
from dispatcher.terminal import endings, say

LOOK_SECONDS = 0.1
"""How often it is looked whether everything runs."""
TOLD_SECONDS = 2.0
"""How often it is told that something still takes time."""
STORE_PAUSE_SECONDS = 2.0
"""How long after a store did not start it is tried again."""


class _Told(BaseException):
    """We were told to end while nothing but the store was being started."""


class Up:
    """One machine's dispatcher."""

    def __init__(
        self, settings: Settings, data: Path, host: str, port: int, workers: int, *, demo: bool
    ) -> None:
        self._settings = settings
        self._data = data.resolve()
        self._host = host
        self._port = port
        self._workers = workers
        self._demo = Demo(self._data) if demo else None
        self._told = threading.Event()
        self._may_break_off = False
        self._store_rests_until = 0.0

    def run(self) -> None:
        """Run until a signal of `endings`; then end the API, the workers and the store, in this order."""
        with ExitStack() as stack:
            stack.enter_context(self._signals())
            try:
                self._run(stack)
            except _Told:
                return

    @contextmanager
    def _signals(self) -> Iterator[None]:
        def tell(number: int, frame: FrameType | None) -> None:
            self._told.set()
            if self._may_break_off:
                self._may_break_off = False
                raise _Told

        numbers = endings()
        before = [signal.signal(number, tell) for number in numbers]
        try:
            yield
        finally:
            for number, handler in zip(numbers, before, strict=True):
                signal.signal(number, handler)

    def _run(self, stack: ExitStack) -> None:
        store, url = self._open_store(stack)
        environment = os.environ | {"DISPATCHER_REDIS_URL": url}
        listener = stack.enter_context(self._listen())
        where = self._address(listener)
        if self._demo is not None:
            self._demo.prepare(self._settings, url)
        api, workers = self._children(listener)
        children = [api, *workers]
        look = partial(self._look, store, children, environment)
        try:
            for child in children:
                child.start(environment)
            if self._ready(where, look):
                self._say(where)
            while not self._told.wait(LOOK_SECONDS):
                look()
        finally:
            listener.close()
            self._end(api, workers)

    def _open_store(self, stack: ExitStack) -> tuple[EmbeddedStore | None, str]:
        if self._settings.redis_url is not None:
            return None, self._settings.redis_url
        store = EmbeddedStore(self._data / "store")
        stack.callback(store.stop)
        with self._breaking_off():
            store.start(_progress)
        return store, f"unix://{store.socket}"

    @contextmanager
    def _breaking_off(self) -> Iterator[None]:
        """Let a signal break off what may take long and leaves nothing behind."""
        self._may_break_off = True
        try:
            yield
        finally:
            self._may_break_off = False

    def _listen(self) -> socket.socket:
        """Listen; wait for a while for the API of an earlier `up` that was killed."""
        until = time.monotonic() + API_SECONDS + SPARE_SECONDS
        while True:
            try:
                return listen(self._host, self._port)
            except AddressTaken:
                if time.monotonic() > until:
                    raise
            with self._breaking_off():
                time.sleep(LOOK_SECONDS)

    def _address(self, listener: socket.socket) -> str:
        host = f"[{self._host}]" if ":" in self._host else self._host
        return f"{host}:{listener.getsockname()[1]}"

    def _children(self, listener: socket.socket) -> tuple[Child, list[Child]]:
        data = ("--data", str(self._data))
        api = Child(
            "the API",
            ("api", *data, "--listener", str(listener.fileno())),
            self._data / "api.log",
            [listener.fileno()],
        )
        return api, [
            Child(f"worker {number}", ("worker", *data), self._data / f"worker-{number}.log")
            for number in range(1, self._workers + 1)
        ]

    def _ready(self, where: str, look: Callable[[], None]) -> bool:
        """Wait until the API is ready, and look after all meanwhile; tell whether it is."""
        began = told = time.monotonic()
        while not _answers(where):
            if self._told.wait(LOOK_SECONDS):
                return False
            look()
            now = time.monotonic()
            if now - told > TOLD_SECONDS:
                told = now
                _progress(f"waiting for the API ({now - began:.0f} s)")
        return True

    def _say(self, where: str) -> None:
        store = "" if self._settings.redis_url is None else "the store is that of DISPATCHER_REDIS_URL; "
        say(f"dispatcher is up at http://{where}; {store}data and logs are in {self._data}; Ctrl-C ends it")
        if self._demo is not None:
            self._demo.run(where)

    def _look(
        self, store: EmbeddedStore | None, children: Sequence[Child], environment: dict[str, str]
    ) -> None:
        if store is not None and time.monotonic() > self._store_rests_until:
            self._look_after(store)
        for child in children:
            child.revive(environment)

    def _look_after(self, store: EmbeddedStore) -> None:
        try:
            if store.revive(_progress):
                _progress("the store had ended and was started again")
        except StoreUnavailable as error:
            self._store_rests_until = time.monotonic() + STORE_PAUSE_SECONDS
            _progress(f"{error}; trying again")

    def _end(self, api: Child, workers: Sequence[Child]) -> None:
        api.tell()
        api.end(time.monotonic() + API_SECONDS + SPARE_SECONDS)
        for worker in workers:
            worker.tell()
        deadline = time.monotonic() + WORKER_SECONDS + SPARE_SECONDS
        for worker in workers:
            worker.end(deadline)


def _progress(line: str) -> None:
    say(line, err=True)


def _answers(where: str) -> bool:
    try:
        connection = http.client.HTTPConnection(where, timeout=1.0)
        try:
            connection.request("GET", "/health/ready")
            return connection.getresponse().status == http.HTTPStatus.OK
        finally:
            connection.close()
    except (OSError, http.client.HTTPException):
        return False
