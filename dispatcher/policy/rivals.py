"""Several unpaid orders of one customer: one message carries them, or the best of them gets the slot."""

from decimal import Decimal
from typing import Any, NamedTuple

from dispatcher.policy.caps import used_in_day
from dispatcher.policy.decisions import Rule
from dispatcher.policy.facts import Facts, Instant, Rival
from dispatcher.policy.spread import URGENT_WITHIN
from dispatcher.policy.terms import Policy
from dispatcher.policy.timing import Slot, Timing
from dispatcher.policy.zones import FOREVER, MINUTE, day_bounds, iso

MOST_MERGED = 5
"""Orders that one message names, its own among them."""

URGENT_COUNTS = 2
"""How many times its total an urgent order counts."""

PATIENCE = MINUTE
"""How long a better reminder is waited for once it is due: what is held up longer holds up no other."""


class Yield(NamedTuple):
    """The slot that a reminder takes instead of the one it leaves to a better one, and why."""

    slot: Slot
    reason: str


def looks_around(policy: Policy) -> bool:
    """Whether a decision depends on what else waits for the customer."""
    caps = policy.caps
    return policy.merge is not None or (
        caps is not None and (caps.per_day is not None or caps.min_gap is not None)
    )


def carried(facts: Facts, timing: Timing, now: Instant, rules: list[Rule]) -> tuple[Rival, ...]:
    """The reminders that go with this one, the best first; only a text carries others, a call does not."""
    merge = timing.policy.merge
    if merge is None or not facts.others or timing.channel == "phone":
        return ()
    fitting = [
        other
        for other in facts.others
        if other.obstacle is None and other.due <= now + merge.within and now < other.closes_at
    ]
    inputs = {"within": merge.within, "others": [_told(other, now) for other in facts.others]}
    rules.append(Rule(rule="merge", outcome="pass", inputs=inputs))
    return tuple(sorted(fitting, key=lambda other: _rank(other, now))[: MOST_MERGED - 1])


def yields(facts: Facts, timing: Timing, now: Instant, rules: list[Rule]) -> Yield | None:
    """Where this reminder goes if a better one needs its slot; `None` if it goes now.

    Two of a customer are rivals when the caps let one of them go and not the other at its time. A reminder
    that would find no slot afterwards goes now.
    """
    if timing.policy.merge is not None or not facts.others or timing.channel == "phone":
        return None
    found = _better(facts, timing, now)
    if found is None:
        return None
    better, reason = found
    slot = None
    if better:
        slot = timing.first_free(max(now, *(each.due for each in better)) + PATIENCE, facts.order.closes_at)
    inputs = {
        "score": str(_score(facts.order.total, facts.order.closes_at, now)),
        "others": [_told(other, now) for other in facts.others],
    }
    if slot is None or slot.at == FOREVER:
        rules.append(Rule(rule="arbitration", outcome="pass", inputs=inputs))
        return None
    rules.append(Rule(rule="arbitration", outcome="defer", inputs=inputs, until=iso(slot.at)))
    return Yield(slot, reason)


def _better(facts: Facts, timing: Timing, now: Instant) -> tuple[list[Rival], str] | None:
    """The better reminders that would lose their slot to this one, and by which cap; `None` without caps."""
    caps = timing.caps
    if caps is None or (caps.per_day is None and caps.min_gap is None):
        return None
    own = _score(facts.order.total, facts.order.closes_at, now)
    better = [
        other
        for other in facts.others
        if other.obstacle is None
        and other.due > now - PATIENCE
        and _score(other.total, other.closes_at, now) > own
    ]
    near = [other for other in better if other.due < now + (caps.min_gap or 0)]
    if near or caps.per_day is None:
        return near, "min_gap"
    today = [other for other in better if other.due < day_bounds(now, timing.tz)[1]]
    left = caps.per_day - used_in_day(timing.ledger, now, timing.tz)
    return (today if len(today) >= left else []), "daily_cap"


def _score(total: str, closes_at: Instant, now: Instant) -> Decimal:
    """Value times urgency."""
    return Decimal(total) * (URGENT_COUNTS if closes_at - now <= URGENT_WITHIN else 1)


def _rank(other: Rival, now: Instant) -> tuple[Decimal, Instant, str]:
    return -_score(other.total, other.closes_at, now), max(other.due, now), other.order


def _told(other: Rival, now: Instant) -> dict[str, Any]:
    return {
        "order": other.order,
        "step": other.step,
        "due": iso(other.due),
        "closes_at": iso(other.closes_at),
        "total": other.total,
        "score": str(_score(other.total, other.closes_at, now)),
        "obstacle": other.obstacle,
    }
