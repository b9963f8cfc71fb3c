"""What earlier audit records tell of what people said and did, for deciding again what came after."""

from typing import Any

from dispatcher.workflow.recorded import Record
from dispatcher.workflow.tasks import APPOINTED

Told = dict[str, Any]


class Heard:
    """Follows an audit record by record; what it tells has the names of facts."""

    def __init__(self) -> None:
        self._orders: dict[tuple[str, str | None], Told] = {}
        self._customers: dict[tuple[str, str], Told] = {}

    def note(self, record: Record) -> None:
        """Remember what a record says."""
        order, outcome = (record.shop, record.order), record.details.get("outcome")
        if record.kind == "task.completed" and outcome in APPOINTED:
            said = record.details[APPOINTED[outcome]]
            self._orders[order] = self._orders.get(order, {}) | {"promised_until": said}
        elif record.kind == "task.completed" and outcome == "refused":
            self._orders[order] = self._orders.get(order, {}) | {"refused_at": record.at}
        elif record.kind == "order.retired":
            self._orders.pop(order, None)
        elif record.kind == "operator.paused" and record.customer is not None:
            self._customers[record.shop, record.customer] = {"paused_since": record.at}
        elif record.kind == "operator.resumed" and record.customer is not None:
            self._customers.pop((record.shop, record.customer), None)

    def of(self, record: Record) -> Told:
        """Return what was said before a record, of its order and its customer."""
        of_customer = self._customers.get((record.shop, record.customer or ""), {})
        return self._orders.get((record.shop, record.order), {}) | of_customer


def by_hand(record: Record) -> Told:
    """Return where a reminder stood that began with an agent's own hand-off: due at once, where it went."""
    return {"due": record.at, "moment": record.at, "channel": record.channel}
