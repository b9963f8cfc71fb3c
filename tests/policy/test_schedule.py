"""The first step of a plan: the timing table, the night, lateness, routing and spreading."""

from typing import Any

import pytest

from dispatcher.policy.decisions import Planned, Unplanned
from dispatcher.policy.facts import Consent, Item, OrderFacts
from dispatcher.policy.schedule import plan
from dispatcher.policy.terms import Policy
from tests.policy.examples import MINUTE, SHANGHAI, at, customer, order_facts, policy

AT_ONCE = policy(spread=None)


def first(facts: OrderFacts, rules: Policy = AT_ONCE, now: int | None = None) -> Planned | Unplanned:
    return plan(facts, rules, facts.order.placed_at if now is None else now)[0]


def planned(facts: OrderFacts, rules: Policy = AT_ONCE, now: int | None = None) -> Planned:
    found = first(facts, rules, now)
    assert isinstance(found, Planned), found
    return found


def reason(facts: OrderFacts, rules: Policy = AT_ONCE, now: int | None = None) -> str:
    found = first(facts, rules, now)
    assert isinstance(found, Unplanned), found
    return found.reason


def remind(**remind: str) -> Policy:
    return policy(cadence=[{"placed": ["00:00", "24:00"], "remind": remind}], spread=None)


@pytest.mark.parametrize(
    ("placed", "moment", "due"),
    [
        # Before 11:00: two hours later, by 15:00 at the latest.
        ("2026-11-11 00:00", "2026-11-11 02:00", "2026-11-11 09:00"),
        ("2026-11-11 06:59:59", "2026-11-11 08:59:59", "2026-11-11 09:00"),
        ("2026-11-11 07:00", "2026-11-11 09:00", "2026-11-11 09:00"),
        ("2026-11-11 10:20:30", "2026-11-11 12:20:30", "2026-11-11 12:20:30"),
        ("2026-11-11 10:59:59.999", "2026-11-11 12:59:59.999", "2026-11-11 12:59:59.999"),
        # 11:00 to 15:00: promptly.
        ("2026-11-11 11:00", "2026-11-11 11:15", "2026-11-11 11:15"),
        ("2026-11-11 14:59:59.999", "2026-11-11 15:14:59.999", "2026-11-11 15:14:59.999"),
        # From 15:00: the next day.
        ("2026-11-11 15:00", "2026-11-12 10:00", "2026-11-12 10:00"),
        ("2026-11-11 22:30", "2026-11-12 10:00", "2026-11-12 10:00"),
        ("2026-12-31 23:59:59.999", "2027-01-01 10:00", "2027-01-01 10:00"),
    ],
)
def test_the_timing_table(placed: str, moment: str, due: str) -> None:
    found = planned(order_facts(placed))

    assert (found.moment, found.due) == (at(moment), at(due))


@pytest.mark.parametrize(
    ("form", "placed", "moment"),
    [
        ({"after": "15m"}, "14:00", "2026-11-11 14:15"),
        ({"after": "0s"}, "14:00", "2026-11-11 14:00"),
        ({"after": "6h", "before": "15:00"}, "08:59", "2026-11-11 14:59"),
        ({"after": "6h", "before": "15:00"}, "09:00", "2026-11-11 15:00"),
        ({"after": "6h", "before": "15:00"}, "14:59", "2026-11-11 15:00"),
        ({"after": "6h", "before": "15:00"}, "15:01", "2026-11-11 15:01"),
        ({"after": "6h", "before": "24:00"}, "20:00", "2026-11-12 00:00"),
        ({"at": "16:00"}, "12:00", "2026-11-11 16:00"),
        ({"at": "16:00"}, "16:00", "2026-11-11 16:00"),
        ({"at": "16:00"}, "16:01", "2026-11-11 16:01"),
        ({"next_day_at": "10:00"}, "00:00", "2026-11-12 10:00"),
    ],
)
def test_each_form_of_remind(form: dict[str, str], placed: str, moment: str) -> None:
    assert first(order_facts(f"2026-11-11 {placed}"), remind(**form)).moment == at(moment)


