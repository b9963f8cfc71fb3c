"""What events ask of the store: what they say, and the reminders that are planned for an order."""

from collections.abc import Mapping, Sequence
from typing import NamedTuple, TypeVar

from dispatcher.errors import DispatcherError, InvalidEvent, StoreRefused, UnknownOrder
from dispatcher.policy.decisions import Plan, Planned, Unplanned
from dispatcher.policy.events import CHANGES_FACTS, Event, EventType, facts_of, merged
from dispatcher.policy.facts import Instant, OrderFacts
from dispatcher.policy.schedule import Begun, begin, finish
from dispatcher.storage.commands import Intake, PlanStep
from dispatcher.workflow import details
from dispatcher.workflow.batches import each
from dispatcher.workflow.policies import InForce
from dispatcher.workflow.reported import Forces, Known, Pair, count_for

T = TypeVar("T")

NEEDS_POLICY = CHANGES_FACTS | {EventType.REMINDED}
"""What is planned, or counted, by the policy of its shop."""


class _Understood(NamedTuple):
    """What an event asks of the store; where it makes an order or changes one, what is to be planned."""

    item: Intake
    facts: OrderFacts | None = None
    force: InForce | None = None


def asked(
    events: Sequence[Event],
    known: Known,
    forces: Forces,
    persons: Mapping[Pair, str],
    now: Instant,
) -> list[Intake | DispatcherError]:
    """Return what each event asks of the store, or why it cannot be planned."""

    def understood(event: Event) -> _Understood:
        item = bare(event, now)
        if event.type not in NEEDS_POLICY:
            return _Understood(item)
        force = _or_raise(forces[event.shop])
        if event.type is EventType.REMINDED:
            count_for(item, event, force, known, persons)
            return _Understood(item)
        if event.type is EventType.AMENDED:
            item.rev, before = _or_raise(known.get((event.shop, event.order), (0, None)))
            return _Understood(item, _amend(event, before, force), force)
        return _Understood(item, facts_of(event, force.policy), force)

    def begun(one: _Understood) -> tuple[_Understood, Begun | None]:
        known, force = one.facts, one.force
        return one, None if known is None or force is None else begin(known, force.policy, now)

    def finished(one: tuple[_Understood, Begun | None]) -> tuple[_Understood, Plan]:
        return one[0], () if one[1] is None else finish(one[1])

    understandings = each(understood, events, DispatcherError)
    plans = each(finished, each(begun, understandings, DispatcherError), DispatcherError)
    return each(lambda one: _filled(*one), plans, DispatcherError)


def _or_raise(found: T | StoreRefused) -> T:
    if isinstance(found, StoreRefused):
        raise found
    return found


def bare(event: Event, now: Instant, *, probe: bool = False) -> Intake:
    """Return what the store must know of any event; a probe only asks whether it was taken before."""
    told = None if event.type in CHANGES_FACTS else details.of_time(event)
    handed = None
    if event.type is EventType.REMINDED:
        # Whose clock is ahead has not sent it in the future.
        handed = min(event.time, now)
        told = details.of_reported(handed, event.agent)
    return Intake(
        event=event.id,
        seen=f"{event.source}\x1f{event.id}",
        digest=event.digest,
        type="probe" if probe else event.type,
        time=event.time,
        order=event.order,
        shop_name=event.shop,
        customer=event.customer,
        channel=event.channel,
        agent=event.agent,
        handed=handed,
        details=told,
    )


def _amend(event: Event, before: OrderFacts | None, force: InForce) -> OrderFacts:
    if before is not None:
        return merged(before, event, force.policy)
    try:
        return facts_of(event, force.policy)
    except InvalidEvent:
        raise UnknownOrder("the order is not known yet, and the amendment alone does not make one") from None


def _filled(understood: _Understood, steps: Plan) -> Intake:
    item, facts, force = understood
    if facts is not None and force is not None:
        item.shop_rev = force.rev
        item.customer = facts.customer.id
        item.facts = details.packed(facts)
        item.closes = facts.order.closes_at
        item.details = details.of_order(facts)
        version = force.version
        item.plan = [_plan_step(step, version) for step in steps]
    return item


def _plan_step(step: Planned | Unplanned, version: int) -> PlanStep:
    written = details.of_plan(step)
    if isinstance(step, Unplanned):
        return PlanStep(moment=step.moment, reason=step.reason, policy=version, details=written)
    return PlanStep(moment=step.moment, due=step.due, channel=step.channel, policy=version, details=written)
