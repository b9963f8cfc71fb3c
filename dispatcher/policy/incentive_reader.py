"""From the tables of a policy's incentives to the pools they mean, or to all that is wrong with them."""

from dispatcher.policy import document_values as values
from dispatcher.policy import incentive_values as own
from dispatcher.policy.document_table import Table
from dispatcher.policy.incentive_terms import Incentive
from dispatcher.policy.moments import moment_at, parse_moment
from dispatcher.policy.terms import Platform, Routing

SAVES = frozenset({"coupon", "price_change"})
"""Kinds that mean nothing without an amount."""

MAY_SAVE = SAVES | {"free_shipping"}
MUST_LAST = frozenset({"coupon", "price_protection"})
"""Kinds of which a customer must know until when they hold."""

ON_THE_UNPAID_ORDER = frozenset({"price_change", "priority_shipping", "price_protection"})

BOUND_OF = {"high_value": "high_value", "vip": "vip_grade"}
"""Whom a bound of the routing makes one of them."""


def read_incentives(
    root: Table, timezone: str | None, platform: Platform | None, routing: Routing
) -> tuple[Incentive, ...] | None:
    """The pools in a policy's table, in their order; `None` where it has none."""
    pools: list[Incentive] = []
    for row in root.tables("incentives", required=False):
        pool = _pool(row)
        _check_kind(row, pool)
        _check_times(row, pool, timezone)
        if pool.kind == "coupon" and pool.use == "this_order" and platform == "jd":
            row.refuse("use", "expected new_order or next_order: on jd a coupon is not for an order placed")
        for who in pool.audience or ():
            if who in BOUND_OF and getattr(routing, BOUND_OF[who]) is None:
                row.refuse("for", f"expected routing.{BOUND_OF[who]}, which says who is {who}")
        if pool.id and any(pool.id == other.id for other in pools):
            row.refuse("id", "expected an id that no pool before it has")
        pools.append(pool)
    return tuple(pools) or None


def _pool(row: Table) -> Incentive:
    pool = Incentive(
        id=row.take("id", own.pool_id, required=True) or "",
        kind=row.take("kind", own.kind, required=True) or "gift",
        use=row.take("use", own.use, required=True) or "this_order",
        quantity=row.take("quantity", values.count, required=True) or 0,
        name=row.take("name", values.name),
        how=row.take("how", values.name),
        amount=row.take("amount", own.some_amount),
        threshold=row.take("threshold", values.amount),
        issue_from=row.take("issue_from", parse_moment),
        issue_until=row.take("issue_until", parse_moment),
        valid_for=row.take("valid_for", values.some_time),
        valid_until=row.take("valid_until", parse_moment),
        per_customer=row.take("per_customer", values.count),
        stacks=row.take("stacks", values.yes_or_no) or False,
        audience=row.take("for", own.audience),
        approved=row.take("approved", values.yes_or_no) or False,
    )
    row.close()
    return pool


def _check_kind(row: Table, pool: Incentive) -> None:
    kind = pool.kind
    if kind in SAVES and not row.has("amount"):
        row.refuse("amount", f"expected an amount, since it is a {kind}")
    if kind not in MAY_SAVE and row.has("amount"):
        row.refuse("amount", f"expected none, since it is a {kind}")
    if kind == "gift" and not row.has("name"):
        row.refuse("name", "expected what is given, since it is a gift")
    if kind == "coupon" and not row.has("how"):
        row.refuse("how", "expected how it is used, since it is a coupon")
    if kind in ON_THE_UNPAID_ORDER and pool.use != "this_order":
        row.refuse("use", f"expected this_order, since it is a {kind}")
    if kind != "price_change" and row.has("approved"):
        row.refuse("approved", f"expected none, since it is a {kind}")
    if kind == "price_protection" and row.has("valid_until"):
        row.refuse("valid_until", "expected valid_for, since protection counts from the payment")


def _check_times(row: Table, pool: Incentive, timezone: str | None) -> None:
    if row.has("valid_for") and row.has("valid_until"):
        row.refuse("valid_until", "expected none, since valid_for is given")
    lasts = row.has("valid_for") or row.has("valid_until")
    if not lasts and (pool.kind in MUST_LAST or pool.use != "this_order"):
        row.refuse("valid_for", "expected valid_for or valid_until, since an item of it must be used later")
    if timezone is None:
        return
    start, end, last = (
        None if text is None else moment_at(text, timezone)
        for text in (pool.issue_from, pool.issue_until, pool.valid_until)
    )
    if start is not None and end is not None and start >= end:
        row.refuse("issue_until", "expected a time after issue_from")
    if start is not None and last is not None and start >= last:
        row.refuse("valid_until", "expected a time after issue_from")
