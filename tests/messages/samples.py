"""Made-up orders, and what it takes to render a message about them."""

from collections.abc import Sequence
from typing import Any

import msgspec

from dispatcher.messages.catalog import Catalog, Kind
from dispatcher.messages.rendering import Rendered, render
from dispatcher.messages.subjects import Subject, subject
from dispatcher.policy.decisions import Limits, Offer, Send
from dispatcher.policy.document import Policy, default_policy
from dispatcher.policy.facts import Channel, Customer, Facts, Item, Order, OrderState, Receiver, Rival
from dispatcher.policy.incentive_terms import Incentive, IncentiveKind, IncentiveUse

HOUR = 3_600_000
PLACED = 1_794_363_630_000  # 2026-11-11 10:20:30 in Shanghai, a Wednesday
CLOSES = PLACED + 24 * HOUR
NOW = {1: PLACED + 2 * HOUR, 2: CLOSES - 2 * HOUR}

POLICY = msgspec.structs.replace(default_policy(), shop_name="云裳服饰")
DRESS = Item(name="夏季连衣裙 碎花", price="299.00", spec="M码", availability="in_stock")
SOCKS = Item(name="棉袜", quantity=2, price="9.90")
ORDER = Order(
    id="20261111-0001",
    placed_at=PLACED,
    closes_at=CLOSES,
    total="299.00",
    currency="CNY",
    items=(DRESS,),
    pay_url="https://pay.example/O-1",
    receiver=Receiver(city="杭州"),
)
CUSTOMER = Customer(id="C-1", name="王女士", agent="小林", timezone="Asia/Shanghai")


def order(**changes: Any) -> Order:
    """The ordinary order with changes."""
    return msgspec.structs.replace(ORDER, **changes)


def customer(**changes: Any) -> Customer:
    """The ordinary customer with changes."""
    return msgspec.structs.replace(CUSTOMER, **changes)


def offer(kind: IncentiveKind, use: IncentiveUse = "this_order", **of: Any) -> Offer:
    """An incentive that lasts a week from the order's placing; `net` is what is left to pay."""
    net = of.pop("net", None)
    pool = Incentive(id="made-up", kind=kind, use=use, quantity=1, **of)
    return Offer(pool=pool, ends=PLACED + 7 * 24 * HOUR, net=net, until=CLOSES, again=False)


def about(step: int, channel: Channel, order: Order = ORDER, customer: Customer = CUSTOMER) -> Subject:
    """What a step's message is about, without a promise to ship today."""
    speech = Catalog.load().speeches[POLICY.locale]
    return subject(*decided(step, channel, order, customer, NOW[step]), POLICY, NOW[step], speech)


def rendered(
    catalog: Catalog,
    step: int,
    channel: Channel,
    *,
    about: Order = ORDER,
    to: Customer = CUSTOMER,
    ships_today: bool = False,
    policy: Policy = POLICY,
    now: int | None = None,
    others: Sequence[Order] = (),
    offer: Offer | None = None,
) -> Rendered:
    """The plain message for a step, two hours after the order or two hours before its close."""
    at = NOW[step] if now is None else now
    facts, send = decided(step, channel, about, to, at)
    send = carried(send, at, ships_today=ships_today, others=others, offer=offer)
    kind: Kind = "merged_orders" if others else "first_reminder" if step == 1 else "before_close"
    return render(catalog, facts, send, policy, at, catalog.templates[policy.locale, kind, channel])


def carried(
    send: Send,
    at: int,
    *,
    ships_today: bool = False,
    others: Sequence[Order] = (),
    offer: Offer | None = None,
) -> Send:
    """The decision with what its message tells; a call makes no offer."""
    carries = tuple(
        Rival(order=each.id, step=1, due=at, closes_at=each.closes_at, total=each.total, known=each)
        for each in others
    )
    offered = None if send.channel == "phone" else offer
    return msgspec.structs.replace(send, ships_today=ships_today, carries=carries, offer=offered)


def decided(step: int, channel: Channel, order: Order, customer: Customer, at: int) -> tuple[Facts, Send]:
    """A step's facts and what was decided of it, without a promise to ship today."""
    facts = Facts(
        shop="demo",
        order=order,
        customer=customer,
        state=OrderState.UNPAID,
        step=step,
        status="planned",
        moment=at,
        due=at,
        channel=channel,
    )
    send = Send(
        channel=channel,
        valid_until=at + HOUR,
        limits=Limits(day_start=at - 12 * HOUR, day_end=at + 12 * HOUR),
        ships_today=False,
        rules=(),
    )
    return facts, send
