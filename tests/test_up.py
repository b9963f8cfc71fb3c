"""`dispatcher up`: one command starts everything, ends all of it, and takes over what was left behind."""

import http.client
import json
import os
import random
import signal
import socket
import subprocess
import sys
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any

import pytest

from dispatcher.demo import EVENTS_FILE, KEY_FILE, PAID, SAMPLES, TO_CALL
from dispatcher.storage.embedded import EmbeddedStore
from dispatcher.worker import HANDED_OVER
from tests.faults.crew import until

SECONDS = 30.0
KILLS = 3
"""Rounds of SIGKILL; `DISPATCHER_TEST_KILLS` sets another number."""
SENT = {"SAMPLE-1", "SAMPLE-2"}
"""The samples that go out: one is a call, one is paid before."""
PROGRAM = ("-m", "dispatcher")
HANGING = """
import sys
from dispatcher.cli import main
from dispatcher.storage import embedded
servers = iter([embedded.get_binary_path()])
hanging = sys.argv.pop(1)
embedded.get_binary_path = lambda: next(servers, hanging)
main()
"""
"""`dispatcher` whose first store is a store; the later ones hang."""


class Up:
    """A running `up` and what it printed."""

    def __init__(
        self,
        data: Path,
        *arguments: str,
        program: Sequence[str] = PROGRAM,
        output: int | None = None,
        url: str | None = None,
    ) -> None:
        self.data = data
        self.printed = data.parent / f"printed-{len(list(data.parent.glob('printed-*')))}"
        with self.printed.open("wb") as printed:
            self.process = subprocess.Popen(
                [sys.executable, *program, "up", "--data", str(data), *arguments],
                stdin=subprocess.DEVNULL,
                stdout=printed if output is None else output,
                stderr=subprocess.STDOUT,
                env={name: value for name, value in os.environ.items() if name != "DISPATCHER_REDIS_URL"}
                | ({"DISPATCHER_REDIS_URL": url} if url else {}),
                start_new_session=True,
            )

    @property
    def text(self) -> str:
        """Return what it printed so far."""
        return self.printed.read_text(encoding="utf-8")

    @property
    def where(self) -> str:
        """Wait until it is up and return the API's address."""

        def address() -> str | None:
            assert self.process.poll() is None, self.text
            _, found, rest = self.text.partition("dispatcher is up at http://")
            return rest.split(";")[0] if found and ";" in rest else None

        return until(address, SECONDS, "up") or ""

    def end(self, number: signal.Signals = signal.SIGINT) -> int:
        """Tell it to end and return its exit code."""
        self.process.send_signal(number)
        return self.process.wait(SECONDS)


def processes(data: Path) -> dict[int, str]:
    """Return every process that names the data directory or works in it, but `up` itself."""
    found = {}
    for process in Path("/proc").iterdir():
        with suppress(OSError):
            if process.name.isdigit():
                command = (process / "cmdline").read_bytes().replace(b"\0", b" ").decode()
                if f"{data} " in command or (process / "cwd").readlink().is_relative_to(data):
                    found[int(process.name)] = command
    return found


@pytest.fixture
def data(tmp_path: Path) -> Iterator[Path]:
    """A data directory; a process of it that is left at the end is killed, and a failure."""
    directory = tmp_path / "data"
    yield directory
    left = processes(directory)
    for process in left:
        with suppress(ProcessLookupError):
            os.kill(process, signal.SIGKILL)
    assert left == {}


@contextmanager
def running(
    data: Path,
    *arguments: str,
    program: Sequence[str] = PROGRAM,
    output: int | None = None,
    url: str | None = None,
) -> Iterator[Up]:
    """Run `up` on a free port; it is told to end if it still runs when the test has failed."""
    up = Up(data, "--port", "0", *arguments, program=program, output=output, url=url)
    try:
        yield up
    finally:
        if up.process.poll() is None:
            up.end()


def ask(up: Up, method: str, path: str, body: object = None) -> tuple[int, Any]:
    """Ask the API with the demo's key; return status and content."""
    key = (up.data / KEY_FILE).read_text(encoding="ascii").strip()
    headers = {"Authorization": f"Bearer {key}", "Content-Type": "application/json"}
    connection = http.client.HTTPConnection(up.where, timeout=10)
    try:
        connection.request(method, path, None if body is None else json.dumps(body), headers)
        answer = connection.getresponse()
        return answer.status, json.loads(answer.read())
    finally:
        connection.close()


def handed_over(data: Path) -> list[str]:
    """Return the orders that were handed over."""
    with suppress(FileNotFoundError):
        return [json.loads(line)["order"] for line in (data / HANDED_OVER).read_text().splitlines()]
    return []


def sent(data: Path, orders: set[str]) -> bool:
    return orders <= set(handed_over(data))


