"""The incentives a shop may offer with a reminder, each from a pool that holds so many items and no more."""

from decimal import Decimal
from typing import Literal

import msgspec

IncentiveKind = Literal[
    "coupon", "gift", "free_shipping", "priority_shipping", "price_change", "price_protection"
]
IncentiveUse = Literal["this_order", "new_order", "next_order"]
"""Which order it can be used on: the unpaid one, another instead of it, or one after it."""

Audience = Literal[
    "first_time", "repeat", "vip", "high_value",
    "cannot_pay", "forgot", "price", "doubt", "comparing", "delivery",
]  # fmt: skip
"""What a customer is, or said in a call of why the order was not paid; a changed mind is offered nothing."""


class Incentive(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """A pool of `quantity` equal items (0 = none), and who may have one.

    `issue_from`, `issue_until`, `valid_until` are moments as they were written (see `moments`), `valid_for`
    is ms from the first hand-off that names the item. Without either, an item lasts until its order
    closes. `threshold` is the total from which it applies, `stacks` says whether it adds to other offers.
    """

    id: str
    kind: IncentiveKind
    use: IncentiveUse
    quantity: int
    name: str | None = None
    how: str | None = None
    amount: Decimal | None = None
    threshold: Decimal | None = None
    issue_from: str | None = None
    issue_until: str | None = None
    valid_for: int | None = None
    valid_until: str | None = None
    per_customer: int | None = None
    stacks: bool = False
    audience: tuple[Audience, ...] | None = None
    approved: bool = False
