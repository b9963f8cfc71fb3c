"""What a script call carries: keys by their position, and what every script must know of a shop."""

from typing import Any

from dispatcher.policy.facts import CHANNELS, Instant
from dispatcher.policy.reminders import INDEXED
from dispatcher.storage import keys as names
from dispatcher.storage.commands import Command, Commit, Intake, Settlement, TaskEnd
from dispatcher.storage.keys import LaneKeys


class Call:
    """A script call being put together: its keys, each named once, and its shops."""

    def __init__(self, keys: LaneKeys) -> None:
        self.lane = keys
        self.keys = list(keys.fixed)
        self.shops: list[dict[str, Any]] = []
        self._shops: dict[str, int] = {}

    def key(self, key: str) -> int:
        """Name a key and return its position."""
        self.keys.append(key)
        return len(self.keys)

    def shop(self, shop: str) -> int:
        """Name a shop with all its keys, once, and return its number."""
        number = self._shops.get(shop)
        if number is None:
            due = {channel: self.key(self.lane.due(shop, channel)) for channel in CHANNELS}
            status = {status: self.key(self.lane.status(shop, status)) for status in INDEXED}
            key = self.key(self.lane.shop(shop))
            self.shops.append({"name": shop, "key": key, "due": due, "status": status})
            number = self._shops[shop] = len(self.shops)
        return number

    def shop_of_events(self, shop: str, now: Instant) -> int:
        """Name a shop with the keys of the events that it has seen, once, and return its number."""
        number = self.shop(shop)
        named = self.shops[number - 1]
        if "buckets" not in named:
            today = now // names.SEEN_BUCKET_MS
            days = (today, today + 1, *range(today - 1, today - names.SEEN_BUCKETS, -1))
            named["buckets"] = [self.key(self.lane.seen(shop, day)) for day in days]
            named["customer_timer"] = names.customer_timer(shop, "")
            named["order_timer"] = names.order_timer(shop, "")
            named["seen_timer"] = names.seen_timer(shop, today)
            named["seen_until"] = (today + names.SEEN_BUCKETS) * names.SEEN_BUCKET_MS
        return number

    def about(self, command: Command) -> None:
        """Fill in where the command finds what it is about."""
        shop = command.reminder.split(names.SEPARATOR, 1)[0]
        command.shop = self.shop(shop)
        command.order_key = self.key(self.lane.order(shop, command.order))
        if command.person is not None:
            command.ledger = self.key(self.lane.shared(shop, command.person))
        elif command.customer is not None:
            command.ledger = self.key(self.lane.ledger(shop, command.customer))
        if isinstance(command, Commit):
            self._about_commit(command, shop)
        elif isinstance(command, Settlement):
            if command.pool is not None:
                command.pools = self.key(self.lane.pools(shop))
        elif isinstance(command, TaskEnd) and command.address is not None:
            command.addresses = self.key(self.lane.blocked(shop))

    def _about_commit(self, commit: Commit, shop: str) -> None:
        """Fill in where the commit finds what is kept of its customer, and where its text goes."""
        if commit.customer is not None:
            commit.customer_key = self.key(self.lane.customer(shop, commit.customer))
        if commit.pace is not None and commit.channel is not None:
            commit.pace_key = self.key(self.lane.pace(shop, commit.channel))
        if commit.text is not None:
            commit.text_key = self.key(self.lane.text(commit.reminder))
        if commit.pool is not None:
            commit.pools = self.key(self.lane.pools(shop))

    def about_event(self, event: Intake, now: Instant) -> None:
        """Fill in where the event finds its shop and its order, or the customer who says something."""
        shop = event.shop_name
        event.shop = self.shop_of_events(shop, now)
        if event.order is not None:
            event.order_key = self.key(self.lane.order(shop, event.order))
            event.facts_key = self.key(self.lane.facts(shop, event.order))
            event.timer = names.order_timer(shop, event.order)
            if event.person is not None:
                event.shared = self.key(self.lane.shared(shop, event.person))
        elif event.customer is not None:
            event.customer_key = self.key(self.lane.customer(shop, event.customer))
