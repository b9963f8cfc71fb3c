"""The policy versions in use, each read and checked once."""

import msgspec

from dispatcher.errors import InvalidPolicy, StoreRefused, UnknownPolicy
from dispatcher.policy.document import Policy, default_policy, load_json
from dispatcher.storage.records import ShopState
from dispatcher.workflow.ports import Policies

KEPT = 10_000
"""Policy versions and shop states kept in memory; beyond that all are read anew."""


class InForce(msgspec.Struct, frozen=True, kw_only=True):
    """A shop's policy and its state, as they were read together."""

    state: ShopState
    policy: Policy

    @property
    def rev(self) -> int:
        """The shop's revision, which changes with every policy or pause."""
        return self.state.rev

    @property
    def version(self) -> int:
        """The policy's version."""
        return self.state.policy


class PolicyBook:
    """Policies by shop and version; a version never changes, so it is read once."""

    def __init__(self, store: Policies) -> None:
        self._store = store
        self._versions: dict[tuple[str, int], Policy] = {}
        self._in_force: dict[str, InForce] = {}

    async def version(self, shop: str, version: int) -> Policy:
        """Return a version of a shop's policy, 0 being the default policy; `StoreRefused` if unreadable."""
        policy = self._versions.get((shop, version))
        if policy is None:
            policy = default_policy() if version == 0 else await self._read(shop, version)
            if len(self._versions) >= KEPT:
                self._versions.clear()
            self._versions[shop, version] = policy
        return policy

    async def wanted(self, shop: str, version: int | None = None) -> tuple[int, Policy]:
        """Return a version of a shop's policy with its number, `None` being the one in force now.

        Raises `UnknownPolicy`.
        """
        newest = (await self._store.shop(shop)).policy
        number = newest if version is None else version
        if number > newest:
            raise UnknownPolicy(f"there is no such version of the shop's policy; the newest is {newest}")
        return number, await self.version(shop, number)

    async def _read(self, shop: str, version: int) -> Policy:
        document = await self._store.policy(shop, version)
        if document is None:
            raise StoreRefused(f"policy version {version} of the shop is not in the store")
        try:
            return load_json(document)
        except InvalidPolicy as error:
            raise StoreRefused(f"policy version {version} of the shop cannot be read") from error

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
            found = self._in_force[shop] = InForce(state=state, policy=policy)
        return found
