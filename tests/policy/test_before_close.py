"""The second step: its lead before the close, the night, and the time after the first."""

import pytest

from dispatcher.policy.decisions import Planned, Unplanned
from dispatcher.policy.facts import Item, OrderFacts
from dispatcher.policy.schedule import plan
from dispatcher.policy.terms import Policy
from tests.policy.examples import MINUTE, at, customer, order_facts, policy

AT_ONCE = policy(spread=None)


def second(facts: OrderFacts, rules: Policy = AT_ONCE, now: int | None = None) -> Planned | Unplanned:
    return plan(facts, rules, facts.order.placed_at if now is None else now)[1]


def planned(facts: OrderFacts, rules: Policy = AT_ONCE, now: int | None = None) -> Planned:
    found = second(facts, rules, now)
    assert isinstance(found, Planned), found
    return found


@pytest.mark.parametrize(
    ("placed", "closes", "moment", "due"),
    [
        # At its own moment, when that is outside the night.
        ("2026-11-11 12:00", "2026-11-12 12:00", "2026-11-12 10:00", "2026-11-12 10:00"),
        ("2026-11-11 16:00", "2026-11-12 16:00", "2026-11-12 14:00", "2026-11-12 14:00"),
        ("2026-11-11 12:00", "2026-11-11 23:59:59", "2026-11-11 21:59:59", "2026-11-11 21:59:59"),
        ("2026-11-11 11:00", "2026-11-12 11:00", "2026-11-12 09:00", "2026-11-12 09:00"),
        # In the night it goes before it, not in the last minutes.
        ("2026-11-11 12:00", "2026-11-12 00:00", "2026-11-11 22:00", "2026-11-11 21:55"),
        ("2026-11-11 10:20", "2026-11-12 10:20", "2026-11-12 08:20", "2026-11-11 21:55"),
        ("2026-11-11 10:59", "2026-11-12 10:59", "2026-11-12 08:59", "2026-11-11 21:55"),
        # Soon after the first it waits its time.
        ("2026-11-11 11:00", "2026-11-11 15:00", "2026-11-11 13:00", "2026-11-11 14:15"),
        # Where the evening comes too soon, the morning does, if the order is still open.
        ("2026-11-11 22:30", "2026-11-13 10:30", "2026-11-13 08:30", "2026-11-12 21:55"),
    ],
)
def test_second_step(placed: str, closes: str, moment: str, due: str) -> None:
    found = planned(order_facts(placed, closes))

    assert (found.moment, found.due) == (at(moment), at(due))


@pytest.mark.parametrize(
    ("placed", "closes", "night", "due"),
    [
        # Its moment is on Sunday: it goes on Friday, before the night that lasts to Monday.
        ("2026-11-12 12:00", "2026-11-15 14:00", ("22:00", "09:00"), "2026-11-13 21:55"),
        ("2026-11-12 12:00", "2026-11-16 10:00", ("22:00", "09:00"), "2026-11-13 21:55"),
        # Without nights a closed day begins at midnight.
        ("2026-11-12 12:00", "2026-11-15 14:00", ("09:00", "09:00"), "2026-11-13 23:55"),
        # Where Friday is too soon after the first, Monday is not too late.
        ("2026-11-13 20:00", "2026-11-16 10:00", ("22:00", "09:00"), "2026-11-16 09:00"),
    ],
)
def test_a_moment_on_a_closed_day_goes_before_it_begins(
    placed: str, closes: str, night: tuple[str, str], due: str
) -> None:
    rules = policy(
        cadence=[{"placed": ["00:00", "24:00"], "remind": {"after": "15m"}}],
        spread=None,
        quiet_hours={"start": night[0], "end": night[1]},
        days={"reminders": "workdays"},
    )

    found = planned(order_facts(placed, closes), rules)

    assert found.due == at(due)


def test_the_morning_comes_after_an_evening_that_is_not_possible() -> None:
    # First at 19:15, so that three hours later is in the night.
    rules = policy(cadence=[{"placed": ["00:00", "24:00"], "remind": {"after": "15m"}}], spread=None)

    found = planned(order_facts("2026-11-11 19:00", "2026-11-12 09:30"), rules)

    assert found.due == at("2026-11-12 09:00")


def test_an_evening_that_is_over_is_not_planned_for() -> None:
    facts = order_facts("2026-11-11 10:20", "2026-11-12 10:20")

    found = planned(facts, AT_ONCE, at("2026-11-11 23:00"))

    assert found.due == at("2026-11-12 09:00")


@pytest.mark.parametrize(
    ("placed", "closes"),
    [
        # The order's whole life is shorter than the lead.
        ("2026-11-11 12:00", "2026-11-11 12:30"),
        ("2026-11-11 12:00", "2026-11-11 14:00"),
        # Three hours after the first one it is closed.
        ("2026-11-11 12:00", "2026-11-11 15:15"),
        ("2026-11-11 14:59", "2026-11-11 18:14"),
    ],
)
def test_an_order_that_closes_before_a_second_step_fits_gets_none(placed: str, closes: str) -> None:
    found = second(order_facts(placed, closes))

    assert isinstance(found, Unplanned)
    assert found.reason == "closes_before_window"


