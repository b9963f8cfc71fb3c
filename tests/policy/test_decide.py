"""The decision about one due reminder: each rule alone, their order, and what they solve together."""

from typing import Any

import pytest

from dispatcher.policy.decide import decide, decide_claim
from dispatcher.policy.decisions import Decision, Defer, Drop, Limits, Send
from dispatcher.policy.facts import Consent, Facts, Handoff, Item, OrderState
from dispatcher.policy.terms import Policy
from tests.policy.examples import HOUR, at, customer, facts, order, policy

AT_ONCE = policy(spread=None)
UNPROMISED = policy(spread=None, shipping=None)
DAY_OF_LEDGER = "2026-11-11"


def on_phone(due: str, **fields: Any) -> Facts:
    made = {"order": order(total="500.00"), "channel": "phone"}
    return facts(due, **{**made, **fields})


def told(decision: Decision) -> tuple[str, ...]:
    """A decision in words, without its rules."""
    match decision:
        case Send():
            return ("send", decision.channel)
        case Defer():
            return ("defer", decision.reason, decision.channel)
        case Drop():
            return ("drop", decision.reason)


def deferred(found: Decision) -> Defer:
    assert isinstance(found, Defer), found
    return found


def sent(found: Decision) -> Send:
    assert isinstance(found, Send), found
    return found


def ledger(*times: str) -> tuple[int, ...]:
    return tuple(at(time if "-" in time else f"{DAY_OF_LEDGER} {time}") for time in times)


def test_a_due_reminder_is_sent() -> None:
    found = sent(decide(facts("2026-11-11 12:20"), AT_ONCE, at("2026-11-11 12:20:01")))

    assert found.channel == "chat"
    assert found.valid_until == at("2026-11-11 17:00")  # the text says that it ships today
    assert found.limits == Limits(
        day_start=at("2026-11-11 00:00"), day_end=at("2026-11-12 00:00"), per_day=2, min_gap=3 * HOUR
    )
    assert found.ships_today
    assert found.overflow_at is None
    assert {rule.outcome for rule in found.rules} == {"pass", "chat"}


@pytest.mark.parametrize("state", [OrderState.PAID, OrderState.CANCELLED, OrderState.CLOSED])
def test_only_an_unpaid_order_is_reminded_of(state: OrderState) -> None:
    found = decide(facts("2026-11-11 12:20", state=state), AT_ONCE, at("2026-11-11 12:20"))

    assert told(found) == ("drop", str(state))


@pytest.mark.parametrize(
    ("now", "expected"),
    [("2026-11-11 12:29:59.999", ("send", "chat")), ("2026-11-11 12:30", ("drop", "closed"))],
)
def test_from_its_close_on_an_order_is_closed(now: str, expected: tuple[str, ...]) -> None:
    closing = facts("2026-11-11 12:20", order=order("2026-11-11 10:20", "2026-11-11 12:30"))

    assert told(decide(closing, AT_ONCE, at(now))) == expected


@pytest.mark.parametrize(
    ("now", "rules", "expected"),
    [
        ("2026-11-11 14:20", AT_ONCE, ("send", "chat")),
        ("2026-11-11 14:20:00.001", AT_ONCE, ("drop", "too_late")),
        ("2026-11-11 20:20", policy(max_late=None), ("send", "chat")),
    ],
)
def test_a_stale_reminder_is_dropped(now: str, rules: Policy, expected: tuple[str, ...]) -> None:
    assert told(decide(facts("2026-11-11 12:20"), rules, at(now))) == expected


def test_sold_out_goods_are_not_reminded_of() -> None:
    gone = facts("2026-11-11 12:20", order=order(items=(Item(name="裙", availability="sold_out"),)))

    assert told(decide(gone, AT_ONCE, at("2026-11-11 12:20"))) == ("drop", "sold_out")


