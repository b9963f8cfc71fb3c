"""What simulating a platform's order report must hand over, computed from the file alone.

For a policy that reminds 30 minutes after an order was placed, not between 22:00 and 08:00, at once.
"""

import csv
from datetime import datetime, time, timedelta
from pathlib import Path
from zoneinfo import ZoneInfo

SHANGHAI = ZoneInfo("Asia/Shanghai")


def expected(path: Path | str) -> list[tuple[str, int]]:
    """Return (order, hand-off instant in ms UTC) of every order not paid by then, in file order."""
    handed_over = []
    with Path(path).open(encoding="utf-8-sig", newline="") as file:
        for row in csv.DictReader(file):
            due = datetime.fromisoformat(row["订单创建时间"]) + timedelta(minutes=30)
            if due.time() >= time(22):
                due = datetime.combine(due.date() + timedelta(days=1), time(8))
            elif due.time() < time(8):
                due = datetime.combine(due.date(), time(8))
            paid = row["订单付款时间 "]
            if not paid or datetime.fromisoformat(paid) > due:
                handed_over.append((row["订单编号"], round(due.replace(tzinfo=SHANGHAI).timestamp() * 1000)))
    return handed_over
