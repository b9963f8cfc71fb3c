"""What templates may say of the incentive that a message names, value by value."""

from decimal import Decimal

from dispatcher.messages.chinese import CHINESE
from dispatcher.messages.schema import Field
from dispatcher.messages.subjects import Subject, money, when
from dispatcher.messages.times import Moment
from dispatcher.messages.values import Money, without_stops
from dispatcher.policy.incentive_terms import Incentive, IncentiveKind, IncentiveUse


def promotes(about: Subject) -> bool:
    """Whether the message names an incentive, which makes it a promotion."""
    return about.decision.offer is not None


def _is(about: Subject, kind: IncentiveKind) -> bool:
    """Whether the incentive is of the kind; no where there is none."""
    offer = about.decision.offer
    return offer is not None and offer.pool.kind == kind


def _is_for(about: Subject, use: IncentiveUse) -> bool:
    """Whether it is used on such an order; no where there is none."""
    offer = about.decision.offer
    return offer is not None and offer.pool.use == use


def adds(about: Subject) -> bool:
    """Whether it adds to other offers; no where there is none."""
    offer = about.decision.offer
    return offer is not None and offer.pool.stacks


def coupon(about: Subject) -> str | None:
    """What the coupon is called; `None` of any other kind."""
    pool = _pool(about, "coupon")
    return None if pool is None else without_stops(pool.name) or about.speech.words.coupon


def gift(about: Subject) -> str | None:
    """What is given; `None` of any other kind."""
    pool = _pool(about, "gift")
    return None if pool is None else without_stops(pool.name)


def price_protection(about: Subject) -> str | None:
    """How long the price is protected, `30天` or `12小时`; `None` of any other kind."""
    pool = _pool(about, "price_protection")
    return None if pool is None or pool.valid_for is None else about.speech.words.lasting(pool.valid_for)


def how(about: Subject) -> str | None:
    """How it is used, in the shop's words."""
    pool = _pool(about)
    return None if pool is None else without_stops(pool.how)


def saves(about: Subject) -> Money | None:
    """What it saves."""
    pool = _pool(about)
    return None if pool is None else _money(pool.amount, about)


def threshold(about: Subject) -> Money | None:
    """The total from which it applies."""
    pool = _pool(about)
    return None if pool is None else _money(pool.threshold, about)


def net(about: Subject) -> Money | None:
    """What is left to pay for this order."""
    offer = about.decision.offer
    return None if offer is None else _money(offer.net, about)


def ends(about: Subject) -> Moment | None:
    """Until when it can be used.

    What is for the unpaid order ends with its close at the latest, since it cannot be paid after that.
    """
    offer = about.decision.offer
    if offer is None:
        return None
    closes_at = about.facts.order.closes_at
    return when(min(offer.ends, closes_at) if offer.pool.use == "this_order" else offer.ends, about)


def _pool(about: Subject, kind: IncentiveKind | None = None) -> Incentive | None:
    """The pool of the incentive, if it is of the kind."""
    offer = about.decision.offer
    return offer.pool if offer is not None and kind in (None, offer.pool.kind) else None


def _money(value: Decimal | str | None, about: Subject) -> Money | None:
    return None if value is None else money(value, about)


def told(about: Subject) -> str | None:
    """All that the message says of the incentive, in the words of the channel's part."""
    if about.decision.offer is None:
        return None
    say = about.speech.incentives.get(about.decision.channel)
    return say(about) or None if say else None


PATH = "incentives"
TOLD = "incentive"
"""The field of what is put together from the others."""

KINDS = ("coupon", "gift", "price_protection", "price_changed", "free_shipping", "priority_shipping")
"""The fields of which a promotion has one."""

FIELDS: dict[str, Field] = {
    "promotion": Field(PATH, promotes, "yes/no", "yes", "whether the message names an incentive"),
    TOLD: Field(
        PATH,
        told,
        "text",
        "今日16:20前付款赠茶样2袋。",
        "all that is to be said of the incentive, a whole sentence, as `parts/` of the language have it",
        optional=True,
        given_with=("promotion",),
    ),
    "coupon": Field(
        PATH, coupon, "text", "店铺券", f"the coupon's name, else {CHINESE.coupon}", optional=True
    ),
    "gift": Field(PATH, gift, "text", "茶样2袋", "what is given", optional=True),
    "price_protection": Field(
        PATH, price_protection, "text", "30天", "how long the price paid is protected", optional=True
    ),
    "price_changed": Field(
        PATH,
        lambda about: _is(about, "price_change"),
        "yes/no",
        "yes",
        "whether this order's price was changed",
    ),
    "free_shipping": Field(
        PATH, lambda about: _is(about, "free_shipping"), "yes/no", "yes", "whether shipping is free"
    ),
    "priority_shipping": Field(
        PATH,
        lambda about: _is(about, "priority_shipping"),
        "yes/no",
        "yes",
        "whether the order is shipped before others",
    ),
    "for_this_order": Field(
        PATH,
        lambda about: _is_for(about, "this_order"),
        "yes/no",
        "yes",
        "whether the incentive is for the unpaid order",
    ),
    "for_new_order": Field(
        PATH,
        lambda about: _is_for(about, "new_order"),
        "yes/no",
        "yes",
        "whether it is for an order placed instead of this one; neither: for the next order",
    ),
    "incentive_saves": Field(
        PATH,
        saves,
        "money",
        "20元",
        "what it saves",
        optional=True,
        given_with=("coupon", "price_changed", "incentive_net"),
    ),
    "incentive_net": Field(
        PATH,
        net,
        "money",
        "279元",
        "what is left to pay for this order",
        optional=True,
        given_with=("price_changed",),
    ),
    "incentive_threshold": Field(
        PATH, threshold, "money", "199元", "the total from which it applies", optional=True
    ),
    "incentive_how": Field(
        PATH, how, "text", "付款时勾选", "how it is used", optional=True, given_with=("coupon",)
    ),
    "incentive_ends": Field(
        PATH,
        ends,
        "time",
        "今天16:20",
        "until when it can be used",
        optional=True,
        given_with=("promotion", *KINDS),
    ),
    "incentive_adds": Field(PATH, adds, "yes/no", "yes", "whether it adds to other offers"),
}
"""The fields on the incentive that a message names; without one none is there, or yes."""
