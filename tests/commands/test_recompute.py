"""`dispatcher audit recompute`, over what `simulate` and `audit export` write."""

from pathlib import Path

import msgspec
import pytest
from click.testing import CliRunner, Result

from dispatcher.cli import main
from tests.checkers.records import Record
from tests.checkers.simulated import Audit, inputs


def recompute(audit: bytes, *arguments: str) -> Result:
    return CliRunner().invoke(main, ("audit", "recompute", *arguments), input=audit)


def lines(records: list[Record]) -> bytes:
    return b"".join(msgspec.json.encode(record) + b"\n" for record in records)


def test_an_audit_that_follows_is_told_in_totals(audit: Audit) -> None:
    plans = sum("rules" in record["details"] for record in audit.records)
    decisions = sum("decision" in record["details"] for record in audit.records)

    answer = recompute(lines(audit.records))

    assert (answer.exit_code, answer.stderr) == (0, "")
    assert answer.stdout == f"{plans} plans and {decisions} decisions made again: 0 differences\n"
    assert min(plans, decisions) > 10


def test_each_difference_is_a_line_and_ends_with_1(audit: Audit, tmp_path: Path) -> None:
    sending = audit.one("reminder.sending", "plain")
    inputs(sending, "daily_cap")["used"] = 2
    inputs(sending, "min_gap")["last"] = "2026-11-11T00:00:00.000Z"
    (tmp_path / "audit.jsonl").write_bytes(lines(audit.records))

    answer = recompute(b"", str(tmp_path / "audit.jsonl"))

    told = answer.stdout.splitlines()
    assert answer.exit_code == 1
    assert all(f"record {sending['seq']}: reminder.sending demo~plain~1: " in line for line in told[:-1])
    assert any("reason is None, decided again daily_cap" in line for line in told)
    assert told[-1].endswith(f": {len(told) - 1} differences")


def test_what_cannot_be_decided_again_is_counted_apart(audit: Audit) -> None:
    without_policy = [record for record in audit.records if record["kind"] != "policy.changed"]

    answer = recompute(lines(without_policy))

    told = answer.stdout.splitlines()
    assert answer.exit_code == 1
    assert all("cannot be decided again: its policy is not in this audit" in line for line in told[:-1])
    assert told[-1] == f"0 plans and 0 decisions made again, {len(told) - 1} could not be: 0 differences"


@pytest.mark.parametrize("line", [b"[]", b"{}", b"nothing", b"\xff", b'{"seq": "one"}'])
def test_a_line_that_is_no_record_is_named(audit: Audit, line: bytes) -> None:
    answer = recompute(lines(audit.records[:2]) + line)

    assert answer.exit_code == 1
    assert "line 3: expected an audit record" in answer.stderr


def test_a_file_that_is_not_there_is_a_wrong_usage() -> None:
    assert recompute(b"", "nowhere.jsonl").exit_code == 2
