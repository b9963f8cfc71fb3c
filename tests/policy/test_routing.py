"""Which channel a reminder takes."""

from typing import Any

import pytest

from dispatcher.policy.decide import decide
from dispatcher.policy.decisions import Defer, Drop, Send
from dispatcher.policy.facts import Consent, Handoff, Order
from dispatcher.policy.routing import Routes, routes
from dispatcher.policy.terms import Policy
from tests.policy.examples import at, customer, facts, order, policy

EVERYWHERE = policy(routing__channels=["sms", "phone", "chat"])


@pytest.mark.parametrize(
    ("fields", "client", "rules", "expected"),
    [
        ({}, {}, policy(), ["chat", "sms"]),
        ({}, {}, policy(routing__channels=["sms", "chat"]), ["sms", "chat"]),
        ({}, {"chat": None}, policy(), ["sms"]),
        ({}, {"phone": None}, policy(), ["chat"]),
        # The bounds are inclusive, and compared as amounts.
        ({"total": "499.99"}, {}, policy(), ["chat", "sms"]),
        ({"total": "500"}, {}, policy(), ["phone", "chat", "sms"]),
        ({"total": "500.00"}, {}, policy(), ["phone", "chat", "sms"]),
        ({"total": "1000"}, {}, policy(), ["phone", "chat", "sms"]),
        ({"total": "1000"}, {}, policy(routing__high_value=None), ["chat", "sms"]),
        ({}, {"paid_orders": 1}, policy(), ["phone", "chat", "sms"]),
        ({}, {"paid_orders": 1}, policy(routing__repeat_orders=2), ["chat", "sms"]),
        ({}, {"paid_orders": 9}, policy(routing__repeat_orders=None), ["chat", "sms"]),
        ({"total": "500"}, {"phone": None}, policy(), ["chat"]),
        ({}, {}, EVERYWHERE, ["sms", "phone", "chat"]),
        ({"total": "500"}, {}, EVERYWHERE, ["phone", "sms", "chat"]),
        # What is not said is not forbidden.
        ({}, {"consent": Consent(chat=False)}, policy(), ["sms"]),
        ({}, {"consent": Consent(sms=True)}, policy(), ["chat", "sms"]),
        ({"total": "500"}, {"consent": Consent(phone=False)}, policy(), ["chat", "sms"]),
    ],
)
def test_channels_in_order(
    fields: dict[str, Any], client: dict[str, Any], rules: Policy, expected: list[str]
) -> None:
    found = routes(order(**fields), customer(**client), rules)

    assert list(found.ranked) == expected
    assert found.refusal is None


@pytest.mark.parametrize(
    ("used", "tried", "expected"),
    [
        (["chat"], [], ["phone", "sms", "chat"]),
        (["phone"], [], ["chat", "sms"]),
        (["phone", "chat"], [], ["sms", "chat"]),
        (["chat", "sms"], ["phone"], ["chat", "sms"]),
        ([], ["chat"], ["phone", "sms"]),
        (["sms"], ["phone", "chat"], ["sms"]),
    ],
)
def test_what_was_used_comes_last_and_a_call_never_again(
    used: list[Any], tried: list[Any], expected: list[str]
) -> None:
    found = routes(order(total="500"), customer(), policy(), used=used, tried=tried)

    assert list(found.ranked) == expected


@pytest.mark.parametrize(
    ("client", "used", "tried", "refusal"),
    [
        ({"phone": None, "chat": None}, [], [], "no_address"),
        ({"phone": "", "chat": ""}, [], [], "no_address"),
        ({"consent": Consent(chat=False, sms=False)}, [], [], "no_consent"),
        ({"phone": None, "consent": Consent(chat=False)}, [], [], "no_consent"),
        ({}, [], ["chat", "sms"], "attempts_used_up"),
        ({"consent": Consent(chat=False)}, [], ["sms"], "attempts_used_up"),
    ],
)
def test_why_there_is_no_channel(
    client: dict[str, Any], used: list[Any], tried: list[Any], refusal: str
) -> None:
    found = routes(order(), customer(**client), policy(), used=used, tried=tried)

    assert found == Routes((), refusal)


def test_after_a_call_someone_with_a_number_only_gets_nothing_by_chat() -> None:
    found = routes(
        order(total="500"), customer(chat=None), policy(routing__channels=["chat"]), used=["phone"]
    )

    assert found == Routes((), "no_address")


def test_a_reminder_moves_to_the_channel_that_routing_names_now() -> None:
    now = at("2026-11-11 12:20")

    moved = decide(facts("2026-11-11 12:20", channel="sms"), policy(), now)

    assert isinstance(moved, Defer)
    assert (moved.until, moved.channel, moved.reason) == (now, "chat", "changed")


def test_a_later_step_takes_another_channel_than_the_hand_off_before() -> None:
    first = Handoff(step=1, channel="chat", at=at("2026-11-11 12:00"))

    found = decide(
        facts("2026-11-11 17:00", step=2, channel="sms", used=(first,)), policy(), at("2026-11-11 17:00")
    )

    assert isinstance(found, Send)
    assert found.channel == "sms"


@pytest.mark.parametrize(
    ("closing", "expected"),
    [
        (order(closes="2026-11-11 14:00:01", total="500"), "phone"),
        (order(closes="2026-11-11 14:00", total="500"), "chat"),
    ],
)
def test_a_call_is_chosen_only_if_a_window_opens_before_the_close(closing: Order, expected: str) -> None:
    found = decide(
        facts("2026-11-11 12:20", order=closing, channel="phone"), policy(), at("2026-11-11 12:20")
    )

    assert isinstance(found, Defer)
    assert found.channel == expected


def test_a_call_that_the_cap_leaves_no_time_for_moves_on_and_does_not_come_back() -> None:
    rules = policy(caps={"min_gap": "8h"}, quiet_hours=None, spread=None)
    # Free at 20:00, when calls end; chat is still possible.
    due = facts(
        "2026-11-11 12:20",
        order=order(closes="2026-11-12 09:00", total="500"),
        channel="phone",
        ledger=(at("2026-11-11 12:00"),),
    )
    now = at("2026-11-11 12:20")

    moved = decide(due, rules, now)
    assert isinstance(moved, Defer)
    there = decide(facts(now, order=due.order, channel=moved.channel, ledger=due.ledger), rules, now)

    assert (moved.reason, moved.channel) == ("changed", "chat")
    assert isinstance(there, Defer)
    assert (there.reason, there.channel, there.until) == ("min_gap", "chat", at("2026-11-11 20:00"))


@pytest.mark.parametrize(("per_day", "reason"), [(0, "daily_cap"), (2, "closes_before_window")])
def test_a_call_without_time_or_another_channel_is_dropped(per_day: int, reason: str) -> None:
    due = facts(
        "2026-11-11 12:20",
        order=order(closes="2026-11-11 14:00", total="500"),
        channel="phone",
        customer=customer(consent=Consent(sms=False, chat=False)),
    )

    found = decide(due, policy(caps__per_day=per_day), at("2026-11-11 12:20"))

    assert isinstance(found, Drop)
    assert found.reason == reason


def test_tried_channels_are_not_tried_again() -> None:
    due = facts("2026-11-11 12:20", tried=("chat", "sms"))

    found = decide(due, policy(), at("2026-11-11 12:20"))

    assert isinstance(found, Drop)
    assert found.reason == "attempts_used_up"
