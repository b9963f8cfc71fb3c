"""What one message is about, and what its fields are read from."""

from decimal import Decimal
from zoneinfo import ZoneInfo

import msgspec

from dispatcher.messages.times import Moment, told
from dispatcher.messages.values import Money, amount, one_line, shortened
from dispatcher.policy.decisions import Send
from dispatcher.policy.document import Policy
from dispatcher.policy.facts import Channel, Facts, Instant, Order
from dispatcher.policy.shipping import cutoff_of_day
from dispatcher.policy.zones import zone

NAME_COLUMNS = 24
SHOP_COLUMNS = 40
SPEC_COLUMNS = 24
PRODUCT_COLUMNS: dict[Channel, int] = {"chat": 40, "sms": 20, "phone": 30}
ORDER_TAIL_CHARACTERS = 4


class Subject(msgspec.Struct, frozen=True, gc=False):
    """What one message is about; times are told as the clock in `zone` shows them."""

    facts: Facts
    decision: Send
    policy: Policy
    now: Instant
    zone: ZoneInfo


def subject(facts: Facts, decision: Send, policy: Policy, now: Instant) -> Subject:
    """Put together what the fields are read from; times are told in the customer's zone, else the shop's."""
    return Subject(facts, decision, policy, now, zone(facts.customer.timezone or policy.timezone))


def when(instant: Instant, about: Subject) -> Moment:
    """The moment in words, as the customer's clock and the channel tell it."""
    return told(instant, about.now, about.zone, about.decision.channel)


def shop(about: Subject) -> str | None:
    """The shop's name, else its id."""
    return shortened(about.policy.shop_name, SHOP_COLUMNS) or shortened(about.facts.shop, SHOP_COLUMNS)


def _hidden(about: Subject) -> bool:
    # One sensitive item hides them all: what lies beside it may tell as much.
    return any(item.sensitive for item in about.facts.order.items)


def product(about: Subject) -> str | None:
    """The first item's short name and how many pieces; `None` beside sensitive goods."""
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


def spec(about: Subject) -> str | None:
    """The specification of a lone item that is not sensitive."""
    items = about.facts.order.items
    if len(items) != 1 or _hidden(about):
        return None
    return shortened(items[0].spec, SPEC_COLUMNS)


def order_tail(about: Subject) -> str | None:
    """The end of the order's id."""
    line = one_line(about.facts.order.id)
    return line and line[-ORDER_TAIL_CHARACTERS:]


def city(about: Subject) -> str | None:
    """Where the parcel goes."""
    receiver = about.facts.order.receiver
    return shortened(receiver.city, SPEC_COLUMNS) if receiver else None


def ships_before(about: Subject) -> str | None:
    """Paid before this the order ships today, where the decision says that it can."""
    shipping = about.policy.shipping
    if shipping is None or not about.decision.ships_today:
        return None
    cutoff = cutoff_of_day(shipping, about.policy.timezone, about.now)
    # An order that closes earlier can only be paid until then.
    return when(min(cutoff, about.facts.order.closes_at), about)


def orders(about: Subject) -> list[Order]:
    """The orders of a merged message, the oldest first."""
    carried = (each.known for each in about.decision.carries)
    known = [about.facts.order, *(order for order in carried if order is not None)]
    return sorted(known, key=lambda order: (order.placed_at, order.id))


def orders_total(about: Subject) -> Money:
    """What is to be paid for all orders of a merged message."""
    total = sum((Decimal(order.total) for order in orders(about)), Decimal(0))
    return amount(str(total), about.facts.order.currency)


def orders_placed(about: Subject) -> str:
    """When each of them was placed."""
    times = list(dict.fromkeys(when(order.placed_at, about) for order in orders(about)))
    return "和".join(filter(None, ("、".join(times[:-1]), times[-1])))


def orders_product(about: Subject) -> str | None:
    """The oldest order's first item and the pieces of all; `None` beside sensitive goods."""
    items = [item for order in orders(about) for item in order.items]
    if not items or any(item.sensitive for item in items):
        return None
    name = shortened(items[0].name, PRODUCT_COLUMNS[about.decision.channel])
    pieces = sum(item.quantity for item in items)
    return name and f"{name}等{pieces}件商品"
