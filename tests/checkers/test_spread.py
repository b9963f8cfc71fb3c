"""A crowd in one minute is found where a release should have spread it, and only there."""

from collections.abc import Callable
from hashlib import blake2b

import pytest

from tests.checkers.promises import check_all, minute_bound, spread
from tests.checkers.records import instant, iso
from tests.checkers.story import HOUR, STORY_RULES, Story

MINUTE = 60_000


def found_by(story: Story) -> set[str]:
    return {violation.partition(":")[0] for violation in check_all(story.records, STORY_RULES)}


def released(count: int, at_minute: Callable[[int], int], *, moment: str) -> Story:
    """`count` customers whose reminders have one moment; each is handed over so many ms after 09:00."""
    story = Story("2026-11-10T16:00:00.000Z")
    nine = instant("2026-11-11T01:00:00.000Z")
    offsets = {f"O-{number}": at_minute(number) for number in range(count)}
    for order, offset in offsets.items():
        story.accepted(order, f"C-{order}").planned(order, moment=moment, due=iso(nine + offset))
    for order, offset in sorted(offsets.items(), key=lambda item: item[1]):
        story.at(iso(nine + offset)).handed_over(order)
    return story


def by_hash(number: int) -> int:
    """An offset in the first quarter of 20 minutes, in whole seconds."""
    return int.from_bytes(blake2b(b"%d" % number).digest()[:4]) % 300 * 1000


@pytest.mark.parametrize("count", [1, 20, 300])
def test_a_release_spread_by_hash_over_the_first_quarter_is_within_the_bound(count: int) -> None:
    story = released(count, by_hash, moment="2026-11-10T18:00:00.000Z")

    violations = check_all(story.records, STORY_RULES)

    assert violations == []


@pytest.mark.parametrize("moment", ["2026-11-10T18:00:00.000Z", "2026-11-11T02:00:00.000Z"])
def test_a_release_in_one_minute_is_found(moment: str) -> None:
    story = released(50, lambda _: 0, moment=moment)

    found = found_by(story)

    assert found == {"spread"}


def test_what_was_held_since_the_evening_and_since_the_night_is_one_release() -> None:
    story = released(24, lambda _: 0, moment="2026-11-10T18:00:00.000Z")
    for record in story.records[: 2 * 12]:
        if record["kind"] == "reminder.planned":
            record["details"]["moment"] = "2026-11-10T15:00:00.000Z"

    found = found_by(story)

    assert found == {"spread"}


def test_what_goes_before_the_night_is_a_release_of_its_own() -> None:
    story = released(320, by_hash, moment="2026-11-10T18:00:00.000Z")
    early = {f"O-{number}" for number in range(20)}
    evening = "2026-11-10T13:50:00.000Z"
    for record in story.records:
        if record["order"] in early:
            record["details"] |= {name: evening for name in ("due", "handed_at") if name in record["details"]}

    violations = spread(story.records, 20 * MINUTE, (), "Asia/Shanghai", quiet=STORY_RULES.quiet)

    assert len(violations) == 1
    assert "has 20 of the 20" in violations[0]


def test_a_call_that_overflowed_belongs_to_no_release() -> None:
    story = Story("2026-11-11T01:00:00.000Z")
    for number in range(50):
        order = f"O-{number}"
        story.accepted(order, f"C-{number}").planned(order, channel="phone").opened(order, after=HOUR)
    story.wait(HOUR)
    for number in range(50):
        order = f"O-{number}"
        story.record("task.overflowed", order, 1, channel="sms", due=iso(story.now)).handed_over(order)

    found = found_by(story)

    assert found == set()


def test_a_crowd_that_no_release_put_together_is_not_held_against_the_spread() -> None:
    story = released(50, lambda _: 0, moment="2026-11-11T01:00:01.000Z")

    found = found_by(story)

    assert found == set()


def test_reminders_deferred_to_a_release_belong_to_it() -> None:
    story = Story("2026-11-11T00:30:00.000Z")
    for number in range(50):
        order = f"O-{number}"
        story.accepted(order, f"C-{number}").planned(order)
        story.record(
            "reminder.deferred", order, 1, channel="sms", reason="daily_cap", due="2026-11-11T01:00:00.000Z"
        )
    story.at("2026-11-11T01:00:00.000Z")
    for number in range(50):
        story.handed_over(f"O-{number}")

    found = found_by(story)

    assert found == {"spread"}


def test_the_bound_of_a_minute_grows_with_the_release_and_never_beyond_it() -> None:
    bounds = [minute_bound(count, 20 * MINUTE) for count in (0, 1, 20, 300, 3000)]

    assert bounds == [0, 1, 17, 102, 726]
    assert minute_bound(50, MINUTE) == 50
