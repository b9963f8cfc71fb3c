"""What would become of a reminder that waits."""

import msgspec

from dispatcher.policy.decisions import Rule
from dispatcher.policy.facts import Channel, Instant
from dispatcher.workflow.chosen import Chosen


class Outlook(msgspec.Struct, frozen=True, kw_only=True):
    """What would be decided at an instant, and when it could go next.

    A rule `due` stands in front while its time has not come, the others answering as if it had; `max_open`,
    `pace` and `paused` at the end. `reason` is `None` of what may go and of what only waits to be due.
    `next_eligible` is `None` where it will be dropped, or while a pause holds it. `chosen` would write it.
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
