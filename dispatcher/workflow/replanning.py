"""Plans anew what waits, after a shop's policy has changed: shown first, then done, page by page."""

from collections import Counter
from collections.abc import Sequence

import msgspec

from dispatcher.errors import StoreRefused
from dispatcher.policy.decisions import Planned, Unplanned
from dispatcher.policy.facts import Instant, OrderFacts
from dispatcher.policy.reminders import WAITING, Status
from dispatcher.policy.schedule import plan
from dispatcher.storage.commands import Replan
from dispatcher.storage.records import StoredStep
from dispatcher.workflow import details
from dispatcher.workflow.policies import InForce, PolicyBook
from dispatcher.workflow.ports import Clock, KnownOrders, Listed, Move

PAGE = 200
"""Reminders to be looked at in one go."""


class Moves(msgspec.Struct, kw_only=True):
    """What a new plan does to reminders that were looked at.

    Of those that wait `kept` stay where they are; the others are counted by whether they go
    `earlier` or `later`, and by the channel they change to, or dropped by reason. `changed` were not as they
    had been read any more when they were to be moved.
    """

    kept: int = 0
    earlier: int = 0
    later: int = 0
    to_channel: Counter[str] = msgspec.field(default_factory=Counter)
    dropped: Counter[str] = msgspec.field(default_factory=Counter)
    changed: int = 0

    def __add__(self, more: "Moves") -> "Moves":
        """Return what both counted."""
        return Moves(**{name: getattr(self, name) + getattr(more, name) for name in self.__struct_fields__})


class Replanning:
    """Plans reminders of a shop by the policy that is in force."""

    def __init__(self, known: KnownOrders, move: Move, policies: PolicyBook, clock: Clock) -> None:
        self._known = known
        self._move = move
        self._policies = policies
        self._clock = clock

    async def look(self, shop: str, listed: Sequence[Listed], *, actor: str | None) -> Moves:
        """Return what moves of a shop's reminders; without an `actor` nothing is moved.

        Only what is not due yet moves, and only to an instant ahead: whatever comes due is decided by the
        policy in force anyway. What an operator moved, or follows a hand-off of its order, stays where it is.
        """
        force = await self._policies.in_force(shop, anew=True)
        now = self._clock.now()
        waiting = [one for one in listed if _waits(one)]
        facts = await self._facts(shop, sorted({one.order_id for one in waiting}))
        moves = Moves(kept=sum(one.step.status in WAITING for one in listed) - len(waiting))
        items = []
        for one in waiting:
            of = facts.get(one.order_id)
            new = None if of is None else _new(of, one.number, force, now)
            if new is None or not _differs(one.step, new, now):
                moves.kept += 1
            else:
                _count(moves, one.step, new)
                items.append(_item(one, new, force))
        if actor is not None and items:
            answers = await self._move(shop, items, now, actor)
            moves.changed = answers.count("changed")
        return moves

    async def _facts(self, shop: str, orders: Sequence[str]) -> dict[str, OrderFacts]:
        """Return what is known of orders; one that cannot be read stays where it is."""
        try:
            found = await self._known.facts([(shop, order) for order in orders])
        except StoreRefused:
            if len(orders) == 1:
                return {}
            return {order: of for one in orders for order, of in (await self._facts(shop, [one])).items()}
        return {order: of for (_, order), of in found.items()}


def _waits(one: Listed) -> bool:
    """Whether no operator moved it and nothing of the order was handed over yet.

    A plan is made from the first step on: what follows a hand-off would be planned after one that never was.
    """
    step = one.step
    return (
        step.status is Status.PLANNED
        and step.attempt == 0
        and not step.tried
        and not step.steered
        and not one.order.used(but=one.number)
    )


def _new(facts: OrderFacts, number: int, force: InForce, now: Instant) -> Planned | Unplanned | None:
    return next((step for step in plan(facts, force.policy, now) if step.step == number), None)


def _differs(step: StoredStep, new: Planned | Unplanned, now: Instant) -> bool:
    if step.due <= now:
        return False
    if isinstance(new, Unplanned):
        return new.reason != "too_late"
    return new.due > now and (new.due, new.channel) != (step.due, step.channel)


def _count(moves: Moves, step: StoredStep, new: Planned | Unplanned) -> None:
    if isinstance(new, Unplanned):
        moves.dropped[new.reason] += 1
        return
    moves.earlier += new.due < step.due
    moves.later += new.due > step.due
    if new.channel != step.channel:
        moves.to_channel[new.channel] += 1


def _item(one: Listed, new: Planned | Unplanned, force: InForce) -> Replan:
    item = Replan(
        order=one.order_id,
        step=one.number,
        rev=one.order.rev,
        shop_rev=force.rev,
        was=one.step.due,
        moment=new.moment,
        policy=force.version,
        details=details.of_plan(new),
    )
    if isinstance(new, Unplanned):
        item.reason = new.reason
    else:
        item.due, item.channel = new.due, new.channel
    return item
