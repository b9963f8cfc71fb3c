"""The replayer follows legal records to the present state and says which ones it cannot follow."""

import pytest

from tests.checkers.records import instant, iso
from tests.checkers.replay import replay
from tests.checkers.state import Order, Reminder, Shop, State, diff
from tests.checkers.story import HOUR, MORNING, Story

START = instant(MORNING)
ID = "demo~O-1~1"


def planned() -> Story:
    return Story().accepted().planned()


def test_a_planned_reminder_waits_until_its_due_time() -> None:
    story = Story().accepted().planned(after=HOUR)

    state = replay(story.records)

    assert state == State(
        orders={("demo", "O-1"): Order(state="unpaid", revision=1, closes_at=START + 72 * HOUR)},
        reminders={ID: Reminder(status="planned", due=START + HOUR, channel="sms")},
    )
    assert state.problems == []


def test_a_commit_takes_the_slot_and_the_hand_off_dates_it() -> None:
    story = planned().sending()

    under_way = replay(story.records).slots
    story.wait(7).sent()
    handed_over = replay(story.records)

    assert under_way == {("demo", "C-1"): {ID: START}}
    assert handed_over.slots == {("demo", "C-1"): {ID: START + 7}}
    assert handed_over.reminders[ID] == Reminder(status="sent", channel="sms", attempt=1)


@pytest.mark.parametrize(
    ("kind", "status", "slots"),
    [
        ("reminder.retrying", "planned", {}),
        ("reminder.failed", "failed", {}),
        ("reminder.dropped", "dropped", {}),
        ("reminder.uncertain", "uncertain", {("demo", "C-1"): {ID: START}}),
    ],
)
def test_a_slot_is_kept_only_where_a_hand_off_is_possible(
    kind: str, status: str, slots: dict[tuple[str, str], dict[str, int]]
) -> None:
    story = planned().sending().record(kind, "O-1", 1, reason="rejected", due=MORNING)

    state = replay(story.records)

    assert state.reminders[ID].status == status
    assert state.slots == slots
    assert state.problems == []


def test_a_task_goes_from_open_to_claimed_to_completed() -> None:
    story = Story().accepted().planned(channel="phone").opened()

    opened = replay(story.records)
    claimed = replay(story.wait(5).claimed().records)
    completed = replay(story.record("task.completed", "O-1", 1, channel="phone").records)

    assert opened.open_tasks == {ID}
    assert opened.slots == {}
    assert opened.reminders[ID].due == START + 2 * HOUR
    assert (claimed.open_tasks, claimed.claimed_tasks) == (set(), {ID})
    assert completed.claimed_tasks == set()
    assert completed.slots == {("demo", "C-1"): {ID: START + 5}}


def test_a_released_task_is_open_again_with_the_due_time_it_had_and_holds_no_slot() -> None:
    story = Story().accepted().planned(channel="phone").opened().wait(5).claimed()

    released = replay(story.wait(5).released().records)
    claimed = replay(story.wait(5).claimed().records)

    assert released.reminders[ID] == Reminder(status="open", due=START + 2 * HOUR, channel="phone", attempt=1)
    assert (released.slots, released.problems) == ({}, [])
    assert claimed.slots == {("demo", "C-1"): {ID: START + 15}}
    assert (claimed.reminders[ID].attempt, claimed.problems) == (2, [])


@pytest.mark.parametrize(
    ("late", "bucket"),
    [(0, "100"), (100, "100"), (101, "250"), (30_000, "30000"), (30_001, "inf")],
)
def test_hand_offs_are_counted_by_how_late_they_were(late: int, bucket: str) -> None:
    story = planned().wait(late).handed_over()

    counts = replay(story.records).counts

    found = {name: count for name, count in counts.items() if "late" in name}
    expected = {f"lane 0: late|{bucket}": 1} | ({"lane 0: late_ms": late} if late else {})
    assert found == expected


def test_a_hand_off_before_it_was_due_counts_as_in_time() -> None:
    story = Story().accepted().planned(after=HOUR).handed_over()

    counts = replay(story.records).counts

    assert counts["lane 0: late|100"] == 1
    assert "lane 0: late_ms" not in counts


def test_records_are_counted_by_kind_channel_and_reason() -> None:
    story = planned().accepted("O-2").planned("O-2").dropped("paid", "O-2", channel="sms")

    counts = replay(story.records).counts

    assert counts == {
        "lane 0: kind|order.accepted||": 2,
        "lane 0: kind|reminder.planned|sms|": 2,
        "lane 0: kind|reminder.dropped|sms|paid": 1,
    }


def test_the_newest_records_about_an_order_are_kept() -> None:
    story = planned().accepted("O-2")
    for number in range(501):
        story.amended(event=f"again-{number}")

    records = replay(story.records).records

    assert records["demo", "O-1"] == list(range(5, 505))
    assert records["demo", "O-2"] == [3]


