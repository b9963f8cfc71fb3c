"""Calls by people: claiming an open task is its hand-off and passes the same commit as any other."""

from typing import Literal

import msgspec

from dispatcher.errors import (
    Contended,
    FieldProblem,
    InvalidInput,
    StoreRefused,
    TaskNotOpen,
)
from dispatcher.policy.decide import decide_claim
from dispatcher.policy.decisions import Send
from dispatcher.policy.facts import NOTHING_SAID, Facts, Instant, OrderFacts, WhyUnpaid
from dispatcher.policy.reminders import Status
from dispatcher.storage.commands import Commit, TaskEnd
from dispatcher.storage.ledgers import NOBODY
from dispatcher.storage.records import StoredOrder
from dispatcher.workflow import details
from dispatcher.workflow.blocking import block_called, heed, keep_called
from dispatcher.workflow.committing import bind
from dispatcher.workflow.finding import find
from dispatcher.workflow.gathering import facts_about
from dispatcher.workflow.judging import Renderer, written
from dispatcher.workflow.people import People, ledger_of
from dispatcher.workflow.policies import InForce, PolicyBook
from dispatcher.workflow.ports import Clock, Store
from dispatcher.workflow.refusing import held_by_pause, refused
from dispatcher.workflow.templates import TemplateBook

Outcome = Literal["promised", "refused", "paid", "no_answer", "call_back", "wrong_number", "other"]
"""How a call went."""

APPOINTED: dict[str, str] = {"promised": "promised_until", "call_back": "call_back_at"}
"""Outcomes that name a time -> what that time is called."""

ATTEMPTS = 8
"""How often a claim is tried while the order or the policy changes under it."""


class Claim(msgspec.Struct, frozen=True, kw_only=True):
    """A claimed task: what the call is about, and from when on it is too late.

    `valid_until` is not known of a claim that an earlier version of this service recorded.
    """

    facts: Facts
    valid_until: Instant | None


