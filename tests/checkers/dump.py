"""The present state as the store's raw keys tell it, to be compared with what the audit tells."""

from hashlib import sha256
from typing import Any

from tests.checkers.items import PoolKey
from tests.checkers.records import Record
from tests.checkers.said import Customer
from tests.checkers.state import Order, Reminder, Shop, State, counter, essential
from tests.checkers.store import Client, Lane, read


def dump(client: Client, lanes: int) -> State:
    """Return what the store holds; the client must not decode replies."""
    state = State()
    for number, lane in enumerate(read(client, lanes)):
        state.orders |= {key: _order(stored) for key, stored in lane.orders.items()}
        state.reminders |= {reminder: _reminder(step) for reminder, step in lane.steps()}
        state.customers |= {key: _customer(stored) for key, stored in lane.customers.items()}
        state.slots |= {customer: dict(slots) for customer, slots in lane.ledgers.items() if slots}
        state.shops |= {shop: found for shop, found in _shops(lane).items() if found != Shop()}
        for shop, counts in lane.pools.items():
            state.pools |= _pools(shop, counts)
        state.records |= {key: list(stored.get("records") or []) for key, stored in lane.orders.items()}
        state.counts |= {
            counter(number, name): count
            for name, count in lane.counts.items()
            if count
            and not (name == "open" or name.startswith("waiting|"))  # of the store's keys, see structure
        }
    return state


def audit(client: Client, lanes: int) -> list[Record]:
    """Return the audit records that are still in the store, in the outside form."""
    return [record for lane in read(client, lanes) for record in lane.audit]


def paused(shop: dict[str, str]) -> frozenset[str]:
    """Return the paused channels of a stored shop (`*`: all)."""
    return frozenset(filter(None, shop.get("paused", "").split(",")))


def _shops(lane: Lane) -> dict[str, Shop]:
    return {
        shop: Shop(
            policy=int(stored.get("policy") or 0),
            paused=paused(stored),
            blocked=frozenset(lane.blocked.get(shop, ())),
            published=frozenset(filter(None, stored.get("templates", "").split(","))),
            texts=_texts(lane.templates.get(shop, {})),
        )
        # A draft alone changes nothing of a shop.
        for shop, stored in ({name: {} for name in lane.templates} | lane.shops).items()
    }


def _texts(stored: dict[str, str]) -> frozenset[tuple[str, str]]:
    """Return the hashes of the texts that are kept of a shop's templates."""
    return frozenset(
        (name, sha256(text.encode()).hexdigest())
        for name, text in stored.items()
        if not name.endswith((":about", "@newest"))
    )


def _pools(shop: str, counts: dict[str, int]) -> dict[PoolKey, tuple[int, dict[str, int]]]:
    """Return of each pool what was added, and how many items each customer has."""
    of: dict[str, dict[str, int]] = {}
    for field, count in counts.items():
        kind, _, rest = field.partition("|")
        pool, _, customer = rest.partition("|")
        of.setdefault(pool, {})
        if kind == "of":
            of[pool][customer] = count
    return {(shop, pool): (counts.get(f"added|{pool}", 0), customers) for pool, customers in of.items()}


def _order(stored: dict[str, Any]) -> Order:
    closes = stored.get("closes")
    return Order(
        state=stored["state"],
        revision=int(stored.get("rev") or 0),
        closes_at=int(closes) if closes is not None else None,
        told=stored.get("told"),
    )


def _customer(stored: dict[str, Any]) -> Customer:
    return Customer(
        opted_out=tuple(sorted((stored.get("opted_out") or {}).items())),
        replied=stored.get("replied"),
        paid=stored.get("paid"),
        paused=stored.get("paused"),
        paused_by=stored.get("paused_by"),
    )


def _reminder(step: dict[str, Any]) -> Reminder:
    due = step.get("due")
    return essential(
        Reminder(
            status=step["status"],
            due=int(due) if due is not None else None,
            channel=step.get("channel") or None,
            attempt=int(step.get("attempt") or 0),
            carrier=step.get("carrier"),
        )
    )
