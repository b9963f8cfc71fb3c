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
    grade: int | None

    @property
    def segment(self) -> str | None:
        """The first segment of the terms that the order fits."""
        terms = self.terms
        fits = {
            "high_value": _reaches(Decimal(self.total), terms.high_value),
            "vip": self.grade is not None and _reaches(self.grade, terms.vip_grade),
            "repeat": _reaches(self.paid_orders, terms.repeat_orders),
            "first_time": self.paid_orders == 0 and "first_time" in terms.segments,
        }
        return next((name for name, fitting in fits.items() if fitting), None)

    @property
    def valuable(self) -> bool:
        """Whether total, grade or paid orders reach a bound of the terms."""
        return self.segment in {"high_value", "vip", "repeat"}

    @property
    def wanted(self) -> list[str]:
        """The channels that the terms name for the order, best first."""
        others = list(self.terms.channels)
        if self.segment in self.terms.segments:
            return list(self.terms.segments[self.segment])
        return ["phone", *(each for each in others if each != "phone")] if self.valuable else others

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


def _reaches(value: int | Decimal, bound: int | Decimal | None) -> bool:
    return bound is not None and value >= bound


@dataclass(frozen=True, kw_only=True)
class Reach:
    """Where the customer could be reached, as the record's routing rule tells."""

    addresses: tuple[str, ...] = ()
    forbidden: tuple[str, ...] = ()
    used: tuple[str, ...] = ()
    tried: tuple[str, ...] = ()
    consented: tuple[str, ...] = ()
    sensitive: bool = False
    opted_out: tuple[str, ...] = ()
    blocked: tuple[str, ...] = ()
    open_tasks: int | None = None

    def refusal(self, channel: str, known: Known) -> str | None:
        """Return why a channel may not be used at all."""
        terms = known.terms
        if channel in self.opted_out:
            return "opted_out"
        if channel not in self.addresses or channel in self.blocked:
            return "no_address"
        if channel in self.forbidden or (channel in terms.consent_required and channel not in self.consented):
            return "no_consent"
        allowed = terms.sensitive_channels
        return "sensitive" if self.sensitive and allowed is not None and channel not in allowed else None

    def ranked(self, known: Known) -> tuple[list[str], str]:
        """Return the channels that may be taken, best first, and the reason for when there is none."""
        wanted = [channel for channel in known.wanted if not (channel == "phone" and channel in self.used)]
        refusals = {channel: self.refusal(channel, known) for channel in wanted}
        untried = [channel for channel in wanted if not refusals[channel] and channel not in self.tried]
        untried.sort(key=lambda channel: channel in self.used)
        if untried:
            return untried, ""
        if "opted_out" in refusals.values():
            return [], "opted_out"
        if None in refusals.values():
            return [], "attempts_used_up"
        # The reason tells what stands in the way of the channel that is nearest to being allowed.
        nearest = ("sensitive", "no_consent", "no_address")
        return [], next((reason for reason in nearest if reason in refusals.values()), "no_address")

    def answer(self, known: Known, outcome: str) -> Answer:
        """Return the routing rule as it should stand in the record."""
        inputs: dict[str, object] = {"total": known.total, "paid_orders": known.paid_orders}
        inputs["addresses"] = list(self.addresses)
        if known.segment:
            inputs["segment"] = known.segment
        if known.terms.vip_grade is not None:
            inputs["grade"] = known.grade
        if known.terms.consent_required:
            inputs["consented"] = list(self.consented)
        if known.terms.sensitive_channels is not None:
            inputs["sensitive"] = self.sensitive
        for name in ("forbidden", "used", "tried", "opted_out", "blocked"):
            if found := getattr(self, name):
                inputs[name] = list(found)
        if known.terms.max_open is not None and self.open_tasks is not None:
            inputs |= {"open_tasks": self.open_tasks, "max_open": known.terms.max_open}
        return Answer("routing", outcome, inputs)
