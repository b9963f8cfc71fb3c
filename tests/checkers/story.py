"""Hand-made audits for the tests of the checkers."""

from collections import Counter
from copy import deepcopy
from dataclasses import replace
from typing import Any, Self

from tests.checkers.promises import DEFAULT_POLICY
from tests.checkers.records import Record, instant, iso

HOUR = 3_600_000
MORNING = "2026-11-11T02:20:31.004Z"
"""10:20 in Shanghai."""

STORY_RULES = replace(DEFAULT_POLICY, decided=False)
"""The default policy's rules for a story, whose decisions are made up."""

DECISION = {
    "decision": "send",
    "rules": [{"rule": "order_state", "outcome": "pass", "inputs": {"state": "unpaid"}, "until": None}],
}


class Story:
    """What happens in shop `demo`, record by record; `at` and `wait` (ms) move its clock."""

    def __init__(self, at: str = MORNING) -> None:
        self.now = instant(at)
        self.records: list[Record] = []
        self._revisions: Counter[str] = Counter()
        self._attempts: Counter[str] = Counter()
        self._customers: dict[str, str] = {}

    def at(self, text: str) -> Self:
        self.now = instant(text)
        return self

    def wait(self, milliseconds: int) -> Self:
        self.now += milliseconds
        return self

    def record(self, kind: str, order: str | None = None, step: int | None = None, **fields: Any) -> Self:
        details = fields.pop("details", {name: value for name, value in fields.items() if name not in OUTER})
        record = {
            "seq": len(self.records) + 1,
            "lane": 0,
            "at": iso(self.now),
            "kind": kind,
            "actor": "system",
            "shop": "demo",
            "order": order,
            "customer": self._customers.get(order or ""),
            "reminder": f"demo~{order}~{step}" if step else None,
            "step": step,
            "attempt": self._attempts[f"{order}~{step}"] if step else None,
            "channel": None,
            "reason": None,
            "policy": None,
            "template": None,
            "details": deepcopy(details),
        }
        record |= {name: value for name, value in fields.items() if name in OUTER}
        self.records.append(record)
        return self

    def accepted(self, order: str = "O-1", customer: str = "C-1", **details: Any) -> Self:
        self._customers[order] = customer
        return self._told("order.accepted", order, details)

    def amended(self, order: str = "O-1", **details: Any) -> Self:
        return self._told("order.amended", order, details)

    def _told(self, kind: str, order: str, details: dict[str, Any]) -> Self:
        self._revisions[order] += 1
        told: dict[str, Any] = {
            "event": f"e-{len(self.records) + 1}",
            "revision": self._revisions[order],
            "placed_at": iso(self.now),
            "closes_at": iso(self.now + 72 * HOUR),
            "total": "12.00",
            "timezone": None,
            "paid_orders": 0,
            "state": "unpaid",
        }
        return self.record(kind, order, **(told | details))

    def ended(self, kind: str, order: str = "O-1", **details: Any) -> Self:
        self._revisions[order] += 1
        answer = {"event": f"e-{len(self.records) + 1}", "time": iso(self.now)}
        answer |= {"stopped": [], "too_late": []}
        return self.record(kind, order, **(answer | details))

    def paid(self, order: str = "O-1", **details: Any) -> Self:
        return self.ended("order.paid", order, **details)

    def said(self, kind: str, customer: str = "C-1", channel: str | None = None) -> Self:
        about = {"customer": customer, "channel": channel, "event": f"e-{len(self.records) + 1}"}
        return self.record(f"customer.{kind}", **about, time=iso(self.now))

    def closed(self, order: str = "O-1") -> Self:
        self._revisions[order] += 1
        return self.record("order.closed", order, reason="closed")

    def planned(self, order: str = "O-1", step: int = 1, *, after: int = 0, **fields: Any) -> Self:
        due = iso(self.now + after)
        plan = {"channel": "sms", "policy": 1, "due": due, "moment": due, "rules": []}
        return self.record("reminder.planned", order, step, **(plan | fields))

    def dropped(self, reason: str, order: str = "O-1", step: int = 1, **fields: Any) -> Self:
        return self.record("reminder.dropped", order, step, reason=reason, **fields)

    def sending(self, order: str = "O-1", step: int = 1, **fields: Any) -> Self:
        self._attempts[f"{order}~{step}"] += 1
        commit = {
            "channel": "sms",
            "policy": 1,
            "template": "first_reminder/sms@1",
            "valid_until": iso(self.now + HOUR),
            "text_sha256": "0" * 64,
            "decision": DECISION,
        }
        return self.record("reminder.sending", order, step, **(commit | fields))

    def sent(self, order: str = "O-1", step: int = 1, **fields: Any) -> Self:
        settled = {"channel": "sms", "handed_at": iso(self.now)}
        return self.record("reminder.sent", order, step, **(settled | fields))

    def handed_over(self, order: str = "O-1", step: int = 1, **fields: Any) -> Self:
        return self.sending(order, step, **fields).sent(order, step)

    def opened(self, order: str = "O-1", step: int = 1, *, after: int = 2 * HOUR) -> Self:
        due = iso(self.now + after)
        return self.record("task.opened", order, step, channel="phone", policy=1, due=due, decision=DECISION)

    def claimed(self, order: str = "O-1", step: int = 1) -> Self:
        self._attempts[f"{order}~{step}"] += 1
        commit = {"channel": "phone", "policy": 1, "handed_at": iso(self.now), "decision": DECISION}
        return self.record("task.claimed", order, step, actor="user:li", **commit)

    def released(self, order: str = "O-1", step: int = 1) -> Self:
        return self.record("task.released", order, step, channel="phone", actor="user:li", agent="li")


OUTER = frozenset(
    {"actor", "attempt", "channel", "customer", "lane", "policy", "reason", "seq", "shop", "template"}
)
