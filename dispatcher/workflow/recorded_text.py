"""What the text of a decision came to, which is recorded by rules alone: the audit holds no text."""

from typing import Any

from dispatcher.policy.decisions import Decision, Send
from dispatcher.policy.document import Policy
from dispatcher.policy.facts import Facts, Instant
from dispatcher.policy.incentives import without
from dispatcher.policy.retries import too_long
from dispatcher.workflow.recorded import Record

TEXT_RULES = {"template_fields": "missing_field", "wording": "wording"}
"""Rules on the text of what is to go, and the reason of what they drop."""

FORBIDDEN_OFFER = "wording"
"""Why a pool was refused whose words are forbidden."""

Told = dict[str, Any]


def text_written(decision: Decision, facts: Facts, policy: Policy, now: Instant, record: Record) -> Decision:
    """Return a decision after what its text came to, which no record holds, as the record tells it."""
    if not isinstance(decision, Send):
        return decision
    refused = record.inputs.get("incentive", {}).get("refused", {})
    if decision.offer is not None and refused.get(decision.offer.pool.id) == FORBIDDEN_OFFER:
        decision = without(decision, FORBIDDEN_OFFER)
    length = record.inputs.get("length")
    return decision if length is None else too_long(decision, facts, policy, now, length)


def with_text(expected: Told, record: Record) -> Told:
    """Return what is expected of a hand-off with the rule on its text, which no record holds."""
    last = (record.rules or [{}])[-1]
    if expected.get("decision") != "send" or last.get("rule") not in TEXT_RULES:
        return expected
    rules = [*expected["rules"], last]
    if last["outcome"] == "drop":
        return {"kind": "reminder.dropped", "reason": TEXT_RULES[last["rule"]], "rules": rules}
    return expected | {"rules": rules} if last["outcome"] == "pass" else expected
