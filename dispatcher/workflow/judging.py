"""Turns a leased reminder into what will be recorded of it: facts, decision, text, commit."""

from collections.abc import Sequence
from typing import Any, Protocol

import msgspec

from dispatcher.channels.base import Message
from dispatcher.errors import ForbiddenWording, MissingField, StoreRefused
from dispatcher.messages.rendering import Rendered
from dispatcher.policy.decide import decide
from dispatcher.policy.decisions import Decision, Defer, Drop, Offer, Rule, Send
from dispatcher.policy.document import Policy
from dispatcher.policy.facts import Channel, Customer, Facts, Instant
from dispatcher.storage.commands import Carry, Commit
from dispatcher.storage.packing import Packed
from dispatcher.storage.records import Lease, Leased, Other
from dispatcher.workflow import details
from dispatcher.workflow.gathering import among, facts_about


class Renderer(Protocol):
    """Writes messages."""

    def __call__(self, facts: Facts, decision: Send, policy: Policy, now: Instant) -> Rendered:
        """Return the text of a hand-off.

        `MissingField` when a value it needs is missing, `ForbiddenWording` when it may not be said.
        """


class Handover(msgspec.Struct, frozen=True, kw_only=True, gc=False):
    """A message for a channel with what it stands on; its call must start before `valid_until`.

    `carries` tells whether it names orders beside its own.
    """

    message: Message
    valid_until: Instant
    facts: Facts
    policy: Policy
    token: int
    person: str | None = None
    carries: bool = False
    pool: str | None = None


class Judged(msgspec.Struct, frozen=True, kw_only=True, gc=False):
    """A decision ready to be recorded, and what follows for the channel once it is."""

    commit: Commit
    handover: Handover | None = None


def judge(
    item: Leased, lease: Lease, policy: Policy, render: Renderer, now: Instant, latest: Instant
) -> Judged:
    """Decide about a leased reminder; no hand-off starts at or after `latest`."""
    if item.facts is None:
        raise StoreRefused("what is stored of the order cannot be read")
    if item.customer is None:
        raise StoreRefused("what is stored of the customer cannot be read")
    facts = facts_about(
        lease.shop,
        item.number,
        item.order,
        item.facts,
        item.ledger,
        item.customer.standing,
        lease.open_tasks,
        pools=None if lease.counted is None else lease.counted.for_customer(item.order.customer),
    )
    facts = among(facts, item.others, policy, now)
    decision, rendered = decided(facts, policy, render, now)
    if rendered is None or not isinstance(decision, Send):
        return Judged(commit=_commit(item, lease, decision, now))
    if decision.channel == "phone":
        return Judged(commit=_open_task(item, lease, decision, rendered))
    valid_until = min(decision.valid_until, latest)
    handover = Handover(
        message=_message(item.reminder, facts, decision, rendered),
        valid_until=valid_until,
        facts=facts,
        policy=policy,
        token=lease.token,
        person=item.person,
        carries=bool(decision.carries),
        pool=None if decision.offer is None else decision.offer.pool.id,
    )
    return Judged(commit=_send(item, lease, decision, rendered, valid_until), handover=handover)


def decided(facts: Facts, policy: Policy, render: Renderer, now: Instant) -> tuple[Decision, Rendered | None]:
    """Decide about a reminder that is due, and write the text of what may go."""
    decision = decide(facts, policy, now)
    if not isinstance(decision, Send):
        return decision, None
    going = written(decision, facts, policy, render, now)
    return (going, None) if isinstance(going, Drop) else going


def written(
    decision: Send, facts: Facts, policy: Policy, render: Renderer, now: Instant
) -> tuple[Send, Rendered] | Drop:
    """Write the text of what is to go; a rule tells what its wording met, or why there is none."""
    try:
        rendered = render(facts, decision, policy, now)
    except MissingField as missing:
        return _unwritten(decision, "missing_field", "template_fields", {"missing": missing.field})
    except ForbiddenWording as forbidden:
        inputs = {"words": forbidden.words, "kinds": forbidden.kinds}
        return _unwritten(decision, "wording", "wording", inputs)
    inputs = details.of_wording(rendered)
    if not inputs:
        return decision, rendered
    rules = (*decision.rules, Rule(rule="wording", outcome="pass", inputs=inputs))
    return msgspec.structs.replace(decision, rules=rules), rendered


def released(item: Leased, lease: Lease, error: Exception) -> Judged:
    """Give a reminder back that could not be decided about.

    Of errors that it is leased again after, only the log tells; the last one, after which the reminder is
    failed, is in the audit too, by its kind.
    """
    return Judged(commit=_bare(item, lease, "release", details.packed({"error": type(error).__name__})))


