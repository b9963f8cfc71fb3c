"""Which segment an order is of, and the channels that follow."""

from typing import Any

import pytest

from dispatcher.policy.routing import routes, routing_rule
from dispatcher.policy.schedule import plan
from dispatcher.policy.segments import segment, valuable
from tests.policy.examples import SECOND, customer, order, order_facts, policy

BOUNDS = {"channels": ["chat", "sms"], "high_value": "500.00", "vip_grade": 3, "repeat_orders": 2}
OWN = {"high_value": ["sms"], "vip": ["phone", "sms"], "repeat": ["sms", "chat"], "first_time": ["sms"]}


@pytest.mark.parametrize(
    ("total", "client", "routing", "found"),
    [
        ("499.99", {}, BOUNDS, None),
        ("500.00", {}, BOUNDS, "high_value"),
        ("500", {"grade": 4, "paid_orders": 9}, BOUNDS, "high_value"),
        ("1.00", {"grade": 2}, BOUNDS, None),
        ("1.00", {"grade": 3}, BOUNDS, "vip"),
        ("1.00", {"grade": 4, "paid_orders": 9}, BOUNDS, "vip"),
        ("1.00", {"paid_orders": 1}, BOUNDS, None),
        ("1.00", {"paid_orders": 2}, BOUNDS, "repeat"),
        ("1.00", {"grade": 2, "paid_orders": 2}, BOUNDS, "repeat"),
        # A bound of 0 is reached by all of whom the value is known; a grade may be unknown.
        ("0.00", {}, {**BOUNDS, "high_value": "0"}, "high_value"),
        ("1.00", {"grade": 0}, {**BOUNDS, "vip_grade": 0}, "vip"),
        ("1.00", {}, {**BOUNDS, "vip_grade": 0}, None),
        ("1.00", {}, {**BOUNDS, "repeat_orders": 0}, "repeat"),
        # Without its bound a segment has nobody in it, whatever channels it has.
        ("900.00", {"grade": 4, "paid_orders": 9}, {"channels": ["chat"]}, None),
        ("900.00", {"grade": 4, "paid_orders": 9}, {"channels": ["chat"], "segments": OWN}, None),
        # First-time customers are a segment where they have channels.
        ("1.00", {}, {**BOUNDS, "segments": OWN}, "first_time"),
        ("1.00", {"paid_orders": 1}, {**BOUNDS, "segments": OWN}, None),
        ("900.00", {}, {**BOUNDS, "segments": OWN}, "high_value"),
        ("1.00", {"grade": 3}, {**BOUNDS, "segments": OWN}, "vip"),
    ],
)
def test_the_first_segment_that_fits(
    total: str, client: dict[str, Any], routing: dict[str, Any], found: str | None
) -> None:
    rules = policy(routing=routing)
    told, who = order(total=total), customer(**client)

    recorded = routing_rule(told, who, rules, "chat")

    assert segment(told, who, rules.routing) == found
    assert valuable(told, who, rules.routing) == (found in {"high_value", "vip", "repeat"})
    assert recorded.inputs.get("segment") == found
    assert recorded.inputs.get("grade", "not asked") == (
        client.get("grade") if "vip_grade" in routing else "not asked"
    )


@pytest.mark.parametrize(
    ("total", "client", "segments", "expected"),
    [
        ("1.00", {"paid_orders": 1}, None, ["chat", "sms"]),
        ("1.00", {}, None, ["chat", "sms"]),
        ("500.00", {}, None, ["phone", "chat", "sms"]),
        ("1.00", {"grade": 3}, None, ["phone", "chat", "sms"]),
        ("1.00", {"paid_orders": 2}, None, ["phone", "chat", "sms"]),
        ("500.00", {}, {}, ["phone", "chat", "sms"]),
        ("500.00", {}, {"vip": ["sms"]}, ["phone", "chat", "sms"]),
        ("500.00", {}, OWN, ["sms"]),
        ("1.00", {"grade": 3}, OWN, ["phone", "sms"]),
        ("1.00", {"paid_orders": 2}, OWN, ["sms", "chat"]),
        ("1.00", {}, OWN, ["sms"]),
        ("1.00", {"paid_orders": 1}, OWN, ["chat", "sms"]),
        # What has no address is passed over.
        ("1.00", {"grade": 3, "phone": None}, {"vip": ["phone", "chat"]}, ["chat"]),
    ],
)
def test_a_segments_own_channels_take_the_place_of_the_call(
    total: str, client: dict[str, Any], segments: dict[str, Any] | None, expected: list[str]
) -> None:
    rules = policy(routing=BOUNDS if segments is None else {**BOUNDS, "segments": segments})

    found = routes(order(total=total), customer(**client), rules)

    assert list(found.ranked) == expected


def test_a_segment_whose_channels_cannot_reach_the_customer_is_not_planned() -> None:
    told = order_facts(customer=customer(chat=None))
    rules = policy(routing={**BOUNDS, "segments": {"first_time": ["chat"]}})

    steps = plan(told, rules, told.order.placed_at)

    assert [getattr(each, "reason", None) for each in steps] == ["no_address", "no_address"]


def test_vips_are_released_with_the_valuable() -> None:
    night = "2026-11-11 16:00"
    rules = policy(routing=BOUNDS, routing__high_value=None, spread__over="100m")

    def late(grade: int) -> int:
        told = order_facts(night, customer=customer(grade=grade), total="1.00")
        (first, _) = plan(told, rules, told.order.placed_at)
        return (getattr(first, "due", 0) - first.moment) // SECOND

    assert 0 <= late(3) < 25 * 60 <= late(2) < 100 * 60
