"""The present state of a store, as far as the audit must tell it, and how two of them differ."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any

from tests.checkers.items import PoolKey
from tests.checkers.records import OrderKey
from tests.checkers.said import Customer

WAITING = frozenset({"planned", "open"})
HANDED_OVER = frozenset(
    {"sending", "sent", "delivered", "undelivered", "uncertain", "claimed", "completed", "withdrawn"}
)
INDEXED = frozenset({"open", "claimed", "uncertain", "failed"})
FINAL = frozenset(
    {"sent", "delivered", "undelivered", "uncertain", "failed", "dropped", "completed", "withdrawn"}
)


@dataclass(frozen=True, kw_only=True)
class Order:
    """An order; `revision` counts its changes, `closes_at` is `None` while only its end is known.

    `told` is why it was not paid, as was told last in a call.
    """

    state: str
    revision: int = 0
    closes_at: int | None = None
    told: str | None = None


@dataclass(frozen=True, kw_only=True)
class Reminder:
    """A reminder; `attempt` counts its commits, and the message of its `carrier` stands for it."""

    status: str
    due: int | None = None
    channel: str | None = None
    attempt: int = 0
    carrier: str | None = None


@dataclass(frozen=True, kw_only=True)
class Shop:
    """What was set for a shop: the policy version in force (0: none), the paused channels (`*`: all), the
    addresses blocked, each as `kind:pseudonym`, the `published` templates, each as `name@version`, and the
    hashes of the texts that are kept (`name@draft`: of the draft).
    """

    policy: int = 0
    paused: frozenset[str] = frozenset()
    blocked: frozenset[str] = frozenset()
    published: frozenset[str] = frozenset()
    texts: frozenset[tuple[str, str]] = frozenset()


@dataclass(kw_only=True)
class State:
    """Orders, reminders, slots and shops, and what is counted and remembered of the audit itself.

    `records` names the newest audit records about each order, `counts` has the counters of every lane. As
    they grow with everything that happens, only `diff` compares them. `problems` tells what could not be
    followed and is not compared.
    """

    orders: dict[OrderKey, Order] = field(default_factory=dict)
    reminders: dict[str, Reminder] = field(default_factory=dict)
    slots: dict[tuple[str, str], dict[str, int]] = field(default_factory=dict)
    shops: dict[str, Shop] = field(default_factory=dict)
    customers: dict[tuple[str, str], Customer] = field(default_factory=dict)
    pools: dict[PoolKey, tuple[int, dict[str, int]]] = field(default_factory=dict)
    records: dict[OrderKey, list[int]] = field(default_factory=dict, compare=False)
    counts: dict[str, int] = field(default_factory=dict, compare=False)
    problems: list[str] = field(default_factory=list, compare=False)

    @property
    def open_tasks(self) -> set[str]:
        """Reminders that wait as a task for an agent."""
        return {reminder for reminder, found in self.reminders.items() if found.status == "open"}

    @property
    def claimed_tasks(self) -> set[str]:
        """Reminders that an agent has claimed and not completed."""
        return {reminder for reminder, found in self.reminders.items() if found.status == "claimed"}


def shared(person: str) -> str:
    """Return what stands for the customers who share a phone number, where their slots are told."""
    return f"who is reached by {person}"


def counter(lane: int, name: str) -> str:
    """Return what a counter of a lane is called among those of all lanes."""
    return f"lane {lane}: {name}"


def essential(reminder: Reminder) -> Reminder:
    """Return the reminder without what has no meaning in its status.

    That is the due time of one that does not wait, and the channel of one that was dropped.
    """
    return Reminder(
        status=reminder.status,
        due=reminder.due if reminder.status in WAITING else None,
        channel=reminder.channel if reminder.status != "dropped" else None,
        attempt=reminder.attempt,
        carrier=reminder.carrier,
    )


def diff(expected: State, found: State) -> list[str]:
    """Return one line for each thing in which two states differ; none when they are equal."""
    return [
        *_differences("order", expected.orders, found.orders),
        *_differences("reminder", expected.reminders, found.reminders),
        *_differences("slots of", expected.slots, found.slots),
        *_differences("shop", expected.shops, found.shops),
        *_differences("customer", expected.customers, found.customers),
        *_differences("pool", expected.pools, found.pools),
        *_differences("records of", expected.records, found.records),
        *_differences("counter of", expected.counts, found.counts),
    ]


def _differences(kind: str, expected: Mapping[Any, object], found: Mapping[Any, object]) -> Iterator[str]:
    for key in sorted(expected.keys() | found.keys(), key=str):
        if expected.get(key) != found.get(key):
            name = "~".join(key) if isinstance(key, tuple) else key
            yield f"{kind} {name}: expected {expected.get(key)}, found {found.get(key)}"
