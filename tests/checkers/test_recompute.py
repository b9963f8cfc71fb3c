"""A real audit follows from its inputs; whatever decides is altered, the recomputation tells."""

from typing import Any

import pytest

from tests.checkers.recompute import recompute
from tests.checkers.records import Record, iso, name
from tests.checkers.simulated import (
    NOON,
    Alter,
    Audit,
    assert_found,
    inputs,
    now_of,
    seen_otherwise,
    told_otherwise,
)
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
        ("reminder.dropped", "wording"),
    }
    assert inputs(audit.one("reminder.sending", "named"), "wording") == {
        "masked": [{"word": "淘宝", "kind": "other_platform", "field": "order.items.0.name"}]
    }


def test_the_default_policy_of_the_contract_decides_the_same(audit: Audit) -> None:
    for record in audit.records:
        record["policy"] = 0 if record["policy"] else None
    told = [record for record in audit.records if record["kind"] != "policy.changed"]

    violations = recompute(told)

    assert violations == []


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


def first_step(audit: Audit) -> Record:
    audit.one("reminder.planned", "plain")["channel"] = "sms"
    return audit.one("reminder.planned", "plain", 2)


BY_CALL = "recomputed {'rule': 'routing', 'outcome': 'phone'"
BY_SMS = "recomputed {'rule': 'routing', 'outcome': 'sms'"
TOMORROW, EVENING = iso(NOON + 24 * HOUR), iso(NOON + 4 * HOUR)
DECISIVE: dict[str, tuple[Alter, str]] = {
    "total": (told_otherwise("reminder.sending", "plain", "total", "500.00", "routing"), BY_CALL),
    "paid orders": (told_otherwise("reminder.sending", "plain", "paid_orders", 1, "routing"), BY_CALL),
    "addresses": (seen_otherwise("reminder.sending", "plain", "routing", addresses=["sms", "phone"]), BY_SMS),
    "forbidden": (
        seen_otherwise("task.claimed", "dear", "routing", forbidden=["phone"]),
        "recomputed {'rule': 'routing', 'outcome': 'drop'",
    ),
    "channel used": (seen_otherwise("reminder.sending", "plain", "routing", used=["chat"]), BY_SMS),
    "used": (used, "reason is None, recomputed daily_cap"),
    "last": (last, "reason is None, recomputed min_gap"),
    "now at night": (now_at_night, "reason is None, recomputed quiet_hours"),
    "now at midday": (now_at_midday, "recomputed {'rule': 'phone_window', 'outcome': 'defer'"),
    "due": (due, "reason is None, recomputed too_late"),
    "closes at": (closes_at, "reason is None, recomputed closed"),
    "state": (
        seen_otherwise("reminder.sending", "plain", "order_state", state="paid"),
        "reason is None, recomputed paid",
    ),
    "availability": (
        seen_otherwise("reminder.sending", "plain", "stock", availability=["in_stock", "sold_out"]),
        "reason is None, recomputed sold_out",
    ),
    "nothing sold out": (
        seen_otherwise("reminder.dropped", "gone", "stock", availability=["in_stock"]),
        "reason is sold_out, recomputed no_address",
    ),
    "more time": (
        told_otherwise("reminder.dropped", "brief", "closes_at", TOMORROW, "close"),
        "kind is reminder.dropped, recomputed reminder.planned",
    ),
    "less time": (
        told_otherwise("reminder.planned", "flash", "closes_at", iso(NOON + 9 * MINUTE), "close"),
        "kind is reminder.planned, recomputed reminder.dropped",
    ),
    "earlier reminders": (earlier_reminders, "kind is reminder.deferred, recomputed reminder.sending"),
    "no slot taken": (no_slot_taken, "kind is reminder.deferred, recomputed task.opened"),
    "earliest": (earliest, "rule earliest_after"),
    "placed at": (
        told_otherwise("reminder.planned", "plain", "placed_at", EVENING, "cadence"),
        "'moment': '2026-11-12T02:00:00.000Z'",
    ),
    "zone": (
        told_otherwise("reminder.planned", "plain", "timezone", "Europe/London"),
        "'zone': 'Europe/London'",
    ),
    "first step": (first_step, "'used': ['sms']"),
}


@pytest.mark.parametrize(("alter", "tells"), DECISIVE.values(), ids=DECISIVE)
def test_an_altered_input_makes_another_decision(audit: Audit, alter: Alter, tells: str) -> None:
    record = alter(audit)

    assert_found(audit, name(record), tells)


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

    assert_found(audit, *found)


def test_an_altered_row_of_the_cadence_makes_another_plan(audit: Audit) -> None:
    audit.policy["cadence"][1]["remind"]["after"] = "16m"

    assert_found(audit, "reminder.planned demo~plain~1: rule cadence")
