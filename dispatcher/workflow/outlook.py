"""What would become of a reminder that waits."""

import msgspec

from dispatcher.policy.decisions import Rule
from dispatcher.policy.facts import Channel, Facts, Instant
from dispatcher.workflow.chosen import Chosen

INTERNAL = "internal"
"""Why a reminder fails that cannot be decided about."""


class Outlook(msgspec.Struct, frozen=True, kw_only=True):
    """What would be decided at an instant, and when it could go next.

    A rule `due` stands in front while its time has not come, the others answering as if it had; `max_open`,
    `pace` and `paused` at the end. `reason` is `None` of what may go and of what only waits to be due.
    `next_eligible` is `None` where it will be dropped, or while a pause holds it. What cannot be decided
    about is to `fail` (`INTERNAL`). `chosen` would write it.
    """

    at: Instant
    decision: str
    channel: Channel
    reason: str | None
    policy: int
    rules: tuple[Rule, ...]
    blocking: tuple[str, ...]
    next_eligible: Instant | None
    chosen: Chosen | None = None


def undecided(facts: Facts, policy: int, now: Instant) -> Outlook:
    """Return what is foretold of a reminder that could not be decided about."""
    return Outlook(
        at=now,
        decision="fail",
        channel=facts.channel,
        reason=INTERNAL,
        policy=policy,
        rules=(),
        blocking=(),
        next_eligible=None,
    )
