"""The rules on who is left alone and by segment decide; an input that is altered is told."""

import tomllib
from functools import cache
from typing import Any

import pytest

from tests.checkers.promises import CheckerRules, check_all
from tests.checkers.records import Record, iso, name
from tests.checkers.simulated import (
    NOON,
    Alter,
    Audit,
    assert_found,
    event,
    seen_otherwise,
    simulated_audit,
    told_otherwise,
)
from tests.checkers.terms import HOUR

POLICY = """
timezone = "Asia/Shanghai"
platform = "own"
[[cadence]]
placed = ["00:00", "24:00"]
remind = {after = "15m"}
[before_close]
lead = "2h"
[caps]
per_order = 1
[suppression]
min_total = "20.00"
sensitive_channels = ["chat"]
consent_required = ["sms"]
[routing]
channels = ["sms", "chat"]
high_value = "500.00"
vip_grade = 3
repeat_orders = 2
[routing.segments]
high_value = ["chat", "phone"]
first_time = ["chat", "sms"]
[phone]
windows = [["09:00", "20:00"]]
"""

RULES = CheckerRules(zone="Asia/Shanghai", per_order=1, phone_windows=(("09:00", "20:00"),), finished=True)


def told(order: str, *, sensitive: bool = False, total: str = "99.00", **client: Any) -> dict[str, Any]:
    """Return an unpaid order of a customer of its own; `client` is told of the customer."""
    made = event("order.unpaid", order, NOON, f"C-{order}", total, closes_at=iso(NOON + 6 * HOUR))
    made["data"]["order"]["currency"] = "CNY"
    made["data"]["order"]["items"][0]["sensitive"] = sensitive
    made["data"]["customer"] |= client
    return made


EVENTS = [
    told("plain", consent={"sms": True}, paid_orders=1),
    told("first"),
    told("small", total="19.99"),
    told("quiet", paid_orders=1, chat=None),
    told("discreet", sensitive=True, chat=None, consent={"sms": True}),
    told("private", sensitive=True, paid_orders=1, consent={"sms": True}),
    told("dear", total="500.00"),
    told("vip", grade=3),
    told("regular", paid_orders=2),
]


@cache
def suppressed() -> list[Record]:
    """Return the audit of these orders under a policy with these rules."""
    return simulated_audit(EVENTS, tomllib.loads(POLICY))


@pytest.fixture
def audit() -> Audit:
    return Audit(suppressed())


def test_an_audit_under_these_rules_follows_from_its_inputs(audit: Audit) -> None:
    ends = {
        (record["order"], record["step"]): record["reason"] or record["channel"]
        for record in audit.records
        if record["kind"] in {"reminder.dropped", "reminder.sent", "task.claimed"}
    }

    violations = check_all(audit.records, RULES)

    assert violations == []
    assert {order: (ends[order, 1], ends[order, 2]) for order, _ in ends} == {
        "plain": ("sms", "attempts_used_up"),
        "first": ("chat", "attempts_used_up"),
        "small": ("below_minimum", "below_minimum"),
        "quiet": ("no_consent", "no_consent"),
        "discreet": ("sensitive", "sensitive"),
        "private": ("chat", "attempts_used_up"),
        "dear": ("chat", "attempts_used_up"),
        "vip": ("phone", "attempts_used_up"),
        "regular": ("phone", "attempts_used_up"),
    }


