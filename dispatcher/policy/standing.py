"""The first questions to any reminder: is there still an order to be paid, and is it still the time?

Each records its rule and returns the reason to drop, or `None`.
"""

from decimal import Decimal
from functools import lru_cache
from zoneinfo import ZoneInfo

from dispatcher.policy.decisions import Rule
from dispatcher.policy.facts import Availability, CustomerStanding, Instant, Order, OrderState
from dispatcher.policy.terms import Policy
from dispatcher.policy.zones import day_bounds, iso, yesterday_start

_ORDER_STATES = {
    state: Rule(
        rule="order_state",
        outcome="pass" if state == OrderState.UNPAID else "drop",
        inputs={"state": str(state)},
    )
    for state in OrderState
}


def refuse_settled(state: OrderState, rules: list[Rule]) -> str | None:
    """Only an unpaid order is reminded of."""
    rule = _ORDER_STATES[state]
    rules.append(rule)
    return str(state) if rule.outcome == "drop" else None


def refuse_closed(order: Order, now: Instant, rules: list[Rule]) -> str | None:
    """At its close an order ends by itself."""
    refusal = "closed" if now >= order.closes_at else None
    closes_at = iso(order.closes_at)
    inputs = {"now": iso(now), "closes_at": closes_at}
    until = None if refusal else closes_at
    rules.append(Rule(rule="close", outcome=_outcome(refusal), inputs=inputs, until=until))
    return refusal


def refuse_late(
    due: Instant, policy: Policy, now: Instant, rules: list[Rule], pace: int | None = None
) -> str | None:
    """A stale reminder is worse than none; the pace of its channel is told, since it may be why."""
    if policy.max_late is None:
        return None
    refusal = "too_late" if now - due > policy.max_late else None
    inputs: dict[str, object] = {"now": iso(now), "due": iso(due), "max_late": policy.max_late}
    if pace is not None:
        inputs["pace"] = pace
    until = None if refusal else iso(due + policy.max_late + 1)
    rules.append(Rule(rule="late", outcome=_outcome(refusal), inputs=inputs, until=until))
    return refusal


def refuse_held(held: int, policy: Policy, rules: list[Rule]) -> str | None:
    """What the night kept too long (`held` ms) goes near the next opening or not at all."""
    if policy.quiet_hours is None or policy.quiet_hours.max_held is None:
        return None
    max_held = policy.quiet_hours.max_held
    refusal = "too_late" if held > max_held else None
    rules.append(_held(held, max_held, _outcome(refusal)))
    return refusal


@lru_cache(maxsize=1024)
def _held(held: int, max_held: int, outcome: str) -> Rule:
    return Rule(rule="held", outcome=outcome, inputs={"held": held, "max_held": max_held})


def refuse_sold_out(order: Order, rules: list[Rule]) -> str | None:
    """Nobody is asked to pay for what is gone."""
    rule = _stock(tuple([item.availability for item in order.items]))
    rules.append(rule)
    return "sold_out" if rule.outcome == "drop" else None


@lru_cache(maxsize=1024)
def _stock(availability: tuple[Availability | None, ...]) -> Rule:
    outcome = "drop" if "sold_out" in availability else "pass"
    return Rule(rule="stock", outcome=outcome, inputs={"availability": availability})


def refuse_small(order: Order, policy: Policy, rules: list[Rule]) -> str | None:
    """An order below the minimum is not worth a reminder."""
    if policy.suppression is None or policy.suppression.min_total is None:
        return None
    min_total = policy.suppression.min_total
    refusal = "below_minimum" if Decimal(order.total) < min_total else None
    inputs = {"total": order.total, "min_total": str(min_total)}
    rules.append(Rule(rule="minimum", outcome=_outcome(refusal), inputs=inputs))
    return refusal


def refuse_used_up(used: int, policy: Policy, rules: list[Rule]) -> str | None:
    """An order gets so many hand-offs and no more; `used` are those of its other steps."""
    if policy.caps is None or policy.caps.per_order is None:
        return None
    per_order = policy.caps.per_order
    refusal = "attempts_used_up" if used >= per_order else None
    rules.append(_order_cap(used, per_order, _outcome(refusal)))
    return refusal


@lru_cache(maxsize=1024)
def _order_cap(used: int, per_order: int, outcome: str) -> Rule:
    return Rule(rule="order_cap", outcome=outcome, inputs={"used": used, "per_order": per_order})


def refuse_replied(standing: CustomerStanding, policy: Policy, now: Instant, rules: list[Rule]) -> str | None:
    """Who has replied is talking with a person."""
    if policy.suppression is None or policy.suppression.quiet_after_reply is None:
        return None
    quiet, replied_at = policy.suppression.quiet_after_reply, standing.replied_at
    refusal = "replied" if replied_at is not None and now < replied_at + quiet else None
    rules.append(_replied(replied_at, quiet, now if replied_at is not None else None, _outcome(refusal)))
    return refusal


@lru_cache(maxsize=1024)
def _replied(replied_at: Instant | None, quiet: int, now: Instant | None, outcome: str) -> Rule:
    inputs: dict[str, object] = {"replied_at": _iso(replied_at), "quiet_after_reply": quiet}
    if now is not None:
        inputs["now"] = iso(now)
    until = replied_at + quiet if replied_at is not None and outcome == "drop" else None
    return Rule(rule="replied", outcome=outcome, inputs=inputs, until=_iso(until))


def refuse_paid_other(
    standing: CustomerStanding, policy: Policy, now: Instant, tz: ZoneInfo, rules: list[Rule]
) -> str | None:
    """Who paid another order since yesterday 00:00, as the customer's clock has it, is left alone."""
    if policy.suppression is None or not policy.suppression.paid_other_order:
        return None
    paid_at, since = standing.paid_other_at, yesterday_start(now, tz)
    refusal = "paid_other_order" if paid_at is not None and paid_at >= since else None
    rules.append(_paid_other(paid_at, since, tz, _outcome(refusal)))
    return refusal


@lru_cache(maxsize=1024)
def _paid_other(paid_at: Instant | None, since: Instant, tz: ZoneInfo, outcome: str) -> Rule:
    inputs = {"zone": tz.key, "paid_other_at": _iso(paid_at), "since": iso(since)}
    until = None
    if paid_at is not None and outcome == "drop":
        tomorrow = day_bounds(paid_at, tz)[1]
        until = day_bounds(tomorrow, tz)[1]
    return Rule(rule="paid_other_order", outcome=outcome, inputs=inputs, until=_iso(until))


def _iso(at: Instant | None) -> str | None:
    return None if at is None else iso(at)


def _outcome(refusal: str | None) -> str:
    return "drop" if refusal else "pass"