def pasted(up: Up, kind: str) -> dict[str, Any]:
    """Return the event that a printed line to paste has."""

    def printed() -> list[str]:
        lines = up.text.splitlines(keepends=True)
        return [
            line for line in lines if line.startswith("curl ") and f'"{kind}"' in line and line[-1] == "\n"
        ]

    (line,) = until(printed, SECONDS, "the lines to paste")
    event: dict[str, Any] = json.loads(line.split(" -d ")[1].strip().strip("'"))
    return event


def test_without_workers_the_api_answers_and_nothing_is_sent(data: Path) -> None:
    with running(data, "--demo", "--workers", "0") as up:
        pasted(up, "order.unpaid")  # it is ready
        status, order = ask(up, "GET", "/v1/orders/demo/SAMPLE-1")
        logs = sorted(log.name for log in data.glob("*.log"))
        code = up.end()

    assert (status, order["reminders"][0]["status"]) == (200, "planned")
    assert (logs, code) == (["api.log"], 0)


def test_the_demo_sends_its_reminders_once_over_restarts_and_leaves_no_process(data: Path) -> None:
    with running(data, "--demo") as up:
        until(lambda: sent(data, SENT), SECONDS, "the samples are sent")
        said = up.text
        code = up.end()
        left = processes(data)
    events = (data / EVENTS_FILE).read_bytes()
    with running(data, "--demo", "--workers", "2") as again:
        status, order = ask(again, "GET", "/v1/orders/demo/SAMPLE-1")
        _, new = ask(again, "POST", "/v1/events", pasted(again, "order.unpaid"))
        until(lambda: sent(data, {new["results"][0]["order"]}), SECONDS, "the pasted order's is sent")
        _, paid = ask(again, "POST", "/v1/events", pasted(again, "order.paid"))
        claimed, _ = ask(again, "POST", f"/v1/tasks/{TO_CALL}/claim", {"agent": "me"})
        second = again.end(signal.SIGTERM)

    assert (code, second, left) == (0, 0, {})
    assert "not for real customers" in said
    assert (status, order["reminders"][0]["status"]) == (200, "sent")
    assert paid["results"][0]["too_late"] == new["results"][0]["reminders"]
    assert claimed == 200
    assert sorted(handed_over(data)) == sorted([*SENT, new["results"][0]["order"]])
    assert PAID not in SENT
    assert (data / EVENTS_FILE).read_bytes() == events
    assert len(events.splitlines()) == len(SAMPLES) + 1
    assert ((data / KEY_FILE).stat().st_mode & 0o777) == 0o600


def test_what_was_acknowledged_outlives_kills_of_up(data: Path) -> None:
    chance = random.Random(3)
    rounds = int(os.environ.get("DISPATCHER_TEST_KILLS", KILLS))
    taken: set[str] = set()
    for turn in range(rounds):
        early = Up(data, "--demo", "--port", "0")
        until((data / "store" / "lock").exists, SECONDS, "it has begun")
        early.process.kill()
        early.process.wait()
        with running(data, "--demo") as up:
            for number in range(chance.randrange(1, 12)):
                unpaid = pasted(up, "order.unpaid")
                unpaid["id"] = unpaid["data"]["order"]["id"] = order = f"O-{turn}-{number}"
                unpaid["data"]["customer"]["id"] = f"C-{order}"
                status, _ = ask(up, "POST", "/v1/events", unpaid)
                assert status == 202
                taken.add(order)
            os.kill(up.process.pid, signal.SIGKILL)
            up.process.wait()

    with running(data, "--demo") as up:
        assert ask_live(up.where) == 200  # else all may have been sent before, and this one not listen yet
        until(lambda: sent(data, taken | SENT), SECONDS, "everything acknowledged is sent")
        code = up.end()

    assert code == 0
    assert len(handed_over(data)) == len(set(handed_over(data)))


def test_a_process_that_dies_is_started_again_and_so_is_the_store(data: Path) -> None:
    with running(data, "--demo") as up:
        until(lambda: sent(data, SENT), SECONDS, "the samples are sent")
        first = processes(data)
        for process, command in first.items():
            if process != up.process.pid and (
                " worker " in command or " api " in command or "valkey" in command
            ):
                os.kill(process, signal.SIGKILL)

        unpaid = pasted(up, "order.unpaid")
        until(lambda: taken(up, unpaid), SECONDS, "the API answers again")
        until(lambda: sent(data, {unpaid["data"]["order"]["id"]}), SECONDS, "the worker works again")
        code = up.end()

    assert code == 0
    assert "the store had ended and was started again" in up.text


def process_of(data: Path, part: str) -> int:
    """Wait for a part of `up` and return its process."""

    def found() -> list[int]:
        return [process for process, command in processes(data).items() if part in command]

    (process,) = until(found, SECONDS, part)
    return process