def _unwritten(decision: Send, reason: str, rule: str, inputs: dict[str, Any]) -> Drop:
    last = Rule(rule=rule, outcome="drop", inputs=inputs)
    return Drop(reason=reason, rules=(*decision.rules, last))


def _bare(item: Leased, lease: Lease, kind: str, written: Packed) -> Commit:
    return Commit(
        kind=kind,  # type: ignore[arg-type]
        reminder=item.reminder,
        order=item.order_id,
        customer=item.order.customer,
        step=item.number,
        token=lease.token,
        rev=item.order.rev,
        shop_rev=lease.shop_rev,
        policy=lease.policy,
        details=written,
        customer_rev=(item.customer.rev or None) if item.customer else None,
        person=item.person,
    )


def _commit(item: Leased, lease: Lease, decision: Decision, now: Instant) -> Commit:
    seen = details.of_ledger(item.ledger.instants, now)
    match decision:
        case Drop():
            commit = _bare(item, lease, "drop", details.of_decision(decision, **seen))
            commit.reason = decision.reason
        case Defer():
            written = details.of_decision(decision, due=details.moment(decision.until), **seen)
            commit = _bare(item, lease, "defer", written)
            commit.reason, commit.due, commit.channel = decision.reason, decision.until, decision.channel
            commit.tried = decision.tried or None
        case Send():
            raise AssertionError("a hand-off is committed with its text")
    return commit


def _send(item: Leased, lease: Lease, decision: Send, rendered: Rendered, valid_until: Instant) -> Commit:
    written = details.of_decision(
        decision,
        valid_until=details.moment(valid_until),
        text_sha256=rendered.sha256,
        **details.of_person(item.person),
    )
    commit = _bare(item, lease, "send", written)
    bind(commit, decision)
    commit.valid_until = valid_until
    commit.template, commit.text = rendered.template, rendered.text
    commit.carries = _carries(item.others, decision)
    if decision.offer is not None:
        _bind_offer(commit, decision.offer)
    return commit


def _carries(others: Sequence[Other], decision: Send) -> tuple[Carry, ...] | None:
    orders = {other.id: other.order for other in others}
    carries = []
    for each in decision.carries:
        order = orders[each.order]
        due = order.steps[each.step - 1].due
        carries.append(Carry(order=each.order, step=each.step, rev=order.rev, due=due))
    return tuple(carries) or None


def _bind_offer(commit: Commit, offer: Offer) -> None:
    """Let the commit take the item that the message names, unless the order has it already."""
    commit.pool, commit.offer_ends = offer.pool.id, offer.ends
    if not offer.again:
        commit.quantity, commit.per_customer = offer.pool.quantity, offer.pool.per_customer


def _open_task(item: Leased, lease: Lease, decision: Send, rendered: Rendered) -> Commit:
    """A call is handed to a person: the task stays open until it overflows or the order closes."""
    facts = item.facts
    assert facts is not None
    due = task_due(decision, facts.order.closes_at)
    written = details.of_decision(decision, due=details.moment(due), text_sha256=rendered.sha256)
    commit = _bare(item, lease, "open", written)
    bind(commit, decision)
    commit.due = due
    commit.template, commit.text = rendered.template, rendered.text
    return commit


def task_due(decision: Send, closes_at: Instant) -> Instant:
    """Return when a task that nobody claimed is decided about again."""
    return min(decision.overflow_at or closes_at, closes_at)


def bind(commit: Commit, decision: Send) -> None:
    """Let the commit check what the decision stood on."""
    limits = decision.limits
    commit.channel, commit.valid_until = decision.channel, decision.valid_until
    commit.day_start, commit.day_end = limits.day_start, limits.day_end
    commit.per_day, commit.min_gap, commit.per_order = limits.per_day, limits.min_gap, limits.per_order
    commit.per_channel, commit.max_open = limits.per_channel, limits.max_open
    commit.pace = limits.pace


def _message(reminder: str, facts: Facts, decision: Send, rendered: Rendered) -> Message:
    return Message(
        reference=reminder,
        shop=facts.shop,
        order=facts.order.id,
        customer=facts.customer.id,
        channel=decision.channel,
        address=address(facts.customer, decision.channel),
        text=rendered.text,
    )


def address(customer: Customer, channel: Channel) -> str:
    """Return where a customer is reached; a decision to send implies there is such an address."""
    found = customer.chat if channel == "chat" else customer.phone
    assert found is not None
    return found
