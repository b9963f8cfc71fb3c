"""The audit: page by page as JSON, or as a stream of lines of JSON."""

from collections.abc import AsyncGenerator
from contextlib import aclosing
from typing import Annotated

import msgspec
from litestar import get
from litestar.types import ASGIApp

from dispatcher.policy import event_text
from dispatcher.policy.zones import iso
from dispatcher.storage.audit import line
from dispatcher.storage.audit_filter import Filter, matches
from dispatcher.storage.audit_record import KINDS, AuditRecord
from dispatcher.storage.keys import split_reminder_id
from dispatcher.storage.records import RECORDS_KEPT
from dispatcher.web import query
from dispatcher.web.access import require
from dispatcher.web.answers import answer
from dispatcher.web.describing import Described, opens
from dispatcher.web.paging import DEFAULT_LIMIT, LIMIT, Page, cursor, token
from dispatcher.web.parts import Asked, parts_of
from dispatcher.web.query import identifier, instant, read_query
from dispatcher.web.streams import Stream
from dispatcher.wiring import Service

SCOPE = "audit:read"
LINES = "application/x-ndjson"

SCANNED = 5_000
"""Records that one page looks at."""

AT_ONCE = 250
"""Records read at once: reading so many keeps others waiting for some milliseconds at most."""

HIGHEST = 2**53


class Place(msgspec.Struct, frozen=True, array_like=True, forbid_unknown_fields=True):
    """The record that comes next: its lane and number, 0 being the first that is wanted."""

    lane: Annotated[int, msgspec.Meta(ge=0, le=HIGHEST)] = 0
    seq: Annotated[int, msgspec.Meta(ge=0, le=HIGHEST)] = 0


PARAMS = {
    "shop": query.Param(
        event_text.shop_or_every,
        {"type": "string", "pattern": "^[^~]+$", "maxLength": event_text.MAX_ID_BYTES},
        "The shop. Required unless the key opens every shop; `*` are then the records about keys.",
    ),
    "order": identifier("The order's id."),
    "customer": identifier("The customer's id."),
    "reminder": query.reminder("The reminder's id."),
    "kind": query.one_of(KINDS, "The kind of record."),
    "since": instant("Recorded at this time or later."),
    "until": instant("Recorded before this time."),
    "limit": LIMIT,
    "cursor": cursor(Place),
}


@get(
    "/v1/audit",
    opt=opens(
        SCOPE,
        Described(
            query=PARAMS,
            answers={"application/json": Page[AuditRecord], LINES: AuditRecord},
            codes=("overloaded",),
        ),
    ),
)
async def list_audit(request: Asked) -> ASGIApp:
    """List audit records, lane by lane and in order within each.

    With `Accept: application/x-ndjson` all that are wanted are streamed, one a line; `limit` bounds them.
    """
    given = read_query(request, PARAMS)
    require(request, given.get("shop"))
    service = parts_of(request).service
    wanted = Filter(**{name: value for name, value in given.items() if name in Filter.__struct_fields__})
    pages = _pages(service, wanted, given.get("cursor") or Place())
    if LINES not in request.headers.get("accept", "").lower():
        found, place = await _page(pages, wanted, given.get("limit", DEFAULT_LIMIT))
        return answer(Page(found, token(place)))
    pieces = _lines(pages, wanted, given.get("limit"))
    # What cannot be read at all is answered as a problem, so that the stream begins with the first piece.
    first = await anext(pieces, b"")
    return Stream(first, pieces, LINES.encode(), parts_of(request).streams)


Pages = AsyncGenerator[tuple[list[AuditRecord], Place | None], None]
"""Records, and where those behind them begin."""


async def _pages(service: Service, wanted: Filter, place: Place) -> Pages:
    """Yield the records among which the wanted ones are, from a place on."""
    audit = service.audit
    numbers = await _indexed(service, wanted)
    if numbers is not None and wanted.shop is not None:
        left = [seq for seq in numbers if seq >= place.seq]
        yield await audit.pick(service.store.lane_of(wanted.shop), left), None
        return
    lanes = range(service.store.lanes) if wanted.shop is None else [service.store.lane_of(wanted.shop)]
    for lane in lanes:
        if lane < place.lane:
            continue
        seq = place.seq if lane == place.lane else 0
        seq = seq or await audit.first_since(lane, wanted.since)
        while records := await audit.page(lane, seq, AT_ONCE):
            seq = records[-1].seq + 1
            yield records, Place(lane, seq)
            if wanted.until is not None and records[-1].at >= iso(wanted.until):
                break


async def _indexed(service: Service, wanted: Filter) -> list[int] | None:
    """Return the numbers of all records of the wanted order, or `None` where nobody keeps them."""
    order_id = wanted.order
    if wanted.reminder is not None:
        order_id = split_reminder_id(wanted.reminder)[1]
    if wanted.shop is None or order_id is None:
        return None
    order = await service.store.order(wanted.shop, order_id)
    if order is None or not 0 < len(order.records) < RECORDS_KEPT:
        return None
    return order.records


async def _page(pages: Pages, wanted: Filter, limit: int) -> tuple[list[AuditRecord], Place | None]:
    """Return up to `limit` wanted records, and where the next page begins if there is more to look at."""
    found: list[AuditRecord] = []
    looked = 0
    async with aclosing(pages):
        async for records, after in pages:
            for record in records:
                if matches(record, wanted):
                    if len(found) == limit:
                        return found, Place(record.lane, record.seq)
                    found.append(record)
            looked += len(records)
            if looked >= SCANNED and after is not None:
                return found, after
    return found, None


async def _lines(pages: Pages, wanted: Filter, limit: int | None) -> AsyncGenerator[bytes, None]:
    """Yield the wanted records as lines of JSON, many at once."""
    left = limit
    async with aclosing(pages):
        async for records, _ in pages:
            found = [record for record in records if matches(record, wanted)][:left]
            if found:
                yield b"".join(line(record) for record in found)
            if left is not None:
                left -= len(found)
                if left == 0:
                    return