def replaced(data: Path, part: str) -> None:
    """Kill a part of `up` and wait until another process stands in for it."""
    first = process_of(data, part)
    os.kill(first, signal.SIGKILL)
    until(lambda: process_of(data, part) != first, SECONDS, f"{part} is started again")


def test_it_goes_on_when_nobody_reads_what_it_says(data: Path) -> None:
    reader, writer = os.pipe()
    os.close(reader)

    with running(data, "--demo", output=writer) as up:
        os.close(writer)
        until(lambda: sent(data, SENT), SECONDS, "the samples are sent")
        replaced(data, " worker ")
        code = up.end()

    assert code == 0
    assert processes(data) == {}


def test_while_a_store_is_revived_the_others_are_looked_after_and_ctrl_c_is_heard(
    data: Path, tmp_path: Path
) -> None:
    hanging = tmp_path / "valkey-server"
    hanging.write_text("#!/bin/sh\nexec sleep 600\n", encoding="utf-8")
    hanging.chmod(0o700)

    with running(data, program=("-c", HANGING, str(hanging))) as up:
        assert ask_live(up.where) == 200
        os.kill(process_of(data, "unixsocket:"), signal.SIGKILL)
        until(lambda: "waiting for the store to load" in up.text, SECONDS, "the store is being revived")
        replaced(data, " worker ")
        code = up.end()

    assert code == 0
    assert processes(data) == {}


def test_a_terminal_that_is_closed_ends_all(data: Path) -> None:
    with running(data) as up:
        assert ask_live(up.where) == 200
        code = up.end(signal.SIGHUP)

    assert code == 0
    assert processes(data) == {}


def test_a_process_that_cannot_be_started_is_told_and_tried_again(data: Path) -> None:
    log = data / "worker-1.log"
    log.mkdir(parents=True)

    with running(data, "--demo") as up:
        until(lambda: "worker 1 cannot be started: [Errno 21]" in up.text, SECONDS, "it is told")
        log.rmdir()
        until(lambda: sent(data, SENT), SECONDS, "the samples are sent")
        code = up.end()

    assert code == 0


@pytest.mark.parametrize("kept", [b"abc\n", b"dk_\n", b"\xff\xfe\n", b"dk_0123456789_wrong\n"])
def test_a_demo_key_that_is_none_is_made_anew(data: Path, kept: bytes) -> None:
    data.mkdir()
    (data / KEY_FILE).write_bytes(kept)

    with running(data, "--demo") as up:
        until(lambda: "Claim a call" in up.text, SECONDS, "the lines to paste")
        status, _ = ask(up, "GET", "/v1/orders/demo/SAMPLE-1")

    assert status == 200


def test_with_a_store_of_ones_own_none_is_started_and_that_is_said(data: Path, tmp_path: Path) -> None:
    with EmbeddedStore(tmp_path / "own") as store, running(data, url=f"unix://{store.socket}") as up:
        assert up.where
        told = up.text
        assert up.end() == 0

    assert "the store is that of DISPATCHER_REDIS_URL" in told
    assert not (data / "store").exists()


@pytest.mark.parametrize("command", ["up", "worker"])
def test_a_data_directory_that_cannot_be_used_is_told_in_one_line(tmp_path: Path, command: str) -> None:
    (tmp_path / "file").touch()

    done = subprocess.run(
        [sys.executable, *PROGRAM, command, "--data", str(tmp_path / "file" / "data")],
        check=False,
        env=os.environ | {"DISPATCHER_REDIS_URL": f"unix://{tmp_path}/nowhere.sock"},
        capture_output=True,
        text=True,
        timeout=SECONDS,
    )

    assert done.returncode == 1
    assert done.stderr == (
        f"dispatcher: {tmp_path}/file/data cannot be used: Not a directory; choose another --data directory\n"
    )


def taken(up: Up, event: dict[str, Any]) -> bool:
    try:
        return ask(up, "POST", "/v1/events", event)[0] == 202
    except (OSError, http.client.HTTPException):
        return False


def test_a_port_that_somebody_else_has_is_told_in_one_line(
    data: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    with socket.create_server(("127.0.0.1", 0)) as other:
        up = Up(data, "--port", str(other.getsockname()[1]))
        code = up.process.wait(SECONDS)

    assert code == 1
    assert up.text.startswith("dispatcher: 127.0.0.1 port ")
    assert up.text.rstrip().endswith("choose another --port")
    assert len(up.text.splitlines()) == 1


def test_a_second_up_on_the_same_data_is_refused(data: Path) -> None:
    with running(data) as up:
        first = up.where
        second = Up(data, "--port", "0")
        code = second.process.wait(SECONDS)

        assert ask_live(first) == 200
    assert code == 1
    assert "in use by another process" in second.text


def ask_live(where: str) -> int:
    connection = http.client.HTTPConnection(where, timeout=10)
    connection.request("GET", "/health/live")
    status = connection.getresponse().status
    connection.close()
    return status