def test_closing_within_the_night_with_no_evening_left_gets_none() -> None:
    rules = policy(cadence=[{"placed": ["00:00", "24:00"], "remind": {"after": "15m"}}], spread=None)

    found = second(order_facts("2026-11-11 19:30", "2026-11-12 08:00"), rules)

    assert isinstance(found, Unplanned)
    assert found.reason == "closes_before_window"


def test_before_the_night_the_second_steps_are_spread_and_end_five_minutes_before_it() -> None:
    facts = [order_facts("2026-11-11 10:20", "2026-11-12 10:20", id=f"O-{number}") for number in range(200)]

    dues = [planned(each, policy()).due for each in facts]

    assert at("2026-11-11 21:35") <= min(dues) < at("2026-11-11 21:42")
    assert at("2026-11-11 21:53") < max(dues) < at("2026-11-11 21:55")
    assert max(dues.count(due) for due in dues) <= 5


def test_it_takes_a_channel_that_the_first_does_not() -> None:
    steps = plan(order_facts(), AT_ONCE, at("2026-11-11 10:20"))

    assert [step.channel for step in steps if isinstance(step, Planned)] == ["chat", "sms"]


def test_after_a_call_it_is_never_a_call() -> None:
    facts = order_facts(customer=customer(paid_orders=3, chat=None))

    steps = plan(facts, AT_ONCE, at("2026-11-11 10:20"))

    assert [step.channel for step in steps if isinstance(step, Planned)] == ["phone", "sms"]


def test_where_only_one_channel_is_possible_it_is_used_again() -> None:
    steps = plan(order_facts(customer=customer(phone=None)), AT_ONCE, at("2026-11-11 10:20"))

    assert [step.channel for step in steps if isinstance(step, Planned)] == ["chat", "chat"]


def test_it_is_planned_even_where_the_first_came_too_late() -> None:
    steps = plan(order_facts("2026-11-11 12:00"), AT_ONCE, at("2026-11-11 20:00"))

    assert isinstance(steps[0], Unplanned)
    assert steps[0].reason == "too_late"
    assert isinstance(steps[1], Planned)
    assert (steps[1].channel, steps[1].due) == ("chat", at("2026-11-12 10:00"))


def test_it_too_can_come_too_late() -> None:
    rules = policy(max_late="10m", spread=None)
    facts = order_facts("2026-11-11 12:00")

    found = second(facts, rules, at("2026-11-12 10:10:00.001"))

    assert isinstance(found, Unplanned)
    assert found.reason == "too_late"
    assert isinstance(second(facts, rules, at("2026-11-12 10:10")), Planned)


def test_a_night_that_holds_it_too_long_makes_it_too_late() -> None:
    rules = policy(quiet_hours__max_held="1h", spread=None)

    found = second(order_facts("2026-11-11 10:20", "2026-11-12 09:30"), rules, at("2026-11-11 23:00"))

    assert isinstance(found, Unplanned)
    assert found.reason == "too_late"


@pytest.mark.parametrize(
    ("fields", "now", "reason"),
    [
        ({"items": (Item(name="鞋", availability="sold_out"),)}, "2026-11-11 10:20", "sold_out"),
        ({"customer": customer(phone=None, chat=None)}, "2026-11-11 10:20", "no_address"),
        ({}, "2026-11-12 10:20", "closed"),
    ],
)
def test_what_forbids_the_first_step_forbids_the_second(
    fields: dict[str, object], now: str, reason: str
) -> None:
    steps = plan(order_facts(**fields), AT_ONCE, at(now))  # type: ignore[arg-type]

    assert [step.reason for step in steps if isinstance(step, Unplanned)] == [reason, reason]


def test_without_earliest_after_it_is_still_not_before_the_first() -> None:
    rules = policy(before_close={"lead": "3h"}, quiet_hours=None, spread=None)
    facts = order_facts("2026-11-11 16:00", "2026-11-12 12:00")

    steps = plan(facts, rules, at("2026-11-11 16:00"))

    assert [step.due for step in steps if isinstance(step, Planned)] == [at("2026-11-12 10:00")] * 2


def test_the_lead_is_counted_in_real_time_where_clocks_change() -> None:
    zone = "America/New_York"
    rules = policy(timezone=zone, quiet_hours=None, spread=None)

    found = planned(order_facts(at("2026-03-07 12:00", zone), at("2026-03-08 03:30", zone)), rules)

    assert found.moment == at("2026-03-08 00:30", zone)
    assert found.moment == at("2026-03-08 03:30", zone) - 120 * MINUTE
