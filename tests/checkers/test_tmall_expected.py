"""The independent computation follows the platform's report to the second."""

from pathlib import Path

import pytest

from tests.checkers.records import iso
from tests.checkers.tmall_expected import expected

HEADER = "订单编号,总金额,买家实际支付金额,收货地址 ,订单创建时间,订单付款时间 ,退款金额"


@pytest.mark.parametrize(
    ("created", "paid", "handed_over"),
    [
        ("2020-02-15 15:21:19", "", "2020-02-15T07:51:19.000Z"),
        ("2020-02-15 15:21:19", "2020-02-15 15:51:18", None),
        ("2020-02-15 15:21:19", "2020-02-15 15:51:19", None),
        ("2020-02-15 15:21:19", "2020-02-15 15:51:20", "2020-02-15T07:51:19.000Z"),
        ("2020-02-15 21:29:59", "", "2020-02-15T13:59:59.000Z"),
        ("2020-02-15 21:30:00", "", "2020-02-16T00:00:00.000Z"),
        ("2020-02-15 23:45:00", "", "2020-02-16T00:00:00.000Z"),
        ("2020-02-15 07:29:59", "", "2020-02-15T00:00:00.000Z"),
        ("2020-02-15 07:30:00", "", "2020-02-15T00:00:00.000Z"),
        ("2020-02-15 03:00:00", "2020-02-15 08:00:00", None),
        ("2020-02-15 03:00:00", "2020-02-15 08:00:01", "2020-02-15T00:00:00.000Z"),
    ],
)
def test_an_order_not_paid_by_then_is_handed_over_once(
    tmp_path: Path, created: str, paid: str, handed_over: str | None
) -> None:
    report = tmp_path / "report.csv"
    report.write_bytes(f"{HEADER}\r\n3777,21.0,0.0,上海,{created},{paid},0.0\r\n".encode())

    found = expected(report)

    assert [(order, iso(at)) for order, at in found] == ([("3777", handed_over)] if handed_over else [])
