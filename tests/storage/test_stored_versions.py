"""Bytes that a version has written stay readable by every later one: these are only ever added to."""

from hashlib import sha256
from importlib.resources import files
from pathlib import Path
from random import Random
from typing import Any

import msgspec
import pytest

from dispatcher.errors import StoreRefused
from dispatcher.policy.facts import Customer, Item, Order, OrderFacts, OrderState
from dispatcher.policy.reminders import Status
from dispatcher.storage.audit import line
from dispatcher.storage.client import StoreClient
from dispatcher.storage.customers import StoredCustomer, customer_of
from dispatcher.storage.ledgers import NOBODY, Ledger, ledger_of
from dispatcher.storage.packing import pack, unpack
from dispatcher.storage.people import People
from dispatcher.storage.records import StoredOrder, StoredStep, facts_of
from dispatcher.storage.segments import read_segment
from dispatcher.storage.stored_orders import order_of
from tests.storage.scenes import send, settlement
from tests.worlds import DAY, HOUR, MINUTE, NOON, World, event, world

CLOSES = NOON + DAY
FOUR = "2025-11-11T04:00:00.000Z"
SECOND_STEP = StoredStep(
    attempt=0, status=Status.PLANNED, moment=NOON + 22 * HOUR, due=NOON + 22 * HOUR, channel="chat"
)
CALLED = StoredStep(
    status=Status.CLAIMED,
    moment=NOON,
    due=CLOSES,
    channel="phone",
    attempt=1,
    answered=NOON + 30_000,
    answer="committed",
)

