"""Two weeks of made-up orders through the real store, judged by checkers that share no product code."""

import csv
import json
import random
from collections.abc import Iterator
from dataclasses import replace
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner

from dispatcher.cli import main
from tests.checkers.promises import DEFAULT_POLICY, check_all
from tests.checkers.records import instant, load
from tests.checkers.tmall_expected import expected

HEADER = ["订单编号", "总金额", "买家实际支付金额", "收货地址 ", "订单创建时间", "订单付款时间 ", "退款金额"]
ORDERS = 600
HALF_HOUR_LATER = """
timezone = "Asia/Shanghai"
platform = "own"
[quiet_hours]
start = "22:00"
end = "08:00"
max_held = "48h"
[[cadence]]
placed = ["00:00", "24:00"]
remind = {after = "30m"}
[routing]
channels = ["sms"]
"""


@pytest.fixture(scope="module")
def orders(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A report of two weeks: a third unpaid, some paid at the very instant the reminder is due."""
    path = tmp_path_factory.mktemp("orders") / "report.csv"
    with path.open("w", encoding="utf-8", newline="") as file:
        rows = csv.writer(file)
        rows.writerow(HEADER)
        rows.writerows(_rows())
    return path


def _rows() -> Iterator[list[str]]:
    chance = random.Random(20200201)
    start = datetime(2020, 2, 1)  # noqa: DTZ001  the report has local times
    for number in range(ORDERS):
        placed = start + timedelta(seconds=chance.randrange(14 * 86_400))
        total = f"{chance.choice([20, 38, 120, 499, 500, 1800])}.0"
        paid = placed + timedelta(seconds=chance.choice([5, 60, 1799, 1800, 1801, 7200, 60_000]))
        row = [str(number), total, total, "广东省", str(placed), str(paid), "0.0"]
        if chance.random() < 0.34:
            row[2], row[5] = "0.0", ""
        yield row


def run(*words: str) -> dict[str, Any]:
    result = CliRunner().invoke(main, ["simulate", *words, "--json"])
    assert result.exit_code == 0, result.output
    figures: dict[str, Any] = json.loads(result.stdout)
    return figures


def test_each_hand_off_comes_at_the_moment_a_plain_computation_gives(orders: Path, tmp_path: Path) -> None:
    policy, audit = tmp_path / "policy.toml", tmp_path / "audit.jsonl"
    policy.write_text(HALF_HOUR_LATER, encoding="utf-8")

    figures = run(str(orders), "--format", "tmall", "--policy", str(policy), "--audit", str(audit))

    sent = [record for record in load(audit) if record["kind"] == "reminder.sent"]
    handed = [(record["order"], instant(record["details"]["handed_at"])) for record in sent]
    assert sorted(handed) == sorted(expected(orders))
    assert figures["sent"] == len(handed) > ORDERS / 3


def test_the_default_policy_keeps_every_promise(orders: Path, tmp_path: Path) -> None:
    audit = tmp_path / "audit.jsonl"

    figures = run(str(orders), "--format", "tmall", "--audit", str(audit))

    assert check_all(load(audit), replace(DEFAULT_POLICY, finished=True)) == []
    assert figures["orders"] == ORDERS
    assert figures["tasks"] > 0
    assert set(figures["sent_by_channel"]) == {"chat", "sms", "phone"}