class Tasks:
    """Claims, releases and completes call tasks; a task has the id of its reminder, an agent is a name."""

    def __init__(
        self, store: Store, people: People, policies: PolicyBook, templates: TemplateBook, clock: Clock
    ) -> None:
        self._store = store
        self._people = people
        self._policies = policies
        self._templates = templates
        self._clock = clock

    async def claim(self, task: str, agent: str, actor: str) -> Claim:
        """Give an open task to an agent, who calls now; an agent who repeats a claim has it still.

        Raises `UnknownOrder`, `TaskNotOpen`, `NotNow` when the policy forbids a call at this moment,
        and `Contended`.
        """
        for _ in range(ATTEMPTS):
            shop, order_id, number, order = await find(self._store, task)
            step = order.steps[number - 1]
            mine = step.status is Status.CLAIMED and step.agent == agent
            if step.status is not Status.OPEN and not mine:
                raise TaskNotOpen("the task is not open any more")
            known = await self._known(task, shop, order_id)
            if mine:
                facts = facts_about(shop, number, order, known, NOBODY, NOTHING_SAID)
                return Claim(facts=facts, valid_until=step.valid_until)
            customer = await self._store.customer(shop, order.customer or "")
            force = await self._policies.in_force(shop, anew=True)
            known = (await heed(self._people, shop, force, {order_id: known}))[order_id]
            person, ledger = await ledger_of(self._people, shop, known.customer, force.policy)
            if force.state.paused_for("phone"):
                raise held_by_pause()
            facts = facts_about(shop, number, order, known, ledger, customer.standing)
            write = await self._templates.writer(shop, force.state.templates)
            commit = self._commit(task, agent, facts, order, force, person, write)
            commit.customer_rev = customer.rev or None
            await keep_called(self._people, shop, commit, known.customer.phone)
            (answer,) = await self._store.commit(
                self._store.lane_of(shop), [commit], self._clock.now(), actor
            )
            if answer == "committed":
                return Claim(facts=facts, valid_until=commit.valid_until)
        raise Contended("the task kept changing; repeating the claim is safe")

    async def _known(self, task: str, shop: str, order_id: str) -> OrderFacts:
        """Return what is known of a task's order; `UnknownOrder` when it has retired meanwhile."""
        known = (await self._store.facts([(shop, order_id)])).get((shop, order_id))
        if known is None:
            await find(self._store, task)
            raise StoreRefused("what is known of the task's order is not in the store")
        return known

    def _commit(
        self,
        task: str,
        agent: str,
        facts: Facts,
        order: StoredOrder,
        force: InForce,
        person: str | None,
        write: Renderer,
    ) -> Commit:
        now = self._clock.now()
        decision = decide_claim(facts, force.policy, now)
        if not isinstance(decision, Send):
            raise refused(decision)
        # What was written when the task was opened need not be true any more.
        going = written(decision, facts, force.policy, write, now)
        if not isinstance(going, tuple):
            raise refused(going)
        decision, rendered = going
        commit = Commit(
            kind="claim",
            reminder=task,
            order=facts.order.id,
            customer=facts.customer.id,
            step=facts.step,
            rev=order.rev,
            shop_rev=force.rev,
            policy=force.version,
            details=details.of_decision(
                decision,
                handed_at=details.moment(now),
                agent=agent,
                text_sha256=rendered.sha256,
                **details.of_person(person),
            ),
            handed=now,
            agent=agent,
            person=person,
            template=rendered.template,
            text=rendered.text,
        )
        bind(commit, decision)
        return commit

    async def complete(
        self,
        task: str,
        agent: str,
        outcome: Outcome,
        actor: str,
        *,
        said: Instant | None = None,
        why: WhyUnpaid | None = None,
    ) -> None:
        """Record how the call of an agent went, once however often it is said.

        `said` is the time that the customer named, where the outcome is in `APPOINTED`. Raises
        `UnknownOrder`, `TaskNotOpen`, or `InvalidInput` when that time is not ahead.
        """
        await self._end(task, agent, actor, "completed", outcome, said, why)

    async def release(self, task: str, agent: str, actor: str) -> None:
        """Give a claimed task back because the call was not made: others may claim it.

        Its slot is free again. Repeating it is harmless until somebody claims the task. Raises
        `UnknownOrder` or `TaskNotOpen`.
        """
        await self._end(task, agent, actor, "released", None)

    async def _end(
        self,
        task: str,
        agent: str,
        actor: str,
        kind: Literal["completed", "released"],
        outcome: Outcome | None,
        said: Instant | None = None,
        why: WhyUnpaid | None = None,
    ) -> None:
        shop, order_id, number, order = await find(self._store, task)
        told = {"agent": agent}
        if outcome is not None:
            told["outcome"] = outcome
        if why is not None:
            told["reason"] = why
        if outcome is not None and said is not None:
            self._check_ahead(APPOINTED[outcome], said, order.steps[number - 1].status)
            told[APPOINTED[outcome]] = details.moment(said)
        end = TaskEnd(
            kind=kind,
            reminder=task,
            order=order_id,
            customer=order.customer,
            person=order.steps[number - 1].person,
            step=number,
            agent=agent,
            result=outcome,
            why=why,
            said=said,
            details=details.packed(told),
        )
        if outcome == "wrong_number":
            block_called(end, order.steps[number - 1], self._clock.now(), actor)
        (answer,) = await self._store.end_tasks(self._store.lane_of(shop), [end], self._clock.now(), actor)
        if answer == "lost":
            _, _, _, order = await find(self._store, task)
            step = order.steps[number - 1]
            if step.status is Status.COMPLETED and step.agent == agent:
                raise TaskNotOpen(
                    f"already completed with the outcome {step.result}, which stays as it was told"
                )
            raise TaskNotOpen("the task is not claimed by this agent")

    def _check_ahead(self, field: str, said: Instant, status: Status) -> None:
        """Who repeats a completion is not refused because its time has come meanwhile."""
        if status is Status.CLAIMED and said <= self._clock.now():
            problem = FieldProblem(f"/{field}", "expected a time in the future")
            raise InvalidInput(f"the outcome is not right: {problem}", (problem,))