SENT = (
    "86a8637573746f6d6572a8432d412d73656e74a57374617465a6756e70616964a372657601a6636c6f736573cf0000019a76386a"
    "00a474696d65cf0000019a71120e00a57374657073928aa8616e73776572656402a6737461747573a473656e74a66c6561736573"
    "00a7736574746c656402a3647565cf0000019a71120e00a76368616e6e656ca3736d73a668616e646564cf0000019a71120e00a6"
    "616e73776572a9636f6d6d6974746564a7617474656d707401a66d6f6d656e74cf0000019a71120e0085a3647565cf0000019a75"
    "ca8d00a6737461747573a7706c616e6e6564a76368616e6e656ca463686174a7617474656d707400a66d6f6d656e74cf0000019a"
    "75ca8d00"
)
SENDING = (
    "86a8637573746f6d6572ad432d442d73656e64696e672d31a57374617465a6756e70616964a372657601a6636c6f736573cf0000"
    "019a76386a00a474696d65cf0000019a71120e00a57374657073928aa96c656173655f656e64cf0000019a71128330a673746174"
    "7573a773656e64696e67a66c656173657300a3647565cf0000019a71120e00a8616e73776572656403a76368616e6e656ca3736d"
    "73a5746f6b656e03a6616e73776572a9636f6d6d6974746564a7617474656d707401a66d6f6d656e74cf0000019a71120e0085a3"
    "647565cf0000019a75ca8d00a6737461747573a7706c616e6e6564a76368616e6e656ca463686174a7617474656d707400a66d6f"
    "6d656e74cf0000019a75ca8d00"
)
RETRIED = (
    "86a8637573746f6d6572ad432d442d73656e64696e672d31a57374617465a6756e70616964a372657601a6636c6f736573cf0000"
    "019a76386a00a474696d65cf0000019a71120e00a57374657073928aa8616e73776572656403a6737461747573a7706c616e6e65"
    "64a66c656173657300a7736574746c656403a5747269656491a3736d73a3647565cf0000019a7112fc48a76368616e6e656ca463"
    "686174a6616e73776572a9636f6d6d6974746564a7617474656d707401a66d6f6d656e74cf0000019a71120e0085a3647565cf00"
    "00019a75ca8d00a6737461747573a7706c616e6e6564a76368616e6e656ca463686174a7617474656d707400a66d6f6d656e74cf"
    "0000019a75ca8d00"
)
SENT_WITH_RECORDS = (
    "87a8637573746f6d6572a8432d412d73656e74a57374617465a6756e70616964a372657601a6636c6f736573cf0000019a76386a"
    "00a474696d65cf0000019a71120e00a77265636f726473950203041116a57374657073928aa8616e737765726564cf0000019a71"
    "128330a6737461747573a473656e74a66c656173657300a7736574746c6564cf0000019a71128330a3647565cf0000019a71120e"
    "00a76368616e6e656ca3736d73a668616e646564cf0000019a71120e00a6616e73776572a9636f6d6d6974746564a7617474656d"
    "707401a66d6f6d656e74cf0000019a71120e0085a3647565cf0000019a75ca8d00a6737461747573a7706c616e6e6564a7636861"
    "6e6e656ca463686174a7617474656d707400a66d6f6d656e74cf0000019a75ca8d00"
)
SENT_WITH_HEADER = (
    "010000011c010008432d412d73656e7487a57374617465a6756e70616964a372657601a474696d65cf0000019a71120e00a6636c"
    "6f736573cf0000019a76386a00a8637573746f6d6572a8432d412d73656e74a5737465707392de0009a6737461747573a473656e"
    "74a66d6f6d656e74cf0000019a71120e00a3647565cf0000019a71120e00a76368616e6e656ca3736d73a7617474656d707401a6"
    "68616e646564cf0000019a71120e00a8616e737765726564cf0000019a71128330a6616e73776572a9636f6d6d6974746564a773"
    "6574746c6564cf0000019a71128330de0005a6737461747573a7706c616e6e6564a66d6f6d656e74cf0000019a75ca8d00a36475"
    "65cf0000019a75ca8d00a76368616e6e656ca463686174a7617474656d707400a6736861726564c3000000000005000000011170"
)
CLAIMED = (
    "87a8637573746f6d6572ad432d432d636c61696d65642d31a57374617465a6756e70616964a372657601a6636c6f736573cf0000"
    "019a76386a00a474696d65cf0000019a71120e00a77265636f726473950b0c0d1417a57374657073928aa8616e737765726564cf"
    "0000019a71128331a6737461747573a7636c61696d6564a66c656173657300a56167656e74a56167656e74a3647565cf0000019a"
    "76386a00a76368616e6e656ca570686f6e65a668616e646564cf0000019a71120e00a6616e73776572a9636f6d6d6974746564a7"
    "617474656d707401a66d6f6d656e74cf0000019a71120e0085a3647565cf0000019a75ca8d00a6737461747573a7706c616e6e65"
    "64a76368616e6e656ca3736d73a7617474656d707400a66d6f6d656e74cf0000019a75ca8d00"
)
COMPLETED = (
    "87a8637573746f6d6572a5432d4f2d32a57374617465a6756e70616964a372657601a6636c6f736573cf0000019a76386a00a474"
    "696d65cf0000019a71120e00a77265636f726473950405090c0ea57374657073918ca8616e737765726564cf0000019a71128330"
    "a6737461747573a9636f6d706c65746564a66c656173657300a6726573756c74a870726f6d69736564a56167656e74a56167656e"
    "74a3647565cf0000019a76386a00ab76616c69645f756e74696ccf0000019a73a53c00a76368616e6e656ca570686f6e65a66861"
    "6e646564cf0000019a71120e00a6616e73776572a9636f6d6d6974746564a7617474656d707401a66d6f6d656e74cf0000019a71"
    "120e00"
)
RELEASED = (
    "87a8637573746f6d6572a5432d4f2d33a57374617465a6756e70616964a372657601a6636c6f736573cf0000019a76386a00a474"
    "696d65cf0000019a71120e00a77265636f7264739506070a0d0fa573746570739189a8616e737765726564cf0000019a71128330"
    "a6737461747573a46f70656ea66c656173657300a872656c6561736564a56167656e74a3647565cf0000019a76386a00a7636861"
    "6e6e656ca570686f6e65a6616e73776572a9636f6d6d6974746564a7617474656d707401a66d6f6d656e74cf0000019a71120e00"
)
NAMING_AN_INCENTIVE = (
    "87a8637573746f6d6572a3432d31a57374617465a6756e70616964a372657601a6636c6f736573cf0000019a76386a00a474696d"
    "65cf0000019a71120e00a77265636f7264739402030405a57374657073918ca76f666665726564a3746561a6737461747573a473"
    "656e74a66c656173657300a7736574746c6564cf0000019a71128330a8616e737765726564cf0000019a71128330a3647565cf00"
    "00019a71120e00aa6f666665725f656e6473cf0000019a76386a00a76368616e6e656ca3736d73a668616e646564cf0000019a71"
    "120e00a6616e73776572a9636f6d6d6974746564a7617474656d707401a66d6f6d656e74cf0000019a71120e00"
)
STEERED = (
    "87a8637573746f6d6572a5432d4f2d35a57374617465a6756e70616964a372657601a6636c6f736573cf0000019a76386a00a474"
    "696d65cf0000019a71120e00a77265636f72647393020304a573746570739186a3647565cf0000019a7148fc80a6737461747573"
    "a7706c616e6e6564a773746565726564c3a76368616e6e656ca3736d73a7617474656d707400a66d6f6d656e74cf0000019a7112"
    "0e00"
)
CALLING = (
    "87a57374617465a6756e70616964a372657601a474696d65cf0000019a71120e00a6636c6f736573cf0000019a76386a00a86375"
    "73746f6d6572a5432d4f2d34a5737465707391de000ca6737461747573a7636c61696d6564a66d6f6d656e74cf0000019a71120e"
    "00a3647565cf0000019a76386a00a76368616e6e656ca570686f6e65a7617474656d707401a668616e646564cf0000019a71120e"
    "00a8616e737765726564cf0000019a71128330a6616e73776572a9636f6d6d6974746564a56167656e74a56167656e74ab76616c"
    "69645f756e74696ccf0000019a73a53c00a663616c6c6564d9203030313132323333343435353636373738383939616162626363"
    "646465656666a66d61736b6564b12b383620313338202a2a2a2a2030303030a77265636f72647393040509"
)
KEPT = (
    "87a8637573746f6d6572a3432d31a57374617465a6756e70616964a372657601a6636c6f736573cf0000019a76386a00a474696d"
    "65cf0000019a71120e00a77265636f72647393020304a573746570739187a3647565cf0000019a7148fc80a76368616e6e656ca3"
    "736d73a6737461747573a7706c616e6e6564a773746565726564c3aa6b6570745f756e74696ccf0000019a7148fc80a761747465"
    "6d707400a66d6f6d656e74cf0000019a71120e00"
)
TOLD_WHY = (
    "88a8637573746f6d6572a3432d31a57374617465a6756e70616964a372657602a6636c6f736573cf0000019a76386a00a4746f6c"
    "64a864656c6976657279a474696d65cf0000019a71120e00a77265636f72647396020304050607a57374657073928fa663616c6c"
    "6564d9203063623238396665346539343265336332323663396263373063306332323734a8616e737765726564cf0000019a7112"
    "8330a6737461747573a9636f6d706c65746564a3776879a864656c6976657279a66c656173657300a6726573756c74a96e6f5f61"
    "6e73776572a56167656e74a56167656e74ab76616c69645f756e74696ccf0000019a73375f00a66d61736b6564b12b3836203133"
    "38202a2a2a2a2030303030a3647565cf0000019a76386a00a76368616e6e656ca570686f6e65a668616e646564cf0000019a7112"
    "0e00a6616e73776572a9636f6d6d6974746564a7617474656d707401a66d6f6d656e74cf0000019a71120e0085a3647565cf0000"
    "019a71edc800a6737461747573a7706c616e6e6564a76368616e6e656ca3736d73a7617474656d707400a66d6f6d656e74cf0000"
    "019a71edc800"
)
CANCELLED_UNKNOWN = "84a474696d65cf0000019a71120e00a57374617465a963616e63656c6c6564a372657601a5737465707390"
SEEN_PAYMENT = (
    "85a6646967657374d9203032633931643133656330343030333665323733646463373463326362303562a6737461747573a86163"
    "636570746564a773746f70706564920102a972656d696e6465727302a8746f6f5f6c61746590"
)
FACTS = (
    "0128b52ffd600500ed0200f4024f2d363238333336363239323939e7a4bae4be8be59586e59381227061792e6578616d706c652f"
    "4333385f31227d7d0f0049c8204536985d04918809a3190e8a50701936af8902220ca0a4d87e93a2c46026802e25c58c23111104"
)
FACTS_IN_PACKING_2 = (
    "0228b52ffd6005000d0300a4034f2d363238333336363239323939e7a4bae4be8be59586e593812239392e30307061792e657861"
    "6d706c652f4f2d3122432d3133385f31227d7d0c0049c8204536a05d044622ba018aa0d73551b59202fe4d8a12839900ba9414338e444410"
)
LEDGER = (
    "83aa64656d6f7e4f2d317e32cf00000669d8e1a803aa64656d6f7e4f2d317e31cf00000669c4483802aa64656d6f7e4f2d327e31"
    "cf00000669c4483800"
)
RECORD = (
    "1762833600000\x1freminder.planned\x1fkey:test\x1fdemo\x1fO~1\x1f王~1\x1f2\x1f1\x1fsms\x1fmin_gap\x1f4"
    "\x1ffirst_reminder/sms@1\x1f"
)
"""A record without its last two parts: what its script saw, and what it was told."""

