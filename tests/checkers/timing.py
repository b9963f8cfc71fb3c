"""The rules of time, recomputed: how each of them answers at an instant, and when none forbids it."""

from collections.abc import Iterator
from dataclasses import dataclass
from functools import lru_cache
from hashlib import blake2b
from typing import Any, NamedTuple

from tests.checkers.days import KNOWN_UNTIL
from tests.checkers.records import iso
from tests.checkers.spans import FOREVER, day_span, night_at, opening_at
from tests.checkers.terms import DAY, HOUR, Days, Terms

written = lru_cache(maxsize=100_000)(iso)
"""An instant in the audit's form."""


class Answer(NamedTuple):
    """What a rule says; `until` is when it says otherwise."""

    rule: str
    outcome: str
    inputs: dict[str, Any]
    until: int | None = None

    def as_recorded(self) -> dict[str, Any]:
        """Return it in the audit's form."""
        ever = self.until not in {None, FOREVER}
        return {
            "rule": self.rule,
            "outcome": self.outcome,
            "inputs": self.inputs,
            "until": written(self.until) if self.until is not None and ever else None,
        }


class Slot(NamedTuple):
    """The first free instant, `None` for never; `held` (ms) is the most that one night alone cost."""

    at: int | None
    first: str | None
    anchored: bool
    held: int


@dataclass(frozen=True, kw_only=True)
class Times:
    """The rules for a hand-off on a channel; `ledger` is the customer's, `None` where caps do not count."""

    terms: Terms
    zone: str
    channel: str
    ledger: tuple[int, ...] | None = None
    earliest: int | None = None
    today: tuple[int, int] | None = None
    promised: int | None = None

    def answers(self, at: int) -> Iterator[Answer]:
        """Yield the answer of each rule that is on, in their order.

        What is left of `today` (an instant, its hand-offs by this channel) is told by another rule.
        """
        return (answer for answer in self._answers(at) if answer.rule != "channel_cap")

    def _answers(self, at: int) -> Iterator[Answer]:
        if (earliest := self.earliest) is not None:
            yield _limit("earliest_after", at, earliest, {"earliest": written(earliest)})
        if (promised := self.promised) is not None:
            yield _limit("promise", at, promised, {"promised_until": written(promised)})
        if (night := self._night(at)) is not None:
            inside = night[0] <= at
            yield self._span("quiet_hours", night, self.terms.remind_on, inside=inside, blocks=inside)
        if (hours := self._opening(at)) is not None:
            inside = hours[0] <= at
            yield self._span("phone_window", hours, self.terms.call_on, inside=inside, blocks=not inside)
        if self.ledger is not None:
            yield from self._caps(at, self.ledger)

    def _night(self, at: int) -> tuple[int, int] | None:
        return night_at(at, self.terms.quiet, self.zone, self.terms.remind_on)

    def _opening(self, at: int) -> tuple[int, int] | None:
        if self.channel != "phone":
            return None
        return opening_at(at, self.terms.windows, self.zone, self.terms.call_on)

    def _span(
        self, rule: str, span: tuple[int, int], days: Days | None, *, inside: bool, blocks: bool
    ) -> Answer:
        inputs: dict[str, Any] = {"zone": self.zone, "start": written(span[0]), "end": written(span[1])}
        if days == "workdays cn":
            inputs["holidays_known_until"] = KNOWN_UNTIL
        return Answer(rule, "defer" if blocks else "pass", inputs, span[1] if inside else span[0])

    def _caps(self, at: int, ledger: tuple[int, ...]) -> Iterator[Answer]:
        if (per_day := self.terms.per_day) is not None:
            start, end = day_span(at, self.zone)
            used = sum(start <= handed < end for handed in ledger)
            free_again = end if per_day else FOREVER
            inputs = {"used": used, "per_day": per_day, "day_start": written(start), "day_end": written(end)}
            yield _limit("daily_cap", at, free_again if used >= per_day else at, inputs)
        if self.used_up(at):
            free_again = day_span(at, self.zone)[1] if self.terms.per_channel[self.channel] else FOREVER
            yield Answer("channel_cap", "defer", {}, free_again)
        if (gap := self.terms.min_gap) is not None:
            last = ledger[-1] if ledger else None
            inputs = {"last": written(last) if last is not None else None, "min_gap": gap}
            yield _limit("min_gap", at, at if last is None else last + gap, inputs)

    def used_up(self, at: int) -> bool:
        """Return whether as many hand-offs of the day as may be went by this channel."""
        most = self.terms.per_channel.get(self.channel)
        if most is None or self.today is None:
            return False
        same_day = day_span(at, self.zone) == day_span(self.today[0], self.zone)
        return (self.today[1] if same_day else 0) >= most

    def blocked(self, at: int) -> Answer | None:
        """Return the first rule that forbids an instant."""
        return next((answer for answer in self._answers(at) if answer.outcome == "defer"), None)

    def first_free(self, at: int, closes_at: int, since: int | None = None) -> Slot:
        """Return the first free instant before the close and within 31 days.

        A night that blocks at once counts as held from `since`.
        """
        first, last, held, anchored = None, min(closes_at, at + 31 * DAY), 0, False
        waits_from = at if since is None else min(at, since)
        while at < last and (stop := self.blocked(at)) is not None:
            assert stop.until is not None
            first = first or stop.rule
            held = max(held, stop.until - waits_from) if stop.rule == "quiet_hours" else held
            anchored = stop.rule in {"quiet_hours", "phone_window"}
            at = waits_from = stop.until
        return Slot(at if at < last else None, first, anchored, held)

    def allowed_until(self, at: int, closes_at: int) -> int:
        """Return how long a free instant's freedom lasts: to the night, the end of calls or the close."""
        night, hours = self._night(at), self._opening(at)
        ends = [closes_at] + ([night[0]] if night else []) + ([hours[1]] if hours else [])
        return min(ends)


def _limit(rule: str, at: int, free: int, inputs: dict[str, Any]) -> Answer:
    """A rule that forbids what comes before the instant `free`."""
    return Answer(rule, "defer", inputs, free) if at < free else Answer(rule, "pass", inputs)


def place(order: str, step: int, over: int, *, early: bool) -> int:
    """Return how far (ms) into a release of length `over` a step goes: the `early` ones in its first quarter.

    The place follows from the order's id and the step alone, in whole seconds.
    """
    if over <= 0:
        return 0
    digest = blake2b(f"{order}\0{step}".encode("utf-8", "surrogatepass"), digest_size=6).digest()
    share, quarter = int.from_bytes(digest, "big") / 2**48, over // 4
    exact = share * quarter if early else quarter + share * (over - quarter)
    return int(exact) // 1000 * 1000


URGENT = 4 * HOUR
"""What closes so soon after its release goes early."""
