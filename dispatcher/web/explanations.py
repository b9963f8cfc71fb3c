"""Why a reminder stands where it does: the newest recorded decision, and what would be decided now."""

from collections.abc import Mapping, Sequence
from typing import Any, Literal

import msgspec

from dispatcher.policy.facts import OrderState
from dispatcher.policy.reminders import Status
from dispatcher.policy.zones import iso
from dispatcher.storage.audit_record import AuditRecord
from dispatcher.storage.keys import reminder_id
from dispatcher.storage.listing import Listed, Listing, Place, Wanted
from dispatcher.storage.records import StoredOrder, StoredStep
from dispatcher.web.outlooks import Now, Rule, chosen_told, foretold
from dispatcher.wiring import Service
from dispatcher.workflow.chosen import as_recorded
from dispatcher.workflow.outlook import Outlook
from dispatcher.workflow.refusing import BLOCKING, PAUSED

DECISIONS = {
    "reminder.planned": "plan",
    "reminder.deferred": "defer",
    "reminder.dropped": "drop",
    "reminder.sending": "send",
    "task.opened": "send",
    "task.overflowed": "defer",
    "task.claimed": "send",
    "operator.postponed": "defer",
    "operator.sent_now": "plan",
}
"""The audit's kinds that are decisions about a reminder; a `reminder.sent` is one if it was sent by hand."""

MAX_EXPLAINED = 20
"""Reminders in one page: each brings its whole history."""

ByHand = Literal["asked", "reported"]
"""Whether an agent who sends by hand asked before, or told of it afterwards."""

HAND_OFFS_TOLD = 50
"""The newest hand-offs of a customer that are told."""


class Happened(msgspec.Struct, frozen=True, kw_only=True):
    """Something that happened to a reminder."""

    at: str
    kind: str
    channel: str | None
    reason: str | None


class Explanation(msgspec.Struct, frozen=True, kw_only=True):
    """Why a reminder stands where it does, as the newest decision about it was recorded.

    `rules` are empty where nothing was weighed, as at the end of an order; `blocking` names those that
    put the reminder off or dropped it, and `paused` while a pause holds it back. `now` is null where nothing
    waits any more. What an `agent` sent `by_hand` and only reported was weighed by nobody. A merged reminder
    names its `carrier`, whose message tells of it, too. `template` wrote the message of a decision to send,
    `why` is the code of what led to this kind of message.
    """

    reminder: str
    status: Status
    due: str
    decided_at: str | None = None
    kind: str | None = None
    decision: str | None = None
    channel: str | None = None
    reason: str | None = None
    policy: int | None = None
    by_hand: ByHand | None = None
    agent: str | None = None
    carrier: str | None = None
    template: str | None = None
    why: str | None = None
    rules: tuple[Rule, ...] = ()
    blocking: tuple[str, ...]
    now: Now | None
    history: tuple[Happened, ...]


class OrderExplanation(msgspec.Struct, frozen=True, kw_only=True):
    """Why each reminder of an order stands where it does."""

    shop: str
    order: str
    state: OrderState
    reminders: tuple[Explanation, ...]


class CustomerExplanation(msgspec.Struct, frozen=True, kw_only=True):
    """Why some reminders of a customer stand where they do; the last page has no `next_cursor`.

    `hand_offs` are the newest ones that caps and gaps count, oldest first, over all the customer's orders;
    where a number counts as one customer, those to the numbers of the orders in this page.
    """

    shop: str
    customer: str
    hand_offs: tuple[str, ...]
    items: Sequence[Explanation]
    next_cursor: str | None


class _Decided(msgspec.Struct):
    rules: tuple[Rule, ...] = ()


class _Details(msgspec.Struct):
    """Where the rules of a decision are in its record: a plan's stand at the top."""

    decision: _Decided | None = None
    rules: tuple[Rule, ...] = ()
    by_hand: ByHand | None = None
    agent: str | None = None


_DETAILS = msgspec.json.Decoder(_Details)


async def of_order(service: Service, shop: str, order_id: str, order: StoredOrder) -> tuple[Explanation, ...]:
    """Return why each reminder of an order stands where it does."""
    return tuple(await _of_orders(service, shop, {order_id: order}))


async def of_reminder(service: Service, listed: Listed) -> Explanation:
    """Return why a reminder stands where it does."""
    found = await of_order(service, listed.shop, listed.order_id, listed.order)
    return found[listed.number - 1]


async def of_customer(
    service: Service, shop: str, customer: str, limit: int, after: Place | None
) -> tuple[list[Explanation], tuple[str, ...], Place | None]:
    """Return why some reminders of a customer stand where they do, the newest hand-offs that count for them,
    and where the others begin.
    """
    wanted = Wanted(shop=shop, customer=customer)
    listed, place = await Listing(service.store).reminders(wanted, limit, after)
    orders = {one.order_id: one.order for one in listed}
    explained = await _of_orders(service, shop, orders)
    told = {explanation.reminder: explanation for explanation in explained}
    hand_offs = await service.explaining.hand_offs(shop, customer, orders)
    newest = tuple(iso(at) for at in hand_offs[-HAND_OFFS_TOLD:])
    return [told[one.reminder] for one in listed], newest, place


async def _of_orders(service: Service, shop: str, orders: Mapping[str, StoredOrder]) -> list[Explanation]:
    outlooks = await service.explaining.outlooks(shop, orders)
    told = []
    for order_id, order in orders.items():
        records = await service.audit.pick(service.store.lane_of(shop), order.records)
        told += [
            _explained(reminder_id(shop, order_id, number), step, records, outlooks.get((order_id, number)))
            for number, step in enumerate(order.steps, 1)
        ]
    return told


def _explained(
    reminder: str, step: StoredStep, records: Sequence[AuditRecord], outlook: Outlook | None
) -> Explanation:
    """Return why a reminder stands where it does; `records` are its order's, oldest first."""
    held = outlook is not None and PAUSED in outlook.blocking
    about = [record for record in records if record.reminder == reminder]
    decided = next(filter(None, map(_decided, reversed(about))), {})
    rules: tuple[Rule, ...] = decided.get("rules", ())
    return Explanation(
        reminder=reminder,
        status=step.status,
        due=iso(step.due),
        carrier=step.carrier,
        blocking=(*(rule.rule for rule in rules if rule.outcome in BLOCKING), *((PAUSED,) if held else ())),
        now=None if outlook is None else foretold(outlook),
        history=tuple(
            Happened(at=one.at, kind=one.kind, channel=one.channel, reason=one.reason) for one in about
        ),
        **decided,
    )


def _decided(record: AuditRecord) -> dict[str, Any]:
    """Return what a record tells of a decision; nothing if it is none."""
    sent = record.kind == "reminder.sent"
    if not sent and record.kind not in DECISIONS:
        return {}
    assert isinstance(record.details, msgspec.Raw)
    details = _DETAILS.decode(record.details)
    if sent and details.by_hand is None:
        return {}
    told = {name: getattr(record, name) for name in ("kind", "channel", "reason", "policy")}
    rules = details.rules if details.decision is None else details.decision.rules
    chosen = None
    if record.template is not None and record.step is not None:
        routing = next((rule.inputs for rule in rules if rule.rule == "routing"), {})
        chosen = as_recorded(record.template, record.step, routing)
    return (
        told
        | chosen_told(chosen)
        | {
            "decided_at": record.at,
            "decision": DECISIONS.get(record.kind, "send"),
            "rules": rules,
            "by_hand": details.by_hand,
            "agent": details.agent,
        }
    )