OF_PEOPLE = (
    "8aa57374617465a6756e70616964a372657602a474696d65cf0000019a71120e00a6636c6f736573cf0000019a76386a00a86375"
    "73746f6d6572a5432d4f2d34a5737465707392de000ba6737461747573a9636f6d706c65746564a66d6f6d656e74cf0000019a71"
    "120e00a3647565cf0000019a76386a00a76368616e6e656ca570686f6e65a7617474656d707401a668616e646564cf0000019a71"
    "120e00a56167656e74a56167656e74ab76616c69645f756e74696ccf0000019a73a53c00a6726573756c74a870726f6d69736564"
    "a3776879a57072696365a473616964cf0000019a725ba500de0008a6737461747573a473656e74a66d6f6d656e74cf0000019a71"
    "120e00a3647565cf0000019a71120e00a76368616e6e656ca463686174a7617474656d707401a668616e646564cf0000019a7112"
    "0e00a56167656e74a56167656e74a468616e64a3682d31a77265636f726473950405090c0ea870726f6d69736564cf0000019a72"
    "5ba500a772656675736564cf0000019a7148fc80a8676976656e5f757091a570686f6e65"
)
TOLD = "0128b52ffd2051fd0000707b32352d31312d31315430345d7d05008080a316b4e6d900e8fe39c56103"
PLAIN = b'\x00{"due":"2025-11-11T04:00:00.000Z"}'.hex()
DICTIONARIES = {
    "packing-1.txt": "1680f46ba5582d13acf274836435fcdc4c34cdca2d88c5303d6c4c2effc10d8e",
    "packing-2.txt": "93f808d481778a3828fbc43a36c75f61647f626c3989740463fe1514edb8024d",
}
"""The SHA-256 of each text that is packed with."""


