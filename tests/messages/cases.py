"""The orders whose messages stand word for word in `golden.toml`."""

from typing import Any

import msgspec

from tests.messages.samples import CUSTOMER, DRESS, SOCKS, customer, order

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
}
