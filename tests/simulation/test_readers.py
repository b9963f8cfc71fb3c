import json
from pathlib import Path
from typing import Any

import msgspec
import pytest

from dispatcher.errors import InvalidInput
from dispatcher.policy.document import default_policy
from dispatcher.policy.events import EventType, OrderPatch, facts_of
from dispatcher.policy.facts import Item, Order, Receiver
from dispatcher.policy.terms import Policy
from dispatcher.simulation.readers import MAX_PROBLEMS, read_orders

HEADER = "订单编号,总金额,买家实际支付金额,收货地址 ,订单创建时间,订单付款时间 ,退款金额"
UNPAID = "101,38.0,0.0,四川省,2020-02-15 12:00:00,,0.0"
PAID = "102,21.5,21.5,上海,2020-02-15 11:00:00,2020-02-15 11:00:07,0.0"
ELEVEN = 1_581_735_600_000
HOUR = 3_600_000
POLICY = default_policy()


def tmall(tmp_path: Path, *rows: str, header: str = HEADER, encoding: str = "utf-8") -> Path:
    path = tmp_path / "orders.csv"
    path.write_bytes("".join(f"{row}\r\n" for row in (header, *rows)).encode(encoding))
    return path


def patch(path: Path, policy: Policy = POLICY) -> OrderPatch:
    found = read_orders(path, "tmall", policy, "demo")[0].event.patch
    assert found is not None
    return found


def refusal(path: Path, form: str = "tmall", shop: str = "demo") -> InvalidInput:
    with pytest.raises(InvalidInput) as caught:
        read_orders(path, form, POLICY, shop)
    return caught.value


def test_rows_become_events_in_the_order_of_time(tmp_path: Path) -> None:
    path = tmall(tmp_path, UNPAID, PAID)

    events = read_orders(path, "tmall", POLICY, "demo")

    assert [(source.at, source.event.type, source.event.order) for source in events] == [
        (ELEVEN, EventType.UNPAID, "102"),
        (ELEVEN + 7_000, EventType.PAID, "102"),
        (ELEVEN + HOUR, EventType.UNPAID, "101"),
    ]
    assert all(source.at == source.event.time and source.event.shop == "demo" for source in events)


def test_an_order_paid_in_the_second_it_was_placed_is_placed_first(tmp_path: Path) -> None:
    path = tmall(tmp_path, "1,1.0,1.0,上海,2020-02-15 11:00:00,2020-02-15 11:00:00,0.0")

    events = read_orders(path, "tmall", POLICY, "demo")

    assert [source.event.type for source in events] == [EventType.UNPAID, EventType.PAID]


def test_a_row_gives_all_the_facts_of_an_order(tmp_path: Path) -> None:
    path = tmall(tmp_path, UNPAID)

    facts = facts_of(read_orders(path, "tmall", POLICY, "demo")[0].event, POLICY)

    assert facts.order == Order(
        id="101",
        placed_at=ELEVEN + HOUR,
        closes_at=ELEVEN + 25 * HOUR,
        total="38.0",
        currency="CNY",
        pay_url="https://pay.example/101",
        items=(Item(name="示例商品", price="38.0"),),
        receiver=Receiver(city="四川省"),
    )


def test_without_time_to_pay_an_order_closes_after_three_days(tmp_path: Path) -> None:
    path = tmall(tmp_path, UNPAID)

    order = patch(path, msgspec.structs.replace(POLICY, pay_within=None)).order

    assert order["closes_at"] == ELEVEN + 73 * HOUR


def test_each_order_is_a_customer_of_its_own_with_every_address(tmp_path: Path) -> None:
    path = tmall(tmp_path, UNPAID, PAID)

    found = read_orders(path, "tmall", POLICY, "demo")

    customers = [source.event.patch.customer for source in found if source.event.patch]
    assert [customer["id"] for customer in customers] == ["tmall-102", "tmall-101"]
    assert len({customer["phone"] for customer in customers} | {c["chat"] for c in customers}) == 4
    assert all(customer["phone"].startswith("+86138") for customer in customers)
    assert all(customer["paid_orders"] == 0 for customer in customers)


def test_a_later_export_gives_the_same_events_again(tmp_path: Path) -> None:
    earlier = read_orders(tmall(tmp_path, UNPAID), "tmall", POLICY, "demo")
    path = tmall(tmp_path, PAID, UNPAID.replace(",,", ",2020-02-15 13:00:00,"))

    later = read_orders(path, "tmall", POLICY, "demo")

    assert earlier[0] in later


def test_columns_are_found_by_name_with_a_mark_at_the_start_and_others_between(tmp_path: Path) -> None:
    header = "店铺,退款金额,订单付款时间,订单创建时间,收货地址,买家实际支付金额,总金额 ,订单编号"
    row = "示例,0.0,,2020-02-15 12:00:00,四川省,0.0,38.0,101"
    moved = tmall(tmp_path, row, "", header=header, encoding="utf-8-sig")

    events = read_orders(moved, "tmall", POLICY, "demo")

    assert events == read_orders(tmall(tmp_path, UNPAID), "tmall", POLICY, "demo")


