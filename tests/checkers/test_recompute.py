"""A real audit follows from its inputs; whatever decides is altered, the recomputation tells."""

from collections.abc import Callable
from typing import Any

import pytest

from tests.checkers.recompute import recompute
from tests.checkers.records import Record, iso, name
from tests.checkers.simulated import NOON, Audit, inputs, now_of
from tests.checkers.terms import HOUR, MINUTE


def test_a_real_audit_follows_from_its_inputs(audit: Audit) -> None:
    kinds = {(record["kind"], record["reason"]) for record in audit.records}

    violations = recompute(audit.records)

    assert violations == []
    assert kinds >= {
        ("reminder.planned", None),
        ("reminder.sending", None),
        ("task.opened", None),
        ("task.claimed", None),
        ("reminder.deferred", "min_gap"),
        ("reminder.deferred", "daily_cap"),
        ("reminder.deferred", "changed"),
        ("reminder.dropped", "sold_out"),
        ("reminder.dropped", "closes_before_window"),
        ("reminder.dropped", "missing_field"),
    }


def test_the_default_policy_of_the_contract_decides_the_same(audit: Audit) -> None:
    for record in audit.records:
        record["policy"] = 0 if record["policy"] else None
    told = [record for record in audit.records if record["kind"] != "policy.changed"]

    violations = recompute(told)

    assert violations == []


Alter = Callable[[Audit], Record]
"""Alters one thing that decides; returns the record whose decision is not what follows any more."""


def total(audit: Audit) -> Record:
    sending = audit.one("reminder.sending", "plain")
    audit.one("order.accepted", "plain", None)["details"]["total"] = "500.00"
    inputs(sending, "routing")["total"] = "500.00"
    return sending


def paid_orders(audit: Audit) -> Record:
    sending = audit.one("reminder.sending", "plain")
    audit.one("order.accepted", "plain", None)["details"]["paid_orders"] = 1
    inputs(sending, "routing")["paid_orders"] = 1
    return sending


def addresses(audit: Audit) -> Record:
    sending = audit.one("reminder.sending", "plain")
    inputs(sending, "routing")["addresses"] = ["sms", "phone"]
    return sending


def forbidden(audit: Audit) -> Record:
    claim = audit.one("task.claimed", "dear")
    inputs(claim, "routing")["forbidden"] = ["phone"]
    return claim


def channel_used(audit: Audit) -> Record:
    sending = audit.one("reminder.sending", "plain")
    inputs(sending, "routing")["used"] = ["chat"]
    return sending


def used(audit: Audit) -> Record:
    sending = audit.one("reminder.sending", "plain")
    inputs(sending, "daily_cap")["used"] = 2
    inputs(sending, "min_gap")["last"] = iso(now_of(sending) - 4 * HOUR)
    return sending


def last(audit: Audit) -> Record:
    sending = audit.one("reminder.sending", "plain")
    inputs(sending, "daily_cap")["used"] = 1
    inputs(sending, "min_gap")["last"] = iso(now_of(sending) - 3 * HOUR + 1)
    return sending


def now_at_night(audit: Audit) -> Record:
    return _at(audit, audit.one("reminder.sending", "plain"), NOON + 10 * HOUR)


def now_at_midday(audit: Audit) -> Record:
    return _at(audit, audit.one("task.claimed", "dear"), NOON + MINUTE)


def _at(audit: Audit, record: Record, now: int) -> Record:
    record["at"] = inputs(record, "close")["now"] = iso(now)
    if record["kind"] == "reminder.sending":
        audit.one("reminder.planned", record["order"])["details"]["due"] = iso(now)
        inputs(record, "late").update(now=iso(now), due=iso(now))
    return record


def due(audit: Audit) -> Record:
    sending = audit.one("reminder.sending", "plain")
    old = iso(now_of(sending) - 2 * HOUR - 1)
    audit.one("reminder.planned", "plain")["details"]["due"] = inputs(sending, "late")["due"] = old
    return sending


def closes_at(audit: Audit) -> Record:
    sending = audit.one("reminder.sending", "plain")
    past = inputs(sending, "close")["now"]
    audit.one("order.accepted", "plain", None)["details"]["closes_at"] = past
    inputs(sending, "close")["closes_at"] = past
    return sending


def state(audit: Audit) -> Record:
    sending = audit.one("reminder.sending", "plain")
    inputs(sending, "order_state")["state"] = "paid"
    return sending


def availability(audit: Audit) -> Record:
    sending = audit.one("reminder.sending", "plain")
    inputs(sending, "stock")["availability"] = ["in_stock", "sold_out"]
    return sending


def nothing_sold_out(audit: Audit) -> Record:
    dropped = audit.one("reminder.dropped", "gone")
    inputs(dropped, "stock")["availability"] = ["in_stock"]
    return dropped


def more_time(audit: Audit) -> Record:
    dropped = audit.one("reminder.dropped", "flash")
    later = iso(NOON + 24 * HOUR)
    audit.one("order.accepted", "flash", None)["details"]["closes_at"] = later
    inputs(dropped, "close")["closes_at"] = later
    return dropped


def earlier_reminders(audit: Audit) -> Record:
    deferred = audit.one("reminder.deferred", "second")
    deferred["details"]["ledger"] = []
    return deferred


