"""What a message is about: what is known, and the kind of message that suits it best."""

from typing import Any

import msgspec
import pytest

from dispatcher.policy.decisions import Limits, Send
from dispatcher.policy.document import Policy
from dispatcher.policy.facts import CHANNELS, Facts, Handoff, Rival
from dispatcher.policy.scenario import Scenario, scenario, why
from tests.policy.examples import HOUR, at, customer, facts, order, policy

PLACED = at("2026-11-11 10:20")
DUE = PLACED + 2 * HOUR
RIVAL = Rival(order="O-2", step=1, due=DUE, closes_at=DUE + HOUR, total="1.00")
CALLED = (Handoff(step=1, channel="phone", at=DUE - HOUR),)
BY_HAND = (Handoff(step=3, channel="chat", at=DUE - HOUR),)

BIG = {"total": "500.00"}
NOTE = {"buyer_note": "请放门卫"}
FLASH = {"closes": PLACED + HOUR}
LONGER = {"closes": PLACED + HOUR + 1}
OLD = {"paid_orders": 3}
ONCE = {"paid_orders": 1}
VIP = {"grade": 4}


def decision(*, ships: bool = False, merged: bool = False) -> Send:
    limits = Limits(day_start=DUE, day_end=DUE + HOUR)
    carries = (RIVAL,) if merged else ()
    return Send(channel="chat", valid_until=DUE, limits=limits, ships_today=ships, rules=(), carries=carries)


Known = tuple[Facts, Policy, Send]


def known_of(
    about: dict[str, Any] | None = None,
    to: dict[str, Any] | None = None,
    of: dict[str, Any] | None = None,
    *,
    ships: bool = False,
    merged: bool = False,
    **known: Any,
) -> Known:
    """What is decided on, where an order, a customer, a routing and other facts differ from the ordinary."""
    routing = {"channels": ["chat"], "high_value": "500.00", "repeat_orders": 2, "vip_grade": 3}
    given = policy(routing=routing | (of or {}))
    stands_on = facts(DUE, order=order(PLACED, **(about or {})), customer=customer(**(to or {})), **known)
    return stands_on, given, decision(ships=ships, merged=merged)


@pytest.mark.parametrize(
    ("known", "expected"),
    [
        # An ordinary first reminder, by what is known of the customer.
        ({}, "first_time"),
        ({"to": ONCE}, "first_reminder"),
        ({"to": OLD}, "repeat"),
        ({"to": ONCE, "of": {"repeat_orders": 1}}, "repeat"),
        ({"to": {}, "of": {"repeat_orders": 0}}, "first_time"),
        # Each wins over what follows it.
        ({"about": NOTE}, "check_details"),
        ({"ships": True}, "same_day_shipping"),
        (
            {"ships": True, "about": NOTE},
            "same_day_shipping",
        ),
        ({"ships": True, "to": OLD}, "repeat"),
        ({"about": BIG}, "high_value"),
        ({"to": VIP}, "high_value"),
        ({"about": {"total": "499.99"}}, "first_time"),
        (
            {"about": BIG | NOTE, "to": OLD, "ships": True},
            "high_value",
        ),
        # An order that lives an hour at most.
        ({"about": FLASH}, "flash_sale"),
        ({"about": LONGER}, "first_time"),
        ({"about": FLASH, "step": 2}, "flash_sale"),
        ({"about": FLASH, "step": 2, "used": CALLED}, "check_details"),
        ({"about": FLASH, "used": BY_HAND}, "flash_sale"),
        ({"about": FLASH, "step": 2, "used": (*CALLED, *BY_HAND)}, "check_details"),
        # Later steps, whoever the customer is.
        ({"step": 2}, "before_close"),
        ({"step": 3, "about": BIG | NOTE, "to": OLD, "ships": True}, "before_close"),
        # A reason that was told wins over step and customer.
        ({"told": "price"}, "price"),
        ({"told": "price", "step": 2}, "price"),
        ({"told": "cannot_pay", "step": 2}, "cannot_pay"),
        ({"told": "forgot", "step": 2}, "forgot"),
        ({"told": "doubt", "step": 2}, "doubt"),
        ({"told": "comparing", "step": 2}, "comparing"),
        ({"told": "delivery", "step": 2}, "delivery"),
        ({"told": "changed_mind", "step": 2}, "kind_ending"),
        ({"told": "price", "about": FLASH, "step": 2}, "price"),
        # Several orders are told of as several, whatever else is known.
        ({"merged": True}, "merged_orders"),
        ({"merged": True, "told": "price", "step": 2, "about": BIG, "to": OLD}, "merged_orders"),
    ],
)
def test_what_is_known_decides_what_a_message_is_about(known: dict[str, Any], expected: Scenario) -> None:
    assert scenario(*known_of(**known)) == expected


@pytest.mark.parametrize(
    ("known", "expected"),
    [
        ({}, "first_time"),
        ({"to": ONCE}, "otherwise"),
        ({"to": OLD}, "repeat"),
        ({"about": NOTE}, "note"),
        ({"ships": True}, "ships_today"),
        ({"about": BIG, "to": VIP}, "high_value"),
        ({"to": VIP}, "vip"),
        ({"about": FLASH}, "flash_sale"),
        ({"about": FLASH, "step": 2, "used": CALLED}, "flash_sale"),
        ({"step": 2}, "step"),
        ({"told": "price", "step": 2}, "told: price"),
        ({"told": "changed_mind", "step": 2}, "told: changed_mind"),
        ({"merged": True, "told": "price"}, "merged"),
    ],
)
def test_why_it_is_about_that_is_told_by_one_code(known: dict[str, Any], expected: str) -> None:
    assert why(*known_of(**known)) == expected


@pytest.mark.parametrize("channel", CHANNELS)
def test_the_channel_does_not_matter(channel: Any) -> None:
    about = facts(DUE, order=order(PLACED, **BIG))
    elsewhere = msgspec.structs.replace(decision(), channel=channel)

    assert scenario(about, policy(), elsewhere) == scenario(about, policy(), decision())
