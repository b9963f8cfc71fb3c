import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from dispatcher.errors import InvalidEvent
from dispatcher.policy.event_json import canonical
from dispatcher.policy.events import decode_event
from tests.policy.event_examples import OPTIONAL, REQUIRED, changed, event, refusal, wire


@pytest.mark.parametrize(
    "raw",
    [
        wire(event()).replace(b'"total": "299.00"', b'"total": "1.00", "total": "299.00"'),
        wire(event()).replace(b'"id": "e-1001"', b'"id": {"id": {}}, "id": "e-1001"'),
        wire(event()).replace(b'"id": "e-1001"', b'"id": "\\"\\\\\\"", "\\u0069d": "e-1001"'),
        wire(event()).replace(b'"quantity": 1', b'"quantity": 0, "quantity": 1'),
    ],
)
def test_a_field_given_twice_is_refused(raw: bytes) -> None:
    refused = refusal(raw)

    assert "is given more than once" in str(refused)
    assert refused.event_id == "e-1001"


@pytest.mark.parametrize("name", ["currency", "total", "id"])
def test_a_field_given_twice_in_the_shortest_text_is_refused(name: str) -> None:
    field = json.dumps({name: event()["data"]["order"][name]}, separators=(",", ":"))[1:-1].encode()
    raw = json.dumps(event(), ensure_ascii=False, separators=(",", ":")).encode()
    decode_event(raw)

    refused = refusal(raw.replace(field, field + b"," + field))

    assert str(refused) == f"the event is not right: the field {name} is given more than once"


def test_no_text_comes_shorter_than_it_is_written() -> None:
    every = "".join(chr(code) for code in range(0x110000) if not 0xD800 <= code < 0xE000)

    written = canonical(every)

    # Two quotes around it; a quote, a backslash and five control characters take two bytes, the others six.
    assert len(written) == len(every.encode()) + 2 + 7 + 5 * (32 - 5)


def test_a_field_given_very_often_is_refused_as_soon() -> None:
    raw = wire(event()).replace(b'"id": "e-1001"', b'"id": "e-1001", ' * 100_000 + b'"id": "e-1001"')

    assert "is given more than once" in str(refusal(raw))


@pytest.mark.parametrize("name", ['say "hi"', "back\\slash", '\\"', '\\\\"\\', '"'])
def test_quotes_and_backslashes_in_text_are_no_repetition(name: str) -> None:
    raw = wire(changed("/data/customer/name", name))

    read = decode_event(raw)

    assert read.patch is not None
    assert read.patch.customer["name"] == name


def shuffled(value: Any, draw: Any) -> Any:
    if isinstance(value, dict):
        names = draw(st.permutations(list(value)))
        return {name: shuffled(value[name], draw) for name in names}
    return [shuffled(part, draw) for part in value] if isinstance(value, list) else value


@given(st.data(), st.booleans(), st.sampled_from([None, 1, 4]))
def test_the_digest_ignores_order_of_names_spaces_and_escapes(
    data: st.DataObject, escaped: bool, indent: int | None
) -> None:
    other = json.dumps(shuffled(event(), data.draw), ensure_ascii=escaped, indent=indent).encode()

    digests = {decode_event(raw).digest for raw in (wire(event()), other, event())}

    assert len(digests) == 1


@pytest.mark.parametrize(
    ("pointer", "value"),
    [
        ("/time", "2026-11-11T10:20:31+08:00"),
        ("/type", "order.amended"),
        ("/subject", "O-1"),
        ("/data/order/total", "299.01"),
        ("/data/order/buyer_note", "快点"),
        ("/data/order/items/0/quantity", 2),
        ("/data/customer/phone", "+8613800000001"),
        ("/data/customer/timezone", ...),
    ],
)
def test_other_content_has_another_digest(pointer: str, value: Any) -> None:
    other = changed(pointer, value)

    digests = {decode_event(content).digest for content in (event(), other)}

    assert len(digests) == 2


JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(), inner, max_size=3),
    max_leaves=8,
)
PLACES = [
    *REQUIRED,
    *OPTIONAL,
    "/data/order/items/0",
    "/data/customer/consent/sms",
    "/data/order/receiver/phone",
]


@given(st.sampled_from(PLACES), JSON)
def test_whatever_stands_in_a_field_the_answer_is_an_event_or_a_refusal(pointer: str, value: Any) -> None:
    content = changed(pointer, value)

    answers: set[str] = set()
    for raw in (content, json.dumps(content).encode()):
        try:
            answers.add(decode_event(raw).digest)
        except InvalidEvent as refused:
            answers.update(problem.pointer for problem in refused.problems)

    assert answers


@given(st.binary(max_size=60))
def test_bytes_that_are_no_event_are_refused_and_nothing_else_happens(raw: bytes) -> None:
    assert refusal(raw).code == "invalid-event"
