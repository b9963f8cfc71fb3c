"""An audit record as it is read; the scripts write it (`lua/lib/lane.lua`)."""

from typing import Any

import msgspec

ENTRY_RECORDS = 16
"""Records in one entry of the stream at most: an entry for each was half of what a record cost."""


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