def order(
    first: StoredStep,
    customer: str,
    records: list[int] | None = None,
    second: StoredStep | None = SECOND_STEP,
) -> StoredOrder:
    return StoredOrder(
        state=OrderState.UNPAID,
        rev=1,
        time=NOON,
        closes=CLOSES,
        customer=customer,
        steps=[first] if second is None else [first, second],
        records=records or [],
    )


ORDERS_OF_D1 = {
    "sent, before its records were named": (
        SENT,
        order(
            StoredStep(
                status=Status.SENT,
                moment=NOON,
                due=NOON,
                channel="sms",
                attempt=1,
                handed=NOON,
                answered=2,
                answer="committed",
                settled=2,
            ),
            "C-A-sent",
        ),
    ),
    "being sent, when its lease stood in it": (
        SENDING,
        order(
            StoredStep(
                status=Status.SENDING,
                moment=NOON,
                due=NOON,
                channel="sms",
                attempt=1,
                answered=3,
                answer="committed",
            ),
            "C-D-sending-1",
        ),
    ),
    "retried": (
        RETRIED,
        order(
            StoredStep(
                status=Status.PLANNED,
                moment=NOON,
                due=NOON + 61_000,
                channel="chat",
                attempt=1,
                tried=("sms",),
                answered=3,
                answer="committed",
                settled=3,
            ),
            "C-D-sending-1",
        ),
    ),
    "sent, its records named": (
        SENT_WITH_RECORDS,
        order(
            StoredStep(
                status=Status.SENT,
                moment=NOON,
                due=NOON,
                channel="sms",
                attempt=1,
                handed=NOON,
                answered=NOON + 30_000,
                answer="committed",
                settled=NOON + 30_000,
            ),
            "C-A-sent",
            [2, 3, 4, 17, 22],
        ),
    ),
    "claimed": (
        CLAIMED,
        order(
            StoredStep(
                status=Status.CLAIMED,
                moment=NOON,
                due=CLOSES,
                channel="phone",
                attempt=1,
                handed=NOON,
                answered=NOON + 30_001,
                answer="committed",
                agent="agent",
            ),
            "C-C-claimed-1",
            [11, 12, 13, 20, 23],
            msgspec.structs.replace(SECOND_STEP, channel="sms"),
        ),
    ),
    "completed, with how the call went": (
        COMPLETED,
        order(
            msgspec.structs.replace(
                CALLED,
                status=Status.COMPLETED,
                handed=NOON,
                agent="agent",
                valid_until=NOON + 12 * HOUR,
                result="promised",
            ),
            "C-O-2",
            [4, 5, 9, 12, 14],
            None,
        ),
    ),
    "given back, with who did": (
        RELEASED,
        order(
            msgspec.structs.replace(CALLED, status=Status.OPEN, released="agent"),
            "C-O-3",
            [6, 7, 10, 13, 15],
            None,
        ),
    ),
    "with what was said in a call, and sent by hand": (
        OF_PEOPLE,
        StoredOrder(
            state=OrderState.UNPAID,
            rev=2,
            time=NOON,
            closes=CLOSES,
            customer="C-O-4",
            records=[4, 5, 9, 12, 14],
            promised=NOON + 6 * HOUR,
            refused=NOON + HOUR,
            given_up=("phone",),
            steps=[
                StoredStep(
                    status=Status.COMPLETED,
                    moment=NOON,
                    due=CLOSES,
                    channel="phone",
                    attempt=1,
                    handed=NOON,
                    agent="agent",
                    valid_until=NOON + 12 * HOUR,
                    result="promised",
                    why="price",
                    said=NOON + 6 * HOUR,
                ),
                StoredStep(
                    status=Status.SENT,
                    moment=NOON,
                    due=NOON,
                    channel="chat",
                    attempt=1,
                    handed=NOON,
                    agent="agent",
                    hand="h-1",
                ),
            ],
        ),
    ),
    "sent with an incentive": (
        NAMING_AN_INCENTIVE,
        order(
            StoredStep(
                status=Status.SENT,
                moment=NOON,
                due=NOON,
                channel="sms",
                attempt=1,
                handed=NOON,
                answered=NOON + 30_000,
                answer="committed",
                settled=NOON + 30_000,
                offered="tea",
                offer_ends=CLOSES,
            ),
            "C-1",
            [2, 3, 4, 5],
            None,
        ),
    ),
    "postponed by an operator": (
        STEERED,
        order(
            StoredStep(
                attempt=0, status=Status.PLANNED, moment=NOON, due=NOON + HOUR, channel="sms", steered=True
            ),
            "C-O-5",
            [2, 3, 4],
            None,
        ),
    ),
    "postponed by an operator, and kept until then": (
        KEPT,
        order(
            StoredStep(
                attempt=0,
                status=Status.PLANNED,
                moment=NOON,
                due=NOON + HOUR,
                channel="sms",
                steered=True,
                kept_until=NOON + HOUR,
            ),
            "C-1",
            [2, 3, 4],
            None,
        ),
    ),
    "claimed, with the number that is called": (
        CALLING,
        order(
            msgspec.structs.replace(
                CALLED,
                status=Status.CLAIMED,
                handed=NOON,
                agent="agent",
                valid_until=NOON + 12 * HOUR,
                called="00112233445566778899aabbccddeeff",
                masked="+86 138 **** 0000",
            ),
            "C-O-4",
            [4, 5, 9],
            None,
        ),
    ),
    "called, with why it was not paid": (
        TOLD_WHY,
        StoredOrder(
            state=OrderState.UNPAID,
            rev=2,
            time=NOON,
            closes=CLOSES,
            customer="C-1",
            records=[2, 3, 4, 5, 6, 7],
            told="delivery",
            steps=[
                msgspec.structs.replace(
                    CALLED,
                    status=Status.COMPLETED,
                    handed=NOON,
                    agent="agent",
                    valid_until=NOON + 10 * HOUR,
                    result="no_answer",
                    why="delivery",
                    called="0cb289fe4e942e3c226c9bc70c0c2274",
                    masked="+86 138 **** 0000",
                ),
                msgspec.structs.replace(
                    SECOND_STEP, moment=NOON + 4 * HOUR, due=NOON + 4 * HOUR, channel="sms"
                ),
            ],
        ),
    ),
    "cancelled before it was known": (
        CANCELLED_UNKNOWN,
        StoredOrder(state=OrderState.CANCELLED, rev=1, time=NOON),
    ),
}


