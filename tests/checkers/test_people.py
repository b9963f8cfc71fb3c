"""What people do, as the checkers see it: reported hand-offs are facts, asked ones are not."""

from collections.abc import Callable

import pytest

from tests.checkers.promises import caps, check_all, followed, gaps, per_order, quiet
from tests.checkers.records import iso
from tests.checkers.story import DECISION, HOUR, STORY_RULES, Story

SHANGHAI = "Asia/Shanghai"


def by_hand(story: Story, step: int, kind: str, at: int | None = None) -> Story:
    """Tell of a hand-off by an agent."""
    details = {"handed_at": iso(story.now if at is None else at), "by_hand": kind, "agent": "li"}
    if kind == "asked":
        details |= {"decision": DECISION}
    fields = {"attempt": 1, "channel": "chat", "policy": 1 if kind == "asked" else None}
    return story.record("reminder.sent", "O-1", step, **fields, details=details)


def reported(count: int) -> Story:
    """A day with a reminder and some reports at once after it."""
    story = Story().accepted().planned().handed_over()
    for step in range(2, 2 + count):
        by_hand(story.wait(1), step, "reported")
    return story


def test_reports_break_no_rule() -> None:
    assert check_all(reported(5).records, STORY_RULES) == []


def test_a_report_of_the_night_is_a_fact() -> None:
    story = Story("2026-11-11T02:20:31.004Z").accepted()

    by_hand(story, 1, "reported", at=story.now - 8 * HOUR)

    assert quiet(story.records, "22:00", "09:00", SHANGHAI) == []


@pytest.mark.parametrize(
    "check",
    [
        lambda records: caps(records, 2, SHANGHAI),
        lambda records: gaps(records, HOUR),
        lambda records: per_order(records, 2),
    ],
)
def test_a_report_counts_against_what_comes_later_and_not_against_what_came_before(
    check: Callable[[list[dict[str, object]]], list[str]],
) -> None:
    before = Story().accepted().planned().handed_over()
    by_hand(before.wait(1), 2, "reported", at=before.now - 2)
    after = reported(1).planned(step=3).wait(1).handed_over(step=3)

    assert check(before.records) == []
    assert len(check(after.records)) == 1


@pytest.mark.parametrize("kind", ["asked", "reported"])
def test_a_hand_off_by_an_agent_is_followed(kind: str) -> None:
    assert followed(by_hand(Story().accepted().planned(), 2, kind).records) == []


def test_what_was_sent_by_nobody_is_found() -> None:
    story = Story().accepted().planned().sent(step=2)

    assert any("was sent by nobody" in problem for problem in followed(story.records))


def test_what_an_agent_asked_for_breaks_the_rules_it_breaks() -> None:
    story = Story().accepted().planned().handed_over()
    by_hand(by_hand(story.wait(1), 2, "asked").wait(1), 3, "asked")
    story.paid(too_late=["demo~O-1~1", "demo~O-1~2", "demo~O-1~3"])
    by_hand(story, 4, "asked")

    found = {violation.partition(":")[0] for violation in check_all(story.records, STORY_RULES)}

    assert found == {"caps", "gaps", "not_after_payment"}
