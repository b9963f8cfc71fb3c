"""What is kept of orders and shops, and what a lease brings of it.

Stored structs grow by fields with defaults only, so that every version that was ever written stays readable.
"""

import msgspec

from dispatcher.errors import StoreRefused
from dispatcher.policy.facts import (
    EVERY_CHANNEL,
    Channel,
    Handoff,
    Instant,
    OrderFacts,
    OrderState,
    WhyUnpaid,
)
from dispatcher.policy.reminders import HANDED_OVER, Status
from dispatcher.storage.customers import StoredCustomer
from dispatcher.storage.ledgers import Ledger
from dispatcher.storage.packing import unpack
from dispatcher.storage.pools import Counted

OTHERS_READ = 10
"""A lease looks at so many unpaid orders of a customer, the oldest."""

MOST_STEPS = 50
"""An order takes no hand-off by a person beyond so many steps."""

MOST_BLOCKED = 10_000
"""A shop blocks so many addresses at most."""

RECORDS_KEPT = 500
"""An order remembers the numbers of its newest so many audit records."""

RECORD_BYTES = 6
"""The number of a record, as an order's text has it."""

LATENESS_BUCKETS = (100, 250, 500, 1_000, 2_000, 5_000, 30_000)
"""Upper bounds in ms by which hand-offs are counted after they were due, in the lane's counters.

The counters are `kind|<audit kind>|<channel>|<reason>`, `waiting|<channel>`, `late|<bound>` (`inf` the last)
and `late_ms`, the sum; `open` are the open tasks.
"""


class StoredStep(msgspec.Struct, kw_only=True, omit_defaults=True, gc=False):
    """One reminder of an order.

    `answered` is the token last answered with `answer`, `settled` the one last settled, so that a
    repeated call gets the same answer; `leases` ended without a commit; `handed` is the hand-off's
    instant (its commit's, until it is settled). `agent` claimed it and calls before `valid_until` the
    number whose pseudonym is `called`, shown as `masked`; `result` is how that went, with `why` the customer
    had not paid and the time the customer `said`. Who
    gave it back last has `released` it, until the next claim. A step with a `hand` was handed over by a
    person, who named it so. `person` is whose ledger has its slot, where that is not the customer's own. A
    reminder dropped as merged names its `carrier`, whose message goes on its `channel`, `handed` to be at its
    commit; the carrier names what it `carries`. Its
    message names an item of the pool `offered`, usable until `offer_ends`. An operator has `steered` to where
    it is due one that a new policy leaves there; only its order's own change moves it. One that was
    postponed is `kept_until` then, and until then not in another's message either.
    """

    status: Status
    moment: Instant
    due: Instant
    channel: Channel
    attempt: int  # without a default it is written, also where it is 0: the scripts add to it
    tried: tuple[Channel, ...] = ()
    leases: int = 0
    handed: Instant | None = None
    answered: int | None = None
    answer: str | None = None
    settled: int | None = None
    agent: str | None = None
    valid_until: Instant | None = None
    result: str | None = None
    released: str | None = None
    person: str | None = None
    carrier: str | None = None
    carries: tuple[str, ...] = ()
    why: str | None = None
    said: Instant | None = None
    hand: str | None = None
    offered: str | None = None
    offer_ends: Instant | None = None
    steered: bool = False
    kept_until: Instant | None = None
    called: str | None = None
    masked: str | None = None