@pytest.fixture
async def here(redis: StoreClient, audit_directory: Path) -> World:
    """An empty store with a shop."""
    return await world(redis, audit_directory)


@pytest.mark.parametrize(("written", "expected"), ORDERS_OF_D1.values(), ids=ORDERS_OF_D1.keys())
def test_an_order_of_layout_d1_is_read(written: str, expected: StoredOrder) -> None:
    assert order_of(bytes.fromhex(written)) == expected


def test_an_order_with_a_header_is_read() -> None:
    expected = msgspec.structs.replace(
        order_of(bytes.fromhex(SENT_WITH_RECORDS)), shared=True, records=[5, 70_000]
    )

    assert order_of(bytes.fromhex(SENT_WITH_HEADER)) == expected


def test_a_pause_from_before_its_maker_was_kept_is_read() -> None:
    written = "82a372657605a6706175736564cf0000019a71120e00"

    assert customer_of(bytes.fromhex(written)) == StoredCustomer(rev=5, paused=NOON)


@pytest.mark.parametrize("stored", [FACTS, FACTS_IN_PACKING_2])
def test_facts_of_layout_d1_are_read(stored: str) -> None:
    expected = OrderFacts(
        order=Order(
            id="O-1",
            placed_at=NOON,
            closes_at=CLOSES,
            total="99.00",
            currency="CNY",
            items=(Item(name="示例商品", price="99.00"),),
            pay_url="https://pay.example/O-1",
        ),
        customer=Customer(id="C-1", phone="+8613800000000", chat="example_1"),
    )

    assert facts_of(bytes.fromhex(stored)) == expected


