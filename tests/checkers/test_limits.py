"""Hand-offs are counted and dated as the customer's own clock shows them."""

from dataclasses import replace

import pytest

from tests.checkers.promises import CheckerRules, caps, check_all, closed_days, handoffs, per_order, quiet
from tests.checkers.story import HOUR, STORY_RULES, Story
from tests.checkers.terms import Days


def found_by(story: Story, rules: CheckerRules = STORY_RULES) -> set[str]:
    return {violation.partition(":")[0] for violation in check_all(story.records, rules)}


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


def test_hand_offs_of_an_order_are_counted_over_its_steps() -> None:
    story = one_reminder().handed_over().planned(step=2).wait(4 * HOUR)
    story.accepted("O-2").planned("O-2").handed_over("O-2")

    once_each = per_order(story.records, 1)
    story.sending(step=2)
    under_way = per_order(story.records, 1)
    story.record("reminder.failed", "O-1", 2, channel="sms", reason="rejected")
    refused = per_order(story.records, 1)

    assert once_each == refused == []
    assert len(under_way) == 1
    assert per_order(story.records, 0)


def test_hand_offs_beyond_those_of_an_order_are_found_where_its_policy_bounds_them() -> None:
    none_allowed = replace(STORY_RULES, per_order=0)

    assert "per_order" in found_by(one_reminder().handed_over(), none_allowed)
    assert "per_order" not in found_by(one_reminder(), none_allowed)


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


@pytest.mark.parametrize(
    ("days", "at", "closed"),
    [
        (("wed",), "2026-11-11T02:20:00.000Z", False),
        (("tue",), "2026-11-11T02:20:00.000Z", True),
        # Tuesday in UTC is Wednesday in Shanghai already.
        (("wed",), "2026-11-10T16:30:00.000Z", False),
        ("workdays", "2026-10-01T02:20:00.000Z", False),
        ("workdays cn", "2026-10-01T02:20:00.000Z", True),
        ("workdays cn", "2026-10-10T02:20:00.000Z", False),
        ("workdays", "2026-10-10T02:20:00.000Z", True),
        ("workdays cn", "2045-10-02T02:20:00.000Z", False),
    ],
)
def test_closed_days_are_those_of_the_local_calendar(days: Days, at: str, closed: bool) -> None:
    story = one_reminder().at(at).handed_over()

    violations = closed_days(story.records, days, "Asia/Shanghai")

    assert bool(violations) == closed


def test_closed_days_of_a_policy_are_checked_and_those_for_calls_hold_for_calls() -> None:
    story = one_reminder().handed_over()
    rules = replace(STORY_RULES, remind_on=("tue",), call_on=("tue",))

    found = found_by(story, rules)

    assert "closed_days" in found
    assert "call_days" not in found
