"""What a record concluded, beside what it should have."""

from collections.abc import Iterator
from itertools import zip_longest

from tests.checkers.deciding import Facts
from tests.checkers.records import Record

INPUTS = {"template_fields": ("missing",), "wording": ("words", "kinds", "hosts")}
"""What a rule on the text that drops says of it."""

MOST_CHARACTERS = {"chat": 3_000, "sms": 500, "phone": 900}
"""The longest text that each channel takes."""


def recorded(record: Record) -> Facts:
    """Return what a record says, in the form of what is recomputed."""
    details = record["details"]
    decision = details.get("decision", {"rules": details.get("rules")})
    facts = {name: record[name] for name in ("kind", "reason", "channel")}
    facts |= {name: details[name] for name in ("due", "moment", "handed_at") if name in details}
    if "channel" in decision:
        facts["decided_on"] = decision["channel"]
    return {"rules": [], **facts, **{name: value for name, value in decision.items() if name != "channel"}}


def with_text(expected: Facts, said: Facts, following: str | None = None) -> Facts:
    """Return what is expected with the rule on the text, if there is one; the text is not judged here.

    What is too long for its channel goes to the `following` one, if there is any.
    """
    rule = said["rules"][-1] if said["rules"] else {}
    if expected.get("decision") == "send":
        expected = _plain(expected, said)
    if expected.get("decision") == "send" and rule.get("rule") == "length":
        return _too_long(expected, rule["inputs"], following)
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


def _plain(expected: Facts, said: Facts) -> Facts:
    """Return what is expected without the incentive, where the record says that its words are forbidden."""
    named = {rule["rule"]: rule["inputs"] for rule in said["rules"]}.get("incentive", {})
    pool = expected.get("incentive", {}).get("pool")
    if pool is None or named.get("refused", {}).get(pool) != "wording":
        return expected
    rules = [_refusing(rule, pool) if rule["rule"] == "incentive" else rule for rule in expected["rules"]]
    return {name: value for name, value in expected.items() if name != "incentive"} | {"rules": rules}


def _refusing(rule: Facts, pool: str) -> Facts:
    inputs = {name: value for name, value in rule["inputs"].items() if name != "pool"}
    inputs["refused"] = inputs.get("refused", {}) | {pool: "wording"}
    return rule | {"outcome": "plain", "inputs": inputs, "until": None}


def _too_long(expected: Facts, said: Facts, following: str | None) -> Facts:
    """Return a reminder that goes another way because its text was too long, or ends."""
    channel = expected["decided_on"]
    inputs = {"characters": said.get("characters"), "limit": MOST_CHARACTERS[channel], "channel": channel}
    if "field" in said:
        inputs["field"] = said["field"]
    rules = expected["rules"]
    now = {rule["rule"]: rule["inputs"] for rule in rules}["close"]["now"]
    outcome = "drop" if following is None else "defer"
    # A text that would have fitted is no reason.
    long = isinstance(inputs["characters"], int) and inputs["characters"] > inputs["limit"]
    last = {"rule": "length", "outcome": outcome, "inputs": inputs if long else None, "until": None}
    told = {"rules": [*rules, last]}
    if following is None:
        return {"kind": "reminder.dropped", "reason": "rejected", "channel": channel, **told}
    return {"kind": "reminder.deferred", "reason": "changed", "channel": following, "due": now, **told}


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