@pytest.mark.parametrize("name", DICTIONARIES)
def test_a_text_that_packs_never_changes(name: str) -> None:
    text = (files("dispatcher.storage") / name).read_bytes()

    assert sha256(text).hexdigest() == DICTIONARIES[name]


@pytest.mark.parametrize("written", ["03" + TOLD[2:], TOLD[:-20], "", TOLD[:2], b'{"a":1}'.hex()])
def test_what_was_packed_in_no_way_of_ours_is_refused(written: str) -> None:
    with pytest.raises(StoreRefused):
        unpack(bytes.fromhex(written))


@pytest.mark.parametrize("length", [0, 2, 90, 255, 256, 70_000])
def test_what_is_packed_is_a_string_of_messagepack_and_comes_back(length: int) -> None:
    text = bytes(Random(length).choices(range(32, 127), k=length))

    packed = bytes(pack(text))

    kind, header = (b"\xd9", 2) if len(packed) < 258 else (b"\xdb", 5)
    assert packed[:1] == kind
    assert int.from_bytes(packed[1:header], "big") == len(packed) - header
    assert unpack(packed[header:]) == text


def test_facts_that_were_kept_plain_are_read() -> None:
    facts = unpack(bytes.fromhex(FACTS))

    assert facts_of(b"\x00" + facts) == facts_of(bytes.fromhex(FACTS))