@pytest.mark.parametrize(
    ("now", "due", "expected", "until"),
    [
        ("2026-11-11 21:59:59.999", "2026-11-11 21:30", ("send", "chat"), None),
        ("2026-11-11 22:00", "2026-11-11 21:30", ("defer", "quiet_hours", "chat"), "2026-11-12 09:00"),
        ("2026-11-12 00:00", "2026-11-11 23:00", ("defer", "quiet_hours", "chat"), "2026-11-12 09:00"),
        ("2026-11-12 08:59:59.999", "2026-11-12 08:00", ("defer", "quiet_hours", "chat"), "2026-11-12 09:00"),
        ("2026-11-12 09:00", "2026-11-12 09:00", ("send", "chat"), None),
    ],
)
def test_nothing_goes_in_the_night(now: str, due: str, expected: tuple[str, ...], until: str | None) -> None:
    found = decide(facts(due, order=order(closes="2026-11-13 00:00")), AT_ONCE, at(now))

    assert told(found) == expected
    assert until is None or deferred(found).until == at(until)


def test_the_night_is_the_customers_own() -> None:
    abroad = customer(timezone="America/New_York")
    # Noon in Shanghai is 23:00 of the day before in New York.
    found = deferred(decide(facts("2026-11-11 12:00", customer=abroad), AT_ONCE, at("2026-11-11 12:00")))

    assert found.reason == "quiet_hours"
    assert found.until == at("2026-11-11 09:00", "America/New_York")


def test_an_unknown_zone_is_an_error() -> None:
    lost = facts("2026-11-11 12:20", customer=customer(timezone="Mars/Olympus"))

    with pytest.raises(KeyError):
        decide(lost, AT_ONCE, at("2026-11-11 12:20"))


@pytest.mark.parametrize(
    ("due", "expected"),
    [
        # Held from its own moment, not from when we first looked.
        ("2026-11-11 21:00", ("defer", "quiet_hours", "chat")),
        ("2026-11-11 20:59:59.999", ("drop", "too_late")),
    ],
)
def test_what_the_night_holds_too_long_is_dropped(due: str, expected: tuple[str, ...]) -> None:
    found = decide(facts(due, order=order(closes="2026-11-13 00:00")), AT_ONCE, at("2026-11-11 22:00"))

    assert told(found) == expected


def test_only_the_nights_part_of_a_wait_counts_as_held() -> None:
    # The day's hand-offs are used up at 10:00: free at midnight, then the night until 09:00.
    full = facts("2026-11-11 10:00", order=order(closes="2026-11-13 00:00"), ledger=ledger("06:00", "06:30"))

    found = deferred(decide(full, AT_ONCE, at("2026-11-11 10:00")))

    assert (found.reason, found.until) == ("daily_cap", at("2026-11-12 09:00"))


def test_without_max_held_the_night_may_hold_anything() -> None:
    rules = policy(quiet_hours__max_held=None, max_late=None, spread=None)

    found = decide(
        facts("2026-11-11 12:00", order=order(closes="2026-11-13 00:00")), rules, at("2026-11-11 23:00")
    )

    assert told(found) == ("defer", "quiet_hours", "chat")


def test_an_order_that_closes_in_the_night_is_not_reminded_of_any_more() -> None:
    closing = facts("2026-11-11 22:00", order=order(closes="2026-11-12 09:00"))

    assert told(decide(closing, AT_ONCE, at("2026-11-11 22:00"))) == ("drop", "closes_before_window")


def test_a_night_of_the_whole_day_drops() -> None:
    rules = policy(quiet_hours={"start": "00:00", "end": "24:00"})

    found = decide(facts("2026-11-11 12:20"), rules, at("2026-11-11 12:20"))

    assert told(found) == ("drop", "closes_before_window")


@pytest.mark.parametrize(
    ("handoffs", "per_day", "expected", "until"),
    [
        ((), 1, ("send", "chat"), None),
        (("2026-11-10 23:59:59.999",), 1, ("send", "chat"), None),
        (("2026-11-11 00:00",), 1, ("defer", "daily_cap", "chat"), "2026-11-12 09:00"),
        (("2026-11-11 00:00",), 2, ("send", "chat"), None),
        (("2026-11-11 00:00", "2026-11-11 01:00"), 2, ("defer", "daily_cap", "chat"), "2026-11-12 09:00"),
        (("2026-11-11 00:00", "2026-11-11 01:00"), None, ("send", "chat"), None),
        ((), 0, ("drop", "daily_cap"), None),
    ],
)
def test_the_daily_cap_counts_the_customers_local_day(
    handoffs: tuple[str, ...], per_day: int | None, expected: tuple[str, ...], until: str | None
) -> None:
    rules = policy(caps={} if per_day is None else {"per_day": per_day}, spread=None)
    due = facts("2026-11-11 12:20", order=order(closes="2026-11-13 00:00"), ledger=ledger(*handoffs))

    found = decide(due, rules, at("2026-11-11 12:20"))

    assert told(found) == expected
    assert until is None or deferred(found).until == at(until)


