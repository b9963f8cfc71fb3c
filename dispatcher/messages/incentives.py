"""What templates may say of the incentive that a message names, value by value."""

from decimal import Decimal

from dispatcher.messages.subjects import Subject, when
from dispatcher.messages.values import amount, one_line
from dispatcher.policy.incentive_terms import Incentive, IncentiveKind, IncentiveUse
from dispatcher.policy.zones import DAY, HOUR

COUPON = "优惠券"
"""What a coupon without a name of its own is called."""


def promotes(about: Subject) -> bool:
    """Whether the message names an incentive, which makes it a promotion."""
    return about.decision.offer is not None


def is_kind(about: Subject, kind: IncentiveKind) -> bool:
    """Whether the incentive is of the kind; no where there is none."""
    offer = about.decision.offer
    return offer is not None and offer.pool.kind == kind


def is_for(about: Subject, use: IncentiveUse) -> bool:
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
    return None if pool is None else one_line(pool.name) or COUPON


def gift(about: Subject) -> str | None:
    """What is given; `None` of any other kind."""
    pool = _pool(about, "gift")
    return None if pool is None else one_line(pool.name)


def price_protection(about: Subject) -> str | None:
    """How long the price is protected, `30天` or `12小时`; `None` of any other kind."""
    pool = _pool(about, "price_protection")
    return None if pool is None or pool.valid_for is None else _lasting(pool.valid_for)


def how(about: Subject) -> str | None:
    """How it is used, in the shop's words."""
    pool = _pool(about)
    return None if pool is None else one_line(pool.how)


def saves(about: Subject) -> str | None:
    """What it saves."""
    pool = _pool(about)
    return None if pool is None else _money(pool.amount, about)


def threshold(about: Subject) -> str | None:
    """The total from which it applies."""
    pool = _pool(about)
    return None if pool is None else _money(pool.threshold, about)


def net(about: Subject) -> str | None:
    """What is left to pay for this order."""
    offer = about.decision.offer
    return None if offer is None else _money(offer.net, about)


def ends(about: Subject) -> str | None:
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


def _money(value: Decimal | str | None, about: Subject) -> str | None:
    return None if value is None else amount(str(value), about.facts.order.currency)


def _lasting(milliseconds: int) -> str:
    """`30天`, or `12小时` where it is no whole number of days; less than an hour counts as none."""
    days, rest = divmod(milliseconds, DAY)
    return f"{milliseconds // HOUR}小时" if rest else f"{days}天"