def test_a_deferred_task_stays_open_on_the_phone_and_overflows_to_another_channel() -> None:
    story = Story().accepted().planned(channel="phone").opened()
    due = iso(START + 9)

    kept = replay(story.record("reminder.deferred", "O-1", 1, channel="phone", due=due).records)
    overflowed = replay(story.record("task.overflowed", "O-1", 1, channel="sms", due=due).records)

    assert kept.reminders[ID] == Reminder(status="open", due=START + 9, channel="phone")
    assert overflowed.reminders[ID] == Reminder(status="planned", due=START + 9, channel="sms")


def test_the_first_end_of_an_order_stands_and_a_payment_outdoes_its_close() -> None:
    cancelled_first = Story().accepted().ended("order.cancelled").paid()
    closed_first = Story().accepted().closed().paid()

    first = replay(cancelled_first.records).orders["demo", "O-1"]
    second = replay(closed_first.records).orders["demo", "O-1"]

    assert (first.state, first.revision) == ("cancelled", 2)
    assert (second.state, second.revision) == ("paid", 3)


def test_an_order_paid_before_it_is_known_stays_paid() -> None:
    early = Story().paid()

    alone = replay(early.records)
    told = replay(early.accepted(state="paid").records)

    assert alone.orders["demo", "O-1"] == Order(state="paid", revision=1)
    assert told.orders["demo", "O-1"].state == "paid"
    assert told.problems == []


def test_a_retired_order_leaves_nothing_behind() -> None:
    story = planned().handed_over().paid(too_late=[ID]).record("order.retired", "O-1")
    story.record("customer.forgotten", customer="C-1")

    state = replay(story.records)

    assert state == State()
    assert state.records == {}
    assert state.problems == []


def test_pauses_and_policies_are_followed() -> None:
    story = Story().record("policy.changed", policy=3, details={})
    story.record("operator.paused", details={"channel": "sms"})
    story.record("operator.paused", details={"channel": None})
    story.record("operator.resumed", details={"channel": "sms"})

    state = replay(story.records)

    assert state.shops == {"demo": Shop(policy=3, paused=frozenset({"*"}))}


def test_blocks_are_followed_and_one_that_changes_nothing_is_found() -> None:
    wrong = {"address": "phone", "person": "ab12"}
    story = Story().record("operator.blocked", details=wrong).record("operator.blocked", details=wrong)
    story.record("operator.blocked", details=wrong | {"address": "chat"})
    story.record("operator.unblocked", details=wrong)

    state = replay(story.records)

    assert state.shops == {"demo": Shop(blocked=frozenset({"chat:ab12"}))}
    assert [problem.split(": ")[1] for problem in state.problems] == ["changes nothing of what is blocked"]


def test_records_are_followed_by_seq_whatever_their_order() -> None:
    story = planned().handed_over()

    state = replay(reversed(story.records))

    assert state == replay(story.records)
    assert state.problems == []


ILLEGAL = {
    "an unknown order": Story().planned(),
    "sent without a commit": planned().sent(),
    "sent twice": planned().handed_over().sent(),
    "planned after a drop": planned().dropped("no_consent").planned(),
    "claimed without a task": planned().claimed(),
    "released without a claim": planned().opened().released(),
    "accepted twice": planned().record("order.accepted", "O-1", **Story().accepted().records[0]["details"]),
    "amended before accepted": Story().amended(),
    "amended after payment": Story().accepted().paid().amended(state="paid"),
    "closed after payment": Story().accepted().paid().closed(),
    "retired while unpaid": Story().accepted().record("order.retired", "O-1"),
    "a missing revision": Story().accepted().amended(revision=3),
    "a wrong state": Story().accepted(state="paid"),
    "another attempt": planned().sending(attempt=2),
    "sent on another channel": planned().sending().sent(channel="chat"),
    "an unknown kind of task": planned().record("task.forgotten", "O-1", 1),
    "an unknown kind of order": planned().record("order.lost", "O-1"),
}


@pytest.mark.parametrize("story", ILLEGAL.values(), ids=ILLEGAL.keys())
def test_an_illegal_record_is_told(story: Story) -> None:
    problems = replay(story.records).problems

    assert len(problems) == 1
    assert problems[0].startswith(f"lane 0 seq {len(story.records)} ")


def test_an_illegal_move_changes_nothing() -> None:
    story = planned().handed_over()

    before = replay(story.records)
    after = replay(story.dropped("paid").records)

    assert after.problems
    assert after == before


def test_a_difference_is_named_by_what_it_is_about() -> None:
    expected = replay(planned().records)
    found = replay(planned().handed_over().records)

    lines = diff(expected, found)

    assert [line.partition(": expected")[0] for line in lines] == [
        "reminder demo~O-1~1",
        "slots of demo~C-1",
        "records of demo~O-1",
        "counter of lane 0: kind|reminder.sending|sms|",
        "counter of lane 0: kind|reminder.sent|sms|",
        "counter of lane 0: late|100",
    ]
    assert diff(found, found) == []
