"""What a record concluded, beside what it should have."""

from collections.abc import Iterator
from itertools import zip_longest

from tests.checkers.deciding import Facts
from tests.checkers.records import Record


def recorded(record: Record) -> Facts:
    """Return what a record says, in the form of what is recomputed."""
    details = record["details"]
    decision = details.get("decision", {"rules": details.get("rules")})
    facts = {name: record[name] for name in ("kind", "reason", "channel")}
    facts |= {name: details[name] for name in ("due", "moment", "handed_at") if name in details}
    if "channel" in decision:
        facts["decided_on"] = decision["channel"]
    return {"rules": [], **facts, **{name: value for name, value in decision.items() if name != "channel"}}


def without_text(expected: Facts, said: Facts) -> Facts:
    """Return what is expected once a text lacked a value: a drop; what a text needs is not judged here."""
    rule = said["rules"][-1] if said["rules"] else {}
    if expected.get("decision") != "send" or rule.get("rule") != "template_fields":
        return expected
    missing = {"missing": rule["inputs"].get("missing")}
    last = {"rule": "template_fields", "outcome": "drop", "inputs": missing, "until": None}
    return {
        "kind": "reminder.dropped",
        "reason": "missing_field",
        "channel": expected["channel"],
        "rules": [*expected["rules"], last],
    }


def differences(said: Facts, expected: Facts) -> Iterator[str]:
    """Yield in what a record differs from what is expected."""
    if said == expected:
        return
    for key in sorted((said.keys() | expected.keys()) - {"rules"}):
        if said.get(key) != expected.get(key):
            yield f"{key} is {said.get(key)}, recomputed {expected.get(key)}"
    for rule, found in zip_longest(said["rules"], expected["rules"]):
        if rule != found:
            yield f"rule {(rule or found)['rule']} is {rule}, recomputed {found}"
