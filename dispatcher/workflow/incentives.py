"""The incentives of a shop as people see them: pools with what was granted and taken, and top-ups."""

from typing import Protocol

import msgspec

from dispatcher.errors import ReferenceReused, UnknownIncentive
from dispatcher.policy.facts import Instant, PoolCount
from dispatcher.policy.incentive_terms import Incentive, IncentiveKind, IncentiveUse
from dispatcher.storage.packing import Packed
from dispatcher.workflow import details
from dispatcher.workflow.policies import PolicyBook
from dispatcher.workflow.ports import Clock, Store


class Pool(msgspec.Struct, frozen=True, kw_only=True):
    """A pool and its items; `granted` are the policy's and those added."""

    id: str
    kind: IncentiveKind
    use: IncentiveUse
    granted: int
    added: int
    taken: int
    left: int


class AddsItems(Protocol):
    """Adds items to a pool."""

    async def __call__(
        self,
        shop: str,
        pool: str,
        quantity: int,
        details: Packed,
        now: Instant,
        actor: str,
        reference: str | None = None,
    ) -> bool:
        """Add items, once for a reference; `False` where that was given with another quantity."""


class Incentives:
    """Looks at pools of the policy in force and tops them up."""

    def __init__(self, store: Store, add: AddsItems, policies: PolicyBook, clock: Clock) -> None:
        self._store = store
        self._add = add
        self._policies = policies
        self._clock = clock

    async def pools(self, shop: str) -> tuple[Pool, ...]:
        """Return the pools in the policy's order."""
        force = await self._policies.in_force(shop, anew=True)
        pools = force.policy.incentives or ()
        if not pools:
            return ()
        counts = await self._store.pool_counts(shop, [pool.id for pool in pools])
        return tuple(_told(pool, counts[pool.id]) for pool in pools)

    async def top_up(
        self, shop: str, pool: str, quantity: int, note: str, reference: str | None, actor: str
    ) -> Pool:
        """Add items to a pool and return it; a reference that was given before adds nothing again.

        Raises `UnknownIncentive`, and `ReferenceReused` where it was given with another quantity.
        """
        force = await self._policies.in_force(shop, anew=True)
        found = next((known for known in force.policy.incentives or () if known.id == pool), None)
        if found is None:
            raise UnknownIncentive("the policy in force has no such pool of incentives")
        said = {"pool": pool, "quantity": quantity, "note": note}
        if reference is not None:
            said["reference"] = reference
        packed = details.packed(said)
        if not await self._add(shop, pool, quantity, packed, self._clock.now(), actor, reference):
            raise ReferenceReused("this reference was given before, with another quantity")
        return _told(found, (await self._store.pool_counts(shop, [pool]))[pool])


def _told(pool: Incentive, count: PoolCount) -> Pool:
    granted = pool.quantity + count.added
    return Pool(
        id=pool.id,
        kind=pool.kind,
        use=pool.use,
        granted=granted,
        added=count.added,
        taken=count.taken,
        left=max(0, granted - count.taken),
    )
