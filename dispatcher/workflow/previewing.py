"""Shows what a template would say, of real orders and of built-in ones, before anybody is sent it."""

from collections.abc import Sequence

import msgspec

from dispatcher.errors import FieldProblem, InvalidTemplate, UnknownOrder, UnknownTemplate
from dispatcher.messages.catalog import Catalog
from dispatcher.messages.own import names
from dispatcher.messages.previewing import Preview, Trial, trial
from dispatcher.workflow.authoring import Authoring
from dispatcher.workflow.policies import PolicyBook
from dispatcher.workflow.ports import Clock, Sample, Store

MERGED = "merged_orders"
"""What is about all the unpaid orders of a customer."""

DRAFT = -1
"""Stands for the draft where a version is asked for."""


class Subjects(msgspec.Struct, frozen=True, kw_only=True):
    """What a template is tried out on: these `orders`, and with `extremes` the built-in ones."""

    orders: tuple[str, ...] = ()
    extremes: bool = True


class Previewing:
    """Tries templates out; nothing is kept, sent or logged."""

    def __init__(
        self,
        store: Store,
        sample: Sample,
        authoring: Authoring,
        policies: PolicyBook,
        catalog: Catalog,
        clock: Clock,
    ) -> None:
        self._store = store
        self._sample = sample
        self._authoring = authoring
        self._policies = policies
        self._catalog = catalog
        self._names = names(catalog)
        self._clock = clock

    async def source(self, shop: str, name: str, version: int | None) -> str:
        """Return what is tried out: a version, `DRAFT`, or (`None`) what is in force; `UnknownTemplate`."""
        if version == DRAFT:
            return (await self._authoring.drafted(shop, name)).text
        return (await self._authoring.source(shop, name, version)).text

    async def show(self, shop: str, name: str, source: str, subjects: Subjects) -> tuple[Preview, ...]:
        """Return what a template says of each; orders that retired meanwhile are left out.

        Raises `UnknownTemplate`, or `InvalidTemplate` with everything that keeps it from saying anything.
        """
        packaged = self._names.get(name)
        if packaged is None:
            raise UnknownTemplate("the catalog has no such template")
        policy = (await self._policies.in_force(shop, anew=True)).policy
        tried = trial(self._catalog, packaged, source, policy)
        if not isinstance(tried, Trial):
            wrong = tuple(FieldProblem("/source", f"line {one.line}: {one.detail}") for one in tried)
            raise InvalidTemplate(f"the template is not right: {wrong[0].detail}", wrong)
        seen = await self._of_orders(shop, name, tried, subjects.orders)
        return (*seen, *tried.of_examples()) if subjects.extremes else tuple(seen)

    async def order(self, shop: str, order_id: str) -> str:
        """Return the id of an order that can be shown; raises `UnknownOrder`."""
        if not await self._store.facts([(shop, order_id)]):
            raise UnknownOrder("there is no such order, or what was known of it is erased")
        return order_id

    async def sample(self, shop: str, size: int) -> tuple[str, ...]:
        """Return up to `size` orders of a shop: those whose reminders are due next, then any that it has."""
        return await self._sample(shop, size)

    async def _of_orders(self, shop: str, name: str, tried: Trial, orders: Sequence[str]) -> list[Preview]:
        ids = [(shop, order) for order in orders]
        stored, known = await self._store.orders(ids), await self._store.facts(ids)
        now = self._clock.now()
        seen = []
        for at in ids:
            if at in stored and at in known:
                merged = f"/{MERGED}/" in name
                others = await self._store.others(*at, stored[at]) if merged else ()
                facts = known[at]
                beside = tuple(other.facts.order for other in others)
                seen.append(tried.of_order(shop, facts.order, facts.customer, beside, now))
        return seen
