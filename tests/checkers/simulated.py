"""A day of orders for the command that simulates, and its audit to be altered."""

import json
import subprocess
import sys
from collections.abc import Callable, Sequence
from copy import deepcopy
from functools import cache
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

from tests.checkers.recompute import recompute
from tests.checkers.records import Record, instant, iso, load
from tests.checkers.terms import HOUR, MINUTE

NOON = instant("2026-11-11T04:00:00.000Z")
"""12:00 in Shanghai."""


def simulated_audit(events: Sequence[dict[str, Any]], policy: dict[str, Any] | None = None) -> list[Record]:
    """Return the audit of some orders (under the default policy) from the command that people run."""
    command = [sys.executable, "-m", "dispatcher", "simulate", "events.jsonl", "--format", "jsonl"]
    with TemporaryDirectory() as directory:
        folder = Path(directory)
        lines = [json.dumps(each, ensure_ascii=False) for each in events]
        (folder / "events.jsonl").write_text("\n".join(lines), encoding="utf-8")
        if policy is not None:
            (folder / "policy.json").write_text(json.dumps(policy), encoding="utf-8")
            command += ["--policy", "policy.json"]
        command += ["--audit", "audit.jsonl"]
        subprocess.run(command, cwd=folder, check=True, capture_output=True)
        return load(folder / "audit.jsonl")


class Audit:
    """A copy of a simulation's audit, to be altered."""

    def __init__(self, records: list[Record]) -> None:
        self.records = deepcopy(records)

    def one(self, kind: str, order: str, step: int | None = 1) -> Record:
        """Return the only record of a kind about a step of an order (no step: about the order)."""
        (found,) = (
            record
            for record in self.records
            if (record["kind"], record["order"], record["step"]) == (kind, order, step)
        )
        return found

    @property
    def policy(self) -> dict[str, Any]:
        """Return the document of the policy that all was decided under."""
        (changed,) = (record for record in self.records if record["kind"] == "policy.changed")
        document: dict[str, Any] = changed["details"]["policy"]
        return document


def event(kind: str, order: str, at: int, customer: str, total: str, **more: Any) -> dict[str, Any]:
    """Return an event; `more` goes to the order, `item` and `stock` to its item, `zone` to the customer."""
    zone = more.pop("zone", None)
    item = {
        "name": more.pop("item", "示例商品"),
        "quantity": 1,
        "price": total,
        "availability": more.pop("stock", "in_stock"),
    }
    data = {"id": order, "placed_at": iso(NOON), "total": total, "items": [item]}
    data |= {"closes_at": iso(NOON + 24 * HOUR), "pay_url": "https://pay.example/" + order} | more
    return {
        "specversion": "1.0",
        "id": f"{order}-{at}",
        "source": "/shops/demo",
        "type": kind,
        "time": iso(at),
        "data": {
            "order": data,
            "customer": {
                "id": customer,
                "name": "王女士",
                "phone": "+8613800000000",
                "chat": "example_1",
                "timezone": zone,
            },
        },
    }


EVENTS = [
    event("order.unpaid", "plain", NOON, "C-1", "99.00"),
    event("order.unpaid", "dear", NOON, "C-2", "500.00"),
    event("order.unpaid", "gone", NOON, "C-3", "99.00", stock="sold_out"),
    event("order.unpaid", "flash", NOON, "C-4", "99.00", closes_at=iso(NOON + 10 * MINUTE)),
    event("order.unpaid", "brief", NOON, "C-4", "99.00", closes_at=iso(NOON + 8 * MINUTE)),
    event("order.unpaid", "wordless", NOON, "C-5", "99.00", pay_url=None),
    event("order.unpaid", "named", NOON, "C-8", "99.00", item="【淘宝同款】示例商品"),
    event("order.unpaid", "elsewhere", NOON, "C-9", "99.00", pay_url="https://m.taobao.com/elsewhere"),
    event("order.unpaid", "abroad", NOON, "C-6", "99.00", zone="America/New_York"),
    event("order.unpaid", "raised", NOON, "C-7", "99.00"),
    event("order.amended", "raised", NOON + MINUTE, "C-7", "800.00"),
    event("order.unpaid", "second", NOON + 20 * MINUTE, "C-1", "99.00"),
    event("order.unpaid", "third", NOON + 20 * MINUTE, "C-1", "99.00"),
    event("order.unpaid", "hurried", NOON + 20 * MINUTE, "C-1", "800.00", closes_at=iso(NOON + 3 * HOUR)),
]


@cache
def simulated() -> list[Record]:
    """Return the audit of these under the default policy; not to be altered, see `Audit`."""
    return simulated_audit(EVENTS)


def inputs(record: Record, rule: str) -> dict[str, Any]:
    """Return the inputs of a rule in a record."""
    decision = record["details"].get("decision") or record["details"]
    (found,) = (each["inputs"] for each in decision["rules"] if each["rule"] == rule)
    assert isinstance(found, dict)
    return found


def now_of(record: Record) -> int:
    """Return when a record's decision was taken."""
    return instant(inputs(record, "close")["now"])


Alter = Callable[[Audit], Record]
"""Alters one thing of an audit; returns the record in which it shows."""


def told_otherwise(kind: str, order: str, name: str, value: object, *rules: str) -> Alter:
    """Let an order have been told otherwise, and be seen so by these rules of a decision about it."""

    def alter(audit: Audit) -> Record:
        record = audit.one(kind, order)
        audit.one("order.accepted", order, None)["details"][name] = value
        for rule in rules:
            inputs(record, rule)[name] = value
        return record

    return alter


def seen_otherwise(kind: str, order: str, rule: str, *, step: int = 1, **values: object) -> Alter:
    """Let a rule of a decision have seen something else."""

    def alter(audit: Audit) -> Record:
        record = audit.one(kind, order, step)
        inputs(record, rule).update(values)
        return record

    return alter


def assert_found(audit: Audit, *parts: str) -> None:
    """Fail unless the recomputation finds something of which it tells all these parts."""
    violations = recompute(audit.records)
    assert any(all(part in violation for part in parts) for violation in violations), violations