def test_a_ledger_of_layout_d1_is_read() -> None:
    earlier, later = NOON, NOON + 24 * HOUR

    found = ledger_of(bytes.fromhex(LEDGER))

    assert found == Ledger((earlier, earlier, later), {"sms": (earlier,), "phone": (later,)})
    assert ledger_of(None) == ledger_of(b"") == NOBODY


EARLIER = {"demo~O-0~2": NOON - HOUR + 0.25, "demo~O-0~1": NOON - 2 * HOUR, "demo~O-0~3": NOON - HOUR + 0.5}
"""A ledger as it was kept in a sorted set: reminder -> instant, and in quarters the channel if known."""


async def test_a_ledger_kept_as_a_sorted_set_counts_and_is_written_anew(
    here: World, redis: StoreClient
) -> None:
    store, people = here.service.store, People(here.service.store)
    await here.service.intake.take(
        [event("order.unpaid", f"O-{number}", NOON, customer=f"C-{number}") for number in (1, 2)], "key:test"
    )
    key = store.keys(here.lane).ledger("demo", "C-1")
    await redis.zadd(key, EARLIER)
    kept = Ledger(
        (NOON - 2 * HOUR, NOON - HOUR, NOON - HOUR), {"chat": (NOON - HOUR,), "sms": (NOON - HOUR,)}
    )

    before = await people.of_customer("demo", "C-1")
    lease = await store.lease("demo", "sms", 10, NOON)
    commits = [send(lease, item, per_day=3) for item in lease.items]
    full = await store.commit(here.lane, commits, NOON)
    again = await store.lease("demo", "sms", 10, NOON + MINUTE)
    commits = [commits[1], send(again, again.items[0], per_day=4)]
    committed = await store.commit(here.lane, commits, NOON + MINUTE)
    taken = await redis.type(key)
    settled = await store.settle(
        here.lane, [settlement(commit, "retry") for commit in commits], NOON + 2 * MINUTE
    )

    assert before == lease.items[0].ledger == again.items[0].ledger == kept
    assert lease.items[1].ledger == NOBODY
    assert (full, committed, settled) == (["changed", "committed"], ["committed"] * 2, ["settled"] * 2)
    assert taken == b"string"
    assert await people.of_customer("demo", "C-1") == kept
    assert await redis.exists(store.keys(here.lane).ledger("demo", "C-2")) == 0


async def test_an_order_takes_its_slot_out_of_a_sorted_set_with_it(here: World, redis: StoreClient) -> None:
    store = here.service.store
    await here.service.intake.take([event("order.unpaid", "O-1", NOON)], "key:test")
    await here.dispatch()
    key = store.keys(here.lane).ledger("demo", "C-1")
    await redis.delete(key)
    await redis.zadd(key, {"demo~O-1~1": NOON + 0.5} | EARLIER)

    here.clock.advance_to(NOON + 3 * DAY)
    await here.dispatch()
    here.clock.advance_to(NOON + 400 * DAY)
    await here.dispatch()

    assert await store.order("demo", "O-1") is None
    assert (await People(store).of_customer("demo", "C-1")).instants == tuple(
        sorted(map(int, EARLIER.values()))
    )
    assert await redis.type(key) == b"string"


