"""What operators do with single reminders: end one, move it to now, or to later."""

from dispatcher.errors import Contended, FieldProblem, NotNow, NotWaiting, UnknownOrder, WrongMoment
from dispatcher.policy.facts import Instant
from dispatcher.policy.reminders import Status
from dispatcher.storage.commands import Steer
from dispatcher.storage.records import StoredOrder, StoredStep
from dispatcher.workflow import details
from dispatcher.workflow.explaining import Explaining
from dispatcher.workflow.finding import find, parts_of
from dispatcher.workflow.ports import Clock, Operators, Store

ATTEMPTS = 8
"""How often a reminder is steered while it changes by itself."""


class Steering:
    """Steers reminders by their ids; what has ended, or was handed over, is `NotWaiting`."""

    def __init__(self, store: Store, operators: Operators, explaining: Explaining, clock: Clock) -> None:
        self._store = store
        self._operators = operators
        self._explaining = explaining
        self._clock = clock

    async def cancel(self, reminder: str, note: str | None, actor: str) -> None:
        """Drop a reminder that waits, or an open task; one that was dropped before stays so.

        One that was merged is not dropped: it comes back if its carrier was not handed over.
        """
        for _ in range(ATTEMPTS):
            _, _, number, order = await find(self._store, reminder)
            step = order.steps[number - 1]
            if step.carrier is not None:
                raise NotWaiting("the reminder goes with the message of another one, which has been begun")
            if step.status is Status.DROPPED:
                return
            if await self._steer("cancel", reminder, order, None, note, actor):
                return
        raise Contended("the reminder kept changing; repeating this is safe")

    async def send_now(self, reminder: str, actor: str) -> None:
        """Let a planned reminder be due now, if the policy would let it go; else raises `NotNow`."""
        for _ in range(ATTEMPTS):
            shop, order_id, number, order = await find(self._store, reminder)
            _planned(order.steps[number - 1])
            outlook = await self._explaining.if_due(shop, order_id, number, order)
            if outlook is None:
                raise UnknownOrder("there is no such reminder")
            if outlook.next_eligible != outlook.at:
                raise NotNow(outlook.reason or outlook.decision, outlook.blocking, outlook.next_eligible)
            if order.steps[number - 1].due <= outlook.at:
                return
            if await self._steer("send_now", reminder, order, outlook.at, None, actor):
                return
        raise Contended("the reminder kept changing; repeating this is safe")

    async def postpone(self, reminder: str, until: Instant, note: str | None, actor: str) -> None:
        """Let a planned reminder be due later, before its order closes; else raises `WrongMoment`."""
        for _ in range(ATTEMPTS):
            _, _, number, order = await find(self._store, reminder)
            step = order.steps[number - 1]
            _planned(step)
            if step.due == until:
                return
            if until <= max(step.due, self._clock.now()):
                raise _wrong("expected a time after the one it is due at, in the future")
            if order.closes is not None and until >= order.closes:
                raise _wrong("expected a time before the order closes")
            if await self._steer("postpone", reminder, order, until, note, actor):
                return
        raise Contended("the reminder kept changing; repeating this is safe")

    async def _steer(
        self, kind: str, reminder: str, order: StoredOrder, due: Instant | None, note: str | None, actor: str
    ) -> bool:
        """Tell whether it was done; not if the reminder changed meanwhile."""
        shop, order_id, number = parts_of(reminder)
        told = {} if note is None else {"note": note}
        if due is not None:
            told["due"] = details.moment(due)
        item = Steer(
            kind=kind,  # type: ignore[arg-type]
            reminder=reminder,
            order=order_id,
            step=number,
            rev=order.rev,
            was=order.steps[number - 1].due,
            due=due,
            details=details.packed(told),
        )
        (answer,) = await self._operators.steer(shop, [item], self._clock.now(), actor)
        if answer == "lost":
            raise _not_waiting()
        return answer != "changed"


def _planned(step: StoredStep) -> None:
    if step.status is not Status.PLANNED:
        raise _not_waiting()


def _not_waiting() -> NotWaiting:
    return NotWaiting("the reminder does not wait for its time: it has ended, was handed over, or is a task")


def _wrong(expected: str) -> WrongMoment:
    return WrongMoment(f"the reminder cannot be moved there: {expected}", (FieldProblem("/until", expected),))