def no_slot_taken(audit: Audit) -> Record:
    changed = audit.one("reminder.deferred", "hurried")
    assert changed["details"].pop("ledger")
    return changed


def earliest(audit: Audit) -> Record:
    sending = audit.one("reminder.sending", "dear", 2)
    inputs(sending, "earliest_after")["earliest"] = iso(now_of(sending) + 1)
    return sending


def placed_at(audit: Audit) -> Record:
    planned = audit.one("reminder.planned", "plain")
    evening = iso(NOON + 4 * HOUR)
    audit.one("order.accepted", "plain", None)["details"]["placed_at"] = evening
    inputs(planned, "cadence")["placed_at"] = evening
    return planned


def zone(audit: Audit) -> Record:
    audit.one("order.accepted", "plain", None)["details"]["timezone"] = "Europe/London"
    return audit.one("reminder.planned", "plain")


def first_step(audit: Audit) -> Record:
    audit.one("reminder.planned", "plain")["channel"] = "sms"
    return audit.one("reminder.planned", "plain", 2)


DECISIVE: list[tuple[Alter, str]] = [
    (total, "recomputed {'rule': 'routing', 'outcome': 'phone'"),
    (paid_orders, "recomputed {'rule': 'routing', 'outcome': 'phone'"),
    (addresses, "recomputed {'rule': 'routing', 'outcome': 'sms'"),
    (forbidden, "recomputed {'rule': 'routing', 'outcome': 'drop'"),
    (channel_used, "recomputed {'rule': 'routing', 'outcome': 'sms'"),
    (used, "reason is None, recomputed daily_cap"),
    (last, "reason is None, recomputed min_gap"),
    (now_at_night, "reason is None, recomputed quiet_hours"),
    (now_at_midday, "recomputed {'rule': 'phone_window', 'outcome': 'defer'"),
    (due, "reason is None, recomputed too_late"),
    (closes_at, "reason is None, recomputed closed"),
    (state, "reason is None, recomputed paid"),
    (availability, "reason is None, recomputed sold_out"),
    (nothing_sold_out, "reason is sold_out, recomputed no_address"),
    (more_time, "kind is reminder.dropped, recomputed reminder.planned"),
    (earlier_reminders, "kind is reminder.deferred, recomputed reminder.sending"),
    (no_slot_taken, "kind is reminder.deferred, recomputed task.opened"),
    (earliest, "rule earliest_after"),
    (placed_at, "'moment': '2026-11-12T02:00:00.000Z'"),
    (zone, "'zone': 'Europe/London'"),
    (first_step, "'used': ['sms']"),
]


@pytest.mark.parametrize(("alter", "tells"), DECISIVE, ids=lambda value: getattr(value, "__name__", None))
def test_an_altered_input_makes_another_decision(audit: Audit, alter: Alter, tells: str) -> None:
    record = alter(audit)

    violations = recompute(audit.records)

    assert any(name(record) in violation and tells in violation for violation in violations), violations


POLICY: list[tuple[str, str, Any, tuple[str, str]]] = [
    ("", "max_late", "0s", ("reminder.sending", "rule late")),
    ("quiet_hours", "start", "12:00", ("reminder.sending", "'rule': 'quiet_hours', 'outcome': 'defer'")),
    ("quiet_hours", "end", "08:00", ("reminder.sending", "rule quiet_hours")),
    ("quiet_hours", "max_held", "1h", ("reminder.planned", "rule held")),
    ("spread", "over", "10m", ("reminder.planned", "due is")),
    ("shipping", "cutoff", "12:30", ("reminder.sending", "ships_today is True, recomputed False")),
    ("before_close", "lead", "3h", ("reminder.planned", "moment is")),
    ("before_close", "earliest_after", "4h", ("reminder.planned", "rule before_close")),
    ("caps", "per_day", 0, ("reminder.sending", "recomputed daily_cap")),
    ("caps", "min_gap", "4h", ("reminder.deferred", "due is")),
    ("routing", "channels", ["sms", "chat"], ("reminder.sending", "decided_on")),
    ("routing", "high_value", "99.00", ("reminder.sending", "'outcome': 'phone'")),
    ("routing", "repeat_orders", 0, ("reminder.sending", "'outcome': 'phone'")),
    ("phone", "windows", [["09:00", "10:00"]], ("task.opened", "rule phone_window")),
    ("phone", "overflow_after", "1h", ("task.opened", "due is")),
]


@pytest.mark.parametrize(("section", "key", "value", "found"), POLICY, ids=lambda value: str(value)[:20])
def test_an_altered_policy_makes_another_decision(
    audit: Audit, section: str, key: str, value: Any, found: tuple[str, str]
) -> None:
    place = audit.policy[section] if section else audit.policy
    place[key] = value

    violations = recompute(audit.records)

    assert any(found[0] in violation and found[1] in violation for violation in violations), violations


def test_an_altered_row_of_the_cadence_makes_another_plan(audit: Audit) -> None:
    audit.policy["cadence"][1]["remind"]["after"] = "16m"

    violations = recompute(audit.records)

    assert any("reminder.planned demo~plain~1: rule cadence" in violation for violation in violations)
