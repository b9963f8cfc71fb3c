"""The one place that spells a key.

Every key of a shop carries its lane's hash tag, so that one script sees all it must check and lanes
spread over a cluster unchanged. `d1` is the version of the stored layout.
"""

from zlib import crc32

from dispatcher.policy.event_text import EVERY_SHOP, ID_SEPARATOR
from dispatcher.policy.facts import CHANNELS, EVERY_CHANNEL, Channel
from dispatcher.policy.reminders import Status

LAYOUT = "d1"

META = f"{LAYOUT}:meta"
"""Hash: `lanes`, the number of lanes this store was first started with; `pseudonyms`, their key."""

ACCESS = f"{LAYOUT}:{{00}}:access"
"""Hash: id -> what a key of the API opens (`access.StoredKey`); with lane 00, whose audit has its records."""

SEPARATOR = ID_SEPARATOR
"""Stands between the parts of a name."""

_CUSTOMER = f"c{SEPARATOR}"
"""What the timer of a customer starts with."""

ACCESS_LANE = 0
"""The lane in whose audit the keys of the API are, which belong to every shop."""

SEEN_BUCKET_MS = 24 * 3_600_000
"""Seen events are kept in one hash a shop and day."""

SEEN_BUCKETS = 5
"""Today's bucket and four before it: an event is remembered for at least 96 hours.

Tomorrow's is looked into as well, for what a process whose clock is ahead has taken.
"""


def lane_of(shop: str, lanes: int) -> int:
    """Return the lane that holds everything of `shop`, and the records whose shop it is."""
    return ACCESS_LANE if shop == EVERY_SHOP else crc32(shop.encode()) % lanes


def reminder_id(shop: str, order: str, step: int) -> str:
    """Return the id of a reminder: readable, and enough to find its lane and its order."""
    return f"{shop}{SEPARATOR}{order}{SEPARATOR}{step}"


def split_reminder_id(reminder: str) -> tuple[str, str, int]:
    """Return (shop, order, step) of a reminder id; `ValueError` when it is not spelled so."""
    shop, rest = reminder.split(SEPARATOR, 1)
    order, step = rest.rsplit(SEPARATOR, 1)
    number = int(step)
    if number < 1 or str(number) != step:
        raise ValueError("expected the number of a step")
    return shop, order, number


class LaneKeys:
    """The keys of one lane."""

    def __init__(self, lane: int) -> None:
        prefix = f"{LAYOUT}:{{{lane:02d}}}:"
        self.number = lane
        self.lane = prefix + "lane"  # hash: seq, at, newest token; archived, digest of its audit archive
        self.audit = prefix + "audit"  # stream: records not archived yet; id = seq of an entry's last
        self.ready = prefix + "ready"  # sorted set: shop~channel -> when that queue's head is due
        self.leases = prefix + "leases"  # sorted set: reminder -> when its lease ends
        self.timers = prefix + "timers"  # sorted set: what housekeeping looks at next, and when
        self.counts = prefix + "counts"  # hash: counters of the lane, see `records.LATENESS_BUCKETS`
        self.pauses = prefix + "pauses"  # hash: shop~channel (or shop~*) -> since when it is paused, by whom
        self.order_prefix = prefix + "order:"
        self.facts_prefix = prefix + "facts:"
        self.ledger_prefix = prefix + "ledger:"
        self.customer_prefix = prefix + "customer:"
        self.pace_prefix = prefix + "pace:"
        self.unpaid_prefix = prefix + "unpaid:"
        self._prefix = prefix
        self.fixed = [self.lane, self.audit, self.ready, self.leases, self.timers, self.counts]

    def shop(self, shop: str) -> str:
        """Hash: `rev` grows with each change of policy, pause, block or template; `policy`, the version in
        force, its `pools`, `pace.<channel>` and whether it decides about each order `alone`; `paused`;
        `blocked`, the number of addresses; `templates`, published as `<name>@<version>` parted by commas.
        """
        return f"{self._prefix}shop:{shop}"

    def policies(self, shop: str) -> str:
        """Hash: version -> policy document as JSON; `<version>:about` -> when, by whom and why, as JSON."""
        return f"{self._prefix}policies:{shop}"

    def templates(self, shop: str) -> str:
        """Hash: `<name>@<version>` and `<name>@draft` -> text of a template, with `:about` behind it when, by
        whom and why, as JSON; `<name>@newest` -> its newest version.
        """
        return f"{self._prefix}templates:{shop}"

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
        """String: reminders handed over to this customer -> when and by which channel (`ledgers.lua`)."""
        return f"{self.ledger_prefix}{shop}{SEPARATOR}{customer}"

    def shared(self, shop: str, person: str) -> str:
        """String: the same of all customers who share a phone number, by its pseudonym."""
        return f"{self._prefix}shared:{shop}{SEPARATOR}{person}"

    def customer(self, shop: str, customer: str) -> str:
        """String: what a customer said, and the newest payment, if any (`customers.StoredCustomer`)."""
        return f"{self.customer_prefix}{shop}{SEPARATOR}{customer}"

    def blocked(self, shop: str) -> str:
        """Hash: `phone:` or `chat:` and an address's pseudonym -> `blocking.Block` as JSON."""
        return f"{self._prefix}blocked:{shop}"

    def pace(self, shop: str, channel: Channel) -> str:
        """Sorted set: reminders handed over in the last minute -> by when, if the policy sets a pace."""
        return f"{self.pace_prefix}{shop}{SEPARATOR}{channel}"

    def unpaid(self, shop: str, customer: str) -> str:
        """List: this customer's unpaid orders, oldest first; those from before it was kept are not in it."""
        return f"{self.unpaid_prefix}{shop}{SEPARATOR}{customer}"

    def pools(self, shop: str) -> str:
        """Hash: what was taken of the shop's incentives and added to them (`lua/lib/incentives.lua`)."""
        return f"{self._prefix}pools:{shop}"

    def seen(self, shop: str, bucket: int) -> str:
        """Hash: event -> digest and first answer, of the events received on one day."""
        return f"{self._prefix}seen:{shop}{SEPARATOR}{bucket}"

    def text(self, reminder: str) -> str:
        """String: the rendered text of a hand-off; erasable, the audit holds its hash."""
        return f"{self._prefix}text:{reminder}"