def test_the_local_day_is_the_customers() -> None:
    abroad = customer(timezone="Europe/London")
    # 00:30 and 07:30 in London; both are the same day there, as is the last one of the day before.
    before, used = at("2026-11-10 23:59", "Europe/London"), at("2026-11-11 00:30", "Europe/London")
    now = at("2026-11-11 09:30", "Europe/London")
    rules = policy(caps={"per_day": 2}, spread=None)

    one = facts(now, order=order(closes="2026-11-13 00:00"), customer=abroad, ledger=(before, used))
    two = facts(now, order=order(closes="2026-11-13 00:00"), customer=abroad, ledger=(before, used, used + 1))

    assert told(decide(one, rules, now)) == ("send", "chat")
    assert deferred(decide(two, rules, now)).until == at("2026-11-12 09:00", "Europe/London")


@pytest.mark.parametrize(
    ("now", "expected"),
    [("2026-11-11 12:59:59.999", ("defer", "min_gap", "chat")), ("2026-11-11 13:00", ("send", "chat"))],
)
def test_hours_lie_between_two_handoffs(now: str, expected: tuple[str, ...]) -> None:
    found = decide(facts("2026-11-11 12:20", ledger=ledger("10:00")), AT_ONCE, at(now))

    assert told(found) == expected
    assert not isinstance(found, Defer) or found.until == at("2026-11-11 13:00")


def test_a_gap_that_ends_in_the_night_waits_for_its_end_too() -> None:
    due = facts("2026-11-11 21:00", order=order(closes="2026-11-13 00:00"), ledger=ledger("20:00"))

    found = deferred(decide(due, AT_ONCE, at("2026-11-11 21:00")))

    assert (found.reason, found.until) == ("min_gap", at("2026-11-12 09:00"))


def test_a_second_step_keeps_its_distance_from_the_first() -> None:
    first = Handoff(step=1, channel="sms", at=at("2026-11-11 12:00"))
    second = facts("2026-11-11 14:00", step=2, used=(first,))

    early, in_time = at("2026-11-11 14:59:59.999"), at("2026-11-11 15:00")

    found = deferred(decide(second, AT_ONCE, early))
    assert (found.reason, found.until) == ("min_gap", in_time)
    assert told(decide(second, AT_ONCE, in_time)) == ("send", "chat")
    assert told(decide(second, policy(before_close__earliest_after=None), early)) == ("send", "chat")


@pytest.mark.parametrize(
    ("now", "expected", "until"),
    [
        ("08:59", ("defer", "quiet_hours", "phone"), "2026-11-11 09:00"),
        ("09:00", ("send", "phone"), None),
        ("11:59:59.999", ("send", "phone"), None),
        ("12:00", ("defer", "phone_window", "phone"), "2026-11-11 14:00"),
        ("14:00", ("send", "phone"), None),
        ("20:00", ("defer", "phone_window", "phone"), "2026-11-12 09:00"),
    ],
)
def test_calls_go_in_their_windows(now: str, expected: tuple[str, ...], until: str | None) -> None:
    moment = f"2026-11-11 {now}"
    call = on_phone(moment, order=order("2026-11-11 08:00", "2026-11-13 00:00", total="500.00"))

    found = decide(call, AT_ONCE, at(moment))

    assert told(found) == expected
    assert until is None or deferred(found).until == at(until)


def test_a_call_is_valid_to_the_end_of_its_window_and_overflows_after_its_time() -> None:
    found = sent(decide(on_phone("2026-11-11 11:00"), AT_ONCE, at("2026-11-11 11:00")))

    assert found.valid_until == at("2026-11-11 12:00")
    assert found.overflow_at == at("2026-11-11 13:00")


