"""The moves of a reminder, written down from the picture of its life and not from the product's table."""

MOVES: dict[str, tuple[frozenset[str | None], str]] = {
    "reminder.planned": (frozenset({None, "planned"}), "planned"),
    "reminder.deferred": (frozenset({"planned", "open"}), "planned"),
    "reminder.dropped": (frozenset({None, "planned", "open", "sending"}), "dropped"),
    "reminder.returned": (frozenset({"dropped"}), "planned"),
    "reminder.sending": (frozenset({"planned"}), "sending"),
    "reminder.sent": (frozenset({"sending"}), "sent"),
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
}
"""Kind of record → (statuses it may start from, `None` for a reminder not heard of; status it leads to)."""

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
    }
)
"""What sets a new due time, and may set a new channel."""

GIVES_BACK = frozenset(
    {"reminder.retrying", "reminder.failed", "reminder.dropped", "reminder.returned", "task.released"}
)
"""What returns the slot, if there is one: nothing was handed over, and no call was made."""


def after(record_kind: str, status: str | None, channel: str | None) -> str | None:
    """Return the status after a record of this kind, `None` when the move is not allowed."""
    before, status_after = MOVES.get(record_kind, (frozenset(), ""))
    if status not in before:
        return None
    if record_kind == "reminder.deferred" and status == "open" and channel == "phone":
        return "open"
    return status_after
