"""An incentive in words: what templates may say of the one that a message names."""

from collections.abc import Callable

from dispatcher.messages.values import amount, one_line
from dispatcher.policy.decisions import Offer
from dispatcher.policy.facts import Instant, Order
from dispatcher.policy.zones import DAY, HOUR

Told = dict[str, str | bool]


def told(offer: Offer, order: Order, when: Callable[[Instant], str]) -> Told:
    """What is known of an incentive, by name; what is not is left out.

    `ends` of what is for the unpaid order is its close at the latest, since it cannot be paid after that.
    """
    pool = offer.pool
    ends = min(offer.ends, order.closes_at) if pool.use == "this_order" else offer.ends
    found: Told = {"kind": pool.kind, "use": pool.use, "ends": when(ends), "adds": pool.stacks}
    for name, text in (("name", one_line(pool.name)), ("how", one_line(pool.how))):
        if text is not None:
            found[name] = text
    amounts = {"saves": pool.amount, "threshold": pool.threshold, "net": offer.net}
    for name, value in amounts.items():
        if value is not None:
            found[name] = amount(str(value), order.currency)
    if pool.valid_for is not None:
        found["lasts"] = _lasting(pool.valid_for)
    return found


def _lasting(milliseconds: int) -> str:
    """`30天`, or `12小时` where it is no whole number of days; less than an hour counts as none."""
    days, rest = divmod(milliseconds, DAY)
    return f"{milliseconds // HOUR}小时" if rest else f"{days}天"
