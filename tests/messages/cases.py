"""The orders whose messages stand word for word in the golden files, and what the messages carry."""

from collections.abc import Iterator
from decimal import Decimal
from typing import Any

import msgspec

from dispatcher.messages.catalog import Catalog, Kind, Template
from dispatcher.messages.rendering import render_for
from dispatcher.messages.subjects import Subject, subject
from dispatcher.policy.facts import Customer, Order, Receiver
from dispatcher.policy.terms import Locale
from tests.messages.samples import (
    CLOSES,
    CUSTOMER,
    DRESS,
    HOUR,
    NOW,
    ORDER,
    PLACED,
    POLICY,
    SOCKS,
    carried,
    customer,
    decided,
    offer,
    order,
)

NOTED = order(receiver=Receiver(city="杭州", name="王小明"), buyer_note="请放门卫，谢谢")
EVENING = order(
    id="0002", placed_at=PLACED - 14 * HOUR, closes_at=CLOSES - 14 * HOUR, total="19.80", items=(SOCKS,)
)

PLAIN: dict[str, dict[str, Any]] = {
    "ordinary": {"about": NOTED},
    "sensitive": {
        "about": msgspec.structs.replace(NOTED, items=(msgspec.structs.replace(DRESS, sensitive=True),)),
        "others": [msgspec.structs.replace(EVENING, items=(msgspec.structs.replace(SOCKS, sensitive=True),))],
    },
    "only_what_is_required": {
        "about": order(items=(msgspec.structs.replace(DRESS, spec=None),), receiver=None),
        "to": msgspec.structs.replace(CUSTOMER, name=None, agent=None, timezone=None),
    },
    "everything": {
        "about": msgspec.structs.replace(NOTED, items=(DRESS, SOCKS), total="318.80"),
        "to": customer(paid_orders=3),
        "ships_today": True,
        "offer": offer("gift", name="茶样2袋"),
    },
}
"""What every template is told of."""

ON_PDD: dict[str, dict[str, Any]] = {
    "on_pdd": {
        "about": NOTED,
        "ships_today": True,
        "policy": msgspec.structs.replace(POLICY, platform="pdd"),
        "offer": offer("priority_shipping"),
    },
}
"""Where the word for paying is another one; English has only one."""

OFFERS: dict[str, dict[str, Any]] = {
    "coupon": {
        "offer": offer(
            "coupon",
            "next_order",
            amount=Decimal("20.00"),
            threshold=Decimal("199.00"),
            name="店铺券",
            how="下单时勾选“店铺券”即可",
        )
    },
    "coupon_for_a_new_order": {
        "offer": offer("coupon", "new_order", amount=Decimal("20.00"), stacks=True, how="在店铺首页领取")
    },
    "coupon_for_this_order": {
        "offer": offer("coupon", amount=Decimal("20.00"), net="279.00", how="付款时勾选")
    },
    "price_changed": {"offer": offer("price_change", amount=Decimal("30.50"), net="268.50", stacks=True)},
    "gift": {"offer": offer("gift", name="茶样2袋")},
    "gift_with_a_new_order": {"offer": offer("gift", "new_order", name="茶样2袋")},
    "gift_next_time": {"offer": offer("gift", "next_order", name="茶样2袋")},
    "free_shipping": {"offer": offer("free_shipping", amount=Decimal("10"), net="289.00")},
    "free_shipping_of_unknown_worth": {"offer": offer("free_shipping")},
    "free_shipping_with_a_new_order": {"offer": offer("free_shipping", "new_order")},
    "free_shipping_next_time": {"offer": offer("free_shipping", "next_order", threshold=Decimal("99"))},
    "priority_shipping": {"offer": offer("priority_shipping")},
    "price_protection": {"offer": offer("price_protection", valid_for=30 * 24 * HOUR)},
}
"""All that can be told of an incentive, shown by the template of a first reminder alone."""

CASES: dict[str, dict[str, Any]] = {
    "ordinary": {},
    "ships_today": {"ships_today": True},
    "returning": {"to": customer(paid_orders=3)},
    "several_items": {"about": order(items=(DRESS, SOCKS), total="318.80")},
    "several_pieces": {"about": order(items=(msgspec.structs.replace(DRESS, quantity=2),), total="598.00")},
    "sensitive": {"about": order(items=(msgspec.structs.replace(DRESS, sensitive=True),))},
    "only_what_is_required": PLAIN["only_what_is_required"],
    "foreign_zone": {"to": customer(timezone="America/New_York"), "ships_today": True},
    "gift_for_a_returning_customer": {
        "to": customer(paid_orders=3),
        "ships_today": True,
        "offer": offer("gift", name="茶样2袋"),
    },
    **OFFERS,
}
"""More orders, for what holds for the two plain kinds of messages."""

EARLY: tuple[Kind, ...] = (
    "first_reminder", "same_day_shipping", "check_details", "first_time", "repeat", "high_value",
    "merged_orders",
)  # fmt: skip
"""Messages two hours after the order; the others are two hours before it closes."""


def told(catalog: Catalog, locale: Locale, kind: Kind, template: Template) -> Iterator[tuple[str, str]]:
    """Each case with the text that a template makes of it."""
    cases = PLAIN | (ON_PDD if locale == "zh-CN" else {})
    if kind == "first_reminder" and template.channel != "phone":
        cases |= OFFERS
    for name, case in cases.items():
        yield name, text_of(catalog, locale, kind, template, **case)


def text_of(catalog: Catalog, locale: Locale, kind: Kind, template: Template, **case: Any) -> str:
    """What a template says of an order."""
    return render_for(template, subject_of(catalog, locale, kind, template, **case)).text


def subject_of(
    catalog: Catalog,
    locale: Locale,
    kind: Kind,
    template: Template,
    *,
    about: Order = ORDER,
    to: Customer = CUSTOMER,
    policy: Any = POLICY,
    **decision: Any,
) -> Subject:
    """What a template is told of an order; in a flash sale it closes half an hour after it was placed."""
    at = NOW[1 if kind in EARLY else 2]
    if kind == "flash_sale":
        about, at = msgspec.structs.replace(about, closes_at=PLACED + HOUR // 2), PLACED + HOUR // 12
    facts, send = decided(1, template.channel, about, to, at)
    if kind == "merged_orders":
        decision = {"others": decision.get("others", [EVENING])}
    send = carried(send, at, **decision)
    return subject(facts, send, policy, at, catalog.speeches[locale])
