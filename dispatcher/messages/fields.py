"""The fields a template may name, each with the value of an order it stands for."""

from collections.abc import Iterable

from dispatcher.messages import incentives
from dispatcher.messages.schema import Field, Value
from dispatcher.messages.subjects import (
    NAME_COLUMNS,
    ORDER_TAIL_CHARACTERS,
    Subject,
    city,
    left,
    money,
    note,
    order_tail,
    orders,
    orders_placed,
    orders_product,
    orders_total,
    pay_word,
    pieces,
    product,
    receiver,
    ships_before,
    shop,
    spec,
    when,
)
from dispatcher.messages.values import one_line, shortened


def values(names: Iterable[str], about: Subject) -> dict[str, Value]:
    """The values of the named fields; a missing one is left out, and so is one that is no."""
    found: dict[str, Value] = {}
    for name in names:
        value = _READ[name](about)
        if value is not None and value is not False:
            found[name] = value
    return found


FIELDS: dict[str, Field] = {
    "shop": Field("shop", shop, "name", "云裳服饰", "the shop's name, else its id"),
    "customer": Field(
        "customer.name",
        lambda about: shortened(about.facts.customer.name, NAME_COLUMNS),
        "text",
        "王女士",
        "how the customer is called",
        optional=True,
    ),
    "returning": Field(
        "customer.paid_orders",
        lambda about: about.facts.customer.paid_orders > 0,
        "yes/no",
        "yes",
        "whether the customer has paid an order of the shop before",
    ),
    "agent": Field(
        "customer.agent",
        lambda about: shortened(about.facts.customer.agent, NAME_COLUMNS),
        "text",
        "小林",
        "who of the shop speaks with the customer",
        optional=True,
    ),
    "product": Field(
        "order.items.0.name",
        product,
        "text",
        "连衣裙等3件商品",
        "the first item's short name and how many pieces; sensitive goods have none",
        optional=True,
    ),
    "spec": Field(
        "order.items.0.spec",
        spec,
        "text",
        "M码",
        "the specification, of an order with one item that is not sensitive",
        optional=True,
    ),
    "pieces": Field("order.items", pieces, "text", "3", "how many pieces the order has"),
    "note": Field(
        "order.buyer_note",
        note,
        "text",
        "请放门卫",
        "what the buyer wrote; a text message and sensitive goods have none",
        optional=True,
    ),
    "order_tail": Field(
        "order.id",
        order_tail,
        "text",
        "0001",
        f"the last {ORDER_TAIL_CHARACTERS} characters of the order's id",
    ),
    "placed": Field(
        "order.placed_at",
        lambda about: when(about.facts.order.placed_at, about),
        "time",
        "今天10:12",
        "when the order was placed, in the customer's zone",
    ),
    "closes": Field(
        "order.closes_at",
        lambda about: when(about.facts.order.closes_at, about),
        "time",
        "今天16:20",
        "when the order closes by itself, in the customer's zone",
    ),
    "left": Field("order.closes_at", left, "text", "1小时20分钟", "how long the order can still be paid"),
    "total": Field(
        "order.total",
        lambda about: money(about.facts.order.total, about),
        "money",
        "299元",
        "what is to be paid",
    ),
    "city": Field("order.receiver.city", city, "text", "杭州", "where the parcel goes", optional=True),
    "receiver": Field(
        "order.receiver.name",
        receiver,
        "text",
        "王**",
        "who gets the parcel, the first character alone; a call has none",
        optional=True,
    ),
    "ships_before": Field(
        "shipping.cutoff",
        ships_before,
        "time",
        "今天17:00",
        "paid before this the order ships today; there only where that can be promised",
        optional=True,
    ),
    "pay_url": Field(
        "order.pay_url",
        lambda about: one_line(about.facts.order.pay_url),
        "link",
        "https://pay.example/O-1",
        "where to pay; never cut",
    ),
    "pay_word": Field(
        "platform", pay_word, "text", "付款", "the word for paying; another one where the platform advises it"
    ),
    "orders_count": Field(
        "order.id",
        lambda about: str(len(orders(about))),
        "text",
        "2",
        "how many orders a merged message is about",
    ),
    "orders_total": Field(
        "order.total",
        orders_total,
        "money",
        "628元",
        "what is to be paid for all orders of a merged message",
    ),
    "orders_placed": Field(
        "order.placed_at",
        orders_placed,
        "text",
        "昨天19:40和今天9:15",
        "when each order of a merged message was placed",
    ),
    "orders_product": Field(
        "order.items.0.name",
        orders_product,
        "text",
        "连衣裙等3件商品",
        "the oldest order's first item and the pieces of a merged message; sensitive goods have none",
        optional=True,
    ),
    "orders_close": Field(
        "order.closes_at",
        lambda about: when(min(order.closes_at for order in orders(about)), about),
        "time",
        "今天19:40",
        "when the first order of a merged message closes by itself",
    ),
    **incentives.FIELDS,
}
"""Every field by the name that templates use."""

_READ = {name: field.read for name, field in FIELDS.items()}