@pytest.mark.parametrize(
    ("max_held", "due"),
    [
        (None, "2026-11-16 09:00"),
        ("47h", "2026-11-16 09:00"),
        ("46h", None),
        ("12h", None),
    ],
)
def test_a_weekend_holds_as_a_night_does(max_held: str | None, due: str | None) -> None:
    # Placed on Friday for Saturday 10:00, which is 47 hours before Monday 09:00.
    rules = policy(spread=None, days={"reminders": "workdays"}, quiet_hours__max_held=max_held)
    facts = order_facts("2026-11-13 16:00", "2026-11-17 16:00")

    found = first(facts, rules)

    if due is None:
        assert isinstance(found, Unplanned)
        assert found.reason == "too_late"
    else:
        assert isinstance(found, Planned)
        assert found.due == at(due)


def test_an_order_that_closes_before_the_next_open_day_is_dropped() -> None:
    rules = policy(spread=None, days={"reminders": "workdays"})

    assert reason(order_facts("2026-11-13 16:00", "2026-11-16 09:00"), rules) == "closes_before_window"


def test_a_call_on_a_day_without_calls_gives_way_where_the_order_closes_before() -> None:
    rules = policy(spread=None, days={"calls": ["mon"]})
    calls = order_facts("2026-11-11 12:00", "2026-11-12 12:00", total="800.00")

    found = planned(calls, rules)

    assert (found.channel, found.due) == ("chat", at("2026-11-11 12:15"))


def test_what_goes_ahead_of_a_deadline_is_late_by_its_own_time() -> None:
    row = {"placed": ["00:00", "24:00"], "remind": {"after": "6h", "before": "15:00"}}
    rules, facts = policy(cadence=[row], max_late="2h"), order_facts("2026-11-11 09:00")
    due = planned(facts, rules).due

    assert due < at("2026-11-11 15:00")
    assert planned(facts, rules, due + 120 * MINUTE).due == due
    assert reason(facts, rules, due + 120 * MINUTE + 1) == "too_late"


def test_the_first_row_that_holds_the_time_wins() -> None:
    rows = [
        {"placed": ["10:00", "11:00"], "remind": {"after": "1h"}},
        {"placed": ["00:00", "24:00"], "remind": {"after": "3h"}},
    ]

    found = planned(order_facts("2026-11-11 10:30"), policy(cadence=rows, spread=None))

    assert found.moment == at("2026-11-11 11:30")


def test_an_order_that_no_row_holds_is_not_scheduled() -> None:
    rows = [{"placed": ["00:00", "11:00"], "remind": {"after": "2h"}}]

    found = first(order_facts("2026-11-11 11:00"), policy(cadence=rows))

    assert isinstance(found, Unplanned)
    assert (found.reason, found.moment) == ("not_scheduled", at("2026-11-11 11:00"))


def test_the_customers_own_zone_wins_over_the_shops() -> None:
    # 10:30 in Shanghai is 02:30 in London, which falls into the night there.
    found = planned(order_facts("2026-11-11 10:30", customer=customer(timezone="Europe/London")))

    assert found.moment == at("2026-11-11 04:30", "Europe/London")
    assert found.due == at("2026-11-11 09:00", "Europe/London")


def test_an_unknown_zone_is_an_error() -> None:
    with pytest.raises(KeyError):
        first(order_facts("2026-11-11 10:30", customer=customer(timezone="Mars/Olympus")))


@pytest.mark.parametrize(
    ("zone", "placed", "due"),
    [
        ("America/New_York", "2026-03-07 16:00", "2026-03-08 10:00"),
        ("America/New_York", "2026-10-31 16:00", "2026-11-01 10:00"),
        ("America/New_York", "2026-03-08 03:00", "2026-03-08 09:00"),
        ("Europe/London", "2026-03-28 16:00", "2026-03-29 10:00"),
        ("Europe/London", "2026-10-25 01:30", "2026-10-25 09:00"),
        ("Australia/Lord_Howe", "2026-10-03 16:00", "2026-10-04 10:00"),
    ],
)
def test_local_hours_hold_where_clocks_change(zone: str, placed: str, due: str) -> None:
    facts = order_facts(at(placed, zone), customer=customer(timezone=zone))

    assert planned(facts).due == at(due, zone)


def test_a_fixed_hour_that_the_clock_skips_is_the_end_of_the_gap() -> None:
    rules = policy(
        timezone="America/New_York",
        cadence=[{"placed": ["00:00", "24:00"], "remind": {"next_day_at": "02:30"}}],
        quiet_hours=None,
        spread=None,
    )

    found = planned(order_facts(at("2026-03-07 12:00", "America/New_York")), rules)

    assert found.due == at("2026-03-08 03:00", "America/New_York")


