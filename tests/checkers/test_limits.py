"""Hand-offs are counted and dated as the customer's own clock shows them."""

import pytest

from tests.checkers.promises import caps, check_all, handoffs, quiet
from tests.checkers.story import HOUR, STORY_RULES, Story


def found_by(story: Story) -> set[str]:
    return {violation.partition(":")[0] for violation in check_all(story.records, STORY_RULES)}


def one_reminder() -> Story:
    return Story().accepted().planned()


def test_a_refused_hand_off_counts_for_nothing() -> None:
    story = one_reminder().handed_over().accepted("O-2").planned("O-2").sending("O-2")

    under_way = caps(story.records, 1, "Asia/Shanghai")
    story.record("reminder.failed", "O-2", 1, channel="sms", reason="rejected")
    refused = caps(story.records, 1, "Asia/Shanghai")

    assert len(under_way) == 1
    assert refused == []
    assert [handoff.order for handoff in handoffs(story.records)] == ["O-1"]


def test_the_customers_own_zone_decides_the_day() -> None:
    # 23:30 and 00:30 in New York: two days there, one in Shanghai.
    story = Story("2026-11-11T04:30:00.000Z")
    for number in (1, 2):
        story.accepted(f"O-{number}", timezone="America/New_York").planned(f"O-{number}")
        story.handed_over(f"O-{number}").wait(HOUR)

    in_new_york = caps(story.records, 1, "Asia/Shanghai")
    for record in story.records:
        record["details"].pop("timezone", None)
    in_shanghai = caps(story.records, 1, "Asia/Shanghai")

    assert in_new_york == []
    assert len(in_shanghai) == 1


def test_an_unknown_zone_is_an_error() -> None:
    story = one_reminder().handed_over()

    with pytest.raises(KeyError):
        quiet(story.records, "22:00", "09:00", "Asia/Nowhere")


@pytest.mark.parametrize(
    ("start", "end", "inside"),
    [
        ("10:00", "11:00", True),
        ("10:20", "10:20", False),
        ("11:00", "10:00", False),
        ("11:00", "10:30", True),
    ],
)
def test_quiet_hours_may_cross_midnight_and_be_none(start: str, end: str, inside: bool) -> None:
    story = one_reminder().handed_over()

    violations = quiet(story.records, start, end, "Asia/Shanghai")

    assert bool(violations) == inside


def test_a_hand_off_under_way_takes_its_slot_and_one_that_is_too_old_is_not_judged() -> None:
    under_way = one_reminder().at("2026-11-11T14:30:00.000Z").sending()
    too_old = one_reminder().at("2026-11-11T14:30:00.000Z").sending(valid_until="2026-11-11T14:00:00.000Z")

    assert "quiet" in found_by(under_way)
    assert "quiet" not in found_by(too_old)
    assert caps(too_old.records, 0, "Asia/Shanghai")