def queue(shop: str, channel: str) -> str:
    """Return the name of a queue in the lane's indexes, or with `EVERY_CHANNEL` of all queues of a shop."""
    return f"{shop}{SEPARATOR}{channel}"


def split_queue(name: str) -> tuple[str, Channel]:
    """Return (shop, channel) of a queue's name; `ValueError` when it is not spelled so."""
    shop, channel = name.rsplit(SEPARATOR, 1)
    return shop, CHANNELS[CHANNELS.index(channel)]


def split_pause(name: str) -> tuple[str, tuple[Channel, ...]]:
    """Return (shop, channels) of what is paused by one name; `ValueError` when it is not spelled so."""
    shop, channel = name.rsplit(SEPARATOR, 1)
    return shop, CHANNELS if channel == EVERY_CHANNEL else (split_queue(name)[1],)


def order_timer(shop: str, order: str) -> str:
    """Return the timer of an order: its close, later its retirement."""
    return f"o{SEPARATOR}{shop}{SEPARATOR}{order}"


def seen_timer(shop: str, bucket: int) -> str:
    """Return the timer of a bucket of seen events."""
    return f"e{SEPARATOR}{shop}{SEPARATOR}{bucket}"


def customer_timer(shop: str, customer: str) -> str:
    """Return the timer of what is kept of a customer; of no customer, what all those of a shop start with."""
    return f"{_CUSTOMER}{shop}{SEPARATOR}{customer}"


def split_timer(timer: str) -> tuple[str, str, str]:
    """Return (kind, shop, order, bucket or customer) of a timer, `kind` being `o`, `e` or `c`.

    `ValueError` when it is not spelled so.
    """
    kind, shop, rest = timer.split(SEPARATOR, 2)
    if kind not in {"o", "c"} and (kind != "e" or str(int(rest)) != rest):
        raise ValueError("expected the timer of an order, of a bucket or of a customer")
    return kind, shop, rest


def loggable(name: str) -> str:
    """Return what a log may tell of a reminder or timer: of a customer's timer only its kind and shop."""
    return name if not name.startswith(_CUSTOMER) else SEPARATOR.join(name.split(SEPARATOR)[:2])


def turns(worker: str) -> str:
    """Return the key of a worker's turns, a queue of arq's."""
    return f"{LAYOUT}:turns:{worker}"


def health(worker: str) -> str:
    """Return the key that exists while a worker is well."""
    return f"{LAYOUT}:worker:{worker}"