def test_without_quiet_hours_the_night_is_no_matter() -> None:
    for rules in (policy(quiet_hours=None), policy(quiet_hours__end="22:00")):
        assert planned(order_facts("2026-11-11 01:00"), rules).due == at("2026-11-11 03:00")


@pytest.mark.parametrize(("max_held", "expected"), [("7h", Planned), ("6h", Unplanned), (None, Planned)])
def test_what_the_night_would_hold_too_long_is_too_late(max_held: str | None, expected: type) -> None:
    # Due at 02:00, held to 09:00.
    found = first(order_facts("2026-11-11 00:00"), policy(quiet_hours__max_held=max_held))

    assert type(found) is expected
    assert getattr(found, "reason", "too_late") == "too_late"


@pytest.mark.parametrize(
    ("placed", "now", "expected"),
    [
        ("2026-11-11 11:00", "2026-11-11 13:15", Planned),
        ("2026-11-11 11:00", "2026-11-11 13:15:00.001", Unplanned),
        # Held over the night, lateness counts from its end and not from the end of the spread.
        ("2026-11-11 01:00", "2026-11-11 11:00", Planned),
        ("2026-11-11 01:00", "2026-11-11 11:00:00.001", Unplanned),
    ],
)
def test_an_order_that_reaches_us_long_after_its_moment_is_too_late(
    placed: str, now: str, expected: type
) -> None:
    found = first(order_facts(placed), policy(), at(now))

    assert type(found) is expected
    assert getattr(found, "reason", "too_late") == "too_late"


def test_without_max_late_nothing_is_too_late() -> None:
    assert planned(order_facts("2026-11-11 11:00"), policy(max_late=None), at("2026-11-12 08:00")).step == 1


def test_an_order_that_closes_in_the_night_before_it_could_be_reminded_of_gets_nothing() -> None:
    facts = order_facts("2026-11-11 23:00", "2026-11-12 10:00")

    assert reason(facts) == "closes_before_window"


def test_a_moment_at_the_close_is_no_moment() -> None:
    at_the_close = planned(order_facts("2026-11-11 11:00", "2026-11-11 11:15"))

    assert at_the_close.due == at("2026-11-11 11:07:30")
    assert planned(order_facts("2026-11-11 11:00", "2026-11-11 11:15:00.001")).due == at("2026-11-11 11:15")


def test_an_order_already_closed_is_closed() -> None:
    assert reason(order_facts("2026-11-11 11:00"), AT_ONCE, at("2026-11-12 11:00")) == "closed"


def test_a_night_of_the_whole_day_leaves_no_moment() -> None:
    rules = policy(quiet_hours={"start": "00:00", "end": "24:00"})

    assert reason(order_facts("2026-11-11 11:00"), rules) == "closes_before_window"


def test_sold_out_goods_are_not_reminded_of() -> None:
    items = (Item(name="裙", availability="in_stock"), Item(name="鞋", availability="sold_out"))

    assert reason(order_facts("2026-11-11 11:00", items=items)) == "sold_out"


def test_without_an_address_or_consent_there_is_no_plan() -> None:
    nobody = customer(phone=None, chat=None)
    unwilling = customer(consent=Consent(sms=False, chat=False))

    assert reason(order_facts(customer=nobody)) == "no_address"
    assert reason(order_facts(customer=unwilling)) == "no_consent"


@pytest.mark.parametrize(
    ("placed", "due"),
    [
        ("2026-11-11 11:00", "2026-11-11 11:15"),
        ("2026-11-11 11:50", "2026-11-11 14:00"),
        ("2026-11-11 09:00", "2026-11-11 11:00"),
        ("2026-11-11 01:00", "2026-11-11 09:00"),
        ("2026-11-11 15:00", "2026-11-12 10:00"),
    ],
)
def test_a_call_waits_for_its_window(placed: str, due: str) -> None:
    found = planned(order_facts(placed, total="500.00"))

    assert (found.channel, found.due) == ("phone", at(due))


