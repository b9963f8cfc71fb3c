"""Rebuilds the present state from the audit alone (promise I6)."""

from collections import Counter
from collections.abc import Iterable
from dataclasses import replace

from tests.checkers.items import Items
from tests.checkers.moves import CHANGES_ORDER, COMMITS, GIVES_BACK, RESCHEDULES, after
from tests.checkers.records import OrderKey, Record, in_order, instant, name, order_key
from tests.checkers.said import Said
from tests.checkers.shops import configured
from tests.checkers.state import Order, Reminder, Shop, State, counter, essential, shared
from tests.checkers.templates import in_force

RECORDS_KEPT = 500
"""So many records about an order are remembered with it, the newest."""

LATE = (100, 250, 500, 1_000, 2_000, 5_000, 30_000)
"""Bounds in ms by which hand-offs are counted after they were due; later ones are counted together."""

WRITTEN = COMMITS | {"task.opened"}
"""What is written by a template, by the one in force."""

ENDS = {"order.paid": "paid", "order.cancelled": "cancelled", "order.closed": "closed"}


def replay(records: Iterable[Record]) -> State:
    """Return the state the records lead to; illegal records change nothing and stand in `problems`."""
    replayer = Replayer()
    for record in in_order(records):
        replayer.apply(record)
    return replayer.result()


