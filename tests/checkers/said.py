"""What customers said and paid, as the audit tells it."""

from dataclasses import dataclass, replace

from tests.checkers.records import OrderKey, Record, instant, order_key
from tests.checkers.routing import CHANNELS


@dataclass(frozen=True, kw_only=True)
class Customer:
    """The channels not wanted (`*`: all) since when, the last reply, the newest payment, the pause."""

    opted_out: tuple[tuple[str, int], ...] = ()
    replied: int | None = None
    paid: int | None = None
    paused: int | None = None
    paused_by: str | None = None

    @property
    def unwanted(self) -> tuple[str, ...]:
        """The channels not to be used any more."""
        said = dict(self.opted_out)
        return tuple(channel for channel in CHANNELS if "*" in said or channel in said)


NOBODY = Customer()


class Said:
    """What was said, following one record after the other."""

    def __init__(self) -> None:
        self.customers: dict[tuple[str, str], Customer] = {}
        self._customer_of: dict[OrderKey, str] = {}
        self._ended_at: dict[OrderKey, int] = {}

    def of(self, record: Record) -> Customer:
        """Return what was said so far by the customer a record is about."""
        return self.customers.get((record["shop"], record["customer"]), NOBODY)

    def apply(self, record: Record) -> bool:
        """Follow one record; tell whether it is of a kind that there is."""
        kind, at = record["kind"], instant(record["at"])
        if kind in {"order.accepted", "order.paid", "order.cancelled", "order.retired"}:
            self._order(record, kind)
        elif kind == "customer.replied":
            replied = min(at, instant(record["details"]["time"]))
            self._put(record, replied=max(replied, self.of(record).replied or replied))
        elif kind == "customer.opted_out":
            opted_out = {record["channel"] or "*": at} | dict(self.of(record).opted_out)
            self._put(record, opted_out=tuple(sorted(opted_out.items())))
        elif kind == "customer.forgotten":
            self._put(record, replied=None, paid=None)
        elif kind in {"operator.paused", "operator.resumed"} and record["customer"] is not None:
            paused = (at, record["actor"]) if kind == "operator.paused" else (None, None)
            self._put(record, paused=paused[0], paused_by=paused[1])
        else:
            return not kind.startswith("customer.")
        return True

    def _order(self, record: Record, kind: str) -> None:
        key = order_key(record)
        if kind == "order.retired":
            self._customer_of.pop(key, None)
            self._ended_at.pop(key, None)
            return
        if kind == "order.accepted":
            self._customer_of[key] = record["customer"]
            # Only now it is known by whom it was paid.
            paid = record["details"].get("state") == "paid" and key in self._ended_at
        else:
            paid = kind == "order.paid" and key not in self._ended_at and key in self._customer_of
            self._ended_at.setdefault(key, instant(record["details"]["time"]))
        if paid:
            record = record | {"customer": self._customer_of[key]}
            at = min(self._ended_at[key], instant(record["at"]))
            self._put(record, paid=max(at, self.of(record).paid or at))

    def _put(self, record: Record, **changes: object) -> None:
        found = replace(self.of(record), **changes)  # type: ignore[arg-type]
        self.customers[record["shop"], record["customer"]] = found
        if found == NOBODY:
            del self.customers[record["shop"], record["customer"]]
