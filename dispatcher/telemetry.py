"""Names of what is logged. A log line is an event name and fields, never personal data."""

import json
import logging
from datetime import UTC, datetime
from traceback import extract_tb

STORE_AWAY = "store_away"
"""The store does not answer or is full; work goes on by itself when it is back (`error`, `detail`)."""

STORE_BACK = "store_back"
"""The store answers again."""

STORE_UNSAFE = "store_unsafe"
"""A setting of the store is not what the promises rest on (`setting`, `expected`, `found`: null where the
store does not tell)."""

TURN_FAILED = "turn_failed"
"""A worker's turn ran into an error of this service's own; the next one comes (`error`, `where`)."""

ARQ_ENDED = "arq_ended"
"""arq does not give turns; until it does again the worker takes them by itself (`error`, `where`)."""

STARTED = "started"
"""A process has begun its work (`role`)."""

ENDED = "ended"
"""A process has ended its work as it was told (`role`)."""

REMINDER_NOT_DECIDED = "reminder_not_decided"
"""A reminder could not be decided about; its lease is given back (`reminder`, `error`, `where`)."""

OUTCOME_CAME_LATE = "outcome_came_late"
"""Channels answered after their hand-offs had been recorded as uncertain (`reminders`)."""

OUTCOME_NOT_RECORDED = "outcome_not_recorded"
"""The store stayed away until the lease ended, or cannot read the order; the sweep will end these leases
(`reminders`)."""

TEMPLATE_UNUSABLE = "template_unusable"
"""A template that a shop published is not there or not right; what it is for fails (`shop`, `template`)."""

BATCH_FAILED = "batch_failed"
"""A batch ran into an error of this service's own (`error`, `where`)."""

HOUSEKEEPING_REFUSED = "housekeeping_refused"
"""The store cannot read what a reminder or timer is about (`lane`, `refused`)."""

PASSED_OVER = "passed_over"
"""What the store holds at a key, or a member there, cannot be read; the rest goes on (`key`, `member`)."""

KEY_UNREADABLE = "key_unreadable"
"""What is stored of a key of the API cannot be read, and it opens nothing (`key`)."""

REQUEST_FAILED = "request_failed"
"""A request ran into an error of this service's own (`route`, `error`, `where`)."""

EVENTS_NOT_TAKEN = "events_not_taken"
"""Events could not be taken together, and are taken one by one (`lane`, `error`, `where`)."""

EVENT_NOT_TAKEN = "event_not_taken"
"""An event could not be taken by itself either (`lane`, `error`, `where`)."""

EVENT_REFUSED = "event_refused"
"""What the store holds of an event's order or policy cannot be read (`shop`, `order`)."""

STREAM_BROKEN = "stream_broken"
"""An answer that was being sent piece by piece could not be finished (`error`, `where`)."""


def about_error(error: BaseException) -> dict[str, str]:
    """Return the fields that tell an error: its kind and its place, never its text."""
    frame = extract_tb(error.__traceback__)[-1:]
    return {"error": type(error).__name__, "where": f"{frame[0].filename}:{frame[0].lineno}" if frame else ""}


_PLAIN = vars(logging.makeLogRecord({})).keys() | {"message", "asctime", "color_message"}


class JsonLines(logging.Formatter):
    """Writes a log record as one JSON object: time, level, event and its fields."""

    def format(self, record: logging.LogRecord) -> str:
        """Return the line; of an exception only its kind and its place."""
        at = datetime.fromtimestamp(record.created, UTC).isoformat(timespec="milliseconds")
        line = {"at": at, "level": record.levelname.lower(), "event": record.getMessage()}
        line |= {name: value for name, value in vars(record).items() if name not in _PLAIN}
        if record.exc_info and record.exc_info[1] is not None:
            line |= about_error(record.exc_info[1])
        return json.dumps(line, ensure_ascii=False, default=str)


def log_to_stderr() -> None:
    """Write this process's log to standard error as JSON lines."""
    handler = logging.StreamHandler()
    handler.setFormatter(JsonLines())
    logging.basicConfig(level=logging.INFO, handlers=[handler], force=True)
    logging.getLogger("arq").setLevel(logging.CRITICAL)  # it logs each job, and its errors come back to us
    logging.getLogger("uvicorn").setLevel(logging.WARNING)
