"""The fields a template may name, each with the value of an order it stands for."""

from collections.abc import Callable, Iterable
from typing import NamedTuple

from dispatcher.messages import incentives
from dispatcher.messages.subjects import (
    NAME_COLUMNS,
    Subject,
    city,
    order_tail,
    orders,
    orders_placed,
    orders_product,
    orders_total,
    product,
    ships_before,
    shop,
    spec,
    when,
)
from dispatcher.messages.values import amount, one_line, shortened

Value = str | bool


class Field(NamedTuple):
    """A template's field: where its value stands in event or policy, and its reader (`None`: missing)."""

    path: str
    read: Callable[[Subject], Value | None]


def values(names: Iterable[str], about: Subject) -> dict[str, Value]:
    """The values of the named fields; a missing one is left out."""
    found = {}
    for name in names:
        value = FIELDS[name].read(about)
        if value is not None:
            found[name] = value
    return found


FIELDS: dict[str, Field] = {
    "shop": Field("shop", shop),
    "customer": Field("customer.name", lambda about: shortened(about.facts.customer.name, NAME_COLUMNS)),
    "returning": Field("customer.paid_orders", lambda about: about.facts.customer.paid_orders > 0),
    "agent": Field("customer.agent", lambda about: shortened(about.facts.customer.agent, NAME_COLUMNS)),
    "product": Field("order.items.0.name", product),
    "spec": Field("order.items.0.spec", spec),
    "order_tail": Field("order.id", order_tail),
    "placed": Field("order.placed_at", lambda about: when(about.facts.order.placed_at, about)),
    "closes": Field("order.closes_at", lambda about: when(about.facts.order.closes_at, about)),
    "total": Field("order.total", lambda about: amount(about.facts.order.total, about.facts.order.currency)),
    "city": Field("order.receiver.city", city),
    "ships_before": Field("shipping.cutoff", ships_before),
    "promotion": Field("incentives", incentives.promotes),
    "coupon": Field("incentives", incentives.coupon),
    "gift": Field("incentives", incentives.gift),
    "price_protection": Field("incentives", incentives.price_protection),
    "price_changed": Field("incentives", lambda about: incentives.is_kind(about, "price_change")),
    "free_shipping": Field("incentives", lambda about: incentives.is_kind(about, "free_shipping")),
    "priority_shipping": Field("incentives", lambda about: incentives.is_kind(about, "priority_shipping")),
    "for_this_order": Field("incentives", lambda about: incentives.is_for(about, "this_order")),
    "for_new_order": Field("incentives", lambda about: incentives.is_for(about, "new_order")),
    "incentive_saves": Field("incentives", incentives.saves),
    "incentive_net": Field("incentives", incentives.net),
    "incentive_threshold": Field("incentives", incentives.threshold),
    "incentive_how": Field("incentives", incentives.how),
    "incentive_ends": Field("incentives", incentives.ends),
    "incentive_adds": Field("incentives", incentives.adds),
    "pay_url": Field("order.pay_url", lambda about: one_line(about.facts.order.pay_url)),
    "orders_count": Field("order.id", lambda about: str(len(orders(about)))),
    "orders_total": Field("order.total", orders_total),
    "orders_placed": Field("order.placed_at", orders_placed),
    "orders_product": Field("order.items.0.name", orders_product),
    "orders_close": Field(
        "order.closes_at", lambda about: when(min(order.closes_at for order in orders(about)), about)
    ),
}
"""Every field by the name that templates use."""
