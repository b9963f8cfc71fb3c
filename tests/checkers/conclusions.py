"""What a record concluded, beside what it should have."""

from collections.abc import Iterator
from itertools import zip_longest

from tests.checkers.deciding import Facts
from tests.checkers.records import Record

INPUTS = {"template_fields": ("missing",), "wording": ("words", "kinds", "hosts")}
"""What a rule on the text that drops says of it."""


def recorded(record: Record) -> Facts:
    """Return what a record says, in the form of what is recomputed."""
    details = record["details"]
    decision = details.get("decision", {"rules": details.get("rules")})
    facts = {name: record[name] for name in ("kind", "reason", "channel")}
    facts |= {name: details[name] for name in ("due", "moment", "handed_at") if name in details}
    if "channel" in decision:
        facts["decided_on"] = decision["channel"]
    return {"rules": [], **facts, **{name: value for name, value in decision.items() if name != "channel"}}


def with_text(expected: Facts, said: Facts) -> Facts:
    """Return what is expected with the rule on the text, if there is one; the text is not judged here."""
    rule = said["rules"][-1] if said["rules"] else {}
    if expected.get("decision") != "send" or rule.get("rule") not in ("template_fields", "wording"):
        return expected
    goes = rule["rule"] == "wording" and rule["outcome"] == "pass"
    names = ("masked", "advised") if goes else INPUTS[rule["rule"]]
    inputs = {name: rule["inputs"][name] for name in names if rule["inputs"].get(name)}
    last = {
        "rule": rule["rule"],
        "outcome": "pass" if goes else "drop",
        # What says nothing is no rule, so without inputs it differs.
        "inputs": inputs or None,
        "until": None,
    }
    rules = [*expected["rules"], last]
    if goes:
        return expected | {"rules": rules}
    return {
        "kind": "reminder.dropped",
        "reason": "missing_field" if rule["rule"] == "template_fields" else "wording",
        "channel": expected["channel"],
        "rules": rules,
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
