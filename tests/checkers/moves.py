"""The moves of a reminder, written down from the picture of its life and not from the product's table."""

from typing import Any

MOVES: dict[str, tuple[frozenset[str | None], str]] = {
    "reminder.planned": (frozenset({None, "planned"}), "planned"),
    "reminder.deferred": (frozenset({"planned", "open"}), "planned"),
    "reminder.dropped": (frozenset({None, "planned", "open", "sending", "dropped"}), "dropped"),
    "reminder.returned": (frozenset({"dropped"}), "planned"),
    "reminder.sending": (frozenset({"planned"}), "sending"),
    "reminder.sent": (frozenset({None, "sending"}), "sent"),
    "reminder.uncertain": (frozenset({"sending"}), "uncertain"),
    "reminder.retrying": (frozenset({"sending"}), "planned"),
    "reminder.failed": (frozenset({"planned", "open", "sending"}), "failed"),
    "reminder.delivered": (frozenset({"sent", "uncertain"}), "delivered"),
    "reminder.undelivered": (frozenset({"sent", "uncertain"}), "undelivered"),
    "task.opened": (frozenset({"planned"}), "open"),
    "task.claimed": (frozenset({"open"}), "claimed"),
    "task.released": (frozenset({"claimed"}), "open"),
    "task.completed": (frozenset({"claimed"}), "completed"),
    "task.withdrawn": (frozenset({"claimed"}), "withdrawn"),
    "task.overflowed": (frozenset({"open"}), "planned"),
    "operator.postponed": (frozenset({"planned"}), "planned"),
    "operator.sent_now": (frozenset({"planned"}), "planned"),
}
"""Kind of record → (statuses it may start from, `None` for a reminder not heard of; status it leads to).

What is sent without having been heard of was sent by an agent. What was dropped as merged may be dropped
for the end of its order afterwards.
"""

COMMITS = frozenset({"reminder.sending", "task.claimed"})
"""What takes the customer's slot: from here on the customer may have been reminded."""

RESCHEDULES = frozenset(
    {
        "reminder.planned",
        "reminder.deferred",
        "reminder.retrying",
        "reminder.returned",
        "task.opened",
        "task.overflowed",
        "operator.postponed",
        "operator.sent_now",
    }
)
"""What sets a new due time, and may set a new channel."""

CHANGES_ORDER = frozenset({"promised", "call_back", "refused", "wrong_number"})
"""Outcomes of a call after which what was decided about its order before is decided again."""

GIVES_BACK = frozenset(
    {"reminder.retrying", "reminder.failed", "reminder.dropped", "reminder.returned", "task.released"}
)
"""What returns the slot, if there is one: nothing was handed over, and no call was made."""


def asked_by_hand(record: dict[str, Any]) -> bool:
    """Whether a record is of a hand-off that an agent asked for, which is a commit too."""
    return record["kind"] == "reminder.sent" and record["details"].get("by_hand") == "asked"


def after(record_kind: str, status: str | None, channel: str | None) -> str | None:
    """Return the status after a record of this kind, `None` when the move is not allowed."""
    before, status_after = MOVES.get(record_kind, (frozenset(), ""))
    if status not in before:
        return None
    if record_kind == "reminder.deferred" and status == "open" and channel == "phone":
        return "open"
    return status_after
