"""A conclusion that was altered is found in the record where it stands."""

from typing import Any

import pytest

from tests.checkers.conclusions import differences, with_text
from tests.checkers.promises import DEFAULT_POLICY, check_all
from tests.checkers.records import Record, instant, iso, name
from tests.checkers.simulated import Alter, Audit, now_of


def outcome(audit: Audit) -> Record:
    sending = audit.one("reminder.sending", "plain")
    sending["details"]["decision"]["rules"][5]["outcome"] = "defer"
    return sending


def rule_left_out(audit: Audit) -> Record:
    sending = audit.one("reminder.sending", "plain")
    del sending["details"]["decision"]["rules"][5]
    return sending


def valid_longer(audit: Audit) -> Record:
    sending = audit.one("reminder.sending", "plain")
    decision = sending["details"]["decision"]
    decision["valid_until"] = iso(instant(decision["valid_until"]) + 1)
    return sending


def handed_over_later_than_valid(audit: Audit) -> Record:
    sending = audit.one("reminder.sending", "plain")
    valid = instant(sending["details"]["decision"]["valid_until"])
    sending["details"]["valid_until"] = iso(valid + 1)
    return sending


def other_limits(audit: Audit) -> Record:
    sending = audit.one("reminder.sending", "plain")
    sending["details"]["decision"]["limits"]["per_day"] = 3
    return sending


def promised_to_ship(audit: Audit) -> Record:
    sending = audit.one("reminder.sending", "plain")
    sending["details"]["decision"]["ships_today"] = False
    return sending


def other_channel(audit: Audit) -> Record:
    sending = audit.one("reminder.sending", "plain")
    sending["channel"] = sending["details"]["decision"]["channel"] = "sms"
    return sending


def deferred_too_short(audit: Audit) -> Record:
    deferred = audit.one("reminder.deferred", "second")
    deferred["details"]["due"] = iso(instant(deferred["details"]["due"]) - 1)
    return deferred


def deferred_for_another_reason(audit: Audit) -> Record:
    deferred = audit.one("reminder.deferred", "second")
    deferred["reason"] = "daily_cap"
    return deferred


def planned_late(audit: Audit) -> Record:
    planned = audit.one("reminder.planned", "plain")
    planned["details"]["due"] = iso(instant(planned["details"]["due"]) + 1000)
    return planned


def called_later(audit: Audit) -> Record:
    claim = audit.one("task.claimed", "dear")
    claim["details"]["handed_at"] = iso(now_of(claim) + 1)
    return claim


def decided_after_it_was_recorded(audit: Audit) -> Record:
    sending = audit.one("reminder.sending", "plain")
    sending["at"] = iso(now_of(sending) - 1)
    return sending


def another_policy(audit: Audit) -> Record:
    sending = audit.one("reminder.sending", "plain")
    sending["policy"] = 0
    return sending


def unknown_policy(audit: Audit) -> Record:
    sending = audit.one("reminder.sending", "plain")
    sending["policy"] = 2
    return sending


def no_decision(audit: Audit) -> Record:
    sending = audit.one("reminder.sending", "plain")
    del sending["details"]["decision"]
    return sending


CONCLUDED = [
    outcome,
    rule_left_out,
    valid_longer,
    handed_over_later_than_valid,
    other_limits,
    promised_to_ship,
    other_channel,
    deferred_too_short,
    deferred_for_another_reason,
    planned_late,
    called_later,
    decided_after_it_was_recorded,
    another_policy,
    unknown_policy,
    no_decision,
]


@pytest.mark.parametrize("alter", CONCLUDED)
def test_an_altered_conclusion_is_found_where_it_stands(audit: Audit, alter: Alter) -> None:
    record = alter(audit)

    violations = check_all(audit.records, DEFAULT_POLICY)

    assert any(violation.startswith(f"recompute: {name(record)}: ") for violation in violations)


def moved_for_its_length(**altered: Any) -> list[str]:
    """Return what is found in a record of an SMS that was too long and goes by chat, as altered."""
    now = "2025-11-11T04:00:00.000Z"
    close = {"rule": "close", "outcome": "pass", "inputs": {"now": now}, "until": None}
    expected = {"kind": "reminder.sending", "decision": "send", "decided_on": "sms", "rules": [close]}
    inputs = {"characters": 501, "limit": 500, "channel": "sms"}
    inputs |= {key: value for key, value in altered.items() if key in {*inputs, "field"}}
    outcome = altered.get("outcome", "defer")
    length = {"rule": "length", "outcome": outcome, "inputs": inputs, "until": None}
    said = {"kind": "reminder.deferred", "reason": "changed", "channel": "chat", "due": now}
    said |= {"rules": [close, length]} | {key: altered[key] for key in said if key in altered}
    return [*differences(said, with_text(expected, said, altered.get("following", "chat")))]


@pytest.mark.parametrize(
    ("altered", "found"),
    [
        ({}, False),
        ({"field": "order.pay_url"}, False),
        ({"characters": 500}, True),
        ({"limit": 400}, True),
        ({"outcome": "drop"}, True),
        ({"reason": "overflow"}, True),
        ({"due": "2025-11-11T04:00:01.000Z"}, True),
        ({"following": "phone"}, True),
        ({"following": None}, True),
    ],
)
def test_a_text_that_was_too_long_goes_by_the_next_channel_at_once(
    altered: dict[str, Any], found: bool
) -> None:
    told = moved_for_its_length(**altered)

    assert bool(told) is found
