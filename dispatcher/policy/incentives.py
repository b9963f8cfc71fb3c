"""Which incentive goes with a message: the first pool in the policy's order that fits, or none.

A message that names one is a promotion: it needs the customer's consent and goes in `PROMOTION_HOURS` only.
Where that does not hold, or no pool fits, the message goes in its plain form, as it does to who told of a
changed mind: they are not asked to pay any more. Calls carry none: what an agent reads is written when the
task is opened, and may be said much later.
"""

from decimal import Decimal
from typing import Any, NamedTuple, get_args
from zoneinfo import ZoneInfo

from msgspec.structs import replace

from dispatcher.policy.decisions import Offer, Rule, Send
from dispatcher.policy.facts import Facts, Instant, Order, PoolCount, WhyUnpaid
from dispatcher.policy.incentive_terms import Audience, Incentive
from dispatcher.policy.moments import moment_at
from dispatcher.policy.spans import opening
from dispatcher.policy.terms import Phone, Policy
from dispatcher.policy.zones import DAY, iso

PROMOTION_HOURS = (8 * 60, 21 * 60)
"""[start, end) in local minutes after midnight: the hours in which promotions may go."""

LEAST_TIME_TO_USE = DAY
"""An item for another order must be valid for so long (ms) when it is offered."""

LOWEST_SHARE = {"pdd": Decimal("0.7")}
"""Platform -> the least share of the goods' price that a changed price may come to, without freight."""

REASONS = frozenset(get_args(WhyUnpaid))

_HOURS = Phone(windows=(PROMOTION_HOURS,))


class _Case(NamedTuple):
    """What every pool is judged on."""

    facts: Facts
    policy: Policy
    now: Instant


def offer(facts: Facts, policy: Policy, now: Instant, tz: ZoneInfo, rules: list[Rule]) -> Offer | None:
    """The incentive that a message names; the recorded rule says why each pool before it was not."""
    consent = facts.customer.consent
    agreed = None if consent is None else consent.promotion
    inputs: dict[str, Any] = {"agreed": agreed}
    if facts.told == "changed_mind":
        rules.append(_plain(inputs | {"told": facts.told}))
        return None
    hours = opening(_HOURS, now, tz)
    assert hours is not None, "promotions have hours"
    if agreed is not True:
        rules.append(_plain(inputs))
        return None
    inputs |= {"zone": tz.key, "start": iso(hours[0]), "end": iso(hours[1])}
    if now < hours[0]:
        rules.append(_plain(inputs, iso(hours[0])))
        return None
    case = _Case(facts, policy, now)
    found = _again(case, inputs) if facts.offered is not None else _first(case, inputs)
    if found is None:
        rules.append(_plain(inputs))
        return None
    issued_until = _moment(found.pool.issue_until, policy)
    until = hours[1] if issued_until is None or found.again else min(hours[1], issued_until)
    inputs["pool"] = found.pool.id
    rules.append(Rule(rule="incentive", outcome="offered", inputs=inputs, until=iso(until)))
    return Offer(
        pool=found.pool, ends=found.ends, net=_net(found.pool, facts), until=until, again=found.again
    )


def without(decision: Send, why: str) -> Send:
    """The same decision in its plain form, no item being taken, its rule saying `why` it names none.

    It goes no later than it would have with the incentive.
    """
    if decision.offer is None:
        return decision
    rules = (
        _refused(rule, decision.offer, why) if rule.rule == "incentive" else rule for rule in decision.rules
    )
    return replace(decision, offer=None, rules=tuple(rules))


def _refused(rule: Rule, offer: Offer, why: str) -> Rule:
    inputs = {name: value for name, value in rule.inputs.items() if name != "pool"}
    return _plain(inputs | {"refused": {**inputs.get("refused", {}), offer.pool.id: why}})


def _plain(inputs: dict[str, Any], until: str | None = None) -> Rule:
    return Rule(rule="incentive", outcome="plain", inputs=inputs, until=until)


class _Found(NamedTuple):
    pool: Incentive
    ends: Instant
    again: bool


def _again(case: _Case, inputs: dict[str, Any]) -> _Found | None:
    """An order gets one item: a later message names the same, while its pool is there and it can be used."""
    facts = case.facts
    assert facts.offer_ends is not None, "an item that was offered has an end"
    inputs |= {"offered": facts.offered, "offer_ends": iso(facts.offer_ends)}
    for pool in case.policy.incentives or ():
        if pool.id == facts.offered:
            flaw = _useless(pool, facts.offer_ends, case) or _dear(pool, case, inputs)
            if flaw is None:
                return _Found(pool, facts.offer_ends, again=True)
            inputs["refused"] = {pool.id: flaw}
    return None


