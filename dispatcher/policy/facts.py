"""What a decision stands on: the order, its customer, the reminder and what went before.

Instants are integers: milliseconds since the epoch, UTC. Money is a decimal string, as it came.
"""

from enum import StrEnum
from typing import Literal

import msgspec

Instant = int
"""Milliseconds since the epoch, UTC."""

Channel = Literal["chat", "sms", "phone"]
CHANNELS: tuple[Channel, ...] = ("chat", "sms", "phone")

EVERY_CHANNEL = "*"
"""Stands for all channels at once, in pauses and opt-outs."""

Availability = Literal["in_stock", "in_transit", "preorder", "sold_out"]

WhyUnpaid = Literal["cannot_pay", "forgot", "price", "doubt", "comparing", "changed_mind", "delivery"]
"""Why the customer had not paid, as an agent heard it in a call."""


class OrderState(StrEnum):
    """Where an order stands; everything but `UNPAID` is final."""

    UNPAID = "unpaid"
    PAID = "paid"
    CANCELLED = "cancelled"
    CLOSED = "closed"


class Fact(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True, gc=False):
    """Stored facts grow by fields with defaults, so that every stored version stays readable."""


class Item(Fact, frozen=True, kw_only=True, omit_defaults=True, gc=False):
    """One line of an order."""

    name: str
    quantity: int = 1
    price: str | None = None
    spec: str | None = None
    sensitive: bool = False
    availability: Availability | None = None
    category: str | None = None


class Receiver(Fact, frozen=True, kw_only=True, omit_defaults=True, gc=False):
    """Who gets the parcel."""

    name: str | None = None
    city: str | None = None
    phone: str | None = None


class Promotion(Fact, frozen=True, kw_only=True, omit_defaults=True, gc=False):
    """A promotion the order was placed under; `ends_at` is an instant."""

    name: str
    saves: str | None = None
    ends_at: Instant | None = None


class Consent(Fact, frozen=True, kw_only=True, omit_defaults=True, gc=False):
    """What the customer agreed to; `False` forbids, `None` says nothing."""

    sms: bool | None = None
    chat: bool | None = None
    phone: bool | None = None
    promotion: bool | None = None


class Order(Fact, frozen=True, kw_only=True, omit_defaults=True, gc=False):
    """An order as its newest accepted event tells it."""

    id: str
    placed_at: Instant
    closes_at: Instant
    total: str
    currency: str
    items: tuple[Item, ...]
    pay_url: str | None = None
    buyer_note: str | None = None
    receiver: Receiver | None = None
    original_total: str | None = None
    promotion: Promotion | None = None


class Customer(Fact, frozen=True, kw_only=True, omit_defaults=True, gc=False):
    """The customer as the order's newest event tells; `timezone` is an IANA name or absent.

    `blocked` are the channels whose address the shop has blocked: only decisions know them, no event.
    """

    id: str
    name: str | None = None
    phone: str | None = None
    chat: str | None = None
    paid_orders: int = 0
    timezone: str | None = None
    grade: int | None = None
    consent: Consent | None = None
    consulted_at: Instant | None = None
    agent: str | None = None
    blocked: tuple[Channel, ...] = ()


class OrderFacts(Fact, frozen=True, kw_only=True, omit_defaults=True, gc=False):
    """What the store keeps of an order for policy and messages."""

    order: Order
    customer: Customer


class Handoff(Fact, frozen=True, kw_only=True, omit_defaults=True, gc=False):
    """A hand-off (or a possible one) of this order."""

    step: int
    channel: Channel
    at: Instant


class CustomerStanding(Fact, frozen=True, kw_only=True, omit_defaults=True, gc=False):
    """What a customer said or did beside the order: channels not to be used any more, the last reply, and
    the newest payment of another order of the shop; and since when an operator has them left alone.
    """

    opted_out: tuple[Channel, ...] = ()
    replied_at: Instant | None = None
    paid_other_at: Instant | None = None
    paused_since: Instant | None = None


NOTHING_SAID = CustomerStanding()
"""The standing of nearly everybody."""


class Rival(Fact, frozen=True, kw_only=True, omit_defaults=True, gc=False):
    """A waiting reminder of another order of the customer, as the one that is decided about sees it.

    `due` is when it would go, as far as is known now; `obstacle` is why it would not go as this one does.
    `known` is for its message, and not looked at in deciding.
    """

    order: str
    step: int
    due: Instant
    closes_at: Instant
    total: str
    obstacle: str | None = None
    known: Order | None = None


class PoolCount(Fact, frozen=True, kw_only=True, omit_defaults=True, gc=False):
    """Items of an incentive pool: taken by anybody, `added` to its quantity, and taken by the customer."""

    taken: int = 0
    added: int = 0
    mine: int = 0


PoolCounts = dict[str, PoolCount]
"""By the pool's id; nobody changes one."""


class Facts(msgspec.Struct, frozen=True, kw_only=True, gc=False):
    """Everything `decide` looks at for one reminder.

    `used`: hand-offs of this order's other steps. `ledger`: the customer's hand-off instants in this
    shop, oldest first, over all orders and channels; `by_channel`: those of which the channel is known.
    `open_tasks`: call tasks of the shop that wait for an agent, where that was counted.
    `others` are reminders of the customer's other orders.
    `promised_until`, `refused_at` and `told`, why it was not paid, are what the customer said of this order
    in a call, the last of each.
    `pools` counts the policy's incentives; `offered` is the pool of the item that the order has by another
    step, usable until `offer_ends`.
    """

    shop: str
    order: Order
    customer: Customer
    state: OrderState
    step: int
    status: str
    moment: Instant
    due: Instant
    channel: Channel
    attempt: int = 0
    tried: tuple[Channel, ...] = ()
    used: tuple[Handoff, ...] = ()
    ledger: tuple[Instant, ...] = ()
    standing: CustomerStanding = NOTHING_SAID
    by_channel: dict[Channel, tuple[Instant, ...]] = {}
    open_tasks: int | None = None
    others: tuple[Rival, ...] = ()
    promised_until: Instant | None = None
    refused_at: Instant | None = None
    told: WhyUnpaid | None = None
    pools: PoolCounts = {}
    offered: str | None = None
    offer_ends: Instant | None = None