class Replayer:
    """A state that follows one record after the other."""

    def __init__(self) -> None:
        self.state = State()
        self._steps: dict[OrderKey, set[str]] = {}
        self._holder: dict[str, tuple[str, str]] = {}
        self._carried: dict[str, set[str]] = {}
        self._customers: dict[OrderKey, str] = {}
        self._said = Said()
        self._items = Items()

    def result(self) -> State:
        """Return the state so far, without what has no meaning any more."""
        state = self.state
        return State(
            orders=dict(state.orders),
            reminders={reminder: essential(found) for reminder, found in state.reminders.items()},
            slots={customer: dict(slots) for customer, slots in state.slots.items() if slots},
            shops={shop: found for shop, found in state.shops.items() if found != Shop()},
            customers=dict(self._said.customers),
            pools=self._items.held(),
            records={key: list(found) for key, found in state.records.items()},
            counts=dict(state.counts),
            problems=list(state.problems),
        )

    def status(self, reminder: str) -> str | None:
        """Return the present status of a reminder, `None` when nothing was said of it."""
        found = self.state.reminders.get(reminder)
        return found.status if found else None

    def order_state(self, record: Record) -> str | None:
        """Return the present state of a record's order, `None` when nothing was said of it."""
        found = self.state.orders.get(order_key(record))
        return found.state if found else None

    def steps(self, order: OrderKey) -> list[tuple[str, str]]:
        """Return (reminder, present status) of every reminder of an order."""
        return [(found, self.state.reminders[found].status) for found in sorted(self._steps.get(order, ()))]

    def customer(self, order: OrderKey) -> str | None:
        """Return whose order it is, `None` while nothing was told of it."""
        return self._customers.get(order)

    def carriers(self, order: OrderKey) -> set[str]:
        """Return the reminders of other orders whose messages stand for some of an order's."""
        found = (self.state.reminders[reminder].carrier for reminder in self._steps.get(order, ()))
        return {carrier for carrier in found if carrier is not None}

    def apply(self, record: Record) -> None:
        """Follow one record."""
        kind = record["kind"]
        self._count(record)
        if not self._said.apply(record):
            self._problem(record, "is of no kind we know")
        for problem in self._items.apply(record):
            self._problem(record, problem)
        if record["order"] is not None:
            kept = self.state.records.setdefault(order_key(record), [])
            kept.append(record["seq"])
            del kept[:-RECORDS_KEPT]
        if kind in {"order.accepted", "order.amended"}:
            self._told(record)
        elif kind in ENDS:
            self._ended(record)
        elif kind == "order.retired":
            self._retired(record)
        elif record["reminder"] is not None:
            self._moved(record)
            if kind == "task.completed":
                self._completed(record)
        elif kind.startswith("order."):
            self._problem(record, "is of no kind we know")
        else:
            self._configured(record)

    def _completed(self, record: Record) -> None:
        key, told = order_key(record), record["details"].get("reason")
        if told is not None or record["details"].get("outcome") in CHANGES_ORDER:
            order = self.state.orders[key]
            self.state.orders[key] = replace(order, revision=order.revision + 1, told=told or order.told)

    def _count(self, record: Record) -> None:
        kind, counts = record["kind"], self.state.counts
        counted = Counter({f"kind|{kind}|{record['channel'] or ''}|{record['reason'] or ''}": 1})
        reminder = self.state.reminders.get(record["reminder"])
        if kind == "reminder.sent" and reminder is not None and reminder.due is not None:
            late = max(0, instant(record["details"]["handed_at"]) - reminder.due)
            counted[f"late|{next((bound for bound in LATE if late <= bound), 'inf')}"] += 1
            counted["late_ms"] += late
        for counter_name, count in counted.items():
            if count:
                key = counter(record["lane"], counter_name)
                counts[key] = counts.get(key, 0) + count

    def _problem(self, record: Record, text: str) -> None:
        self.state.problems.append(f"{name(record)}: {text}")

    def _told(self, record: Record) -> None:
        key, details = order_key(record), record["details"]
        before = self.state.orders.get(key)
        known = before is not None and before.closes_at is not None
        if known != (record["kind"] == "order.amended"):
            return self._problem(record, "the order was known before" if known else "the order is not known")
        if before and known and before.state != "unpaid":
            return self._problem(record, f"amends an order that is {before.state}")
        expected = before.state if before else "unpaid"
        if details["state"] != expected:
            self._problem(record, f"says the order is {details['state']}, expected {expected}")
        self._customers[key] = record["customer"]
        revision = (before.revision if before else 0) + 1
        if details["revision"] != revision:
            self._problem(record, f"is revision {details['revision']}, expected {revision}")
        self.state.orders[key] = Order(
            state=details["state"],
            revision=details["revision"],
            closes_at=instant(details["closes_at"]),
            told=before.told if before else None,
        )
        return None

    def _ended(self, record: Record) -> None:
        key, state = order_key(record), ENDS[record["kind"]]
        before = self.state.orders.get(key, Order(state="unpaid"))
        if state == "closed" and (before.state != "unpaid" or before.closes_at is None):
            return self._problem(record, "closes an order that does not wait")
        # The first payment or cancellation stands; a platform may still take one for an order that closed.
        if before.state in {"unpaid", "closed"}:
            self.state.orders[key] = replace(before, state=state, revision=before.revision + 1)
        return None

    def _retired(self, record: Record) -> None:
        key = order_key(record)
        if self.order_state(record) in {None, "unpaid"}:
            return self._problem(record, f"retires an order that is {self.order_state(record)}")
        del self.state.orders[key], self.state.records[key]
        self._customers.pop(key, None)
        for reminder in self._steps.pop(key, set()):
            del self.state.reminders[reminder]
            self._give_back(reminder)
        return None

    def _moved(self, record: Record) -> None:
        reminder, kind = record["reminder"], record["kind"]
        before = self.state.reminders.get(reminder)
        status = after(kind, before.status if before else None, record["channel"])
        shop = self.state.shops.get(record["shop"], Shop())
        if kind in WRITTEN and not in_force(shop, record["template"] or ""):
            self._problem(record, f"is written by {record['template']}, which is not in force")
        if status is None:
            return self._problem(record, f"not allowed when it is {before.status if before else 'not known'}")
        if before is None and self.order_state(record) is None:
            return self._problem(record, "its order is not known")
        by_hand = kind == "reminder.sent" and before is None
        if by_hand != ("by_hand" in record["details"]):
            self._problem(
                record, "was sent by nobody" if by_hand else "was planned, and is said to be by hand"
            )
        before = before or Reminder(status="planned")
        channel = record["channel"] or before.channel
        if kind not in RESCHEDULES and before.channel not in {None, channel}:
            self._problem(record, f"is on {channel}, expected {before.channel}")
        attempt = before.attempt + (kind in COMMITS or by_hand)
        if record["attempt"] not in {None, attempt}:
            self._problem(record, f"is attempt {record['attempt']}, expected {attempt}")
        due = instant(record["details"]["due"]) if kind in RESCHEDULES else before.due
        self._slot(record)
        self._steps.setdefault(order_key(record), set()).add(reminder)
        carrier = self._carrier(record, before)
        self.state.reminders[reminder] = Reminder(
            status=status, due=due, channel=channel, attempt=attempt, carrier=carrier
        )
        return None

    def _carrier(self, record: Record, before: Reminder) -> str | None:
        """Return whose message stands for a reminder now; what was not handed over stands for none."""
        kind, reminder = record["kind"], record["reminder"]
        carrier: str | None = record["details"].get("carrier")
        if before.status == "dropped":
            self._carried.get(before.carrier or "", set()).discard(reminder)
            if before.carrier is None or before.carrier != carrier:
                self._problem(record, f"comes back from {carrier}, was carried by {before.carrier}")
            ended = None if self.order_state(record) == "unpaid" else self.order_state(record)
            if ended != (record["reason"] if kind == "reminder.dropped" else None):
                self._problem(record, f"comes from its carrier when its order is {ended or 'unpaid'}")
        elif record["reason"] == "merged":
            self._carried.setdefault(carrier or "", set()).add(reminder)
            if carrier is None or self.status(carrier) != "sending":
                self._problem(record, f"is carried by {carrier}, which is not being sent")
            return carrier
        elif kind in GIVES_BACK:
            self._lose(record, reminder)
        return None

    def _lose(self, record: Record, carrier: str) -> None:
        """Of what a reminder carried must have been told that it waits again, or that its order has ended."""
        for reminder in self._carried.pop(carrier, set()):
            found = self.state.reminders.get(reminder)
            if found is not None:
                self.state.reminders[reminder] = replace(found, carrier=None)
                self._problem(record, f"does not bring back {reminder}")

    def _slot(self, record: Record) -> None:
        kind, reminder = record["kind"], record["reminder"]
        if kind == "reminder.sending":
            self._take(record, instant(record["at"]))
        elif kind in {"reminder.sent", "task.claimed"}:
            self._take(record, instant(record["details"]["handed_at"]))
        elif kind in GIVES_BACK:
            self._give_back(reminder)

    def _take(self, record: Record, at: int) -> None:
        person = record["details"].get("person")
        customer = record["shop"], shared(person) if person else record["customer"]
        customer = self._holder.get(record["reminder"], customer)
        self._holder[record["reminder"]] = customer
        self.state.slots.setdefault(customer, {})[record["reminder"]] = at

    def _give_back(self, reminder: str) -> None:
        if customer := self._holder.pop(reminder, None):
            del self.state.slots[customer][reminder]

    def _configured(self, record: Record) -> None:
        if record["customer"] is not None:  # of a customer, which `said` follows
            return
        before = self.state.shops.get(record["shop"], Shop())
        after_it, problem = configured(before, record)
        if problem:
            self._problem(record, problem)
        if after_it != before:
            self.state.shops[record["shop"]] = after_it
