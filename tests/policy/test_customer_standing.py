"""What a customer said or did beside the order: channels not wanted, a reply, another order paid."""

from typing import Any

import pytest

from dispatcher.policy.decide import decide, decide_claim
from dispatcher.policy.decisions import Decision, Defer, Drop, Rule, Send
from dispatcher.policy.facts import Channel, CustomerStanding, Facts
from dispatcher.policy.retries import after_refusal
from dispatcher.policy.zones import iso
from tests.policy.examples import HOUR, at, customer, facts, order, policy

NOW = "2026-11-11 12:20"
AT_ONCE = policy(spread=None)


def told(found: Decision) -> tuple[str, ...]:
    match found:
        case Send():
            return ("send", found.channel)
        case Defer():
            return ("defer", found.reason, found.channel)
        case Drop():
            return ("drop", found.reason)


def with_standing(due: str | int = NOW, *, calls: bool = False, **fields: Any) -> Facts:
    standing = CustomerStanding(
        **{name: fields.pop(name) for name in CustomerStanding.__struct_fields__ if name in fields}
    )
    made = {"order": order(total="500.00"), "channel": "phone"} if calls else {}
    return facts(due, standing=standing, **{**made, **fields})


def rule(found: Decision, name: str) -> Rule:
    (one,) = (each for each in found.rules if each.rule == name)
    return one


@pytest.mark.parametrize(
    ("opted_out", "expected"),
    [
        ((), ("send", "chat")),
        (("sms",), ("send", "chat")),
        (("phone",), ("send", "chat")),
        (("chat",), ("defer", "changed", "sms")),
        (("chat", "sms"), ("drop", "opted_out")),
        (("chat", "sms", "phone"), ("drop", "opted_out")),
    ],
)
def test_a_channel_that_is_not_wanted_is_not_used(
    opted_out: tuple[Channel, ...], expected: tuple[str, ...]
) -> None:
    found = decide(with_standing(opted_out=opted_out), AT_ONCE, at(NOW))

    assert told(found) == expected
    assert rule(found, "routing").inputs.get("opted_out", []) == list(opted_out)


@pytest.mark.parametrize(
    ("opted_out", "expected"),
    [
        (("phone",), ("defer", "changed", "chat")),
        (("phone", "chat"), ("defer", "changed", "sms")),
        (("chat", "sms"), ("defer", "phone_window", "phone")),
        (("phone", "chat", "sms"), ("drop", "opted_out")),
    ],
)
def test_who_wants_no_call_is_written_to(opted_out: tuple[Channel, ...], expected: tuple[str, ...]) -> None:
    found = decide(with_standing(calls=True, opted_out=opted_out), AT_ONCE, at(NOW))

    assert told(found) == expected


@pytest.mark.parametrize(
    ("fields", "expected"),
    [
        ({"chat": None}, "opted_out"),
        ({"chat": None, "phone": None}, "opted_out"),
        ({"chat": "wang_8842"}, None),
    ],
)
def test_when_nothing_else_is_left_the_opt_out_is_the_reason(
    fields: dict[str, Any], expected: str | None
) -> None:
    found = decide(with_standing(customer=customer(**fields), opted_out=("sms",)), AT_ONCE, at(NOW))

    assert (found.reason if isinstance(found, Drop) else None) == expected


@pytest.mark.parametrize(
    ("opted_out", "expected"),
    [
        ((), ("defer", "overflow", "chat")),
        (("chat",), ("defer", "overflow", "sms")),
        (("chat", "sms"), ("defer", "overflow", "phone")),
        (("phone",), ("defer", "overflow", "chat")),
        (("chat", "sms", "phone"), ("drop", "opted_out")),
    ],
)
def test_a_task_nobody_claims_takes_a_channel_that_is_wanted(
    opted_out: tuple[Channel, ...], expected: tuple[str, ...]
) -> None:
    found = decide(with_standing(calls=True, status="open", opted_out=opted_out), AT_ONCE, at(NOW))

    assert told(found) == expected


def test_a_refused_message_is_not_tried_on_a_channel_that_is_not_wanted() -> None:
    after = [
        after_refusal(with_standing(attempt=1, opted_out=opted_out), "rejected", False, AT_ONCE, at(NOW))
        for opted_out in ((), ("sms",))
    ]

    assert [type(each).__name__ for each in after] == ["Retry", "Fail"]


@pytest.mark.parametrize(
    ("fields", "expected"),
    [
        ({"opted_out": ("phone",)}, "opted_out"),
        ({"opted_out": ("chat", "sms")}, None),
        ({"replied_at": at("2026-11-11 10:00")}, "replied"),
        ({"paid_other_at": at("2026-11-11 10:00")}, "paid_other_order"),
        ({}, None),
    ],
)
def test_a_call_is_not_claimed_by_whom_it_is_not_wanted(fields: dict[str, Any], expected: str | None) -> None:
    rules = policy(suppression={"quiet_after_reply": "24h", "paid_other_order": True})

    found = decide_claim(with_standing(calls=True, status="open", **fields), rules, at("2026-11-11 14:20"))

    assert (found.reason if isinstance(found, Drop) else None) == expected


