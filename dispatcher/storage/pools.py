"""What is counted of a shop's incentive pools, as decisions look at it."""

from collections.abc import Sequence

import msgspec

from dispatcher.errors import StoreRefused
from dispatcher.policy.facts import PoolCount, PoolCounts


class Counted(msgspec.Struct, frozen=True, gc=False):
    """A shop's pools with what is taken and added of each, and what customers have of each."""

    pools: tuple[str, ...]
    taken: tuple[int, ...]
    added: tuple[int, ...]
    of: dict[str, tuple[int, ...]]

    def for_customer(self, customer: str | None) -> PoolCounts:
        """Return what deciding about a customer's reminder looks at."""
        mine = self.of.get(customer or "", (0,) * len(self.pools))
        return {
            pool: PoolCount(taken=taken, added=added, mine=own)
            for pool, taken, added, own in zip(self.pools, self.taken, self.added, mine, strict=True)
        }


_COUNTED = msgspec.msgpack.Decoder(Counted)


def counted(packed: bytes) -> Counted | None:
    """Return the counts that a lease brought, `None` where the policy has no pools."""
    return _COUNTED.decode(packed) if packed else None


def wanted(pools: Sequence[str], customer: str | None) -> list[str]:
    """Return the fields that count pools, and what a customer has of each (`lua/lib/incentives.lua`)."""
    shared = [f"{kind}|{pool}" for pool in pools for kind in ("taken", "added")]
    return [*shared, *(f"of|{pool}|{customer or ''}" for pool in pools)]


def counts_of(pools: Sequence[str], found: Sequence[bytes | None]) -> PoolCounts:
    """Return what stands in the wanted fields; `StoreRefused` if unreadable."""
    try:
        numbers = [int(text or 0) for text in found]
    except ValueError as error:
        raise StoreRefused("what is stored of the incentives cannot be read") from error
    shared, mine = numbers[: 2 * len(pools)], numbers[2 * len(pools) :]
    return {
        pool: PoolCount(taken=taken, added=added, mine=own)
        for pool, taken, added, own in zip(pools, shared[::2], shared[1::2], mine, strict=True)
    }
