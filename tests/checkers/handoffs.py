"""Hand-offs, certain and possible, as the audit tells them."""

from collections.abc import Iterable
from dataclasses import dataclass, replace

from tests.checkers.moves import GIVES_BACK
from tests.checkers.records import OrderKey, Record, in_order, instant, order_key


@dataclass(frozen=True, kw_only=True)
class Handoff:
    """A hand-off at instant `at`; `closes_at` and `zone` (the customer's own, if told) as its commit knew.

    A `person` stands for all customers who share a phone number and count as one.

    `outcome` is sent, claimed, uncertain, or in_flight when the audit ends before its outcome. One that is
    `reported` was made by an agent whatever any rule says, and is known from its record on, `seq`. One that
    is `excused` counts against others and breaks no rule itself: it was reported, or is not to be judged.
    """

    shop: str
    customer: str
    order: str
    step: int
    reminder: str
    channel: str
    at: int
    sending_at: int
    outcome: str
    valid_until: int | None = None
    closes_at: int | None = None
    zone: str | None = None
    person: str | None = None
    seq: int = 0
    reported: bool = False
    excused: bool = False

    def known_at(self, other: "Handoff") -> bool:
        """Whether it was known when another one was committed: it took its slot then or before."""
        return not self.reported or self.seq < other.seq

    @property
    def certain(self) -> bool:
        """Whether it is known to have been started."""
        return self.outcome in {"sent", "claimed"}

    @property
    def possible(self) -> bool:
        """Whether it happened or may have: a commit that was too old is not followed by a channel call."""
        return self.certain or self.valid_until is None or self.at < self.valid_until

    def __str__(self) -> str:
        return f"{self.reminder} ({self.outcome} on {self.channel} at {self.at})"


def handoffs(records: Iterable[Record]) -> list[Handoff]:
    """Return every hand-off that took place or may have, each with its outcome; a released claim is none."""
    reader = _Reader()
    for record in in_order(records):
        reader.read(record)
    return [*reader.found, *reader.pending.values()]


class _Reader:
    def __init__(self) -> None:
        self.found: list[Handoff] = []
        self.pending: dict[str, Handoff] = {}
        self.orders: dict[OrderKey, tuple[int, str | None]] = {}

    def read(self, record: Record) -> None:
        kind, details = record["kind"], record["details"]
        if kind in {"order.accepted", "order.amended"}:
            self.orders[order_key(record)] = instant(details["closes_at"]), details.get("timezone")
        elif kind == "reminder.sending":
            self.pending[record["reminder"]] = self._started(record, "in_flight")
        elif kind == "task.claimed":
            claimed = self._started(record, "claimed")
            self.found.append(replace(claimed, at=instant(details["handed_at"])))
        elif kind in {"reminder.sent", "reminder.uncertain"}:
            outcome = kind.removeprefix("reminder.")
            started = self.pending.pop(record["reminder"], None) or self._started(record, outcome)
            handed_at = details.get("handed_at")
            at = instant(handed_at) if handed_at else started.at
            reported = details.get("by_hand") == "reported"
            self.found.append(
                replace(
                    started, at=at, outcome=outcome, reported=reported, excused=started.excused or reported
                )
            )
        elif kind in GIVES_BACK:
            self.pending.pop(record["reminder"], None)
        if kind == "task.released":
            released = record["reminder"], "claimed"
            self.found = [each for each in self.found if (each.reminder, each.outcome) != released]

    def _started(self, record: Record, outcome: str) -> Handoff:
        closes_at, zone = self.orders.get(order_key(record), (None, None))
        valid_until = record["details"].get("valid_until")
        return Handoff(
            shop=record["shop"],
            customer=record["customer"],
            order=record["order"],
            step=record["step"],
            reminder=record["reminder"],
            channel=record["channel"],
            at=instant(record["at"]),
            sending_at=instant(record["at"]),
            outcome=outcome,
            valid_until=instant(valid_until) if valid_until else None,
            closes_at=closes_at,
            zone=zone,
            person=record["details"].get("person"),
            seq=record["seq"],
            excused=not record.get("judged", True),
        )