CHAT, CALL = (
    "recomputed {'rule': 'routing', 'outcome': 'chat'",
    "recomputed {'rule': 'routing', 'outcome': 'phone'",
)
ONE_USED = "recomputed {'rule': 'order_cap', 'outcome': 'pass', 'inputs': {'used': 0"
FITS = "kind is reminder.dropped, recomputed reminder.planned"
DECISIVE: dict[str, tuple[Alter, str]] = {
    "total below": (
        told_otherwise("reminder.sending", "plain", "total", "19.99", "minimum", "routing"),
        "reason is None, recomputed below_minimum",
    ),
    "total enough": (
        told_otherwise("reminder.dropped", "small", "total", "20.00", "minimum"),
        "reason is below_minimum, recomputed no_address",
    ),
    "none used": (
        seen_otherwise("reminder.dropped", "plain", "order_cap", step=2, used=0),
        "reason is attempts_used_up, recomputed",
    ),
    "one used": (seen_otherwise("reminder.sending", "plain", "order_cap", used=1), ONE_USED),
    "sensitive": (seen_otherwise("reminder.sending", "plain", "routing", sensitive=True), CHAT),
    "not sensitive": (seen_otherwise("reminder.dropped", "discreet", "routing", sensitive=False), FITS),
    "consent missing": (seen_otherwise("reminder.sending", "plain", "routing", consented=[]), CHAT),
    "consent given": (seen_otherwise("reminder.dropped", "quiet", "routing", consented=["sms"]), FITS),
    "no vip": (told_otherwise("task.opened", "vip", "grade", 2, "routing"), CHAT),
    "a vip": (told_otherwise("reminder.sending", "plain", "grade", 3, "routing"), CALL),
    "not dear": (
        told_otherwise("reminder.sending", "dear", "total", "499.99", "routing", "minimum"),
        "'segment': 'first_time'",
    ),
    "not first": (told_otherwise("reminder.sending", "first", "paid_orders", 1, "routing"), CHAT),
    "not regular": (told_otherwise("task.opened", "regular", "paid_orders", 1, "routing"), CHAT),
    "other segment": (
        seen_otherwise("reminder.sending", "first", "routing", segment="vip"),
        "'segment': 'first_time'",
    ),
}


@pytest.mark.parametrize(("alter", "tells"), DECISIVE.values(), ids=DECISIVE)
def test_an_altered_input_makes_another_decision(audit: Audit, alter: Alter, tells: str) -> None:
    record = alter(audit)

    assert_found(audit, name(record), tells)


CHANGED: list[tuple[str, str, Any, tuple[str, str]]] = [
    ("caps", "per_order", 0, ("reminder.planned demo~plain~1", "recomputed attempts_used_up")),
    ("caps", "per_order", 2, ("reminder.dropped demo~plain~2", "recomputed")),
    ("suppression", "min_total", "99.01", ("reminder.sending demo~plain~1", "recomputed below_minimum")),
    ("suppression", "min_total", "19.99", ("reminder.dropped demo~small~1", "recomputed no_address")),
    ("suppression", "sensitive_channels", ["sms"], ("reminder.sending demo~private~1", "'outcome': 'sms'")),
    ("suppression", "sensitive_channels", [], ("reminder.sending demo~private~1", "recomputed sensitive")),
    ("suppression", "consent_required", [], ("reminder.dropped demo~quiet~1", "recomputed reminder.planned")),
    ("suppression", "consent_required", ["chat"], ("reminder.sending demo~first~1", "recomputed")),
    ("routing", "vip_grade", 4, ("task.opened demo~vip~1", "'outcome': 'chat'")),
    ("routing", "repeat_orders", 3, ("task.opened demo~regular~1", "recomputed {'rule': 'routing'")),
    ("routing", "segments", {}, ("reminder.sending demo~dear~1", "'outcome': 'phone'")),
    ("routing", "segments", {"vip": ["chat"]}, ("task.opened demo~vip~1", "'outcome': 'chat'")),
    ("routing", "segments", {"repeat": ["chat"]}, ("task.opened demo~regular~1", "'outcome': 'chat'")),
]


@pytest.mark.parametrize(("section", "key", "value", "found"), CHANGED, ids=lambda value: str(value)[:20])
def test_an_altered_policy_makes_another_decision(
    audit: Audit, section: str, key: str, value: Any, found: tuple[str, str]
) -> None:
    audit.policy[section][key] = value

    assert_found(audit, *found)
