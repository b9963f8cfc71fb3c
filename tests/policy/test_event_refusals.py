from typing import Any

import pytest

from dispatcher.policy.events import MAX_PROBLEMS
from tests.policy.event_examples import changed, event, pointers, refusal, wire


@pytest.mark.parametrize(
    ("pointer", "named"),
    [
        ("/traceparent", "/traceparent"),
        ("/data_base64", "/data_base64"),
        ("/data/shop", "/data/shop"),
        ("/data/order/totl", "/data/order/totl"),
        ("/data/order/items/0/sku", "/data/order/items/0/sku"),
        ("/data/order/receiver/street", "/data/order/receiver/street"),
        ("/data/order/promotion/code", "/data/order/promotion/code"),
        ("/data/customer/consent/mail", "/data/customer/consent/mail"),
        ("/data/customer/mail", "/data/customer/mail"),
    ],
)
def test_an_unknown_field_is_refused_by_name_with_those_expected(pointer: str, named: str) -> None:
    whole = changed("/data/order/promotion", {"name": "双11"}) if "promotion" in pointer else event()
    *path, last = [int(part) if part.isdigit() else part for part in pointer.split("/")[1:]]
    part: Any = whole
    for name in path:
        part = part.setdefault(name, {}) if isinstance(part, dict) else part[name]
    part[last] = "x"

    refused = refusal(wire(whole))

    assert [problem.pointer for problem in refused.problems] == [named]
    assert "unknown field; expected one of" in refused.problems[0].detail


def test_a_name_with_a_slash_or_tilde_is_escaped_and_a_long_one_cut() -> None:
    whole = event() | {"a/b~c": 1, "x" * 500: 1}

    found = pointers(wire(whole))

    assert found == ["/a~1b~0c", "/" + "x" * 128]


def test_all_wrong_fields_are_named_at_once() -> None:
    whole = changed("/data/order/total", 299.0)
    whole["id"] = ""
    whole["data"]["customer"]["timezone"] = "Mars/Base"
    del whole["data"]["order"]["placed_at"]

    refused = refusal(wire(whole))

    assert {problem.pointer for problem in refused.problems} == {
        "/id",
        "/data/order/total",
        "/data/order/placed_at",
        "/data/customer/timezone",
    }
    assert str(refused) == (
        "the event is not right: /id: expected printable text of 1 to 128 bytes, without control characters"
        " (and 3 more)"
    )


def test_the_problems_of_one_event_are_limited() -> None:
    raw = wire(changed("/data/order/items", [{}] * 200))

    found = pointers(raw)

    assert len(found) == MAX_PROBLEMS


def test_a_refusal_never_repeats_what_was_given() -> None:
    secret = "\x00秘密-13812345678"
    whole = event()
    for part in (whole["data"]["order"], whole["data"]["customer"], whole["data"]["order"]["items"][0]):
        for name in part:
            part[name] = secret

    refused = refusal(wire(whole))

    assert len(refused.problems) >= 13
    assert not any(secret[1:] in text for text in [str(refused), *(str(p) for p in refused.problems)])


def test_a_refusal_carries_the_events_id_where_it_could_be_read() -> None:
    named, unnamed = changed("/data/order/total", 1), changed("/id", "")

    ids = [refusal(wire(content)).event_id for content in (named, unnamed)]

    assert ids == ["e-1001", None]
