"""The one place that spells a key.

Every key of a shop carries its lane's hash tag, so that one script sees all it must check and lanes
spread over a cluster unchanged. `d1` is the version of the stored layout.
"""

from zlib import crc32

from dispatcher.policy.facts import CHANNELS, Channel
from dispatcher.policy.reminders import Status

LAYOUT = "d1"

META = f"{LAYOUT}:meta"
"""Hash: `lanes`, the number of lanes this store was first started with."""

ACCESS = f"{LAYOUT}:{{00}}:access"
"""Hash: id -> what a key of the API opens (`access.StoredKey`); with lane 00, whose audit has its records."""

SEPARATOR = "~"
"""Stands between the parts of a name; shop ids cannot contain it, so that names split without doubt."""

SEEN_BUCKET_MS = 24 * 3_600_000
"""Seen events are kept in one hash a shop and day."""

SEEN_BUCKETS = 5
"""Today's bucket and four before it: an event is remembered for at least 96 hours.

Tomorrow's is looked into as well, for what a process whose clock is ahead has taken.
"""


def lane_of(shop: str, lanes: int) -> int:
    """Return the lane that holds everything of `shop`."""
    return crc32(shop.encode()) % lanes


def reminder_id(shop: str, order: str, step: int) -> str:
    """Return the id of a reminder: readable, and enough to find its lane and its order."""
    return f"{shop}{SEPARATOR}{order}{SEPARATOR}{step}"


def split_reminder_id(reminder: str) -> tuple[str, str, int]:
    """Return (shop, order, step) of a reminder id; `ValueError` when it is none."""
    shop, rest = reminder.split(SEPARATOR, 1)
    order, step = rest.rsplit(SEPARATOR, 1)
    return shop, order, int(step)


class LaneKeys:
    """The keys of one lane."""

    def __init__(self, lane: int) -> None:
        prefix = f"{LAYOUT}:{{{lane:02d}}}:"
        self.number = lane
        self.lane = prefix + "lane"  # hash: seq, at, newest token; archived, digest of its audit archive
        self.audit = prefix + "audit"  # stream: audit records that are not archived yet, id = seq
        self.ready = prefix + "ready"  # sorted set: shop~channel -> when that queue's head is due
        self.leases = prefix + "leases"  # sorted set: reminder -> when its lease ends
        self.timers = prefix + "timers"  # sorted set: what housekeeping looks at next, and when
        self.counts = prefix + "counts"  # hash: counters of the lane, see `records.LATENESS_BUCKETS`
        self.order_prefix = prefix + "order:"
        self.facts_prefix = prefix + "facts:"
        self.ledger_prefix = prefix + "ledger:"
        self._prefix = prefix
        self.fixed = [self.lane, self.audit, self.ready, self.leases, self.timers, self.counts]

    def shop(self, shop: str) -> str:
        """Hash: `rev` grows with each change of policy or pause; `policy`, the version in force; `paused`."""
        return f"{self._prefix}shop:{shop}"

    def policies(self, shop: str) -> str:
        """Hash: version -> policy document as JSON; `<version>:about` -> when, by whom and why, as JSON."""
        return f"{self._prefix}policies:{shop}"

    def order(self, shop: str, order: str) -> str:
        """String: where the order and its reminders stand (`records.StoredOrder`)."""
        return f"{self.order_prefix}{shop}{SEPARATOR}{order}"

    def facts(self, shop: str, order: str) -> str:
        """String: what is known of order and customer, as JSON; apart, as it seldom changes."""
        return f"{self.facts_prefix}{shop}{SEPARATOR}{order}"

    def due(self, shop: str, channel: Channel) -> str:
        """Sorted set: reminders that wait for this channel -> when they are due."""
        return f"{self._prefix}due:{shop}{SEPARATOR}{channel}"

    def status(self, shop: str, status: Status) -> str:
        """Sorted set: reminders in one of the statuses `INDEXED` -> since when."""
        return f"{self._prefix}status:{shop}{SEPARATOR}{status}"

    def ledger(self, shop: str, customer: str) -> str:
        """Sorted set: reminders handed over to this customer -> when."""
        return f"{self.ledger_prefix}{shop}{SEPARATOR}{customer}"

    def seen(self, shop: str, bucket: int) -> str:
        """Hash: event -> digest and first answer, of the events received on one day."""
        return f"{self._prefix}seen:{shop}{SEPARATOR}{bucket}"

    def text(self, reminder: str) -> str:
        """String: the rendered text of a hand-off; erasable, the audit holds its hash."""
        return f"{self._prefix}text:{reminder}"


def queue(shop: str, channel: Channel) -> str:
    """Return the name of a queue in the lane's index."""
    return f"{shop}{SEPARATOR}{channel}"


def split_queue(name: str) -> tuple[str, Channel]:
    """Return (shop, channel) of a queue's name."""
    shop, channel = name.rsplit(SEPARATOR, 1)
    return shop, CHANNELS[CHANNELS.index(channel)]


def order_timer(shop: str, order: str) -> str:
    """Return the timer of an order: its close, later its retirement."""
    return f"o{SEPARATOR}{shop}{SEPARATOR}{order}"


def seen_timer(shop: str, bucket: int) -> str:
    """Return the timer of a bucket of seen events."""
    return f"e{SEPARATOR}{shop}{SEPARATOR}{bucket}"


def split_timer(timer: str) -> tuple[str, str, str]:
    """Return (kind, shop, order or bucket) of a timer, `kind` being `o` or `e`."""
    kind, shop, rest = timer.split(SEPARATOR, 2)
    return kind, shop, rest


def turns(worker: str) -> str:
    """Return the key of a worker's turns, a queue of arq's."""
    return f"{LAYOUT}:turns:{worker}"


def health(worker: str) -> str:
    """Return the key that exists while a worker is well."""
    return f"{LAYOUT}:worker:{worker}"