def _first(case: _Case, inputs: dict[str, Any]) -> _Found | None:
    seen: dict[str, PoolCount] = {}
    refused: dict[str, str] = {}
    inputs |= {"promoted": case.facts.order.promotion is not None, "pools": seen, "refused": refused}
    for pool in case.policy.incentives or ():
        ends = _ends(pool, case)
        count = case.facts.pools.get(pool.id)
        if count is not None:
            seen[pool.id] = count
        flaw = (
            _unissued(pool, case)
            or _for_others(pool, case, inputs)
            or _useless(pool, ends, case)
            or _dear(pool, case, inputs)
            or _emptied(pool, count)
        )
        if flaw is None:
            return _Found(pool, ends, again=False)
        refused[pool.id] = flaw
    return None


def _unissued(pool: Incentive, case: _Case) -> str | None:
    start, end = _moment(pool.issue_from, case.policy), _moment(pool.issue_until, case.policy)
    if (start is not None and case.now < start) or (end is not None and case.now >= end):
        return "not_issued"
    return "not_approved" if pool.kind == "price_change" and not pool.approved else None


def _for_others(pool: Incentive, case: _Case, inputs: dict[str, Any]) -> str | None:
    order = case.facts.order
    if pool.audience is not None:
        if not REASONS.isdisjoint(pool.audience):
            inputs["told"] = case.facts.told
        if not any(_is(who, case) for who in pool.audience):
            return "not_for"
    if pool.use != "this_order":
        return None
    if pool.threshold is not None and Decimal(order.total) < pool.threshold:
        return "below_threshold"
    return "does_not_add" if order.promotion is not None and not pool.stacks else None


def _is(who: Audience, case: _Case) -> bool:
    """Whether the customer is one of them; unlike the segments of routing, these may overlap."""
    routing, customer = case.policy.routing, case.facts.customer
    match who:
        case "first_time":
            return customer.paid_orders == 0
        case "repeat":
            return customer.paid_orders >= (routing.repeat_orders or 1)
        case "vip":
            grade = routing.vip_grade
            return grade is not None and customer.grade is not None and customer.grade >= grade
        case "high_value":
            return routing.high_value is not None and Decimal(case.facts.order.total) >= routing.high_value
    return who == case.facts.told


def _useless(pool: Incentive, ends: Instant, case: _Case) -> str | None:
    """What is said must still be true when the customer comes to use it."""
    needed = case.facts.order.closes_at if pool.use == "this_order" else case.now + LEAST_TIME_TO_USE
    return "ends_too_soon" if ends < needed else None


def _dear(pool: Incentive, case: _Case, inputs: dict[str, Any]) -> str | None:
    """Neither nothing is left to pay, nor less than the platform lets a price be changed to."""
    order = case.facts.order
    if pool.use != "this_order" or pool.amount is None:
        return None
    net = Decimal(order.total) - pool.amount
    if net <= 0:
        return "nothing_to_pay"
    share = LOWEST_SHARE.get(case.policy.platform)
    if pool.kind != "price_change" or share is None:
        return None
    inputs |= {
        "price": [item.price for item in order.items],
        "quantity": [item.quantity for item in order.items],
    }
    return "below_lowest_price" if net < share * _goods(order) else None


def _goods(order: Order) -> Decimal:
    """The price of the goods without freight; where a price is not known, all of the total."""
    total = Decimal(order.total)
    if any(item.price is None for item in order.items):
        return total
    return min(total, sum((Decimal(item.price or 0) * item.quantity for item in order.items), Decimal(0)))


def _emptied(pool: Incentive, count: PoolCount | None) -> str | None:
    if count is None:
        return "not_counted"
    if count.taken >= pool.quantity + count.added:
        return "used_up"
    return "had_enough" if pool.per_customer is not None and count.mine >= pool.per_customer else None


def _ends(pool: Incentive, case: _Case) -> Instant:
    """Until when an item that is offered now can be used; protection begins with the payment."""
    closes_at = case.facts.order.closes_at
    if pool.valid_for is not None:
        return (closes_at if pool.kind == "price_protection" else case.now) + pool.valid_for
    until = _moment(pool.valid_until, case.policy)
    return closes_at if until is None else until


def _net(pool: Incentive, facts: Facts) -> str | None:
    if pool.use != "this_order" or pool.amount is None:
        return None
    return str(Decimal(facts.order.total) - pool.amount)


def _moment(text: str | None, policy: Policy) -> Instant | None:
    return None if text is None else moment_at(text, policy.timezone)
