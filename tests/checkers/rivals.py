"""What waits for a customer beside a reminder: the message carries it, or the better one gets the slot."""

from collections.abc import Iterable
from dataclasses import dataclass
from decimal import Decimal
from typing import Any

from tests.checkers.records import instant
from tests.checkers.spans import day_span
from tests.checkers.terms import HOUR, MINUTE, Terms
from tests.checkers.timing import Answer, Slot, Times, written

NAMED = 5
"""Orders in one message at most."""

SOON = 4 * HOUR
"""An order that closes within this time counts twice its total."""

WAITED_FOR = MINUTE
"""So long after it was due a better reminder is waited for."""


@dataclass(frozen=True, kw_only=True)
class Other:
    """A waiting reminder of another order, as a record tells it; `obstacle` says why it is not free to go."""

    order: str
    step: int
    due: int
    closes_at: int
    total: str
    obstacle: str | None

    def score(self, now: int) -> Decimal:
        """Return its value times its urgency."""
        return Decimal(self.total) * (2 if self.closes_at - now <= SOON else 1)

    def rank(self, now: int) -> tuple[Decimal, int, str]:
        """Return what sorts the better one first, then what is due first."""
        return -self.score(now), max(self.due, now), self.order

    def as_recorded(self, now: int) -> dict[str, Any]:
        """Return it in the audit's form."""
        return {
            "order": self.order,
            "step": self.step,
            "due": written(self.due),
            "closes_at": written(self.closes_at),
            "total": self.total,
            "score": str(self.score(now)),
            "obstacle": self.obstacle,
        }


def others(inputs: dict[str, dict[str, Any]]) -> tuple[Other, ...]:
    """Return the other reminders that a record's rules tell of."""
    told = [each for rule in ("merge", "arbitration") for each in inputs.get(rule, {}).get("others", ())]
    names = ("order", "step", "total", "obstacle")
    return tuple(
        Other(
            **{name: each[name] for name in names},
            due=instant(each["due"]),
            closes_at=instant(each["closes_at"]),
        )
        for each in told
    )


def merged(found: Iterable[Other], now: int, terms: Terms) -> tuple[Answer, list[Other]] | None:
    """Return the rule on merging and what a message carries; `None` where nothing else waits."""
    found = list(found)
    if terms.merge_within is None or not found:
        return None
    last = now + terms.merge_within
    free = [each for each in found if not each.obstacle and each.due <= last and each.closes_at > now]
    inputs = {"within": terms.merge_within, "others": [each.as_recorded(now) for each in found]}
    return Answer("merge", "pass", inputs), sorted(free, key=lambda each: each.rank(now))[: NAMED - 1]


def gives_way(
    own: Other, found: Iterable[Other], now: int, times: Times
) -> tuple[Answer, Slot | None, str] | None:
    """Return the rule on rivals, where the reminder goes instead (`None`: it goes now) and why.

    Without others, caps that make rivals of them, or with merging there is no such rule.
    """
    found, terms = list(found), times.terms
    if terms.merge_within is not None or not found or (terms.per_day is None and terms.min_gap is None):
        return None
    better = [
        each
        for each in found
        if not each.obstacle and each.due > now - WAITED_FOR and each.score(now) > own.score(now)
    ]
    reason, ahead = "min_gap", [each for each in better if each.due < now + (terms.min_gap or 0)]
    if not ahead and terms.per_day is not None:
        start, end = day_span(now, times.zone)
        left = terms.per_day - sum(start <= at < end for at in times.ledger or ())
        today = [each for each in better if each.due < end]
        reason, ahead = "daily_cap", today if len(today) >= left else []
    inputs = {"score": str(own.score(now)), "others": [each.as_recorded(now) for each in found]}
    if ahead:
        after = max([now, *(each.due for each in ahead)]) + WAITED_FOR
        slot = times.first_free(after, own.closes_at)
        if slot.at is not None:
            return Answer("arbitration", "defer", inputs, slot.at), slot, reason
    return Answer("arbitration", "pass", inputs), None, reason