def test_a_task_does_not_overflow_after_the_close() -> None:
    closing = on_phone("2026-11-11 11:00", order=order(closes="2026-11-11 11:30", total="500.00"))

    assert sent(decide(closing, AT_ONCE, at("2026-11-11 11:00"))).overflow_at == at("2026-11-11 11:30")
    absent = policy(phone__overflow_after=None)
    assert sent(decide(closing, absent, at("2026-11-11 11:00"))).overflow_at is None


@pytest.mark.parametrize(
    ("rules", "now", "closes", "expected"),
    [
        (UNPROMISED, "2026-11-11 12:00", "2026-11-11 23:00", "2026-11-11 22:00"),
        (UNPROMISED, "2026-11-11 12:00", "2026-11-11 21:00", "2026-11-11 21:00"),
        (policy(quiet_hours=None, shipping=None), "2026-11-11 12:00", "2026-11-12 10:00", "2026-11-12 00:00"),
        # Who reads that it ships today must be able to pay for that.
        (AT_ONCE, "2026-11-11 12:00", "2026-11-11 23:00", "2026-11-11 17:00"),
        (AT_ONCE, "2026-11-11 16:30", "2026-11-11 23:00", "2026-11-11 17:00"),
        (AT_ONCE, "2026-11-11 12:00", "2026-11-11 16:00", "2026-11-11 16:00"),
        # The text does not say so from here on, on a Saturday, or of what is not in stock.
        (AT_ONCE, "2026-11-11 16:30:01", "2026-11-11 23:00", "2026-11-11 22:00"),
        (AT_ONCE, "2026-11-14 12:00", "2026-11-14 23:00", "2026-11-14 22:00"),
    ],
)
def test_a_sending_is_valid_until_the_first_bound(
    rules: Policy, now: str, closes: str, expected: str
) -> None:
    found = sent(decide(facts(now, order=order(closes=closes)), rules, at(now)))

    assert found.valid_until == at(expected)


def test_what_was_held_is_released_spread() -> None:
    untils = set()
    for number in range(100):
        due = facts("2026-11-11 21:30", order=order(id=f"O-{number}", closes="2026-11-13 00:00"))
        untils.add(deferred(decide(due, policy(), at("2026-11-11 22:30"))).until)

    assert len(untils) > 50
    assert at("2026-11-12 09:05") <= min(untils) < max(untils) < at("2026-11-12 09:20")


def test_what_waits_for_itself_alone_is_not_spread() -> None:
    found = deferred(
        decide(facts("2026-11-11 12:20", ledger=ledger("10:00")), policy(), at("2026-11-11 12:20"))
    )

    assert found.until == at("2026-11-11 13:00")


def test_an_unclaimed_task_overflows_to_the_next_channel() -> None:
    task = on_phone("2026-11-11 11:00", status="open")

    found = deferred(decide(task, AT_ONCE, at("2026-11-11 13:00")))

    assert (told(found), found.until) == (("defer", "overflow", "chat"), at("2026-11-11 13:00"))


def test_a_task_that_overflowed_does_not_become_a_call_again() -> None:
    task = on_phone("2026-11-11 11:00", status="open")
    now = at("2026-11-11 13:00")

    moved = deferred(decide(task, AT_ONCE, now))
    there = decide(on_phone("2026-11-11 13:00", channel=moved.channel, tried=moved.tried), AT_ONCE, now)

    assert moved.tried == ("phone",)
    assert told(there) == ("send", "chat")


def test_a_deferral_keeps_what_was_tried() -> None:
    due = facts("2026-11-11 12:20", channel="sms", tried=("chat",), ledger=ledger("10:00"))

    assert deferred(decide(due, AT_ONCE, at("2026-11-11 12:20"))).tried == ("chat",)


def test_an_unclaimed_task_without_another_channel_stays_open_to_the_close() -> None:
    task = on_phone(
        "2026-11-11 11:00", status="open", customer=customer(consent=Consent(sms=False, chat=False))
    )

    found = deferred(decide(task, AT_ONCE, at("2026-11-11 13:00")))

    assert (told(found), found.until) == (("defer", "overflow", "phone"), at("2026-11-12 10:20"))


