"""An audit with several versions of a policy is judged by the one that each hand-off names."""

import json
from pathlib import Path
from typing import Any

import pytest

from tests.checkers.__main__ import main
from tests.checkers.story import Story
from tests.checkers.terms import DEFAULT_DOCUMENT
from tests.checkers.versions import check_versions

MINUTE = 60_000


def capped(per_day: int) -> dict[str, Any]:
    return {name: part for name, part in DEFAULT_DOCUMENT.items() if name != "spread"} | {
        "caps": {"per_day": per_day}
    }


def changed_between(first: int, second: int) -> Story:
    """Three hand-offs to a customer in a day: one under the first version, two under the second."""
    story = Story().record("policy.changed", policy=1, note="", details={"policy": capped(first)})
    for number in (1, 2, 3):
        story.accepted(f"O-{number}").planned(f"O-{number}")
    story.wait(MINUTE).handed_over("O-1")
    story.record("policy.changed", policy=2, details={"policy": capped(second)})
    story.wait(MINUTE).handed_over("O-2", policy=2)
    return story.wait(MINUTE).handed_over("O-3", policy=2)


def caps_found(story: Story) -> list[str]:
    violations, _ = check_versions(story.records, finished=False)
    return [violation.split()[1] for violation in violations if violation.startswith("caps: ")]


@pytest.mark.parametrize(
    ("first", "second", "beyond"),
    [
        (1, 3, []),
        (3, 3, []),
        (1, 2, ["demo~O-3~1"]),
        (2, 1, ["demo~O-2~1", "demo~O-3~1"]),
        (0, 3, ["demo~O-1~1"]),
    ],
)
def test_what_another_version_let_go_counts_and_is_judged_by_that_one(
    first: int, second: int, beyond: list[str]
) -> None:
    story = changed_between(first, second)

    found = caps_found(story)

    assert found == beyond


def test_an_audit_of_several_versions_is_judged(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    path = tmp_path / "audit.jsonl"
    path.write_text("".join(f"{json.dumps(record)}\n" for record in changed_between(1, 2).records), "utf-8")

    code = main(str(path), "--unfinished")

    told = capsys.readouterr().out
    assert code == 1
    assert "caps: demo~O-3~1" in told
    assert "caps: demo~O-2~1" not in told
