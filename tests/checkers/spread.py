"""What falls on one instant is released over a time, not in one minute."""

from collections import Counter, defaultdict
from collections.abc import Iterable, Iterator, Sequence
from datetime import timedelta
from math import ceil, sqrt

from tests.checkers.handoffs import handoffs
from tests.checkers.localtime import MINUTE, clock, instant_of, local, of_day, within
from tests.checkers.records import OrderKey, Record, in_order, instant, order_key

Release = tuple[str, int]
"""(shop, release instant)."""


def minute_bound(reminders: int, over_ms: int) -> int:
    """Return how many of `reminders` released together one minute may get.

    Urgent and valuable ones are spread evenly over the first quarter of `over_ms`, the others over the rest.
    So the densest minute is expected to get `4 * reminders / over minutes`, reached when all are urgent. A
    hash places them, hence chance is added: five standard deviations of a Poisson count, and three.
    """
    expected = reminders * min(1.0, 4 * MINUTE / over_ms)
    return min(reminders, ceil(expected + 5 * sqrt(expected)) + 3)


def spread(
    records: Iterable[Record],
    over_ms: int,
    instants: Sequence[str],
    zone: str,
    quiet: tuple[str, str] | None = None,
) -> list[str]:
    """Find minutes that got more messages of one release than `minute_bound`.

    A release is the end of `quiet` or one of the fixed local times `instants`. A reminder belongs to it when
    its nominal moment lies in those quiet hours or is that time, or when it was deferred to it. Calls are
    left out: people claim them. An audit in which workers were away at a release is not judged fairly.
    """
    records = in_order(records)
    releases = _Releases(over_ms, instants, zone, quiet)
    for record in records:
        releases.read(record)
    together: dict[Release, list[int]] = defaultdict(list)
    for handoff in handoffs(records):
        if handoff.outcome != "claimed" and handoff.reminder in releases.of:
            together[releases.of[handoff.reminder]].append(handoff.at)
    return [
        violation for release, found in together.items() for violation in _crowded(release, found, over_ms)
    ]


def _crowded(release: Release, found: list[int], over_ms: int) -> Iterator[str]:
    bound = minute_bound(len(found), over_ms)
    for minute, count in sorted(Counter(at // MINUTE for at in found).items()):
        if count > bound:
            yield (
                f"minute {minute * MINUTE} has {count} of the {len(found)} hand-offs of {release[0]} put off "
                f"to {release[1]}, the bound is {bound}"
            )


class _Releases:
    """Which release each reminder belongs to."""

    def __init__(
        self, over_ms: int, instants: Sequence[str], zone: str, quiet: tuple[str, str] | None
    ) -> None:
        self.of: dict[str, Release] = {}
        self._over = over_ms
        self._quiet = quiet if quiet and quiet[0] != quiet[1] else None
        self._fixed = {clock(text) for text in (*instants, *(self._quiet or ())[1:])}
        self._zone = zone
        self._zones: dict[OrderKey, str] = {}

    def read(self, record: Record) -> None:
        kind, details, reminder = record["kind"], record["details"], record["reminder"]
        zone = self._zones.get(order_key(record), self._zone)
        if kind in {"order.accepted", "order.amended"}:
            self._zones[order_key(record)] = details.get("timezone") or self._zone
        elif kind == "reminder.planned":
            moment, due = instant(details["moment"]), instant(details["due"])
            self._set(reminder, record["shop"], self._of_moment(moment, due, zone))
        elif kind == "reminder.deferred":
            self._set(reminder, record["shop"], self._of_due(instant(details["due"]), zone))
        elif kind == "task.overflowed":
            self.of.pop(reminder, None)

    def _set(self, reminder: str, shop: str, release: int | None) -> None:
        self.of.pop(reminder, None)
        if release is not None:
            self.of[reminder] = shop, release

    def _of_moment(self, moment: int, due: int, zone: str) -> int | None:
        """The end of the quiet hours a moment lies in, their start if it goes before, or a fixed time."""
        if self._quiet and within(moment, *self._quiet, zone):
            start, end = (clock(text) for text in self._quiet)
            today, now, day = local(moment, zone).date(), of_day(moment, zone), timedelta(days=1)
            if due < moment:
                return instant_of(today if now >= start else today - day, start, zone)
            return instant_of(today if now < end else today + day, end, zone)
        return moment if of_day(moment, zone) in self._fixed else None

    def _of_due(self, due: int, zone: str) -> int | None:
        """The fixed time whose release a deferred reminder was put into."""
        today = local(due, zone).date()
        releases = (instant_of(today, fixed, zone) for fixed in self._fixed)
        return max((release for release in releases if release <= due <= release + self._over), default=None)
