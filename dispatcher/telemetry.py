"""Names of what is logged. A log line is an event name and fields, never personal data."""

REMINDER_NOT_DECIDED = "reminder_not_decided"
"""A reminder could not be decided about; its lease is given back (field `reminder`)."""
