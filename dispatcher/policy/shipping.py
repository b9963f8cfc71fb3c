"""Whether an order paid now ships today: a promise, so everything it needs must be known to hold."""

from datetime import date

from dispatcher.policy.facts import Instant, Order
from dispatcher.policy.terms import Policy, Shipping
from dispatcher.policy.workdays import working_day
from dispatcher.policy.zones import MINUTE, day_number, instant, zone

TIME_TO_PAY = 30 * MINUTE
"""Less than this before the cut-off, nothing is promised."""

CHINESE_ZONES = frozenset(
    {"Asia/Shanghai", "Asia/Chongqing", "Asia/Harbin", "Asia/Urumqi", "Asia/Kashgar", "PRC"}
)


def ships_today(order: Order, policy: Policy, now: Instant) -> bool:
    """Whether all is in stock, today is a working day and the cut-off is half an hour away or more."""
    if policy.shipping is None or any(item.availability != "in_stock" for item in order.items):
        return False
    if now + TIME_TO_PAY > cutoff_of_day(policy.shipping, policy.timezone, now):
        return False
    today = date.fromordinal(day_number(now, zone(policy.timezone)))
    return working_day(today, chinese=_chinese(policy))


def cutoff_of_day(shipping: Shipping, timezone: str, now: Instant) -> Instant:
    """The cut-off of the shop's local day that holds an instant; a promise made that day ends with it."""
    tz = zone(timezone)
    return instant(date.fromordinal(day_number(now, tz)), shipping.cutoff, tz)


def _chinese(policy: Policy) -> bool:
    return policy.holidays == "cn" or policy.currency == "CNY" or policy.timezone in CHINESE_ZONES
