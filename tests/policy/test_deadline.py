"""A step whose moment is after the order's close goes earlier, else on another channel, else not at all."""

import pytest

from dispatcher.policy.decisions import Planned, Unplanned
from dispatcher.policy.schedule import plan
from dispatcher.policy.terms import Policy
from tests.policy.examples import at, customer, order_facts, policy

DEFAULT = policy()
ALONE = policy(spread=None, before_close=None)
"""One reminder an order."""


def steps(placed: str, closes: str, rules: Policy = DEFAULT, **fields: object) -> list[tuple[str, ...]]:
    """Return (channel, due) of what is planned, and (reason,) of what is not."""
    facts = order_facts(placed, closes, **fields)  # type: ignore[arg-type]
    found = []
    for step in plan(facts, rules, facts.order.placed_at):
        if isinstance(step, Planned):
            found.append((step.channel, f"{(step.due - at('2026-11-11 00:00')) // 60_000}"))
        else:
            found.append((step.reason,))
    return found


def minutes(clock: str) -> str:
    hours, rest = clock.split(":")
    return str(int(hours) * 60 + int(rest))


NONE = ("closes_before_window",)


@pytest.mark.parametrize(
    ("placed", "closes", "due"),
    [
        ("12:00", "12:30", "12:15"),  # at its own moment
        ("08:50", "09:20", "09:05"),  # in the middle of its life
        ("08:40", "09:10", "09:00"),  # when the day begins, which is in its second half
        ("21:50", "22:20", "21:55"),  # before the night, five minutes old
        ("15:30", "16:00", "15:45"),
        ("23:00", "23:30", None),  # all of its life is night
        ("21:51", "22:21", None),  # too young when the evening ends
        ("08:31", "09:04", None),  # too little time to pay when the day begins
    ],
)
def test_an_order_of_a_flash_sale_is_reminded_of_once_or_dropped_with_its_reason(
    placed: str, closes: str, due: str | None
) -> None:
    found = steps(f"2026-11-11 {placed}", f"2026-11-11 {closes}", policy(spread=None))

    assert found == [NONE if due is None else ("chat", minutes(due)), NONE]


@pytest.mark.parametrize(
    ("placed", "closes", "due"),
    [
        ("15:30", "20:00", "19:30"),  # half an hour to pay
        ("15:30", "22:10", "21:40"),
        ("15:30", "22:40", "21:55"),  # not in the last minutes before the night
    ],
)
def test_what_would_go_the_next_day_goes_before_the_close(placed: str, closes: str, due: str) -> None:
    found = steps(f"2026-11-11 {placed}", f"2026-11-11 {closes}", ALONE)

    assert found == [("chat", minutes(due))]


def test_where_the_second_step_goes_the_first_one_is_not_brought_forward() -> None:
    found = steps("2026-11-11 15:30", "2026-11-11 20:00", policy(spread=None))

    assert found == [NONE, ("chat", minutes("18:00"))]


@pytest.mark.parametrize(
    ("placed", "closes", "expected"),
    [
        ("11:40", "13:55", ("phone", minutes("11:55"))),  # the call before the pause at noon
        ("11:56", "13:55", ("chat", minutes("12:56"))),  # too young for that, and chat has no pause
    ],
)
def test_a_call_goes_earlier_before_another_channel_is_taken(
    placed: str, closes: str, expected: tuple[str, ...]
) -> None:
    cadence = [{"placed": ["00:00", "24:00"], "remind": {"after": "1h"}}]
    rules = policy(spread=None, before_close=None, cadence=cadence)

    found = steps(f"2026-11-11 {placed}", f"2026-11-11 {closes}", rules, total="800.00")

    assert found == [expected]


def test_what_shares_the_last_minutes_of_an_evening_is_spread_before_them() -> None:
    dues = []
    for number in range(100):
        facts = order_facts("2026-11-11 21:00", "2026-11-11 22:40", id=f"O-{number}")
        step = plan(facts, policy(before_close=None), facts.order.placed_at)[0]
        assert isinstance(step, Planned)
        dues.append(step.due)

    assert at("2026-11-11 21:35") <= min(dues) < max(dues) <= at("2026-11-11 21:55")
    assert max(dues.count(due) for due in dues) <= 5


def test_an_order_that_becomes_known_late_is_not_reminded_of_in_the_past() -> None:
    facts = order_facts("2026-11-11 15:30", "2026-11-11 16:00")

    (late, _) = plan(facts, policy(spread=None), at("2026-11-11 15:50"))
    (too_late, _) = plan(facts, policy(spread=None), at("2026-11-11 15:55:00.001"))

    assert isinstance(late, Planned)
    assert late.due == at("2026-11-11 15:50")
    assert isinstance(too_late, Unplanned)


def test_the_plan_says_that_it_was_brought_forward() -> None:
    facts = order_facts("2026-11-11 15:30", "2026-11-11 16:00", customer=customer(chat=None))

    (first, _) = plan(facts, DEFAULT, facts.order.placed_at)

    assert [rule.inputs for rule in first.rules if rule.rule == "deadline"] == [
        {
            "closes_at": "2026-11-11T08:00:00.000Z",
            "earliest": "2026-11-11T07:35:00.000Z",
            "latest": "2026-11-11T07:45:00.000Z",
        }
    ]
