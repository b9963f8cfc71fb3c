"""A step whose own moment is too late for the order's close goes earlier, within the allowed hours."""

from dispatcher.policy.decisions import Rule
from dispatcher.policy.facts import Instant, OrderFacts
from dispatcher.policy.fitting import Fit
from dispatcher.policy.spread import offset
from dispatcher.policy.timing import LOOK_AHEAD, Timing
from dispatcher.policy.zones import FOREVER, MINUTE, iso

TIME_TO_PAY = 30 * MINUTE
"""So long before the close it goes, or in the middle of a life that is shorter than twice that."""

LEAST_TO_PAY = 5 * MINUTE
"""Later than this before the close it is of no use."""

LEAST_AGE = 5 * MINUTE
"""Nobody is reminded of an order sooner than this after placing it, unless the policy says so itself."""

BEFORE_NIGHT = 5 * MINUTE
"""What goes before the night ends this long before it: nothing goes in the last minute."""


def brought_forward(timing: Timing, facts: OrderFacts, now: Instant) -> Fit | None:
    """The last allowed time that leaves the customer time to pay, `None` where none is left.

    What many orders would share (the end of the allowed hours, or their beginning) is spread.
    """
    order = facts.order
    earliest = max(order.placed_at + LEAST_AGE, now)
    life = order.closes_at - order.placed_at
    latest = max(order.closes_at - min(TIME_TO_PAY, life // 2), earliest)
    room = _last_room(timing, earliest, latest, order.closes_at)
    if room is None:
        return None
    release, length = room
    due = release + offset(order, facts.customer, 1, timing.policy, release=release, room=length)
    inputs = {"closes_at": iso(order.closes_at), "earliest": iso(earliest), "latest": iso(latest)}
    return Fit(release=release, due=due, deadline=Rule(rule="deadline", outcome="pass", inputs=inputs))


def _last_room(
    timing: Timing, earliest: Instant, latest: Instant, closes_at: Instant
) -> tuple[Instant, int] | None:
    """Where the last allowed hours up to `latest`, else the first after it, take a step; with what room."""
    over = timing.policy.spread.over if timing.policy.spread else 0
    last = closes_at - LEAST_TO_PAY
    found = None
    at = max(earliest, closes_at - LOOK_AHEAD)
    while at <= last:
        start = timing.first_free(at, closes_at).at
        if start == FOREVER or start > (latest if found else last):
            break
        at = timing.allowed_until(start, closes_at)
        end = last if at == closes_at else at - BEFORE_NIGHT
        if start > latest and start <= end:
            return start, min(over, end - start)
        if latest <= end:
            found = latest, 0
        elif start <= end:
            found = max(start, end - over), min(over, end - start)
    return found
