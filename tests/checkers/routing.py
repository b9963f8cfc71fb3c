"""What is said of an order and its customer, and the channels that follow from it."""

from dataclasses import dataclass
from decimal import Decimal

from tests.checkers.terms import Terms
from tests.checkers.timing import URGENT, Answer, Slot, Times, place

CHANNELS = ("chat", "sms", "phone")


@dataclass(frozen=True, kw_only=True)
class Known:
    """An order as its newest event told it, and the shop's terms; instants in ms."""

    terms: Terms
    order: str
    zone: str
    placed_at: int
    closes_at: int
    total: str
    paid_orders: int

    @property
    def valuable(self) -> bool:
        """Whether total or paid orders reach a bound of the terms."""
        repeat, high = self.terms.repeat_orders, self.terms.high_value
        return (repeat is not None and self.paid_orders >= repeat) or (
            high is not None and Decimal(self.total) >= high
        )

    def spread(self, step: int, release: int, room: int) -> int:
        """Return how long after its release a step goes; `room` (ms) is the time there is."""
        early = self.valuable or self.closes_at - release <= URGENT
        return place(self.order, step, min(self.terms.over, room), early=early)

    def released(self, times: Times, slot: Slot, step: int) -> int:
        """Return when a step goes that gets a slot: what is anchored to a shared instant is spread."""
        assert slot.at is not None
        if not slot.anchored:
            return slot.at
        room = times.allowed_until(slot.at, self.closes_at) - slot.at
        later = slot.at + self.spread(step, slot.at, room)
        return slot.at if times.blocked(later) else later


@dataclass(frozen=True, kw_only=True)
class Reach:
    """Where the customer could be reached, as the record's routing rule tells."""

    addresses: tuple[str, ...] = ()
    forbidden: tuple[str, ...] = ()
    used: tuple[str, ...] = ()
    tried: tuple[str, ...] = ()

    def ranked(self, known: Known) -> tuple[list[str], str]:
        """Return the channels that may be taken, best first, and the reason for when there is none."""
        wanted = list(known.terms.channels)
        if known.valuable:
            wanted = ["phone", *(channel for channel in wanted if channel != "phone")]
        there = [
            channel
            for channel in wanted
            if channel in self.addresses and not (channel == "phone" and channel in self.used)
        ]
        allowed = [channel for channel in there if channel not in self.forbidden]
        untried = [channel for channel in allowed if channel not in self.tried]
        untried.sort(key=lambda channel: channel in self.used)
        if untried:
            return untried, ""
        return [], "attempts_used_up" if allowed else "no_consent" if there else "no_address"

    def answer(self, known: Known, outcome: str) -> Answer:
        """Return the routing rule as it should stand in the record."""
        inputs: dict[str, object] = {"total": known.total, "paid_orders": known.paid_orders}
        inputs["addresses"] = list(self.addresses)
        for name in ("forbidden", "used", "tried"):
            if found := getattr(self, name):
                inputs[name] = list(found)
        return Answer("routing", outcome, inputs)
