"""One simulation is enough for all tests that alter its audit."""

import json
import subprocess
import sys

import pytest

from tests.checkers.records import Record, load
from tests.checkers.simulated import EVENTS, Audit


@pytest.fixture(scope="session")
def simulated(tmp_path_factory: pytest.TempPathFactory) -> list[Record]:
    """The audit of a day under the default policy, from the command that people run."""
    folder = tmp_path_factory.mktemp("recompute")
    lines = [json.dumps(each, ensure_ascii=False) for each in EVENTS]
    (folder / "events.jsonl").write_text("\n".join(lines), encoding="utf-8")
    command = [sys.executable, "-m", "dispatcher", "simulate", "events.jsonl", "--format", "jsonl"]
    subprocess.run([*command, "--audit", "audit.jsonl"], cwd=folder, check=True, capture_output=True)
    return load(folder / "audit.jsonl")


@pytest.fixture
def audit(simulated: list[Record]) -> Audit:
    return Audit(simulated)