def test_a_call_that_has_no_window_before_the_close_becomes_another_channel() -> None:
    found = planned(order_facts("2026-11-11 11:50", "2026-11-11 14:00", total="500.00"))

    assert (found.channel, found.due) == ("chat", at("2026-11-11 12:05"))


def test_a_call_that_has_no_window_and_no_other_channel_is_not_planned() -> None:
    facts = order_facts(
        "2026-11-11 11:55",
        "2026-11-11 14:00",
        total="500.00",
        customer=customer(consent=Consent(sms=False, chat=False)),
    )

    assert reason(facts) == "closes_before_window"


def due_times(placed: str, rules: Policy, closes: str | None = None, **fields: Any) -> list[int]:
    times = (placed,) if closes is None else (placed, closes)
    return [planned(order_facts(*times, id=f"O-{n}", **fields), rules).due for n in range(200)]


def test_what_falls_on_the_end_of_the_night_is_spread_over_the_time_after_it() -> None:
    dues = due_times("2026-11-11 01:00", policy())

    offsets = [due - at("2026-11-11 09:00") for due in dues]
    assert all(5 * MINUTE <= offset < 20 * MINUTE for offset in offsets)
    assert all(offset % 1000 == 0 for offset in offsets)
    assert max(offsets.count(offset) for offset in offsets) <= 5
    assert min(offsets) < 7 * MINUTE
    assert max(offsets) > 18 * MINUTE


@pytest.mark.parametrize(
    "fields",
    [
        {"total": "500.00", "customer": customer(phone=None)},
        {"customer": customer(phone=None, paid_orders=1)},
        {"closes": "2026-11-11 13:00"},
    ],
)
def test_valuable_and_urgent_ones_go_first(fields: dict[str, Any]) -> None:
    dues = due_times("2026-11-11 01:00", policy(), **fields)

    offsets = [due - at("2026-11-11 09:00") for due in dues]

    assert all(0 <= offset < 5 * MINUTE for offset in offsets)
    assert max(offsets) > 4 * MINUTE


def test_a_fixed_hour_is_spread_and_a_moment_of_its_own_is_not() -> None:
    fixed = due_times("2026-11-11 16:00", policy())
    own = due_times("2026-11-11 11:00", policy())

    assert at("2026-11-12 10:05") <= min(fixed) < max(fixed) < at("2026-11-12 10:20")
    assert set(own) == {at("2026-11-11 11:15")}


def test_a_deadline_is_spread_over_the_time_before_it() -> None:
    rules = policy(cadence=[{"placed": ["00:00", "24:00"], "remind": {"after": "6h", "before": "15:00"}}])

    dues = due_times("2026-11-11 10:00", rules)
    pressed = due_times("2026-11-11 14:55", rules)

    assert at("2026-11-11 14:40") <= min(dues) < max(dues) < at("2026-11-11 15:00")
    assert at("2026-11-11 14:55") <= min(pressed) < max(pressed) < at("2026-11-11 15:00")


def test_a_spread_never_reaches_the_close() -> None:
    dues = due_times("2026-11-11 01:00", policy(), "2026-11-11 09:02")

    assert at("2026-11-11 09:00") <= min(dues) < max(dues) < at("2026-11-11 09:02")


def test_a_spread_never_leaves_the_hours_it_is_in() -> None:
    rules = policy(quiet_hours={"start": "09:05", "end": "09:00"}, before_close=None)

    dues = due_times("2026-11-11 01:00", rules)

    assert at("2026-11-11 09:00") <= min(dues) < max(dues) < at("2026-11-11 09:05")


def test_planning_is_repeatable() -> None:
    facts = order_facts("2026-11-11 16:00")

    assert plan(facts, policy(), at("2026-11-11 16:00")) == plan(facts, policy(), at("2026-11-11 16:00"))


def test_steps_are_numbered_without_gaps_and_carry_their_rules() -> None:
    for rules, count in ((policy(), 2), (policy(before_close=None), 1)):
        steps = plan(order_facts(), rules, at("2026-11-11 10:20"))

        assert [step.step for step in steps] == list(range(1, count + 1))
        assert all(step.rules for step in steps)


def test_a_customer_without_a_zone_has_the_shops() -> None:
    told = order_facts("2026-11-11 11:00", customer=customer(timezone=SHANGHAI))

    assert planned(order_facts("2026-11-11 11:00")) == planned(told)
