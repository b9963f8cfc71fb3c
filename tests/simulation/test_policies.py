"""Orders of customers who have several, under policies that differ in all they can, judged from the audit."""

import json
import random
import subprocess
import sys
from pathlib import Path

import pytest

from tests.checkers.promises import DEFAULT_POLICY, check_all, rules_of
from tests.checkers.records import instant, iso, load
from tests.checkers.simulated import event
from tests.checkers.terms import DEFAULT_DOCUMENT, HOUR, MINUTE
from tests.checkers.versions import documents

START = instant("2026-02-06T16:00:00.000Z")
"""Midnight in Shanghai, a week before the Spring Festival."""
DAYS = 14
ORDERS = 500
CUSTOMERS = 60
STRICT = """
timezone = "Asia/Shanghai"
platform = "own"
currency = "CNY"
holidays = "cn"
max_late = "6h"
[quiet_hours]
start = "20:00"
end = "10:00"
[days]
reminders = "workdays"
[spread]
over = "40m"
[[cadence]]
placed = ["00:00", "24:00"]
remind = {next_day_at = "11:00"}
[caps]
per_day = 1
min_gap = "24h"
per_order = 1
[suppression]
min_total = "30.00"
paid_other_order = true
[routing]
channels = ["sms"]
"""
FLASH = """
timezone = "America/New_York"
platform = "own"
currency = "CNY"
max_late = "5m"
[[cadence]]
placed = ["00:00", "24:00"]
remind = {after = "5m"}
[before_close]
lead = "10m"
[caps]
per_day = 20
min_gap = "30m"
[routing]
channels = ["chat", "sms"]
"""
CALLS = """
timezone = "Asia/Shanghai"
platform = "own"
currency = "CNY"
max_late = "24h"
[quiet_hours]
start = "23:00"
end = "07:00"
[days]
calls = ["mon", "tue", "thu"]
[[cadence]]
placed = ["08:00", "20:00"]
remind = {after = "30m"}
[[cadence]]
placed = ["00:00", "24:00"]
remind = {at = "21:00"}
[before_close]
lead = "4h"
earliest_after = "2h"
[caps]
per_day = 3
per_channel = {sms = 1, chat = 2}
[merge]
within = "3h"
[[incentives]]
id = "tea"
kind = "gift"
use = "this_order"
name = "茶样"
quantity = 20
per_customer = 1
[[incentives]]
id = "card"
kind = "coupon"
use = "next_order"
amount = "10.00"
how = "在卡包领取"
valid_for = "7d"
quantity = 15
[routing]
channels = ["chat", "phone", "sms"]
high_value = "300.00"
repeat_orders = 2
[phone]
windows = [["10:00", "11:30"], ["15:00", "18:00"]]
overflow_after = "1h"
max_open = 3
"""
POLICIES = {"default": None, "strict": STRICT, "flash": FLASH, "calls": CALLS}
HAPPENS = {
    "default": {"paid", "min_gap", "daily_cap"},
    "strict": {"paid_other_order", "below_minimum"},
    "flash": {"paid", "min_gap"},
    "calls": {"merged", "daily_cap", "overflow", "incentive"},
}
"""What each policy is there for: the simulation must have met it."""


@pytest.fixture(scope="module")
def orders(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Two weeks of orders: each customer has several, a third is never paid, some are flash sales."""
    chance = random.Random(20260207)
    told = []
    for number in range(ORDERS):
        placed = START + chance.randrange(DAYS * 24 * HOUR)
        life = chance.choice([30 * MINUTE, 24 * HOUR, 24 * HOUR, 72 * HOUR])
        total = chance.choice(["19.90", "38.00", "299.00", "300.00", "1800.00"])
        order, customer = f"O-{number}", f"C-{chance.randrange(CUSTOMERS)}"
        told.append(
            event(
                "order.unpaid",
                order,
                placed,
                customer,
                total,
                placed_at=iso(placed),
                closes_at=iso(placed + life),
                currency="CNY",
            )
        )
        told[-1]["data"]["customer"]["consent"] = {"promotion": chance.random() < 0.7}
        if chance.random() < 0.6:
            paid = event("order.paid", order, placed + chance.randrange(life), customer, total)
            paid["data"] = {"order": {"id": order}}
            told.append(paid)
    path = tmp_path_factory.mktemp("orders") / "orders.jsonl"
    path.write_text("\n".join(json.dumps(one) for one in told), encoding="utf-8")
    return path


@pytest.mark.parametrize("name", POLICIES)
def test_whatever_the_policy_it_is_kept(name: str, orders: Path, tmp_path: Path) -> None:
    words = ["simulate", str(orders), "--format", "jsonl", "--audit", str(tmp_path / "audit.jsonl")]
    if document := POLICIES[name]:
        (tmp_path / "policy.toml").write_text(document, encoding="utf-8")
        words += ["--policy", str(tmp_path / "policy.toml")]

    subprocess.run([sys.executable, "-m", "dispatcher", *words], check=True, capture_output=True)

    records = load(tmp_path / "audit.jsonl")
    (policy,) = documents(records).values()
    assert check_all(records, rules_of(policy, finished=True)) == []
    assert sum(record["kind"] == "reminder.sent" for record in records) > ORDERS / 20
    met = {record["reason"] for record in records}
    met |= {"incentive" for record in records if "incentive" in record["details"].get("decision", {})}
    assert met >= HAPPENS[name]


def test_the_default_policy_is_read_as_the_contract_says_it() -> None:
    rules = rules_of(DEFAULT_DOCUMENT)

    assert {*rules.spread_instants} >= {*DEFAULT_POLICY.spread_instants}
    assert {**vars(rules), "spread_instants": ()} == {**vars(DEFAULT_POLICY), "spread_instants": ()}
