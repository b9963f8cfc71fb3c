"""What one message is about, and what its fields are read from."""

from collections.abc import Callable
from decimal import Decimal
from zoneinfo import ZoneInfo

import msgspec

from dispatcher.messages.times import Moment, said
from dispatcher.messages.values import Money, one_line, shortened, shortened_thing, without_stops
from dispatcher.messages.words import Words
from dispatcher.policy.decisions import Limits, Offer, Send
from dispatcher.policy.document import Policy
from dispatcher.policy.facts import Channel, Customer, Facts, Instant, Order, OrderState, Rival
from dispatcher.policy.shipping import cutoff_of_day
from dispatcher.policy.zones import MINUTE, day_number, zone

NAME_COLUMNS = 24
SHOP_COLUMNS = 40
SPEC_COLUMNS = 24
PRODUCT_COLUMNS: dict[Channel, int] = {"chat": 40, "sms": 20, "phone": 30}
NOTE_COLUMNS = 40
ORDER_TAIL_CHARACTERS = 4

ROUND_FROM = 10 * MINUTE
ROUND_TO = 5 * MINUTE
"""Time left, from `ROUND_FROM` on, is told in steps: a message is read some time after it was written."""

HIDDEN = "**"
"""Stands for all of a name but its first character."""


class Subject(msgspec.Struct, frozen=True, gc=False):
    """What one message is about; times are told as the clock in `zone` shows them, where it is `today`."""

    facts: Facts
    decision: Send
    policy: Policy
    now: Instant
    zone: ZoneInfo
    today: int
    speech: "Speech"


Part = Callable[[Subject], str]
"""Writes a sentence that many templates have."""


class Speech(msgspec.Struct, frozen=True, gc=False):
    """What the messages of a locale share: its words, and for each channel how an incentive is told."""

    words: Words
    incentives: dict[Channel, Part]


def subject(facts: Facts, decision: Send, policy: Policy, now: Instant, speech: Speech) -> Subject:
    """Put together what the fields are read from; times are told in the customer's zone, else the shop's."""
    tz = zone(facts.customer.timezone or policy.timezone)
    return Subject(facts, decision, policy, now, tz, day_number(now, tz), speech)


def if_sent(
    order: Order,
    customer: Customer,
    channel: Channel,
    now: Instant,
    *,
    shop: str,
    others: tuple[Order, ...] = (),
    ships_today: bool = False,
    offer: Offer | None = None,
) -> tuple[Facts, Send]:
    """Make up that a first reminder of an unpaid order goes now, naming the `others` too."""
    facts = Facts(
        shop=shop,
        order=order,
        customer=customer,
        state=OrderState.UNPAID,
        step=1,
        status="planned",
        moment=now,
        due=now,
        channel=channel,
    )
    send = Send(
        channel=channel,
        valid_until=order.closes_at,
        limits=Limits(day_start=now, day_end=now),
        ships_today=ships_today,
        rules=(),
        carries=tuple(
            Rival(order=one.id, step=1, due=now, closes_at=one.closes_at, total=one.total, known=one)
            for one in others
        ),
        offer=offer,
    )
    return facts, send


def when(instant: Instant, about: Subject) -> Moment:
    """The moment in words, as the customer's clock and the channel tell it."""
    words = about.speech.words
    return said(words.moment, instant // MINUTE, about.today, about.zone, about.decision.channel)


def shop(about: Subject) -> str | None:
    """The shop's name, else its id."""
    return shortened_thing(about.policy.shop_name, SHOP_COLUMNS) or shortened_thing(
        about.facts.shop, SHOP_COLUMNS
    )


def _hidden(about: Subject) -> bool:
    # One sensitive item hides them all: what lies beside it may tell as much.
    return True in [item.sensitive for item in about.facts.order.items]


def product(about: Subject) -> str | None:
    """The first item's short name and how many pieces; `None` beside sensitive goods."""
    items = about.facts.order.items
    if not items or _hidden(about):
        return None
    name = shortened_thing(items[0].name, PRODUCT_COLUMNS[about.decision.channel])
    if name is None:
        return None
    if len(items) > 1:
        return about.speech.words.several(name, sum(item.quantity for item in items))
    pieces = items[0].quantity
    return about.speech.words.pieces(name, pieces) if pieces > 1 else name


def pieces(about: Subject) -> str:
    """How many pieces the order has."""
    return str(sum(item.quantity for item in about.facts.order.items))


def spec(about: Subject) -> str | None:
    """The specification of a lone item that is not sensitive."""
    items = about.facts.order.items
    if len(items) != 1 or _hidden(about):
        return None
    return shortened_thing(items[0].spec, SPEC_COLUMNS)


def order_tail(about: Subject) -> str | None:
    """The end of the order's id."""
    line = one_line(about.facts.order.id)
    return line and line[-ORDER_TAIL_CHARACTERS:]


def city(about: Subject) -> str | None:
    """Where the parcel goes."""
    receiver = about.facts.order.receiver
    return shortened(receiver.city, SPEC_COLUMNS) if receiver else None


def receiver(about: Subject) -> str | None:
    """Who gets the parcel, in writing: the first character alone. An agent asks who is on the phone."""
    known = about.facts.order.receiver
    if about.decision.channel == "phone" or known is None:
        return None
    line = without_stops(known.name)
    return line and line[0] + HIDDEN


def note(about: Subject) -> str | None:
    """What the buyer wrote, where that can be answered, and not beside sensitive goods."""
    if about.decision.channel == "sms" or _hidden(about):
        return None
    return shortened(about.facts.order.buyer_note, NOTE_COLUMNS)


def left(about: Subject) -> str:
    """How long the order can still be paid, never told as longer than it is."""
    rest = max(0, about.facts.order.closes_at - about.now)
    return about.speech.words.lasting(rest - rest % ROUND_TO if rest >= ROUND_FROM else rest)


def pay_word(about: Subject) -> str:
    """The word for paying that the shop's platform has nothing against."""
    words = about.speech.words
    return words.pay_on.get(about.policy.platform, words.pay)


def money(value: Decimal | str, about: Subject) -> Money:
    """A sum in the order's currency."""
    return about.speech.words.money(str(value), about.facts.order.currency)


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
    return money(sum((Decimal(order.total) for order in orders(about)), Decimal(0)), about)


def orders_placed(about: Subject) -> str:
    """When each of them was placed."""
    told = list(dict.fromkeys(when(order.placed_at, about) for order in orders(about)))
    return about.speech.words.listed(told)


def orders_product(about: Subject) -> str | None:
    """The oldest order's first item and the pieces of all; `None` beside sensitive goods."""
    items = [item for order in orders(about) for item in order.items]
    if not items or any(item.sensitive for item in items):
        return None
    name = shortened_thing(items[0].name, PRODUCT_COLUMNS[about.decision.channel])
    pieces = sum(item.quantity for item in items)
    return name and about.speech.words.several(name, pieces)
