"""What would be decided about a reminder at this moment, as it is answered."""

from typing import Any

import msgspec

from dispatcher.policy.facts import Channel
from dispatcher.policy.zones import iso
from dispatcher.workflow.chosen import Chosen
from dispatcher.workflow.outlook import Outlook


class Rule(msgspec.Struct, frozen=True, kw_only=True):
    """A rule that was applied: on `inputs`, and valid `until` time changes it."""

    rule: str
    outcome: str
    inputs: dict[str, Any]
    until: str | None = None


class Now(msgspec.Struct, frozen=True, kw_only=True):
    """What would be decided at this moment, on what is known and under the policy in force.

    While the reminder's time has not come, rule `due` stands in front and the others answer as if it had; of
    an open task it tells whether it can be claimed. `reason` is null where nothing but `due` blocks.
    `next_eligible` is when it could go as far as is known now; null where it will be dropped, or while a
    pause holds it. `template` would write it then, `why` is the code of what leads to this kind of message;
    both null where nothing is to be written, or a call's next moment is not known yet.
    """

    at: str
    decision: str
    channel: Channel
    reason: str | None
    policy: int
    rules: tuple[Rule, ...]
    blocking: tuple[str, ...]
    next_eligible: str | None
    template: str | None = None
    why: str | None = None


def foretold(outlook: Outlook) -> Now:
    """Return what would become of a reminder as it is answered."""
    eligible = outlook.next_eligible
    return Now(
        at=iso(outlook.at),
        decision=outlook.decision,
        channel=outlook.channel,
        reason=outlook.reason,
        policy=outlook.policy,
        rules=tuple(
            Rule(rule=rule.rule, outcome=rule.outcome, inputs=rule.inputs, until=rule.until)
            for rule in outlook.rules
        ),
        blocking=outlook.blocking,
        next_eligible=None if eligible is None else iso(eligible),
        **chosen_told(outlook.chosen),
    )


def chosen_told(chosen: Chosen | None) -> dict[str, str | None]:
    """Return which template it is and why, as it is answered; nothing of none."""
    return {} if chosen is None else chosen._asdict()
