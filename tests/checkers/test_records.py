"""Records of another form than the contract's are told before anything is concluded from them."""

from pathlib import Path

import pytest

from tests.checkers.promises import check_all
from tests.checkers.records import load
from tests.checkers.story import STORY_RULES, Story


def one_reminder() -> Story:
    return Story().accepted().planned()


@pytest.mark.parametrize(
    ("flaw", "value"),
    [("at", "2026-11-11T02:20:31Z"), ("actor", "nobody"), ("details", None), ("reminder", "demo~O-1~2")],
)
def test_a_record_of_a_wrong_form_is_told_alone(flaw: str, value: object) -> None:
    story = one_reminder()
    story.records[-1][flaw] = value

    violations = check_all(story.records, STORY_RULES)

    assert violations
    assert all(violation.startswith("form: record 2: ") for violation in violations)


def test_a_record_that_misses_a_field_is_found() -> None:
    story = one_reminder()
    del story.records[-1]["policy"]

    violations = check_all(story.records, STORY_RULES)

    assert violations == ["form: record 2: misses policy"]


def test_records_are_read_from_a_jsonl_file(tmp_path: Path) -> None:
    path = tmp_path / "audit.jsonl"
    path.write_text('{"seq": 1, "kind": "order.paid"}\n\n{"seq": 2, "kind": "order.closed"}\n')

    records = load(path)

    assert [record["seq"] for record in records] == [1, 2]