@pytest.mark.parametrize(
    ("row", "column", "detail"),
    [
        (UNPAID.replace("38.0", "38元"), "总金额", "decimal string"),
        (UNPAID.replace("38.0", "-1"), "总金额", "decimal string"),
        (UNPAID.replace("38.0", ""), "总金额", "decimal string"),
        (UNPAID.replace("101", ""), "订单编号", "1 to 128 bytes"),
        (UNPAID.replace("101", "9" * 128), "订单编号", "1 to 128 bytes"),
        (UNPAID.replace("2020-02-15 12:00:00", ""), "订单创建时间", "local time"),
        (UNPAID.replace("2020-02-15 12:00:00", "2020-02-30 12:00:00"), "订单创建时间", "local time"),
        (UNPAID.replace("2020-02-15 12:00:00", "1999-12-31 12:00:00"), "订单创建时间", "local time"),
        (UNPAID.replace("2020-02-15 12:00:00", "9999-12-31 12:00:00"), "订单创建时间", "local time"),
        (UNPAID.replace(",,", ",-,"), "订单付款时间", "local time"),
        (UNPAID.replace(",,", ",2020-02-15 11:59:59,"), "订单付款时间", "not before 订单创建时间"),
        (UNPAID.replace("四川省", "x" * 101), "收货地址", "line of text"),
        (PAID, "订单编号", "line 2 has it too"),
    ],
)
def test_a_bad_cell_is_refused_with_line_and_column(
    tmp_path: Path, row: str, column: str, detail: str
) -> None:
    path = tmall(tmp_path, PAID, row)

    refused = refusal(path)

    assert str(refused).startswith(f"orders.csv, line 3, {column}: expected ")
    assert detail in str(refused)
    assert [problem.pointer for problem in refused.problems] == [f"/3/{column}"]


def test_all_bad_lines_are_named_at_once_up_to_a_limit(tmp_path: Path) -> None:
    path = tmall(tmp_path, *(f"{n},x,0.0,上海,2020-02-15 12:00:00,,0.0" for n in range(150)))

    refused = refusal(path)

    assert len(refused.problems) == MAX_PROBLEMS
    assert refused.problems[1].pointer == "/3/总金额"
    assert str(refused).endswith("(and 149 more)")


@pytest.mark.parametrize("row", ["101,38.0", UNPAID + ",x"])
def test_a_row_of_another_length_is_refused_with_its_line(tmp_path: Path, row: str) -> None:
    path = tmall(tmp_path, PAID, row)

    refused = refusal(path)

    assert str(refused).startswith("orders.csv, line 3: expected 7 cells, got ")


@pytest.mark.parametrize(
    ("header", "named"),
    [
        ("", "not so: 订单编号, 总金额"),
        (HEADER.replace("总金额", "金额"), "not so: 总金额"),
        (HEADER.replace("退款金额", "总金额"), "not so: 总金额, 退款金额"),
    ],
)
def test_another_header_is_refused_with_what_was_expected(tmp_path: Path, header: str, named: str) -> None:
    path = tmall(tmp_path, UNPAID, header=header)

    refused = refusal(path)

    assert "line 1: expected the columns 订单编号, 总金额, 买家实际支付金额, 收货地址, " in str(refused)
    assert named in str(refused)


def test_a_file_in_another_encoding_is_refused(tmp_path: Path) -> None:
    path = tmall(tmp_path, UNPAID, encoding="gbk")

    refused = refusal(path)

    assert "expected a tmall file in UTF-8" in str(refused)


def test_a_file_that_is_not_there_is_refused(tmp_path: Path) -> None:
    refused = [refusal(tmp_path / "none.csv", form) for form in ("tmall", "jsonl")]

    assert all("none.csv cannot be read" in str(refusal) for refusal in refused)


@pytest.mark.parametrize("shop", ["", "a/b", "a~b", "a\nb"])
def test_a_shop_that_cannot_be_one_is_refused(tmp_path: Path, shop: str) -> None:
    path = tmall(tmp_path, UNPAID)

    refused = refusal(path, shop=shop)

    assert str(refused).startswith("the shop is not right: expected ")


def test_an_unknown_format_is_refused_with_those_expected(tmp_path: Path) -> None:
    refused = refusal(tmall(tmp_path, UNPAID), form="excel")

    assert str(refused) == "unknown format: expected one of tmall, jsonl"


def line(event_id: str, at: str, kind: str = "order.paid", **order: Any) -> str:
    event = {"specversion": "1.0", "id": event_id, "source": "/shops/other", "type": kind, "time": at}
    return json.dumps(event | {"data": {"order": {"id": "O-1"} | order}})


def test_lines_become_events_in_the_order_of_time_then_of_the_file(tmp_path: Path) -> None:
    path = tmp_path / "events.jsonl"
    noon, one = "2020-02-15T12:00:00+08:00", "2020-02-15T05:00:00Z"
    lines = [line("c", one), "", line("b", noon), line("a", noon, "order.cancelled")]
    path.write_text("\n".join(lines), encoding="utf-8-sig")

    events = read_orders(path, "jsonl", POLICY, "demo")

    assert [(source.at, source.event.id) for source in events] == [
        (ELEVEN + HOUR, "b"),
        (ELEVEN + HOUR, "a"),
        (ELEVEN + 2 * HOUR, "c"),
    ]
    assert {source.event.shop for source in events} == {"other"}


@pytest.mark.parametrize(
    ("bad", "pointer", "place"),
    [
        ("{", "/2", "line 2: "),
        (line("b", "2020-02-15T12:00:00"), "/2/time", "line 2, time: "),
        (line("b", "2020-02-15T12:00:00Z", total=1), "/2/data/order/total", "line 2, data/order/total: "),
    ],
)
def test_a_bad_line_is_refused_with_its_number(tmp_path: Path, bad: str, pointer: str, place: str) -> None:
    path = tmp_path / "events.jsonl"
    path.write_text(f"{line('a', '2020-02-15T12:00:00Z')}\n{bad}\n", encoding="utf-8")

    refused = refusal(path, "jsonl")

    assert str(refused).startswith(f"events.jsonl, {place}expected ")
    assert [problem.pointer for problem in refused.problems] == [pointer]
