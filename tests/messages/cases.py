"""The orders whose messages stand word for word in `golden.toml`."""

from decimal import Decimal
from typing import Any

import msgspec

from tests.messages.samples import CUSTOMER, DRESS, HOUR, SOCKS, customer, offer, order

CASES: dict[str, dict[str, Any]] = {
    "ordinary": {},
    "ships_today": {"ships_today": True},
    "returning": {"to": customer(paid_orders=3)},
    "several_items": {"about": order(items=(DRESS, SOCKS), total="318.80")},
    "several_pieces": {"about": order(items=(msgspec.structs.replace(DRESS, quantity=2),), total="598.00")},
    "sensitive": {"about": order(items=(msgspec.structs.replace(DRESS, sensitive=True),))},
    "only_what_is_required": {
        "about": order(items=(msgspec.structs.replace(DRESS, spec=None),), receiver=None),
        "to": msgspec.structs.replace(CUSTOMER, name=None, agent=None, timezone=None),
    },
    "foreign_zone": {"to": customer(timezone="America/New_York"), "ships_today": True},
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
    "gift": {"to": customer(paid_orders=3), "ships_today": True, "offer": offer("gift", name="茶样2袋")},
    "gift_next_time": {"offer": offer("gift", "next_order", name="茶样2袋")},
    "free_shipping": {"offer": offer("free_shipping", amount=Decimal("10"), net="289.00")},
    "free_shipping_next_time": {"offer": offer("free_shipping", "next_order", threshold=Decimal("99"))},
    "priority_shipping": {"offer": offer("priority_shipping")},
    "price_protection": {"offer": offer("price_protection", valid_for=30 * 24 * HOUR)},
}
