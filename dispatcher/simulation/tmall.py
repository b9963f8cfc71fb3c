"""Tmall's order report (seven columns, Chinese names, Shanghai time) as events."""

import csv
from collections.abc import Iterator
from datetime import datetime, timedelta
from hashlib import blake2b
from pathlib import Path
from typing import Any
from urllib.parse import quote
from zoneinfo import ZoneInfo

from dispatcher.errors import FieldProblem, InvalidEvent, InvalidInput
from dispatcher.policy import event_text
from dispatcher.policy.events import Event, decode_event
from dispatcher.policy.terms import Policy

CLOSES_AFTER = timedelta(days=3)
"""Taobao closed an unpaid order after 3 days (peer, 2013); used where the policy has no `pay_within`."""

_ORDER, _TOTAL, _RECEIVED, _REFUNDED = "订单编号", "总金额", "买家实际支付金额", "退款金额"
_ADDRESS, _PLACED, _PAID = "收货地址", "订单创建时间", "订单付款时间"
COLUMNS = (_ORDER, _TOTAL, _RECEIVED, _ADDRESS, _PLACED, _PAID, _REFUNDED)
"""The columns of Tmall's order report; in the file some names end in a space."""

_SHANGHAI = ZoneInfo("Asia/Shanghai")
_COLUMN_OF = {
    "/data/order/total": _TOTAL,
    "/data/order/items/0/price": _TOTAL,
    "/data/order/placed_at": _PLACED,
    "/data/order/closes_at": _PLACED,
    "/data/order/receiver/city": _ADDRESS,
}


def read(path: Path, policy: Policy, shop: str) -> Iterator[Event | FieldProblem]:
    """Yield each row's events, or what is wrong at which line and column.

    The report names no customer: each order is a customer of its own, with made-up addresses. Another header
    raises `InvalidInput`.
    """
    source = _source(shop)
    closes_after = CLOSES_AFTER if policy.pay_within is None else None
    line_of: dict[str, int] = {}
    with path.open(encoding="utf-8-sig", newline="") as file:
        rows = csv.reader(file)
        header = _header(path, next(rows, []))
        for cells in rows:
            line = rows.line_num
            if not cells:
                continue
            if len(cells) != len(header):
                yield FieldProblem(f"/{line}", f"expected {len(header)} cells, got {len(cells)}")
                continue
            row = dict(zip(header, (cell.strip() for cell in cells), strict=True))
            first = line_of.setdefault(row[_ORDER], line)
            if first != line:
                yield FieldProblem(f"/{line}/{_ORDER}", f"expected each order once; line {first} has it too")
                continue
            try:
                yield from [decode_event(content) for content in _contents(row, source, closes_after)]
            except _BadCell as wrong:
                yield FieldProblem(f"/{line}/{wrong.column}", wrong.detail)
            except InvalidEvent as wrong:
                # One cell may stand in several fields: the order's number is in every id.
                columns = {_COLUMN_OF.get(p.pointer, _ORDER): p.detail for p in reversed(wrong.problems)}
                yield from (
                    FieldProblem(f"/{line}/{column}", columns[column]) for column in reversed(columns)
                )


class _BadCell(Exception):
    def __init__(self, column: str, detail: str) -> None:
        super().__init__(column, detail)
        self.column = column
        self.detail = detail


def _source(shop: str) -> str:
    try:
        source = event_text.source(f"/shops/{event_text.identifier(shop)}")
    except event_text.Expected as wrong:
        raise InvalidInput(f"the shop is not right: {wrong}") from wrong
    if "/" in shop:
        raise InvalidInput("the shop is not right: expected an id without /")
    return source


def _header(path: Path, cells: list[str]) -> list[str]:
    header = [cell.strip() for cell in cells]
    wrong = [column for column in COLUMNS if header.count(column) != 1]
    if wrong:
        raise InvalidInput(
            f"{path.name}, line 1: expected the columns {', '.join(COLUMNS)}, each once; "
            f"not so: {', '.join(wrong)}"
        )
    return header


def _contents(row: dict[str, str], source: str, closes_after: timedelta | None) -> Iterator[dict[str, Any]]:
    placed = _local(row, _PLACED)
    paid = _local(row, _PAID) if row[_PAID] else None
    if paid is not None and paid < placed:
        raise _BadCell(_PAID, f"expected a time not before {_PLACED}")
    order = _order(row, placed, closes_after)
    customer = _made_up_customer(row[_ORDER])
    yield _envelope(source, "order.unpaid", placed, {"order": order, "customer": customer})
    if paid is not None:
        yield _envelope(source, "order.paid", paid, {"order": {"id": row[_ORDER]}})


def _order(row: dict[str, str], placed: datetime, closes_after: timedelta | None) -> dict[str, Any]:
    order = {
        "id": row[_ORDER],
        "placed_at": placed.isoformat(),
        "total": row[_TOTAL],
        "currency": "CNY",
        "pay_url": f"https://pay.example/{quote(row[_ORDER], safe='')}",
        "items": [{"name": "示例商品", "quantity": 1, "price": row[_TOTAL]}],
        "receiver": {"city": row[_ADDRESS]},
    }
    if closes_after is not None:
        order["closes_at"] = (placed + closes_after).isoformat()
    return order


def _made_up_customer(order: str) -> dict[str, Any]:
    # The report names no customer. A number drawn from the order stays the same in every export.
    digits = int.from_bytes(blake2b(order.encode(), digest_size=8).digest()) % 10**8
    return {
        "id": f"tmall-{order}",
        "phone": f"+86138{digits:08d}",
        "chat": f"tmall-{order}",
        "paid_orders": 0,
    }


def _envelope(source: str, kind: str, at: datetime, data: dict[str, Any]) -> dict[str, Any]:
    return {
        "specversion": "1.0",
        "id": f"tmall-{data['order']['id']}-{kind.removeprefix('order.')}",
        "source": source,
        "type": kind,
        "time": at.isoformat(),
        "data": data,
    }


def _local(row: dict[str, str], column: str) -> datetime:
    try:
        moment = datetime.strptime(row[column], "%Y-%m-%d %H:%M:%S").replace(tzinfo=_SHANGHAI)
    except ValueError:
        moment = None
    if moment is None or not 2000 <= moment.year < 2100:
        raise _BadCell(column, "expected a local time such as 2020-02-15 15:21:19")
    return moment
