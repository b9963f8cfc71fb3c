"""Calls by people: claiming an open task is its hand-off and passes the same commit as any other."""

from dispatcher.errors import Contended, NotNow, TaskNotOpen, UnknownOrder
from dispatcher.policy.decide import decide_claim
from dispatcher.policy.decisions import Send
from dispatcher.policy.facts import Facts
from dispatcher.policy.reminders import Status
from dispatcher.storage.keys import split_reminder_id
from dispatcher.storage.records import Commit, Completion, StoredOrder
from dispatcher.workflow import details
from dispatcher.workflow.judging import bind, facts_about
from dispatcher.workflow.policies import InForce, PolicyBook
from dispatcher.workflow.ports import Clock, Store

ATTEMPTS = 8
"""How often a claim is tried while the order or the policy changes under it."""


class Tasks:
    """Claims and completes call tasks; a task has the id of its reminder."""

    def __init__(self, store: Store, policies: PolicyBook, clock: Clock) -> None:
        self._store = store
        self._policies = policies
        self._clock = clock

    async def claim(self, task: str, agent: str) -> Facts:
        """Give an open task to an agent, who calls now; return what the call is about.

        An agent who repeats a claim has it still.

        Raises `UnknownOrder`, `TaskNotOpen`, `NotNow` when the policy forbids a call at this moment,
        and `Contended`.
        """
        shop, order_id, number = _parts(task)
        for _ in range(ATTEMPTS):
            order = await self._find(shop, order_id, number)
            step, actor = order.steps[number - 1], f"user:{agent}"
            mine = step.status is Status.CLAIMED and step.agent == actor
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
            commit = self._commit(task, facts, order, force)
            (answer,) = await self._store.commit(
                self._store.lane_of(shop), [commit], self._clock.now(), actor
            )
            if answer == "committed":
                return facts
        raise Contended("the task kept changing; claim it again")

    def _commit(self, task: str, facts: Facts, order: StoredOrder, force: InForce) -> Commit:
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
            details=details.of_decision(decision, handed_at=details.moment(now)),
            handed=now,
        )
        bind(commit, decision)
        return commit

    async def complete(self, task: str, agent: str, outcome: str) -> None:
        """Record how a claimed call went; raises `UnknownOrder` or `TaskNotOpen`."""
        shop, order_id, number = _parts(task)
        order = await self._find(shop, order_id, number)
        completion = Completion(
            reminder=task,
            order=order_id,
            customer=order.customer,
            step=number,
            details=details.encoded({"outcome": outcome}),
        )
        (answer,) = await self._store.complete(
            self._store.lane_of(shop), [completion], self._clock.now(), f"user:{agent}"
        )
        if answer != "completed":
            raise TaskNotOpen("the task is not claimed")

    async def _find(self, shop: str, order_id: str, number: int) -> StoredOrder:
        order = await self._store.order(shop, order_id)
        if order is None or not 1 <= number <= len(order.steps):
            raise UnknownOrder("there is no such task")
        return order


def _parts(task: str) -> tuple[str, str, int]:
    try:
        return split_reminder_id(task)
    except ValueError:
        raise UnknownOrder("there is no such task") from None
