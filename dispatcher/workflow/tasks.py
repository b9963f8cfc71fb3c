"""Calls by people: claiming an open task is its hand-off and passes the same commit as any other."""

from typing import Literal

from dispatcher.errors import Contended, NotNow, TaskNotOpen, UnknownOrder
from dispatcher.policy.decide import decide_claim
from dispatcher.policy.decisions import Send
from dispatcher.policy.facts import Facts
from dispatcher.policy.reminders import Status
from dispatcher.storage.keys import reminder_id, split_reminder_id
from dispatcher.storage.records import Commit, StoredOrder, TaskEnd
from dispatcher.workflow import details
from dispatcher.workflow.judging import bind, facts_about
from dispatcher.workflow.policies import InForce, PolicyBook
from dispatcher.workflow.ports import Clock, Store

Outcome = Literal["promised", "refused", "no_answer", "wrong_number", "other"]
"""How a call went."""

ATTEMPTS = 8
"""How often a claim is tried while the order or the policy changes under it."""


class Tasks:
    """Claims, releases and completes call tasks; a task has the id of its reminder, an agent is a name."""

    def __init__(self, store: Store, policies: PolicyBook, clock: Clock) -> None:
        self._store = store
        self._policies = policies
        self._clock = clock

    async def claim(self, task: str, agent: str, actor: str) -> Facts:
        """Give an open task to an agent, who calls now; return what the call is about.

        An agent who repeats a claim has it still.

        Raises `UnknownOrder`, `TaskNotOpen`, `NotNow` when the policy forbids a call at this moment,
        and `Contended`.
        """
        shop, order_id, number = _parts(task)
        for _ in range(ATTEMPTS):
            order = await self._find(shop, order_id, number)
            step = order.steps[number - 1]
            mine = step.status is Status.CLAIMED and step.agent == agent
            if step.status is not Status.OPEN and not mine:
                raise TaskNotOpen("the task is not open any more")
            known = (await self._store.facts([(shop, order_id)]))[shop, order_id]
            if mine:
                return facts_about(shop, number, order, known, ())
            ledger = await self._store.ledger(shop, order.customer or "")
            force = await self._policies.in_force(shop, anew=True)
            if "*" in force.paused or "phone" in force.paused:
                raise NotNow("paused")
            facts = facts_about(shop, number, order, known, ledger)
            commit = self._commit(task, agent, facts, order, force)
            (answer,) = await self._store.commit(
                self._store.lane_of(shop), [commit], self._clock.now(), actor
            )
            if answer == "committed":
                return facts
        raise Contended("the task kept changing; claim it again")

    def _commit(self, task: str, agent: str, facts: Facts, order: StoredOrder, force: InForce) -> Commit:
        now = self._clock.now()
        decision = decide_claim(facts, force.policy, now)
        if not isinstance(decision, Send):
            raise NotNow(decision.reason)
        commit = Commit(
            kind="claim",
            reminder=task,
            order=facts.order.id,
            customer=facts.customer.id,
            step=facts.step,
            rev=order.rev,
            shop_rev=force.rev,
            policy=force.version,
            details=details.of_decision(decision, handed_at=details.moment(now), agent=agent),
            handed=now,
            agent=agent,
        )
        bind(commit, decision)
        return commit

    async def complete(self, task: str, agent: str, outcome: Outcome, actor: str) -> None:
        """Record how the call of an agent went; raises `UnknownOrder` or `TaskNotOpen`."""
        await self._end(task, agent, actor, "completed", {"outcome": outcome})

    async def release(self, task: str, agent: str, actor: str) -> None:
        """Give a claimed task back because the call was not made: others may claim it.

        Its slot is free again. Raises `UnknownOrder` or `TaskNotOpen`.
        """
        await self._end(task, agent, actor, "released", {})

    async def _end(
        self, task: str, agent: str, actor: str, kind: Literal["completed", "released"], more: dict[str, str]
    ) -> None:
        shop, order_id, number = _parts(task)
        order = await self._find(shop, order_id, number)
        end = TaskEnd(
            kind=kind,
            reminder=task,
            order=order_id,
            customer=order.customer,
            step=number,
            agent=agent,
            details=details.packed({"agent": agent} | more),
        )
        (answer,) = await self._store.end_tasks(self._store.lane_of(shop), [end], self._clock.now(), actor)
        if answer == "lost":
            raise TaskNotOpen("the task is not claimed by this agent")

    async def _find(self, shop: str, order_id: str, number: int) -> StoredOrder:
        order = await self._store.order(shop, order_id)
        if order is None or not 1 <= number <= len(order.steps):
            raise UnknownOrder("there is no such task")
        return order


def _parts(task: str) -> tuple[str, str, int]:
    try:
        parts = split_reminder_id(task)
    except ValueError:
        parts = None
    if parts is None or reminder_id(*parts) != task:  # `01` is no step's number
        raise UnknownOrder("there is no such task")
    return parts
