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
    return shipping_until(policy, now) is not None and all_in_stock(order)


def shipping_until(policy: Policy, now: Instant) -> Instant | None:
    """The cut-off until which what is in stock ships today, `None` where it is too near or does not come."""
    if policy.shipping is None:
        return None
    cutoff = cutoff_of_day(policy.shipping, policy.timezone, now)
    today = date.fromordinal(day_number(now, zone(policy.timezone)))
    in_time = now + TIME_TO_PAY <= cutoff and working_day(today, chinese=_chinese(policy))
    return cutoff if in_time else None


def all_in_stock(order: Order) -> bool:
    """Whether each line of the order is known to be in stock."""
    return {item.availability for item in order.items} <= {"in_stock"}


def cutoff_of_day(shipping: Shipping, timezone: str, now: Instant) -> Instant:
    """The cut-off of the shop's local day that holds an instant; a promise made that day ends with it."""
    tz = zone(timezone)
    return _cutoff(day_number(now, tz), shipping.cutoff, tz)


@lru_cache(maxsize=8192)
def _cutoff(day: int, minutes: int, tz: ZoneInfo) -> Instant:
    return instant(date.fromordinal(day), minutes, tz)


def _chinese(policy: Policy) -> bool:
    return policy.holidays == "cn" or policy.currency == "CNY" or policy.timezone in CHINESE_ZONES
