"""Whether an order paid now ships today: a promise, so everything it needs must be known to hold."""

from datetime import date
from functools import lru_cache

from dispatcher.policy.facts import Instant, Order
from dispatcher.policy.terms import Policy
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
    tz = zone(policy.timezone)
    today = date.fromordinal(day_number(now, tz))
    if now + TIME_TO_PAY > instant(today, policy.shipping.cutoff, tz):
        return False
    return working_day(today, chinese=policy.currency == "CNY" or policy.timezone in CHINESE_ZONES)


@lru_cache(maxsize=1024)
def working_day(day: date, *, chinese: bool = True) -> bool:
    """Whether warehouses work: the Chinese calendar of holidays and make-up days, else Monday to Friday.

    For a year whose calendar is not known yet it is Monday to Friday too.
    """
    if chinese:
        # Its tables cost some milliseconds, which only shops with a cut-off pay.
        from chinese_calendar import is_workday  # noqa: PLC0415

        try:
            return bool(is_workday(day))
        except NotImplementedError:
            pass
    return day.weekday() < 5