class StoredOrder(msgspec.Struct, kw_only=True, omit_defaults=True, gc=False):
    """Where an order and its reminders stand; without `customer` only its end is known so far.

    `records` are the numbers of its audit records in their lane. `shared`: its customer had another unpaid
    order beside it. Of calls is kept until when the customer `promised` to pay, when the customer
    `refused`, why it was not paid as was `told` last, and which channels were `given_up` for the whole order.
    """

    state: OrderState
    rev: int
    time: Instant
    closes: Instant | None = None
    customer: str | None = None
    steps: list[StoredStep] = []
    records: list[int] = []
    shared: bool = False
    promised: Instant | None = None
    refused: Instant | None = None
    given_up: tuple[Channel, ...] = ()
    told: WhyUnpaid | None = None

    def tried(self, number: int) -> tuple[Channel, ...]:
        """Return the channels that a step is not to take any more."""
        own = self.steps[number - 1].tried if number <= len(self.steps) else ()
        return (*own, *(channel for channel in self.given_up if channel not in own)) if self.given_up else own

    def used(self, but: int) -> tuple[Handoff, ...]:
        """Return the hand-offs of the order's steps other than `but`, carried ones among them."""
        return tuple(
            Handoff(step=number, channel=step.channel, at=step.handed or step.due)
            for number, step in enumerate(self.steps, 1)
            if number != but and (step.status in HANDED_OVER or step.carrier is not None)
        )

    def named(self, but: int) -> StoredStep | None:
        """Return the step other than `but` that names the order's incentive."""
        for number, step in enumerate(self.steps, 1):
            if number != but and step.offered is not None:
                return step
        return None


_FACTS = msgspec.json.Decoder(OrderFacts)


def facts_of(stored: bytes) -> OrderFacts:
    """Return an order's facts as they are stored; raises `StoreRefused`, or as decoding does."""
    return _FACTS.decode(unpack(stored))


class Other(msgspec.Struct, frozen=True, kw_only=True, gc=False):
    """Another unpaid order of a customer."""

    id: str
    order: StoredOrder
    facts: OrderFacts


class Texts(msgspec.Struct, frozen=True, gc=False):
    """The stored texts of an order but for its records' numbers, its customer's ledger and the customer."""

    order: bytes
    ledger: bytes
    customer: bytes


class Leased(msgspec.Struct, kw_only=True, gc=False):
    """One leased reminder with what deciding about it needs; `facts`, `customer` are `None` if unreadable.

    Without a readable order or ledger there are no `facts` either; the unreadable one is empty.
    `person` is whose hand-offs `ledger` has, where those are not the customer's alone.
    `others` are unpaid orders of the same customer. `texts` are what it was read from,
    none where an earlier version wrote it.
    """

    reminder: str
    order_id: str
    number: int
    order: StoredOrder
    facts: OrderFacts | None
    ledger: Ledger
    customer: StoredCustomer | None
    person: str | None = None
    others: tuple[Other, ...] = ()
    texts: Texts | None = None

    @property
    def step(self) -> StoredStep:
        """The reminder itself."""
        return self.order.steps[self.number - 1]


class About(msgspec.Struct, frozen=True):
    """When a version was put into force or a draft written, or something paused, by whom and why."""

    at: Instant
    actor: str
    note: str | None = None


class Lease(msgspec.Struct, kw_only=True, gc=False):
    """A batch of leased reminders of one shop and channel under one fencing token.

    The token is the instant at which the lease ends. `now` is the lane's time, which is ahead of a
    worker whose clock is slow. `open_tasks` are the shop's, counted where calls are leased. `blocked` counts
    the addresses that the shop blocks, `templates` names those that it has published, parted by commas.
    """

    shop: str
    channel: Channel
    token: int
    now: Instant
    shop_rev: int
    policy: int
    items: list[Leased]
    open_tasks: int | None = None
    counted: Counted | None = None
    blocked: int = 0
    templates: str = ""

    @property
    def lease_end(self) -> Instant:
        """When the lease ends."""
        return self.token


class ShopState(msgspec.Struct, kw_only=True):
    """A shop's revision (grows with policy, pauses, blocks and templates), policy version (0 = default),
    paused channels, number of blocked addresses, and the templates it has published, parted by commas.
    """

    rev: int
    policy: int
    paused: tuple[str, ...]
    blocked: int = 0
    templates: str = ""

    def paused_for(self, channel: Channel) -> bool:
        """Tell whether nothing goes out by a channel, it or all of them being paused."""
        return channel in self.paused or EVERY_CHANNEL in self.paused


def published(templates: str) -> dict[str, int]:
    """Return the version of each template that a shop has published, by its name; raises `StoreRefused`."""
    found = {}
    for each in templates.split(",") if templates else ():
        name, _, version = each.rpartition("@")
        if not version.isdecimal():
            raise StoreRefused("what is stored of the templates that the shop has published cannot be read")
        found[name] = int(version)
    return found