def test_an_open_task_is_never_late_but_is_closed_or_paid() -> None:
    task = on_phone("2026-11-11 11:00", status="open")
    paid = on_phone("2026-11-11 11:00", status="open", state=OrderState.PAID)

    assert told(decide(task, AT_ONCE, at("2026-11-12 10:00"))) == ("defer", "overflow", "chat")
    assert told(decide(task, AT_ONCE, at("2026-11-12 10:20"))) == ("drop", "closed")
    assert told(decide(paid, AT_ONCE, at("2026-11-11 12:00"))) == ("drop", "paid")


@pytest.mark.parametrize(
    ("now", "fields", "expected"),
    [
        ("2026-11-11 11:00", {}, ("send", "phone")),
        ("2026-11-11 12:30", {}, ("defer", "phone_window", "phone")),
        ("2026-11-11 23:00", {}, ("defer", "quiet_hours", "phone")),
        # The day's hand-offs are used up, and tomorrow it is closed.
        (
            "2026-11-11 11:00",
            {"ledger": ledger("06:00", "07:00"), "order": order(closes="2026-11-11 20:00")},
            ("drop", "closes_before_window"),
        ),
        ("2026-11-11 11:00", {"ledger": ledger("09:00")}, ("defer", "min_gap", "phone")),
        ("2026-11-11 11:00", {"state": OrderState.PAID}, ("drop", "paid")),
        ("2026-11-12 11:00", {}, ("drop", "closed")),
        ("2026-11-11 11:00", {"customer": customer(phone=None)}, ("drop", "no_address")),
        ("2026-11-11 11:00", {"customer": customer(consent=Consent(phone=False))}, ("drop", "no_consent")),
        (
            "2026-11-11 11:00",
            {"order": order(items=(Item(name="裙", availability="sold_out"),))},
            ("drop", "sold_out"),
        ),
        # A task that routing would not make a call any more is still one.
        ("2026-11-11 11:00", {"order": order(total="1.00")}, ("send", "phone")),
    ],
)
def test_claiming_a_task(now: str, fields: dict[str, Any], expected: tuple[str, ...]) -> None:
    task = on_phone("2026-11-11 09:00", status="open", **fields)
    rules = policy(phone__windows=[["09:00", "10:00"], ["10:30", "12:00"], ["14:00", "20:00"]], spread=None)

    assert told(decide_claim(task, rules, at(now))) == expected


def test_a_claim_where_none_is_allowed_is_dropped() -> None:
    task = on_phone("2026-11-11 09:00", status="open")

    assert told(decide_claim(task, policy(caps__per_day=0), at("2026-11-11 11:00"))) == ("drop", "daily_cap")


def test_each_rule_that_was_applied_is_recorded_with_what_it_looked_at() -> None:
    found = decide(
        facts("2026-11-11 12:00", ledger=ledger("10:00"), customer=customer(name="王女士")),
        AT_ONCE,
        at("2026-11-11 12:00"),
    )

    rules = {rule.rule: (rule.outcome, rule.until) for rule in found.rules}
    assert rules == {
        "order_state": ("pass", None),
        "close": ("pass", "2026-11-12T02:20:00.000Z"),
        "late": ("pass", "2026-11-11T06:00:00.001Z"),
        "stock": ("pass", None),
        "routing": ("chat", None),
        "quiet_hours": ("pass", "2026-11-11T14:00:00.000Z"),
        "daily_cap": ("pass", None),
        "min_gap": ("defer", "2026-11-11T05:00:00.000Z"),
        "held": ("pass", None),
    }
    inputs = {rule.rule: rule.inputs for rule in found.rules}
    assert inputs["close"] == {"now": "2026-11-11T04:00:00.000Z", "closes_at": "2026-11-12T02:20:00.000Z"}
    assert inputs["daily_cap"]["used"] == 1
    assert inputs["min_gap"]["last"] == "2026-11-11T02:00:00.000Z"


def test_no_address_stands_in_a_record() -> None:
    found = decide(facts("2026-11-11 12:00"), AT_ONCE, at("2026-11-11 12:00"))

    assert "13800000000" not in repr(found)
    assert "wang_8842" not in repr(found)
