"""I3 and I4: how often and when a customer may be reminded, judged at the instant of hand-off.

What an agent did and reported afterwards breaks no rule, but counts against whatever came later.
"""

from collections import defaultdict
from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence

from tests.checkers.days import open_on
from tests.checkers.handoffs import Handoff, handoffs
from tests.checkers.localtime import local, within
from tests.checkers.records import Record, in_order
from tests.checkers.routing import CHANNELS
from tests.checkers.terms import MINUTE, Days


def caps(records: Iterable[Record], per_day: int, zone: str) -> list[str]:
    """Find hand-offs beyond `per_day` in the customer's local day, possible ones counted.

    `zone` is the shop's; a customer's own wins.
    """
    violations = []
    for customer, found in _by_customer(records).items():
        for nth, handoff in enumerate(found):
            today = local(handoff.at, handoff.zone or zone).date()
            count = sum(
                local(before.at, handoff.zone or zone).date() == today
                for before in found[: nth + 1]
                if before is handoff or before.known_at(handoff)
            )
            if count > per_day and not handoff.excused:
                violations.append(
                    f"{handoff} is number {count} of {today} for {'~'.join(customer)}, the cap is {per_day}"
                )
    return violations


def per_channel(records: Iterable[Record], limits: Mapping[str, int], zone: str) -> list[str]:
    """Find hand-offs by one channel beyond its limit in the customer's local day, possible ones counted."""
    records = list(records)
    return [
        f"{channel}: {violation}"
        for channel, most in limits.items()
        for violation in caps(
            (record for record in records if record["channel"] in {channel, None}), most, zone
        )
    ]


def open_tasks(records: Iterable[Record], most: int) -> list[str]:
    """Find tasks that were opened while as many as may be were open in their shop."""
    violations, found = [], defaultdict(set)
    for record in in_order(records):
        waiting = found[record["shop"]]
        if record["kind"] == "task.opened":
            if len(waiting) >= most:
                violations.append(
                    f"{record['reminder']} was opened beside {len(waiting)}, the limit is {most}"
                )
            waiting.add(record["reminder"])
        elif record["kind"] == "task.released":
            waiting.add(record["reminder"])
        elif record["reminder"] and record["kind"] != "reminder.deferred":
            waiting.discard(record["reminder"])
    return violations


def paced(records: Iterable[Record], channel: str, most: int) -> list[str]:
    """Find hand-offs of a shop by a channel that are more than `most` within 60 seconds."""
    found: dict[str, list[Handoff]] = defaultdict(list)
    for handoff in sorted(_possible(records), key=lambda handoff: handoff.at):
        if handoff.channel == channel:
            found[handoff.shop].append(handoff)
    return [
        f"{later} comes {later.at - earlier.at} ms after the {most}th before it, on {channel}"
        for handoffs_of in found.values()
        for earlier, later in zip(handoffs_of, handoffs_of[most:], strict=False)
        if later.at - earlier.at < MINUTE
    ]


def per_order(records: Iterable[Record], most: int) -> list[str]:
    """Find hand-offs of one order beyond `most`, possible ones counted."""
    orders: dict[tuple[str, str], list[Handoff]] = defaultdict(list)
    for handoff in sorted(handoffs(records), key=lambda handoff: handoff.at):
        orders[handoff.shop, handoff.order].append(handoff)
    return [
        f"{handoff} is number {nth} of its order, the cap is {most}"
        for found in orders.values()
        for place, handoff in enumerate(found)
        if (nth := 1 + sum(before.known_at(handoff) for before in found[:place])) > most
        and not handoff.excused
    ]


def gaps(records: Iterable[Record], min_gap_ms: int) -> list[str]:
    """Find hand-offs to one customer that follow each other sooner than `min_gap_ms`."""
    return [
        f"{later} comes {later.at - earlier.at} ms after {earlier}, the gap is {min_gap_ms}"
        for found in _by_customer(records).values()
        for earlier, later in _followed(found)
        if later.at - earlier.at < min_gap_ms
    ]


def quiet(records: Iterable[Record], start: str, end: str, zone: str) -> list[str]:
    """Find hand-offs in [start, end) local time; the window may cross midnight, equal ends mean none."""
    return [
        f"{handoff} is in quiet hours: {local(handoff.at, handoff.zone or zone)}"
        for handoff in _possible(records)
        if within(handoff.at, start, end, handoff.zone or zone)
    ]


def phone_windows(records: Iterable[Record], windows: Sequence[tuple[str, str]], zone: str) -> list[str]:
    """Find calls outside every window [start, end) local time."""
    return [
        f"{handoff} is outside the phone windows: {local(handoff.at, handoff.zone or zone)}"
        for handoff in _possible(records)
        if handoff.channel == "phone"
        and not any(within(handoff.at, start, end, handoff.zone or zone) for start, end in windows)
    ]


def closed_days(
    records: Iterable[Record], days: Days, zone: str, channels: Collection[str] = CHANNELS
) -> list[str]:
    """Find hand-offs on some channels on local days that are not among `days`."""
    return [
        f"{handoff} is on a closed day: {local(handoff.at, handoff.zone or zone):%A %Y-%m-%d}"
        for handoff in _possible(records)
        if handoff.channel in channels
        and not open_on(local(handoff.at, handoff.zone or zone).toordinal(), days)
    ]


def before_close(records: Iterable[Record]) -> list[str]:
    """Find hand-offs at or after the order's close, as it was known at the commit."""
    return [
        f"{handoff} is not before the order's close at {handoff.closes_at}"
        for handoff in _possible(records)
        if handoff.closes_at is not None and handoff.at >= handoff.closes_at
    ]


def while_valid(records: Iterable[Record]) -> list[str]:
    """Find messages handed over at or after the `valid_until` of their decision."""
    return [
        f"{handoff} was valid until {handoff.valid_until}"
        for handoff in handoffs(records)
        if handoff.outcome == "sent" and handoff.valid_until is not None and handoff.at >= handoff.valid_until
    ]


def _followed(found: Sequence[Handoff]) -> Iterator[tuple[Handoff, Handoff]]:
    """Yield each hand-off that a rule let go, behind the last one that was known of then."""
    for place, later in enumerate(found):
        before = [earlier for earlier in found[:place] if earlier.known_at(later)]
        if before and not later.excused:
            yield before[-1], later


def _possible(records: Iterable[Record]) -> list[Handoff]:
    return [handoff for handoff in handoffs(records) if handoff.possible and not handoff.excused]


def _by_customer(records: Iterable[Record]) -> dict[tuple[str, str], list[Handoff]]:
    found = defaultdict(list)
    for handoff in sorted(handoffs(records), key=lambda handoff: handoff.at):
        found[handoff.shop, handoff.person or handoff.customer].append(handoff)
    return found
