"""The policy versions in use, each read and checked once."""

import msgspec

from dispatcher.errors import InvalidPolicy
from dispatcher.policy.document import Policy, default_policy, load_json
from dispatcher.workflow.ports import Policies

KEPT = 10_000
"""Policy versions and shop states kept in memory; beyond that all are read anew."""


class InForce(msgspec.Struct, frozen=True, kw_only=True):
    """A shop's policy and its state: `rev` changes with every policy or pause."""

    rev: int
    version: int
    paused: tuple[str, ...]
    policy: Policy


class PolicyBook:
    """Policies by shop and version; a version never changes, so it is read once."""

    def __init__(self, store: Policies) -> None:
        self._store = store
        self._versions: dict[tuple[str, int], Policy] = {}
        self._in_force: dict[str, InForce] = {}

    async def version(self, shop: str, version: int) -> Policy:
        """Return a version of a shop's policy; 0 is the default policy."""
        policy = self._versions.get((shop, version))
        if policy is None:
            policy = default_policy() if version == 0 else await self._read(shop, version)
            if len(self._versions) >= KEPT:
                self._versions.clear()
            self._versions[shop, version] = policy
        return policy

    async def _read(self, shop: str, version: int) -> Policy:
        document = await self._store.policy(shop, version)
        if document is None:
            raise InvalidPolicy(f"policy version {version} of the shop is not in the store")
        return load_json(document)

    async def in_force(self, shop: str, *, anew: bool = False) -> InForce:
        """Return a shop's policy in force as last read; `anew` reads it again.

        A stale answer does no harm: the store compares `rev` with its own and refuses.
        """
        found = self._in_force.get(shop)
        if found is None or anew:
            state = await self._store.shop(shop)
            policy = await self.version(shop, state.policy)
            if len(self._in_force) >= KEPT:
                self._in_force.clear()
            found = self._in_force[shop] = InForce(
                rev=state.rev, version=state.policy, paused=state.paused, policy=policy
            )
        return found
