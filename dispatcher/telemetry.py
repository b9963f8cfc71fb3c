"""Names of what is logged. A log line is an event name and fields, never personal data."""

REMINDER_NOT_DECIDED = "reminder_not_decided"
"""A reminder could not be decided about; its lease is given back (`reminder`, `error`, `where`)."""

OUTCOME_CAME_LATE = "outcome_came_late"
"""Channels answered after their hand-offs had been recorded as uncertain (`reminders`)."""

HOUSEKEEPING_REFUSED = "housekeeping_refused"
"""The store cannot read what a reminder or timer is about (`lane`, `refused`)."""
