"""The rules on who is left alone and by segment decide; an input that is altered is told."""

import tomllib
from collections.abc import Callable
from functools import cache
from typing import Any

import pytest

from tests.checkers.promises import CheckerRules, check_all
from tests.checkers.recompute import recompute
from tests.checkers.records import Record, iso, name
from tests.checkers.simulated import NOON, Audit, event, inputs, simulated_audit
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


Alter = Callable[[Audit], Record]
"""Alters one thing that decides; returns the record whose decision is not what follows any more."""


def total_below(audit: Audit) -> Record:
    sending = audit.one("reminder.sending", "plain")
    audit.one("order.accepted", "plain", None)["details"]["total"] = "19.99"
    inputs(sending, "minimum")["total"] = inputs(sending, "routing")["total"] = "19.99"
    return sending


def total_enough(audit: Audit) -> Record:
    dropped = audit.one("reminder.dropped", "small")
    audit.one("order.accepted", "small", None)["details"]["total"] = "20.00"
    inputs(dropped, "minimum")["total"] = "20.00"
    return dropped


def none_used(audit: Audit) -> Record:
    dropped = audit.one("reminder.dropped", "plain", 2)
    inputs(dropped, "order_cap")["used"] = 0
    return dropped


def one_used(audit: Audit) -> Record:
    sending = audit.one("reminder.sending", "plain")
    inputs(sending, "order_cap")["used"] = 1
    inputs(sending, "routing")["used"] = ["phone"]
    return sending


def sensitive(audit: Audit) -> Record:
    sending = audit.one("reminder.sending", "plain")
    inputs(sending, "routing")["sensitive"] = True
    return sending


def not_sensitive(audit: Audit) -> Record:
    dropped = audit.one("reminder.dropped", "discreet")
    inputs(dropped, "routing")["sensitive"] = False
    return dropped


def consent_missing(audit: Audit) -> Record:
    sending = audit.one("reminder.sending", "plain")
    inputs(sending, "routing")["consented"] = []
    return sending


def consent_given(audit: Audit) -> Record:
    dropped = audit.one("reminder.dropped", "quiet")
    inputs(dropped, "routing")["consented"] = ["sms"]
    return dropped


def no_vip(audit: Audit) -> Record:
    claimed = audit.one("task.opened", "vip")
    audit.one("order.accepted", "vip", None)["details"]["grade"] = 2
    inputs(claimed, "routing")["grade"] = 2
    return claimed


def a_vip(audit: Audit) -> Record:
    sending = audit.one("reminder.sending", "plain")
    audit.one("order.accepted", "plain", None)["details"]["grade"] = 3
    inputs(sending, "routing")["grade"] = 3
    return sending


def not_dear(audit: Audit) -> Record:
    sending = audit.one("reminder.sending", "dear")
    audit.one("order.accepted", "dear", None)["details"]["total"] = "499.99"
    for rule in ("routing", "minimum"):
        inputs(sending, rule)["total"] = "499.99"
    return sending


def not_first(audit: Audit) -> Record:
    sending = audit.one("reminder.sending", "first")
    audit.one("order.accepted", "first", None)["details"]["paid_orders"] = 1
    inputs(sending, "routing")["paid_orders"] = 1
    return sending


def not_regular(audit: Audit) -> Record:
    opened = audit.one("task.opened", "regular")
    audit.one("order.accepted", "regular", None)["details"]["paid_orders"] = 1
    inputs(opened, "routing")["paid_orders"] = 1
    return opened


def other_segment(audit: Audit) -> Record:
    sending = audit.one("reminder.sending", "first")
    inputs(sending, "routing")["segment"] = "vip"
    return sending


DECISIVE: list[tuple[Alter, str]] = [
    (total_below, "reason is None, recomputed below_minimum"),
    (total_enough, "reason is below_minimum, recomputed no_address"),
    (none_used, "recomputed {'rule': 'order_cap', 'outcome': 'drop', 'inputs': {'used': 1"),
    (one_used, "recomputed {'rule': 'order_cap', 'outcome': 'pass', 'inputs': {'used': 0"),
    (sensitive, "recomputed {'rule': 'routing', 'outcome': 'chat'"),
    (not_sensitive, "kind is reminder.dropped, recomputed reminder.planned"),
    (consent_missing, "recomputed {'rule': 'routing', 'outcome': 'chat'"),
    (consent_given, "kind is reminder.dropped, recomputed reminder.planned"),
    (no_vip, "recomputed {'rule': 'routing', 'outcome': 'chat'"),
    (a_vip, "recomputed {'rule': 'routing', 'outcome': 'phone'"),
    (not_dear, "'segment': 'first_time'"),
    (not_first, "recomputed {'rule': 'routing', 'outcome': 'chat'"),
    (not_regular, "recomputed {'rule': 'routing', 'outcome': 'chat'"),
    (other_segment, "'segment': 'first_time'"),
]


@pytest.mark.parametrize(("alter", "tells"), DECISIVE, ids=lambda value: getattr(value, "__name__", None))
def test_an_altered_input_makes_another_decision(audit: Audit, alter: Alter, tells: str) -> None:
    record = alter(audit)

    violations = recompute(audit.records)

    assert any(name(record) in violation and tells in violation for violation in violations), violations


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

    violations = recompute(audit.records)

    assert any(found[0] in violation and found[1] in violation for violation in violations), violations
