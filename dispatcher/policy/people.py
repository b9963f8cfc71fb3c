"""What people said against reminders: the customer in a call, or an operator of the shop.

A rule is recorded only where something was said. Each returns the reason to drop, or `None`.
"""

from dispatcher.policy.decisions import Rule
from dispatcher.policy.facts import Facts
from dispatcher.policy.zones import iso


def refuse_unwanted(facts: Facts, rules: list[Rule]) -> str | None:
    """Who refused to pay this order, or is left alone by an operator, is not reminded of it."""
    if facts.refused_at is not None:
        rules.append(Rule(rule="refused", outcome="drop", inputs={"refused_at": iso(facts.refused_at)}))
        return "refused"
    since = facts.standing.paused_since
    if since is not None:
        rules.append(Rule(rule="paused", outcome="drop", inputs={"paused_since": iso(since)}))
        return "paused"
    return None
