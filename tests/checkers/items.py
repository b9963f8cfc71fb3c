"""Items of incentive pools as the audit tells them: granted, taken and given back."""

from collections import Counter
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from typing import Any

from tests.checkers.moves import GIVES_BACK
from tests.checkers.records import OrderKey, Record, in_order, instant, name, order_key

PoolKey = tuple[str, str]
"""A shop and the id of one of its pools."""


@dataclass(kw_only=True)
class Pool:
    """What was added to a pool by topping it up, and what customers have of it."""

    added: int = 0
    of: Counter[str] = field(default_factory=Counter)

    @property
    def taken(self) -> int:
        """Items that anybody has."""
        return sum(self.of.values())


class Items:
    """Follows one record after the other; the same item is named by several messages of its order."""

    def __init__(self) -> None:
        self.pools: dict[PoolKey, Pool] = {}
        self._terms: dict[tuple[str, int], dict[str, dict[str, Any]]] = {}
        self._named: dict[OrderKey, dict[int, tuple[str, int]]] = {}

    def named(self, record: Record) -> tuple[str, int] | None:
        """Return the item that another step of the record's order names: its pool, and when it ends."""
        steps = self._named.get(order_key(record), {})
        return next((steps[step] for step in sorted(steps) if step != record["step"]), None)

    def held(self) -> dict[PoolKey, tuple[int, dict[str, int]]]:
        """Return of each pool that anything happened to what was added, and each customer's items."""
        found = {key: (pool.added, dict(+pool.of)) for key, pool in self.pools.items()}
        return {key: pool for key, pool in found.items() if pool != (0, {})}

    def apply(self, record: Record) -> Iterator[str]:
        """Follow a record, and yield what is wrong with it."""
        kind, details = record["kind"], record["details"]
        if kind == "policy.changed" and "policy" in details:
            pools = details["policy"].get("incentives", ())
            self._terms[record["shop"], record["policy"]] = {pool["id"]: pool for pool in pools}
        elif kind == "incentive.topped_up":
            self._pool(record, details["pool"]).added += details["quantity"]
        elif kind == "order.retired":
            self._named.pop(order_key(record), None)
        elif kind == "reminder.sending" and "incentive" in details.get("decision", {}):
            yield from self._take(record, details["decision"]["incentive"])
        if kind in GIVES_BACK:
            yield from self._give_back(record)

    def _pool(self, record: Record, pool: str) -> Pool:
        return self.pools.setdefault((record["shop"], pool), Pool())

    def _take(self, record: Record, told: dict[str, Any]) -> Iterator[str]:
        pool, other = told["pool"], self.named(record)
        self._named.setdefault(order_key(record), {})[record["step"]] = pool, instant(told["ends"])
        if told["again"]:
            if other != (pool, instant(told["ends"])):
                yield f"names an item of {pool} again, the order has {other}"
            return
        if other is not None:
            yield f"takes an item of {pool}, the order has one of {other[0]}"
        terms, found = self._terms.get((record["shop"], record["policy"]), {}), self._pool(record, pool)
        found.of[record["customer"]] += 1
        if pool not in terms:
            yield f"takes an item of {pool}, which its policy does not have"
            return
        granted = terms[pool]["quantity"] + found.added
        if found.taken > granted:
            yield f"takes item {found.taken} of {pool}, granted are {granted}"
        most = terms[pool].get("per_customer")
        if most is not None and found.of[record["customer"]] > most:
            yield f"takes item {found.of[record['customer']]} of {pool} for its customer, the limit is {most}"

    def _give_back(self, record: Record) -> Iterator[str]:
        was = self._named.get(order_key(record), {}).pop(record["step"], None)
        expected = was[0] if was is not None and self.named(record) is None else None
        told = record["details"].get("given_back")
        if told != expected:
            yield f"gives back {told}, expected {expected}"
        if told is not None:
            self._pool(record, told).of[record["customer"]] -= 1


def never_overdrawn(records: Iterable[Record]) -> list[str]:
    """Find items beyond what was granted or a customer's limit, or that are not given back as they must."""
    items = Items()
    return [f"{name(record)}: {problem}" for record in in_order(records) for problem in items.apply(record)]
