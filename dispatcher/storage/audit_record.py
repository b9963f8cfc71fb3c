"""An audit record as it is read; the scripts write it (`lua/lib/lane.lua`)."""

from typing import Any

import msgspec

ENTRY_RECORDS = 16
"""Records in one entry of the stream at most: an entry for each was half of what a record cost."""

KINDS = (
    "order.accepted",
    "order.amended",
    "order.paid",
    "order.cancelled",
    "order.closed",
    "order.reminded",
    "order.retired",
    "reminder.planned",
    "reminder.deferred",
    "reminder.dropped",
    "reminder.returned",
    "reminder.sending",
    "reminder.sent",
    "reminder.retrying",
    "reminder.failed",
    "reminder.uncertain",
    "task.opened",
    "task.overflowed",
    "task.claimed",
    "task.released",
    "task.completed",
    "task.withdrawn",
    "customer.opted_out",
    "customer.replied",
    "customer.forgotten",
    "operator.paused",
    "operator.resumed",
    "operator.postponed",
    "operator.sent_now",
    "operator.blocked",
    "operator.unblocked",
    "policy.changed",
    "template.changed",
    "incentive.topped_up",
    "access.key_created",
    "access.key_revoked",
)
"""Every kind of record that the scripts write."""


class AuditRecord(msgspec.Struct, kw_only=True):
    """An audit record in the contract's form; `details` stays as it was written."""

    seq: int
    lane: int
    at: str
    kind: str
    actor: str
    shop: str
    order: str | None
    customer: str | None
    reminder: str | None
    step: int | None
    attempt: int | None
    channel: str | None
    reason: str | None
    policy: int | None
    template: str | None
    details: msgspec.Raw | dict[str, Any]
