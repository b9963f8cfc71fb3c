"""Made-up orders that a template is tried on: an ordinary one, and those that lead to extremes."""

from decimal import Decimal
from typing import Any, get_args

import msgspec

from dispatcher.messages.subjects import Speech, Subject, if_sent, subject
from dispatcher.policy.decisions import Offer
from dispatcher.policy.document import Policy, default_policy
from dispatcher.policy.document_values import MAX_NAME
from dispatcher.policy.facts import (
    Channel,
    Customer,
    Instant,
    Item,
    Order,
    Receiver,
)
from dispatcher.policy.incentive_terms import Incentive, IncentiveKind, IncentiveUse
from dispatcher.policy.rivals import MOST_MERGED
from dispatcher.policy.terms import Platform
from dispatcher.policy.zones import DAY, HOUR

PLACED = 1_794_407_930_000  # 2026-11-11 22:38:50 in Shanghai, a Wednesday
NOW = PLACED + 13 * HOUR + HOUR // 4
_replace = msgspec.structs.replace
USES: tuple[IncentiveUse, ...] = get_args(IncentiveUse)

ENDLESS = "长" * 300
"""Longer than any field shows of a text."""

ENDLESS_LATIN = "long" * 75
"""The same in letters that take half the width."""

HOST = "pay.example"
"""Where the links of all of them lead."""

LONG_LINK = f"https://{HOST}/orders/20261111-000000000001?from=sms"


class Example(msgspec.Struct, frozen=True, kw_only=True):
    """An order with its customer, shop and moment; `name` says what it tries out.

    `others` are what a merged message carries beside it; a call makes no `offer`.
    """

    name: str
    order: Order
    others: tuple[Order, ...]
    customer: Customer
    policy: Policy
    ships_today: bool = False
    offer: Offer | None = None
    now: Instant = NOW

    def about(self, channel: Channel, speech: Speech, platform: Platform | None = None) -> Subject:
        """What a message on the channel is about, told in a language, on a platform if one is named."""
        facts, send = if_sent(
            self.order,
            self.customer,
            channel,
            self.now,
            shop="demo",
            others=self.others,
            ships_today=self.ships_today,
            offer=None if channel == "phone" else self.offer,
        )
        policy = self.policy if platform is None else _replace(self.policy, platform=platform)
        return subject(facts, send, policy, self.now, speech)


_ITEM = Item(name="夏季连衣裙 碎花", price="299.00", spec="M码", availability="in_stock")
_NOTE = "请放门卫，工作日送"
_ORDER = Order(
    id="20261111-0001",
    placed_at=PLACED,
    closes_at=PLACED + 24 * HOUR,
    total="299.00",
    currency="CNY",
    items=(_ITEM,),
    pay_url=f"https://{HOST}/O-1",
    buyer_note=_NOTE,
    receiver=Receiver(city="杭州", name="王小明"),
)
_OTHER = msgspec.structs.replace(_ORDER, id="20261111-0002", placed_at=PLACED - HOUR, items=(_ITEM, _ITEM))
_CUSTOMER = Customer(id="C-1", name="王女士", agent="小林", timezone="Asia/Shanghai")
_POLICY = msgspec.structs.replace(default_policy(), shop_name="云裳服饰")

TYPICAL = Example(name="typical", order=_ORDER, others=(_OTHER,), customer=_CUSTOMER, policy=_POLICY)


def _longest(name: str, endless: str) -> Example:
    """An order of which everything that may be long is."""
    return _replace(
        TYPICAL,
        name=name,
        order=_replace(
            _ORDER,
            items=(_replace(_ITEM, name=endless, spec=endless),),
            total="298701.50",
            receiver=Receiver(city=endless, name=endless),
            buyer_note=endless,
            pay_url=LONG_LINK,
        ),
        others=tuple(
            _replace(_OTHER, placed_at=PLACED + number * HOUR, total="298701.50")
            for number in range(1, MOST_MERGED)
        ),
        customer=_replace(_CUSTOMER, name=endless, agent=endless, paid_orders=3),
        policy=_replace(_POLICY, shop_name=endless),
        ships_today=True,
    )


_LONGEST = _longest("longest texts", ENDLESS)


def _offering(example: Example, kind: IncentiveKind, use: IncentiveUse, **of: Any) -> Example:
    """The example with an incentive of a pool that has what is given, told as policies have it at most."""
    pool = Incentive(id="example", kind=kind, use=use, quantity=1, **of)
    net = str(Decimal(example.order.total) - pool.amount) if pool.amount and use == "this_order" else None
    offer = Offer(pool=pool, ends=NOW + 30 * DAY, net=net, until=NOW + HOUR, again=False)
    return _replace(example, name=f"{kind} for {use}, {example.name}", offer=offer)


_LONG_WORDS = {"name": "名" * MAX_NAME, "how": "用" * MAX_NAME}
_WHAT = {"amount": Decimal("20.50"), "threshold": Decimal("199.50"), "how": "结算时勾选"}
_AMOUNT = {"amount": Decimal("10.50")}

_OFFERING = (
    _offering(TYPICAL, "coupon", "this_order", **_WHAT),
    _offering(TYPICAL, "coupon", "new_order", **_WHAT, stacks=True),
    *(_offering(_LONGEST, "coupon", use, **_WHAT | _LONG_WORDS) for use in USES),
    _offering(TYPICAL, "price_change", "this_order", **_AMOUNT, stacks=True),
    *(_offering(_LONGEST, "gift", use, **_LONG_WORDS) for use in USES),
    _offering(_LONGEST, "free_shipping", "this_order", **_AMOUNT),
    _offering(TYPICAL, "free_shipping", "this_order"),
    *(_offering(_LONGEST, "free_shipping", use, **_AMOUNT, threshold=Decimal(99)) for use in USES[1:]),
    _offering(TYPICAL, "priority_shipping", "this_order"),
    _offering(TYPICAL, "price_protection", "this_order", valid_for=30 * DAY),
)

EXAMPLES: tuple[Example, ...] = (
    TYPICAL,
    _replace(TYPICAL, name="ships today", ships_today=True),
    _replace(TYPICAL, name="returning", customer=_replace(_CUSTOMER, paid_orders=3)),
    _replace(
        TYPICAL,
        name="many pieces",
        order=_replace(_ORDER, items=(_ITEM, _replace(_ITEM, quantity=998)), total="298701.50"),
    ),
    _replace(
        TYPICAL, name="sensitive goods", order=_replace(_ORDER, items=(_replace(_ITEM, sensitive=True),))
    ),
    _replace(
        TYPICAL,
        name="only what is required",
        order=_replace(_ORDER, items=(_replace(_ITEM, spec=None),), receiver=None, buyer_note=None),
        customer=Customer(id="C-1"),
        policy=_replace(_POLICY, shop_name=None),
    ),
    _LONGEST,
    _longest("longest texts in Latin letters", ENDLESS_LATIN),
    _replace(
        TYPICAL,
        name="of last year",
        order=_replace(_ORDER, closes_at=PLACED + 366 * 24 * HOUR),
        now=PLACED + 365 * 24 * HOUR,
    ),
    *_OFFERING,
)
"""What every template is tried on; the first is the ordinary order."""
