"""What a simulation came to, counted from its audit alone."""

from collections import Counter
from collections.abc import Iterable
from datetime import datetime
from typing import Any
from zoneinfo import ZoneInfo

import msgspec

from dispatcher.storage.audit_record import AuditRecord

_HANDED_OVER = frozenset({"reminder.sent", "task.claimed"})
_PAID = frozenset({"order.paid", "order.cancelled"})


class Report(msgspec.Struct, kw_only=True):
    """The figures of `simulate --json`; `seconds` is how long it took, days are the shop's."""

    orders: int
    unpaid_at_due: int
    sent: int
    sent_by_channel: dict[str, int]
    sent_by_day: dict[str, int]
    deferred: int
    dropped_by_reason: dict[str, int]
    largest_minute: int
    tasks: int
    rejected: int
    seconds: float


def report(records: Iterable[AuditRecord], zone: ZoneInfo, rejected: int, seconds: float) -> Report:
    """Count what the records of a simulation say."""
    kinds: Counter[str] = Counter()
    reasons: Counter[str] = Counter()
    channels: Counter[str] = Counter()
    days: Counter[str] = Counter()
    minutes: Counter[str] = Counter()
    due: dict[tuple[str, str | None], str] = {}
    ended: dict[tuple[str, str | None], str] = {}
    for record in records:
        kinds[record.kind] += 1
        order = (record.shop, record.order)
        if record.kind in _HANDED_OVER:
            handed_at = _details(record)["handed_at"]
            channels[record.channel or ""] += 1
            minutes[handed_at[:16]] += 1
            days[datetime.fromisoformat(handed_at).astimezone(zone).date().isoformat()] += 1
        elif record.kind == "reminder.dropped":
            reasons[record.reason or ""] += 1
        elif record.kind == "reminder.planned" and record.step == 1:
            due[order] = _details(record)["due"]
        elif record.kind in _PAID:
            ended.setdefault(order, record.at)
    return Report(
        orders=kinds["order.accepted"],
        unpaid_at_due=sum(order not in ended or ended[order] > at for order, at in due.items()),
        sent=sum(channels.values()),
        sent_by_channel=dict(sorted(channels.items())),
        sent_by_day=dict(sorted(days.items())),
        deferred=kinds["reminder.deferred"],
        dropped_by_reason=dict(sorted(reasons.items())),
        largest_minute=max(minutes.values(), default=0),
        tasks=kinds["task.opened"],
        rejected=rejected,
        seconds=round(seconds, 3),
    )


def _details(record: AuditRecord) -> dict[str, Any]:
    details: dict[str, Any] = msgspec.json.decode(msgspec.json.encode(record.details))
    return details
