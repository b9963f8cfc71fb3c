"""Turns leased reminders into what will be recorded of them: facts, decision, text, commit."""

import asyncio
from typing import Any, Protocol

import msgspec

from dispatcher.channels.base import Message
from dispatcher.errors import ForbiddenWording, MessageTooLong, MissingField, StoreRefused
from dispatcher.messages.rendering import Rendered
from dispatcher.policy.decide import decide
from dispatcher.policy.decisions import Decision, Defer, Drop, Rule, Send
from dispatcher.policy.document import Policy
from dispatcher.policy.facts import Channel, Customer, Facts, Instant
from dispatcher.policy.incentives import without
from dispatcher.policy.retries import too_long
from dispatcher.storage.commands import Commit
from dispatcher.storage.records import Lease, Leased
from dispatcher.storage.swapping import Swap
from dispatcher.workflow import details
from dispatcher.workflow.batches import each
from dispatcher.workflow.committing import hand_off, opened_task, undone
from dispatcher.workflow.gathering import among, facts_about


class Renderer(Protocol):
    """Writes messages."""

    def __call__(self, facts: Facts, decision: Send, policy: Policy, now: Instant) -> Rendered:
        """Return the text of a hand-off.

        `MissingField` when a value it needs is missing, `ForbiddenWording` when it may not be said,
        `MessageTooLong` when its channel does not take so much, and `StoreRefused` when the template that
        the shop published for it cannot be used.
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
    swap: Swap | None = None


class Judged(msgspec.Struct, frozen=True, kw_only=True, gc=False):
    """A decision ready to be recorded, and what follows for the channel once it is."""

    commit: Commit
    handover: Handover | None = None


async def judge(
    lease: Lease, policy: Policy, render: Renderer, now: Instant, latest: Instant
) -> list[Judged | Exception]:
    """Decide about each leased reminder, or tell what kept it from that.

    No hand-off starts at or after `latest`. Between its steps others get their turn.
    """
    gathered = each(lambda item: (item, _gathered(item, lease, policy, now)), lease.items, Exception)
    await asyncio.sleep(0)
    ruled = each(lambda one: (*one, decide(one[1], policy, now)), gathered, Exception)
    await asyncio.sleep(0)
    told = each(lambda one: (*one[:2], *_going(one[1], one[2], policy, render, now)), ruled, Exception)
    await asyncio.sleep(0)
    return each(lambda one: _judged(*one, lease, policy, now, latest), told, Exception)


def _gathered(item: Leased, lease: Lease, policy: Policy, now: Instant) -> Facts:
    if item.facts is None:
        raise StoreRefused("what is stored of the order or of hand-offs to its customer cannot be read")
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
    return among(facts, item.others, policy, now)


def _judged(
    item: Leased,
    facts: Facts,
    decision: Decision,
    rendered: Rendered | None,
    lease: Lease,
    policy: Policy,
    now: Instant,
    latest: Instant,
) -> Judged:
    if rendered is None or not isinstance(decision, Send):
        return Judged(commit=undone(item, lease, decision, now))
    if decision.channel == "phone":
        return Judged(commit=opened_task(item, lease, decision, rendered))
    valid_until = min(decision.valid_until, latest)
    commit, swap = hand_off(item, lease, decision, rendered, now, valid_until)
    handover = Handover(
        message=_message(item.reminder, facts, decision, rendered),
        valid_until=valid_until,
        facts=facts,
        policy=policy,
        token=lease.token,
        person=item.person,
        carries=bool(decision.carries),
        pool=None if decision.offer is None else decision.offer.pool.id,
        swap=swap,
    )
    return Judged(commit=commit, handover=handover)


def decided(facts: Facts, policy: Policy, render: Renderer, now: Instant) -> tuple[Decision, Rendered | None]:
    """Decide about a reminder that is due, and write the text of what may go."""
    return _going(facts, decide(facts, policy, now), policy, render, now)


def _going(
    facts: Facts, decision: Decision, policy: Policy, render: Renderer, now: Instant
) -> tuple[Decision, Rendered | None]:
    if not isinstance(decision, Send):
        return decision, None
    going = written(decision, facts, policy, render, now)
    return going if isinstance(going, tuple) else (going, None)


def written(
    decision: Send, facts: Facts, policy: Policy, render: Renderer, now: Instant
) -> tuple[Send, Rendered] | Defer | Drop:
    """Write the text of what is to go; a rule tells what its wording met, or why there is none."""
    try:
        rendered = render(facts, decision, policy, now)
    except MissingField as missing:
        return _unwritten(decision, "missing_field", "template_fields", {"missing": missing.field})
    except ForbiddenWording as forbidden:
        inputs = {"words": forbidden.words, "kinds": forbidden.kinds}
        inputs |= {"hosts": forbidden.hosts} if forbidden.hosts else {}
        return _unwritten(decision, "wording", "wording", inputs)
    except MessageTooLong as long:
        return too_long(decision, facts, policy, now, details.of_length(long))
    if rendered.without_offer:
        decision = without(decision, "wording")
    inputs = details.of_wording(rendered)
    if not inputs:
        return decision, rendered
    rules = (*decision.rules, Rule(rule="wording", outcome="pass", inputs=inputs))
    return msgspec.structs.replace(decision, rules=rules), rendered


def _unwritten(decision: Send, reason: str, rule: str, inputs: dict[str, Any]) -> Drop:
    last = Rule(rule=rule, outcome="drop", inputs=inputs)
    return Drop(reason=reason, rules=(*decision.rules, last))


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
