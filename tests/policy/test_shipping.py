"""The promise to ship today."""

import pytest

from dispatcher.policy.facts import Item
from dispatcher.policy.shipping import ships_today
from tests.policy.examples import at, order, policy

IN_STOCK = Item(name="裙", availability="in_stock")


@pytest.mark.parametrize(
    ("now", "expected"),
    [
        ("2026-11-11 00:00", True),
        ("2026-11-11 16:30", True),
        ("2026-11-11 16:30:00.001", False),
        ("2026-11-11 17:00", False),
        ("2026-11-11 23:00", False),
        ("2026-11-14 10:00", False),  # a Saturday
        ("2026-10-01 10:00", False),  # the National Day
        ("2026-10-10 10:00", True),  # a Saturday that is worked to make up for it
    ],
)
def test_it_needs_a_working_day_and_time_before_the_cutoff(now: str, expected: bool) -> None:
    assert ships_today(order(), policy(), at(now)) is expected


@pytest.mark.parametrize("availability", ["in_transit", "preorder", "sold_out", None])
def test_it_needs_all_goods_known_to_be_in_stock(availability: str | None) -> None:
    mixed = order(items=(IN_STOCK, Item(name="鞋", availability=availability)))  # type: ignore[arg-type]

    assert ships_today(order(items=(IN_STOCK, IN_STOCK)), policy(), at("2026-11-11 10:00"))
    assert not ships_today(mixed, policy(), at("2026-11-11 10:00"))


def test_without_a_cutoff_nothing_is_promised() -> None:
    assert not ships_today(order(), policy(shipping=None), at("2026-11-11 10:00"))


def test_the_cutoff_is_on_the_shops_clock_whatever_the_customers() -> None:
    rules = policy(timezone="Europe/London", currency="GBP")

    assert ships_today(order(), rules, at("2026-11-11 16:30", "Europe/London"))
    assert not ships_today(order(), rules, at("2026-11-11 16:31", "Europe/London"))
    # The Chinese calendar is not theirs.
    assert ships_today(order(), rules, at("2026-10-01 10:00", "Europe/London"))


def test_a_shop_abroad_that_keeps_chinese_holidays_ships_by_them() -> None:
    rules = policy(timezone="Europe/London", currency="GBP", holidays="cn")

    assert not ships_today(order(), rules, at("2026-10-01 10:00", "Europe/London"))
    assert ships_today(order(), rules, at("2026-10-10 10:00", "Europe/London"))
