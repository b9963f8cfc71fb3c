"""What a person is told who asks for a hand-off that may not be now."""

from dispatcher.errors import NotNow
from dispatcher.policy.decisions import Defer, Drop

BLOCKING = frozenset({"defer", "drop"})
"""Outcomes of rules that hold a reminder back."""

PAUSED = "paused"
"""The rule that holds back what a pause is on, which no decision knows of."""


def refused(decision: Defer | Drop) -> NotNow:
    """Return the refusal that a decision means, with the rules that block and when they stop to."""
    blocking = tuple(rule.rule for rule in decision.rules if rule.outcome in BLOCKING)
    if not blocking and decision.rules:
        blocking = (decision.rules[-1].rule,)
    return NotNow(decision.reason, blocking, decision.until if isinstance(decision, Defer) else None)


def held_by_pause() -> NotNow:
    """Return the refusal that a pause of the shop or of the channel means."""
    return NotNow(PAUSED, (PAUSED,))
