"""What a customer did, on the wire: only who it was, and for an opt-out which channel."""

from typing import Any

import pytest

from dispatcher.policy.events import EventType, decode_event
from tests.policy.event_examples import event, order, pointers, wire

OPTED_OUT, REPLIED = "customer.opted_out", "customer.replied"


@pytest.mark.parametrize(
    ("kind", "data", "channel"),
    [
        (OPTED_OUT, {}, None),
        (OPTED_OUT, {"channel": None}, None),
        (OPTED_OUT, {"channel": "sms"}, "sms"),
        (OPTED_OUT, {"channel": "chat"}, "chat"),
        (OPTED_OUT, {"channel": "phone"}, "phone"),
        (REPLIED, {}, None),
    ],
)
def test_what_a_customer_did_names_the_customer_and_no_order(
    kind: str, data: dict[str, Any], channel: str | None
) -> None:
    raw = wire(event(kind, customer={"id": "王~1"}, **data))

    read = decode_event(raw)

    assert read.type is EventType(kind)
    assert (read.customer, read.channel, read.order, read.patch) == ("王~1", channel, None, None)


@pytest.mark.parametrize(
    ("kind", "data", "pointer"),
    [
        (OPTED_OUT, {"channel": "sms"}, "/data/customer"),
        (OPTED_OUT, {"customer": None}, "/data/customer"),
        (OPTED_OUT, {"customer": "C-1"}, "/data/customer"),
        (OPTED_OUT, {"customer": {"channel": "sms"}}, "/data/customer/channel /data/customer/id"),
        (OPTED_OUT, {"customer": {"id": ""}}, "/data/customer/id"),
        (OPTED_OUT, {"customer": {"id": 7}}, "/data/customer/id"),
        (OPTED_OUT, {"customer": {"id": "C-1", "phone": "+8613800000000"}}, "/data/customer/phone"),
        (OPTED_OUT, {"customer": {"id": "C-1"}, "channel": "fax"}, "/data/channel"),
        (OPTED_OUT, {"customer": {"id": "C-1"}, "channel": "*"}, "/data/channel"),
        (OPTED_OUT, {"customer": {"id": "C-1"}, "channel": ["sms"]}, "/data/channel"),
        (OPTED_OUT, {"customer": {"id": "C-1"}, "order": order()}, "/data/order"),
        (REPLIED, {"customer": {"id": "C-1"}, "channel": "sms"}, "/data/channel"),
        (REPLIED, {"order": {"id": "O-1"}}, "/data/order /data/customer"),
    ],
)
def test_a_wrong_or_unknown_field_is_named(kind: str, data: dict[str, Any], pointer: str) -> None:
    found = pointers(wire(event(kind, **data)))

    assert found == pointer.split()


@pytest.mark.parametrize(("one", "other"), [("sms", "chat"), ("sms", None)])
def test_another_channel_is_other_content(one: str, other: str | None) -> None:
    first, second = (
        decode_event(wire(event(OPTED_OUT, customer={"id": "C-1"}, channel=channel)))
        for channel in (one, other)
    )

    assert first.digest != second.digest
