"""Turns what was decided about a leased reminder into the command that records it."""

from collections.abc import Sequence

from dispatcher.messages.rendering import Rendered
from dispatcher.policy.decisions import Decision, Defer, Drop, Offer, Send
from dispatcher.policy.facts import Instant
from dispatcher.storage.commands import Carry, Commit
from dispatcher.storage.packing import Packed
from dispatcher.storage.records import Lease, Leased, Other
from dispatcher.storage.swapping import Swap, commit_swap
from dispatcher.workflow import details


def released(item: Leased, lease: Lease, error: Exception) -> Commit:
    """Give a reminder back that could not be decided about.

    Of errors that it is leased again after, only the log tells; the last one, after which the reminder is
    failed, is in the audit too, by its kind.
    """
    return _bare(item, lease, "release", details.packed({"error": type(error).__name__}))


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


def undone(item: Leased, lease: Lease, decision: Decision, now: Instant) -> Commit:
    """Put a reminder off, or drop it."""
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


def hand_off(
    item: Leased,
    lease: Lease,
    decision: Send,
    rendered: Rendered,
    decided: Instant,
    valid_until: Instant,
) -> tuple[Commit, Swap | None]:
    """Take what a hand-off needs, to be called before `valid_until`, by swapping texts where that will do."""
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
    if decision.carries or decision.offer is not None or decision.limits.pace is not None:
        return commit, None
    opens = max(decision.limits.day_start, decided)  # a clock that goes back makes no gap longer
    closes = min(decision.limits.day_end, valid_until)
    template, text = rendered.template, rendered.text
    swap = commit_swap(item, lease.token, decision.channel, template, text, written, opens, closes)
    commit.swap = None if swap is None else swap.row
    return commit, swap


def _carries(others: Sequence[Other], decision: Send) -> tuple[Carry, ...] | None:
    if not decision.carries:
        return None
    orders = {other.id: other.order for other in others}
    carries = []
    for each in decision.carries:
        order = orders[each.order]
        due = order.steps[each.step - 1].due
        carries.append(Carry(order=each.order, step=each.step, rev=order.rev, due=due))
    return tuple(carries)


def _bind_offer(commit: Commit, offer: Offer) -> None:
    """Let the commit take the item that the message names, unless the order has it already."""
    commit.pool, commit.offer_ends = offer.pool.id, offer.ends
    if not offer.again:
        commit.quantity, commit.per_customer = offer.pool.quantity, offer.pool.per_customer


def opened_task(item: Leased, lease: Lease, decision: Send, rendered: Rendered) -> Commit:
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
