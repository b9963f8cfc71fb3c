"""What one message carries is told by a hand-off, and nothing is told twice."""

from collections.abc import Callable
from typing import Any

import pytest

from tests.checkers.merges import merges
from tests.checkers.payment import not_after_payment
from tests.checkers.records import iso
from tests.checkers.replay import replay
from tests.checkers.story import DECISION, HOUR, Story

NAMES_B = DECISION | {"carries": [{"order": "B", "step": 1}]}


def two(customer: str = "C-1") -> Story:
    """Two orders whose reminders are due."""
    return Story().accepted("A").accepted("B", customer).planned("A").planned("B")


def carried(story: Story | None = None, **fields: Any) -> Story:
    """The message of A carries the reminder of B."""
    told = (story or two()).sending("A", decision=NAMES_B)
    return told.dropped("merged", "B", **({"carrier": "demo~A~1"} | fields))


def returned(story: Story) -> Story:
    due = story.records[-1]["at"]
    return story.record("reminder.returned", "B", 1, channel="sms", carrier="demo~A~1", due=due)


def test_what_a_message_carries_is_merged_with_it() -> None:
    records = carried().sent("A").records

    state = replay(records)

    assert (merges(records), state.problems) == ([], [])
    assert state.reminders["demo~B~1"].carrier == "demo~A~1"


@pytest.mark.parametrize("order", ["A", "B"])
@pytest.mark.parametrize(("reason", "wanted"), [("changed_mind", False), ("price", True)])
def test_naming_what_is_no_longer_wanted_is_found(order: str, reason: str, wanted: bool) -> None:
    told = two().record("task.completed", order, 2, agent="li", outcome="other")
    told.records[-1]["details"]["reason"] = reason

    found = merges(carried(told).records)

    problem = f"names {order}, which is no longer wanted"
    assert any(each.endswith(problem) for each in found) is not wanted


def test_what_was_not_handed_over_comes_back() -> None:
    story = returned(carried()).record("reminder.failed", "A", 1, channel="sms", reason="rejected")

    state = replay(story.records)

    assert (merges(story.records), state.problems) == ([], [])
    assert (state.reminders["demo~B~1"].status, state.reminders["demo~B~1"].carrier) == ("planned", None)


def test_what_does_not_come_back_is_found() -> None:
    story = carried().record("reminder.failed", "A", 1, channel="sms", reason="rejected")

    assert [problem.split(": ")[1] for problem in replay(story.records).problems] == [
        "does not bring back demo~B~1"
    ]


def failed_after_b_was_paid(*told: str, **fields: Any) -> list[str]:
    """Return what is wrong where B was paid on the way, and is told of once more for each reason."""
    story = carried().paid("B", too_late=["demo~A~1"])
    for reason in told:
        story.dropped(reason, "B", **({"channel": "sms", "carrier": "demo~A~1"} | fields))
    story.record("reminder.failed", "A", 1, channel="sms", reason="rejected")
    return [problem.partition(": ")[2] for problem in replay(story.records).problems]


def test_what_an_order_that_ended_had_carried_is_dropped_for_that_end() -> None:
    assert failed_after_b_was_paid("paid") == []


@pytest.mark.parametrize(
    ("told", "fields", "problem"),
    [
        ((), {}, "does not bring back demo~B~1"),
        (("cancelled",), {}, "comes from its carrier when its order is paid"),
        (("merged",), {}, "comes from its carrier when its order is paid"),
        (("paid",), {"carrier": "demo~C~1"}, "comes back from demo~C~1, was carried by demo~A~1"),
        (("paid", "paid"), {}, "comes back from demo~A~1, was carried by None"),
    ],
)
def test_what_is_told_otherwise_of_what_was_carried_is_found(
    told: tuple[str, ...], fields: dict[str, str], problem: str
) -> None:
    assert failed_after_b_was_paid(*told, **fields) == [problem]


@pytest.mark.parametrize("kind", ["reminder.dropped", "reminder.returned"])
def test_what_comes_back_stands_as_its_order_does(kind: str) -> None:
    story = carried() if kind == "reminder.dropped" else carried().paid("B", too_late=["demo~A~1"])
    about = {"channel": "sms", "reason": "paid", "carrier": "demo~A~1", "due": iso(story.now)}

    story.record(kind, "B", 1, **about).record("reminder.failed", "A", 1, channel="sms", reason="rejected")

    assert len(replay(story.records).problems) == 1


def test_what_nobody_carries_does_not_come_back() -> None:
    records = returned(two().dropped("too_late", "B")).records

    assert len(replay(records).problems) == 1


def test_a_message_that_does_not_take_what_it_names_is_found() -> None:
    records = two().sending("A", decision=NAMES_B).sent("A").records

    assert merges(records) == ["demo~A~1 names demo~B~1 and does not take it"]


def test_a_reminder_merged_with_a_message_that_does_not_name_it_is_found() -> None:
    records = two().sending("A").dropped("merged", "B", carrier="demo~A~1").records

    assert [problem.partition(": ")[2] for problem in merges(records)] == ["its carrier does not name it"]


def test_an_order_that_ended_is_not_to_be_named() -> None:
    records = carried(two().paid("B", stopped=["demo~B~1"])).records

    assert any("names B, which is paid" in problem for problem in merges(records))


def test_an_order_of_another_customer_is_not_to_be_named() -> None:
    records = carried(two(customer="C-2")).records

    assert any("names B, which is another customer's" in problem for problem in merges(records))


def test_an_order_is_named_once() -> None:
    twice = DECISION | {"carries": [{"order": "B", "step": 1}, {"order": "B", "step": 2}]}
    records = two().sending("A", decision=twice).records

    assert any("names an order twice" in problem for problem in merges(records))


def postponed(story: Story) -> Story:
    return story.record("operator.postponed", "B", 1, channel="sms", due=iso(story.now + HOUR))


def test_what_an_operator_postponed_is_not_to_be_named_before_its_time() -> None:
    early = carried(postponed(two()).wait(HOUR - 1)).records

    assert [problem.partition(": ")[2] for problem in merges(early)] == ["names demo~B~1, which is postponed"]


@pytest.mark.parametrize(
    "meanwhile",
    [
        lambda story: story.wait(HOUR),
        lambda story: story.record("operator.sent_now", "B", 1, channel="sms", due=iso(story.now)),
        lambda story: story.amended("B").planned("B"),
    ],
)
def test_what_was_postponed_may_be_named_from_its_time_on_or_when_it_was_moved_since(
    meanwhile: Callable[[Story], Story],
) -> None:
    assert merges(carried(meanwhile(postponed(two()))).records) == []


def test_who_pays_a_named_order_is_told_of_the_message() -> None:
    truly = carried().sent("A").wait(HOUR).paid("B", too_late=["demo~A~1"]).records
    silent = carried().sent("A").wait(HOUR).paid("B").records

    assert not_after_payment(truly) == []
    assert [problem.partition(": ")[2] for problem in not_after_payment(silent)] == [
        "does not tell that demo~A~1 names its order"
    ]
