"""The life of a reminder: its statuses and the one table of allowed moves.

Scripts get the table from here and change a status by it alone; the README's table follows it.
"""

from enum import StrEnum


class Status(StrEnum):
    """Where a reminder stands."""

    PLANNED = "planned"
    SENDING = "sending"
    SENT = "sent"
    DELIVERED = "delivered"
    UNDELIVERED = "undelivered"
    UNCERTAIN = "uncertain"
    FAILED = "failed"
    DROPPED = "dropped"
    OPEN = "open"
    CLAIMED = "claimed"
    COMPLETED = "completed"
    WITHDRAWN = "withdrawn"


WAITING = frozenset({Status.PLANNED, Status.OPEN})
"""Not handed over yet: a payment stops these."""

HANDED_OVER = frozenset(
    {
        Status.SENDING,
        Status.SENT,
        Status.DELIVERED,
        Status.UNDELIVERED,
        Status.UNCERTAIN,
        Status.CLAIMED,
        Status.COMPLETED,
        Status.WITHDRAWN,
    }
)
"""Handed over, or past the point where it could be stopped: a payment comes too late for these."""

MOVES: dict[Status, frozenset[Status]] = {
    Status.PLANNED: frozenset({Status.PLANNED, Status.SENDING, Status.OPEN, Status.DROPPED, Status.FAILED}),
    Status.SENDING: frozenset({Status.SENT, Status.PLANNED, Status.FAILED, Status.UNCERTAIN, Status.DROPPED}),
    Status.SENT: frozenset({Status.DELIVERED, Status.UNDELIVERED}),
    Status.UNCERTAIN: frozenset({Status.DELIVERED, Status.UNDELIVERED}),
    Status.OPEN: frozenset({Status.OPEN, Status.CLAIMED, Status.PLANNED, Status.DROPPED, Status.FAILED}),
    Status.CLAIMED: frozenset({Status.COMPLETED, Status.OPEN, Status.WITHDRAWN}),
    Status.DELIVERED: frozenset(),
    Status.UNDELIVERED: frozenset(),
    Status.FAILED: frozenset(),
    Status.DROPPED: frozenset({Status.PLANNED}),
    Status.COMPLETED: frozenset(),
    Status.WITHDRAWN: frozenset(),
}

FINAL = frozenset(status for status, after in MOVES.items() if not after) | {
    Status.SENT,
    Status.UNCERTAIN,
    Status.DROPPED,
}
"""Nothing more is owed by the dispatcher.

A receipt may still refine `SENT` and `UNCERTAIN`, and what was `DROPPED` as merged waits again when its
carrier was not handed over.
"""

INDEXED = frozenset({Status.OPEN, Status.CLAIMED, Status.UNCERTAIN, Status.FAILED})
"""Few at a time, and looked for by people: the store keeps an index of these for each shop."""
