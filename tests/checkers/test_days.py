"""A real audit over weekends and holidays follows from its policy, and tells when the days are altered."""

from collections.abc import Callable
from dataclasses import replace
from functools import cache
from typing import Any

import pytest

from tests.checkers.promises import DEFAULT_POLICY, check_all
from tests.checkers.records import Record, instant, iso
from tests.checkers.simulated import Audit, assert_found, event, inputs, simulated_audit
from tests.checkers.terms import DAY, DEFAULT_DOCUMENT

POLICY: dict[str, Any] = {
    **DEFAULT_DOCUMENT,
    "holidays": "cn",
    "quiet_hours": {"start": "22:00", "end": "09:00", "max_held": "10d"},
    "days": {"reminders": "workdays", "calls": ["wed", "sat"]},
}
RULES = replace(DEFAULT_POLICY, remind_on="workdays cn", call_on=("wed", "sat"), finished=True)


def placed(name: str, local: str, total: str = "99.00", days: int = 2) -> dict[str, Any]:
    """Return an order placed at a time in Shanghai, of a customer of its own."""
    at = instant(f"{local}:00.000Z") - DAY // 3
    told = {"placed_at": iso(at), "closes_at": iso(at + days * DAY)}
    return event("order.unpaid", name, at, f"C-{name}", total, **told)


EVENTS = [
    placed("eve", "2026-09-30T16:00", days=10),
    # Worked on a Saturday, so that calls are possible then.
    placed("made-up", "2026-10-09T16:00"),
    placed("called", "2026-10-09T16:30", "800.00"),
    placed("sunday", "2026-10-10T16:00"),
    placed("weekend", "2026-10-10T11:00", days=3),
    placed("dear", "2026-10-12T11:30", "800.00", days=3),
]


@cache
def ten_days() -> list[Record]:
    """Return the audit of ten days with the National Day in them."""
    return simulated_audit(EVENTS, POLICY)


@pytest.fixture
def audit() -> Audit:
    return Audit(ten_days())


def test_reminders_wait_for_open_days_and_the_audit_follows_from_the_policy(audit: Audit) -> None:
    gone = {
        (record["order"], record["step"], record["at"][:10])
        for record in audit.records
        if record["kind"] in {"reminder.sent", "task.claimed"}
    }

    violations = check_all(audit.records, RULES)

    assert violations == []
    assert gone == {
        ("eve", 1, "2026-10-08"),
        ("eve", 2, "2026-10-10"),
        ("made-up", 1, "2026-10-10"),
        ("made-up", 2, "2026-10-10"),
        ("called", 1, "2026-10-10"),
        ("called", 2, "2026-10-10"),
        ("weekend", 1, "2026-10-10"),
        ("weekend", 2, "2026-10-13"),
        ("dear", 1, "2026-10-14"),
        ("dear", 2, "2026-10-15"),
        ("sunday", 1, "2026-10-12"),
        ("sunday", 2, "2026-10-12"),
    }


def no_holidays(policy: dict[str, Any]) -> None:
    del policy["holidays"]


def every_day(policy: dict[str, Any]) -> None:
    policy["days"]["reminders"] = "every"


def other_days(policy: dict[str, Any]) -> None:
    policy["days"]["reminders"] = ["mon", "tue", "wed", "thu", "fri"]


def calls_on_wednesdays(policy: dict[str, Any]) -> None:
    policy["days"]["calls"] = ["wed"]


def calls_every_day(policy: dict[str, Any]) -> None:
    del policy["days"]["calls"]


def shorter_patience(policy: dict[str, Any]) -> None:
    policy["quiet_hours"]["max_held"] = "3d"


ALTERED: list[tuple[Callable[[dict[str, Any]], None], tuple[str, str]]] = [
    (no_holidays, ("reminder.planned demo~eve~1", "rule quiet_hours")),
    (every_day, ("reminder.planned demo~eve~1", "rule quiet_hours")),
    (other_days, ("reminder.planned demo~eve~1", "rule quiet_hours")),
    (calls_on_wednesdays, ("task.opened demo~called~1", "rule phone_window")),
    (calls_every_day, ("reminder.planned demo~dear~1", "rule phone_window")),
    (shorter_patience, ("reminder.planned demo~eve~1", "rule held")),
]


@pytest.mark.parametrize(("alter", "found"), ALTERED, ids=lambda value: getattr(value, "__name__", None))
def test_altered_days_make_another_decision(
    audit: Audit, alter: Callable[[dict[str, Any]], None], found: tuple[str, str]
) -> None:
    alter(audit.policy)

    assert_found(audit, *found)


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("start", "2026-10-01T14:00:00.000Z"),
        ("end", "2026-10-05T01:00:00.000Z"),
        ("zone", "Europe/London"),
        ("holidays_known_until", 2020),
    ],
)
def test_an_altered_input_does_not_follow_any_more(audit: Audit, name: str, value: object) -> None:
    inputs(audit.one("reminder.planned", "eve"), "quiet_hours")[name] = value

    assert_found(audit, "reminder.planned demo~eve~1: rule quiet_hours")


def test_a_hand_off_on_a_closed_day_is_found(audit: Audit) -> None:
    fewer = replace(RULES, remind_on=("mon", "tue", "wed", "thu", "fri"), call_on=("wed",), decided=False)

    checks = {violation.partition(":")[0] for violation in check_all(audit.records, fewer)}

    assert checks == {"closed_days", "call_days"}
