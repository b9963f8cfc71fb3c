"""Whether an order paid now ships today: a promise, so everything it needs must be known to hold."""

from datetime import date
from functools import lru_cache
from zoneinfo import ZoneInfo

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
    if policy.shipping is None or now + TIME_TO_PAY > cutoff_of_day(policy.shipping, policy.timezone, now):
        return False
    for item in order.items:
        if item.availability != "in_stock":
            return False
    return _working(day_number(now, zone(policy.timezone)), chinese=_chinese(policy))


@lru_cache(maxsize=1024)
def _working(day: int, *, chinese: bool) -> bool:
    return working_day(date.fromordinal(day), chinese=chinese)


def cutoff_of_day(shipping: Shipping, timezone: str, now: Instant) -> Instant:
    """The cut-off of the shop's local day that holds an instant; a promise made that day ends with it."""
    tz = zone(timezone)
    return _cutoff(day_number(now, tz), shipping.cutoff, tz)


@lru_cache(maxsize=8192)
def _cutoff(day: int, minutes: int, tz: ZoneInfo) -> Instant:
    return instant(date.fromordinal(day), minutes, tz)


def _chinese(policy: Policy) -> bool:
    return policy.holidays == "cn" or policy.currency == "CNY" or policy.timezone in CHINESE_ZONES