@pytest.mark.parametrize("written", [SENT, SENT_WITH_RECORDS, SENT_WITH_HEADER])
async def test_the_scripts_read_an_order_of_layout_d1(here: World, redis: StoreClient, written: str) -> None:
    store = here.service.store
    await redis.set(store.keys(here.lane).order("demo", "O-1"), bytes.fromhex(written))

    (result,) = await here.service.intake.take([event("order.paid", "O-1", NOON)], "key:test")

    assert (result.stopped, result.too_late) == (("demo~O-1~2",), ("demo~O-1~1",))


async def test_the_present_version_writes_what_it_wrote(here: World) -> None:
    await here.service.intake.take([event("order.unpaid", "O-1", NOON)], "key:test")
    await here.dispatch()

    found = await here.service.store.order("demo", "O-1")

    assert found is not None
    fresh, golden = (
        msgspec.to_builtins(found),
        msgspec.to_builtins(order_of(bytes.fromhex(SENT_WITH_RECORDS))),
    )
    token = {"answered": 0, "settled": 0}  # counts leases, which the workers may take more or fewer of
    assert fresh["steps"][0] | token == golden["steps"][0] | token
    assert {name: type(value) for name, value in fresh.items()} == {
        name: type(value) for name, value in golden.items()
    }


async def test_a_seen_event_of_layout_d1_is_a_duplicate(here: World, redis: StoreClient) -> None:
    seen = here.service.store.keys(here.lane).seen("demo", NOON // DAY)
    payment = event("order.paid", "G-paid", NOON)
    await redis.hset(seen, mapping={f"/shops/demo\x1f{payment.id}": bytes.fromhex(SEEN_PAYMENT)})  # type: ignore[misc]

    (result,) = await here.service.intake.take([payment], "key:test")

    assert result.status == "duplicate"
    assert result.reminders == result.stopped == ("demo~G-paid~1", "demo~G-paid~2")
    assert result.too_late == ()


@pytest.mark.parametrize(
    ("seen", "told", "details"),
    [
        ("", TOLD, {"due": FOUR, "moment": FOUR, "rules": []}),
        ('{"event":"王"}', TOLD, {"event": "王", "due": FOUR, "moment": FOUR, "rules": []}),
        ("", PLAIN, {"due": FOUR}),
        ('{"event":"e-1"}', "", {"event": "e-1"}),
        ("", "", {}),
    ],
    ids=["told", "seen and told", "told plainly", "seen", "neither"],
)
async def test_an_audit_record_of_layout_d1_is_read(
    here: World, redis: StoreClient, seen: str, told: str, details: dict[str, Any]
) -> None:
    written = f"{RECORD}{seen}\x1f".encode() + bytes.fromhex(told)
    await redis.xadd(here.service.store.keys(here.lane).audit, {"r": written}, "2-0")

    record = (await here.audit())[-1]

    assert record == {
        "seq": 2,
        "lane": here.lane,
        "at": "2025-11-11T04:00:00.000Z",
        "kind": "reminder.planned",
        "actor": "key:test",
        "shop": "demo",
        "order": "O~1",
        "customer": "王~1",
        "reminder": "demo~O~1~2",
        "step": 2,
        "attempt": 1,
        "channel": "sms",
        "reason": "min_gap",
        "policy": 4,
        "template": "first_reminder/sms@1",
        "details": details,
    }


def test_a_segment_line_of_layout_d1_is_read(tmp_path: Path) -> None:
    text = (
        '{"seq":2,"lane":2,"at":"2025-11-11T04:00:00.000Z","kind":"order.paid","actor":"key:test","shop":"demo",'
        '"order":"O-1","customer":null,"reminder":null,"step":null,"attempt":null,"channel":null,"reason":null,'
        '"policy":null,"template":null,"details":{"event":"e-1"}}\n'
    )
    path = tmp_path / "000000000002-000000000002.jsonl"
    path.write_text(text)

    (record,) = read_segment(path)

    assert (record.seq, record.kind, record.details) == (2, "order.paid", {"event": "e-1"})
    assert line(record) == text.encode()
