"""Which audit records somebody asks for; the same for the command line and every other reader."""

import msgspec

from dispatcher.policy.facts import Instant
from dispatcher.policy.zones import iso
from dispatcher.storage.audit_record import AuditRecord


class Filter(msgspec.Struct, frozen=True, kw_only=True):
    """Which audit records are wanted, `None` being any: from `since` on, before `until`."""

    shop: str | None = None
    order: str | None = None
    customer: str | None = None
    reminder: str | None = None
    kind: str | None = None
    since: Instant | None = None
    until: Instant | None = None


def matches(record: AuditRecord, wanted: Filter) -> bool:
    """Tell whether a record is wanted."""
    # Every `at` is UTC in one form with milliseconds, so that texts stand in the order of their instants.
    return (
        wanted.shop in (None, record.shop)
        and wanted.order in (None, record.order)
        and wanted.customer in (None, record.customer)
        and wanted.reminder in (None, record.reminder)
        and wanted.kind in (None, record.kind)
        and (wanted.since is None or iso(wanted.since) <= record.at)
        and (wanted.until is None or record.at < iso(wanted.until))
    )
