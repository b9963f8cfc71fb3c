"""The fields a template may name, each with the value of an order it stands for."""

from collections.abc import Callable, Iterable
from datetime import datetime
from decimal import Decimal
from typing import NamedTuple
from zoneinfo import ZoneInfo

import msgspec

from dispatcher.messages.incentives import Told, told
from dispatcher.messages.times import in_words
from dispatcher.messages.values import amount, one_line, shortened
from dispatcher.policy.decisions import Send
from dispatcher.policy.document import Policy
from dispatcher.policy.facts import Channel, Facts, Instant, Order
from dispatcher.policy.zones import instant, local, zone

NAME_COLUMNS = 24
SHOP_COLUMNS = 40
SPEC_COLUMNS = 24
PRODUCT_COLUMNS: dict[Channel, int] = {"chat": 40, "sms": 20, "phone": 30}
ORDER_TAIL_CHARACTERS = 4

Value = str | bool | Told


class Subject(msgspec.Struct, frozen=True, gc=False):
    """What one message is about; `today` is the present moment in the customer's zone."""

    facts: Facts
    decision: Send
    policy: Policy
    now: Instant
    zone: ZoneInfo
    today: datetime


class Field(NamedTuple):
    """A template's field: where its value stands in event or policy, and its reader (`None`: missing)."""

    path: str
    read: Callable[[Subject], Value | None]


def subject(facts: Facts, decision: Send, policy: Policy, now: Instant) -> Subject:
    """Put together what the fields are read from; times are told in the customer's zone, else the shop's."""
    tz = zone(facts.customer.timezone or policy.timezone)
    return Subject(facts, decision, policy, now, tz, local(now, tz))


def values(names: Iterable[str], about: Subject) -> dict[str, Value]:
    """The values of the named fields; a missing one is left out."""
    found = {}
    for name in names:
        value = FIELDS[name].read(about)
        if value is not None:
            found[name] = value
    return found


def _when(instant: Instant, about: Subject) -> str:
    return in_words(local(instant, about.zone), about.today, about.decision.channel)


def _shop(about: Subject) -> str | None:
    return shortened(about.policy.shop_name, SHOP_COLUMNS) or shortened(about.facts.shop, SHOP_COLUMNS)


def _hidden(about: Subject) -> bool:
    # One sensitive item hides them all: what lies beside it may tell as much.
    return any(item.sensitive for item in about.facts.order.items)


def _product(about: Subject) -> str | None:
    items = about.facts.order.items
    if not items or _hidden(about):
        return None
    name = shortened(items[0].name, PRODUCT_COLUMNS[about.decision.channel])
    if name is None:
        return None
    pieces = sum(item.quantity for item in items)
    if len(items) > 1:
        return f"{name}等{pieces}件商品"
    return f"{name}共{pieces}件" if pieces > 1 else name


def _spec(about: Subject) -> str | None:
    items = about.facts.order.items
    if len(items) != 1 or _hidden(about):
        return None
    return shortened(items[0].spec, SPEC_COLUMNS)


def _order_tail(about: Subject) -> str | None:
    line = one_line(about.facts.order.id)
    return line and line[-ORDER_TAIL_CHARACTERS:]


def _city(about: Subject) -> str | None:
    receiver = about.facts.order.receiver
    return shortened(receiver.city, SPEC_COLUMNS) if receiver else None


def _ships_before(about: Subject) -> str | None:
    shipping = about.policy.shipping
    if shipping is None or not about.decision.ships_today:
        return None
    shop_zone = zone(about.policy.timezone)
    cutoff = instant(local(about.now, shop_zone).date(), shipping.cutoff, shop_zone)
    # An order that closes earlier can only be paid until then.
    return _when(min(cutoff, about.facts.order.closes_at), about)


def _orders(about: Subject) -> list[Order]:
    """The orders of a merged message, the oldest first."""
    orders = [about.facts.order, *(each.known for each in about.decision.carries if each.known is not None)]
    return sorted(orders, key=lambda order: (order.placed_at, order.id))


def _orders_total(about: Subject) -> str:
    total = sum((Decimal(order.total) for order in _orders(about)), Decimal(0))
    return amount(str(total), about.facts.order.currency)


def _orders_placed(about: Subject) -> str:
    told = list(dict.fromkeys(_when(order.placed_at, about) for order in _orders(about)))
    return "和".join(filter(None, ("、".join(told[:-1]), told[-1])))


def _orders_product(about: Subject) -> str | None:
    items = [item for order in _orders(about) for item in order.items]
    if not items or any(item.sensitive for item in items):
        return None
    name = shortened(items[0].name, PRODUCT_COLUMNS[about.decision.channel])
    pieces = sum(item.quantity for item in items)
    return name and f"{name}等{pieces}件商品"


def _incentive(about: Subject) -> Told | None:
    offer = about.decision.offer
    return None if offer is None else told(offer, about.facts.order, lambda at: _when(at, about))


FIELDS: dict[str, Field] = {
    "shop": Field("shop", _shop),
    "customer": Field("customer.name", lambda about: shortened(about.facts.customer.name, NAME_COLUMNS)),
    "returning": Field("customer.paid_orders", lambda about: about.facts.customer.paid_orders > 0),
    "agent": Field("customer.agent", lambda about: shortened(about.facts.customer.agent, NAME_COLUMNS)),
    "product": Field("order.items.0.name", _product),
    "spec": Field("order.items.0.spec", _spec),
    "order_tail": Field("order.id", _order_tail),
    "placed": Field("order.placed_at", lambda about: _when(about.facts.order.placed_at, about)),
    "closes": Field("order.closes_at", lambda about: _when(about.facts.order.closes_at, about)),
    "total": Field("order.total", lambda about: amount(about.facts.order.total, about.facts.order.currency)),
    "city": Field("order.receiver.city", _city),
    "ships_before": Field("shipping.cutoff", _ships_before),
    "incentive": Field("incentives", _incentive),
    "pay_url": Field("order.pay_url", lambda about: one_line(about.facts.order.pay_url)),
    "orders_count": Field("order.id", lambda about: str(len(_orders(about)))),
    "orders_total": Field("order.total", _orders_total),
    "orders_placed": Field("order.placed_at", _orders_placed),
    "orders_product": Field("order.items.0.name", _orders_product),
    "orders_close": Field(
        "order.closes_at", lambda about: _when(min(order.closes_at for order in _orders(about)), about)
    ),
}
"""Every field by the name that templates use."""