@pytest.mark.parametrize(
    ("since_reply", "quiet", "expected"),
    [
        (0, "24h", "replied"),
        (24 * HOUR - 1, "24h", "replied"),
        (24 * HOUR, "24h", None),
        (1, "0s", None),
        (0, None, None),
        (None, "24h", None),
    ],
)
def test_who_replied_is_left_alone_for_so_long(
    since_reply: int | None, quiet: str | None, expected: str | None
) -> None:
    rules = policy(spread=None, suppression=quiet and {"quiet_after_reply": quiet})
    replied_at = None if since_reply is None else at(NOW) - since_reply

    found = decide(with_standing(replied_at=replied_at), rules, at(NOW))

    assert (found.reason if isinstance(found, Drop) else None) == expected
    assert any(each.rule == "replied" for each in found.rules) is (quiet is not None)


def test_a_reply_says_until_when_it_counts() -> None:
    rules = policy(spread=None, suppression={"quiet_after_reply": "2h"})
    replied_at = at("2026-11-11 12:00")

    found = rule(decide(with_standing(replied_at=replied_at), rules, at(NOW)), "replied")

    assert found.until == iso(replied_at + 2 * HOUR)
    assert found.inputs == {"replied_at": iso(replied_at), "quiet_after_reply": 2 * HOUR, "now": iso(at(NOW))}


@pytest.mark.parametrize(
    ("zone", "now", "paid", "expected"),
    [
        ("Asia/Shanghai", "2026-11-11 12:00", "2026-11-10 00:00", True),
        ("Asia/Shanghai", "2026-11-11 12:00", "2026-11-09 23:59", False),
        ("Asia/Shanghai", "2026-11-11 23:59", "2026-11-10 00:00", True),
        ("Asia/Shanghai", "2026-11-12 00:00", "2026-11-10 23:59", False),
        # 07:30 in Shanghai is yesterday by UTC, which is asked nowhere.
        ("Asia/Shanghai", "2026-11-11 07:30", "2026-11-10 00:00", True),
        ("Asia/Shanghai", "2026-11-11 07:30", "2026-11-09 23:59", False),
        # 20:30 in New York is tomorrow by UTC.
        ("America/New_York", "2026-11-11 20:30", "2026-11-10 00:00", True),
        ("America/New_York", "2026-11-11 20:30", "2026-11-09 23:59", False),
        ("Pacific/Kiritimati", "2026-11-11 00:00", "2026-11-10 00:00", True),
        ("Pacific/Kiritimati", "2026-11-11 00:00", "2026-11-09 23:59", False),
        ("Pacific/Pago_Pago", "2026-11-11 23:59", "2026-11-10 00:00", True),
        ("Pacific/Pago_Pago", "2026-11-11 23:59", "2026-11-09 23:59", False),
        # The day before has 23 hours, then 25.
        ("America/New_York", "2026-03-09 12:00", "2026-03-08 00:00", True),
        ("America/New_York", "2026-03-09 12:00", "2026-03-07 23:59", False),
        ("America/New_York", "2026-11-02 12:00", "2026-11-01 00:00", True),
        ("America/New_York", "2026-11-02 12:00", "2026-10-31 23:59", False),
    ],
)
def test_who_paid_another_order_since_yesterday_is_left_alone(
    zone: str, now: str, paid: str, expected: bool
) -> None:
    rules = policy(quiet_hours=None, caps=None, spread=None, suppression={"paid_other_order": True})
    paid_at, at_now = at(paid, zone), at(now, zone)
    about = order(at_now - HOUR, at_now + 20 * HOUR)

    found = decide(
        with_standing(at_now, order=about, customer=customer(timezone=zone), paid_other_at=paid_at),
        rules,
        at_now,
    )

    answer = rule(found, "paid_other_order")
    assert (told(found) == ("drop", "paid_other_order")) is expected
    assert answer.outcome == ("drop" if expected else "pass")


@pytest.mark.parametrize(
    ("zone", "paid", "until"),
    [
        ("Asia/Shanghai", "2026-11-10 23:59", "2026-11-12 00:00"),
        ("Asia/Shanghai", "2026-11-11 00:00", "2026-11-13 00:00"),
        ("America/New_York", "2026-10-31 23:59", "2026-11-02 00:00"),
    ],
)
def test_a_payment_says_until_when_it_counts(zone: str, paid: str, until: str) -> None:
    rules = policy(quiet_hours=None, max_late=None, suppression={"paid_other_order": True})
    paid_at = at(paid, zone)
    about = order(paid_at, paid_at + 72 * HOUR)
    made = with_standing(NOW, order=about, customer=customer(timezone=zone), paid_other_at=paid_at)

    before = decide(made, rules, at(until, zone) - 1)
    after = decide(made, rules, at(until, zone))

    assert rule(before, "paid_other_order").until == iso(at(until, zone))
    assert rule(before, "paid_other_order").outcome == "drop"
    assert rule(after, "paid_other_order").outcome == "pass"


@pytest.mark.parametrize("on", [None, False])
def test_a_payment_counts_only_where_the_policy_says_so(on: bool | None) -> None:
    rules = policy(spread=None, suppression={} if on is None else {"paid_other_order": on})

    found = decide(with_standing(paid_other_at=at(NOW) - HOUR), rules, at(NOW))

    assert told(found) == ("send", "chat")
    assert all(each.rule != "paid_other_order" for each in found.rules)


def test_what_is_decided_of_a_stranger_names_nothing_said() -> None:
    found = decide(facts(NOW), AT_ONCE, at(NOW))

    assert "opted_out" not in rule(found, "routing").inputs
    assert {each.rule for each in found.rules}.isdisjoint({"replied", "paid_other_order"})
