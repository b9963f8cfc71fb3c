"""The product decides a recorded audit again: all the same, unless something that decides was altered."""

from collections.abc import Callable, Iterable
from typing import Any

import msgspec
import pytest

from dispatcher.workflow.recomputing import Recomputer, recompute
from dispatcher.workflow.recorded import Record
from dispatcher.workflow.recorded_text import TEXT_RULES
from tests.checkers import test_days, test_recompute, test_recompute_suppression
from tests.checkers.records import Record as Plain
from tests.checkers.simulated import Alter, Audit, inputs, simulated
from tests.checkers.test_recompute_suppression import suppressed

Day = Callable[[], list[Plain]]
"""Returns the audit of a simulated day."""
DECISIVE = {simulated: test_recompute.DECISIVE, suppressed: test_recompute_suppression.DECISIVE}
POLICIES = {simulated: test_recompute.POLICY, suppressed: test_recompute_suppression.CHANGED}


def differences(records: Iterable[dict[str, Any]]) -> list[str]:
    """Return what deciding again finds."""
    return list(recompute(msgspec.convert(list(records), list[Record]), Recomputer()))


@pytest.mark.parametrize("day", [simulated, suppressed, test_days.ten_days])
def test_an_audit_is_decided_again_all_the_same(day: Day) -> None:
    recomputer, told = Recomputer(), day()
    records = msgspec.convert(told, list[Record])

    found = list(recompute(records, recomputer))

    assert found == []
    assert (recomputer.plans, recomputer.decisions) == (
        sum("rules" in record["details"] for record in told),
        sum("decision" in record["details"] for record in told),
    )


def test_the_default_policy_is_version_0(audit: Audit) -> None:
    for record in audit.records:
        record["policy"] = 0 if record["policy"] else None
    told = [record for record in audit.records if record["kind"] != "policy.changed"]

    assert differences(told) == []


def other(value: Any) -> Any:
    """Return another value of the same kind."""
    match value:
        case bool():
            return not value
        case int():
            return value + 1
        case ["chat", *_] | ["sms", *_] | ["phone", *_]:
            return value[1:]
        case list():
            return [] if "sold_out" in value else ["sold_out"]
        case str() if value[:2] == "20" and value.endswith("Z"):
            return f"{int(value[:4]) + 1}{value[4:]}"
    return "0.01" if value != "0.01" else "0.02"


def rules_of(record: dict[str, Any]) -> list[dict[str, Any]]:
    details = record["details"]
    found: list[dict[str, Any]] = details.get("decision", details).get("rules", [])
    return found


def test_of_each_rule_an_altered_input_and_an_altered_outcome_are_found(audit: Audit) -> None:
    first = {
        (record["kind"], rule["rule"]): (record, rule)
        for record in reversed(audit.records)
        for rule in rules_of(record)
        if rule["rule"] not in TEXT_RULES
    }
    missed = []

    for (kind, name), (_, rule) in first.items():
        tried = [(rule["inputs"], key, other(value)) for key, value in rule["inputs"].items()]
        found = {key: bool(altered(audit, place, key, value)) for place, key, value in tried}
        if not any(found.values()) or not altered(audit, rule, "outcome", "else"):
            missed.append((kind, name, found))

    assert len(first) > 30
    assert missed == []


def altered(audit: Audit, place: dict[str, Any], key: str, value: Any) -> list[str]:
    """Return what deciding again finds while a value is altered."""
    before, place[key] = place[key], value
    found = differences(audit.records)
    place[key] = before
    return found


def test_what_cannot_be_decided_again_is_told(audit: Audit) -> None:
    accepted = [record for record in audit.records if record["kind"].startswith("order.")]
    changed = [record for record in audit.records if record["kind"] == "policy.changed"]

    without_orders = differences(record for record in audit.records if record not in accepted)
    without_policy = differences(record for record in audit.records if record not in changed)

    assert all("its order is not in this audit" in one for one in without_orders)
    assert all("its policy is not in this audit" in one for one in without_policy)
    assert len(without_orders) == len(without_policy) > 30


@pytest.mark.parametrize(
    ("kind", "details"),
    [
        ("reminder.sending", {"decision": []}),
        ("reminder.sending", {"decision": {"rules": [[]]}}),
        ("reminder.sending", {"decision": {"rules": [{"rule": "close", "inputs": {"now": 1}}]}}),
        ("reminder.sending", {"decision": {"rules": []}, "ledger": [None]}),
        ("reminder.planned", {"rules": [], "moment": 1}),
        ("reminder.planned", {"rules": {"rule": "close"}}),
    ],
)
def test_what_is_no_record_of_ours_is_told_and_ends_nothing(
    audit: Audit, kind: str, details: dict[str, Any]
) -> None:
    audit.one(kind, "plain")["details"] = details

    found = differences(audit.records)

    assert any(f"{kind} demo~plain~1: " in one for one in found)


def test_a_step_that_its_policy_does_not_have_is_told(audit: Audit) -> None:
    del audit.policy["before_close"]

    found = differences(audit.records)

    assert any("reminder.planned demo~plain~2: cannot be decided again" in one for one in found)


@pytest.mark.parametrize("document", [None, [], 7, {}, "none"])
def test_a_policy_that_is_none_is_told(audit: Audit, document: Any) -> None:
    (changed,) = (record for record in audit.records if record["kind"] == "policy.changed")
    changed["details"]["policy"] = document

    found = differences(audit.records)

    assert any("its policy is not in this audit" in one for one in found)


def test_an_input_that_is_none_and_a_decision_without_rules_are_told(audit: Audit) -> None:
    sending = audit.one("reminder.sending", "plain")
    del audit.one("task.claimed", "dear")["details"]["decision"]
    inputs(sending, "stock")["availability"] = ["asleep"]

    found = differences(audit.records)

    assert [one.partition(": ")[2][:70] for one in found] == [
        "reminder.sending demo~plain~1: cannot be decided again: ValidationErro",
        "task.claimed demo~dear~1: names no rules",
    ]


@pytest.mark.parametrize(
    ("day", "alter"),
    [(day, alter) for day, altered in DECISIVE.items() for alter, _ in altered.values()],
    ids=[f"{day.__name__} {name}" for day, altered in DECISIVE.items() for name in altered],
)
def test_an_altered_input_decides_otherwise(day: Day, alter: Alter) -> None:
    audit = Audit(day())
    record = alter(audit)

    found = differences(audit.records)

    assert any(f" {record['shop']}~{record['order']}~" in one for one in found), found


@pytest.mark.parametrize(
    ("day", "section", "key", "value", "found"),
    [(day, *row) for day, rows in POLICIES.items() for row in rows],
    ids=lambda value: getattr(value, "__name__", str(value)[:20]),
)
def test_an_altered_policy_decides_otherwise(
    day: Day, section: str, key: str, value: Any, found: tuple[str, str]
) -> None:
    audit = Audit(day())
    place = audit.policy[section] if section else audit.policy
    place[key] = value

    assert any(found[0] in one for one in differences(audit.records))


@pytest.mark.parametrize(
    ("alter", "found"), test_days.ALTERED, ids=lambda value: getattr(value, "__name__", "")
)
def test_altered_days_decide_otherwise(
    alter: Callable[[dict[str, Any]], None], found: tuple[str, str]
) -> None:
    audit = Audit(test_days.ten_days())
    alter(audit.policy)

    assert any(found[0] in one for one in differences(audit.records))
