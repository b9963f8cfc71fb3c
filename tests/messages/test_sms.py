"""What a text message is billed as, by the mainland's rules and by an independent count of everyone else's.

`sms_oracle.json` holds what the npm package sms-segments-calculator 1.3.0 answered on Node 20 for each text,
which is written in pieces and how often each is repeated: `new SegmentedMessage(text)`, its `encodingName`,
every segment's `messageSizeInBits()` in characters, and `getNonGsmCharacters()`.
"""

import json
from pathlib import Path
from typing import Any

import pytest

from dispatcher.messages.sms import (
    ONE_PART,
    PART_OF_SEVERAL,
    Encoding,
    characters,
    international,
    mainland,
    segments,
)

ANSWERS: list[dict[str, Any]] = json.loads((Path(__file__).parent / "sms_oracle.json").read_text("utf-8"))[
    "answers"
]


def text_of(pieces: list[tuple[str, int]]) -> str:
    """The text that the pieces make."""
    return "".join(piece * times for piece, times in pieces)


def test_international_count_is_the_oracles_for_every_text() -> None:
    differing = []

    for answer in ANSWERS:
        text = text_of(answer["pieces"])
        cost = international(text)
        encoding: Encoding = answer["encoding"]
        used = answer["used"]
        left = (ONE_PART if len(used) == 1 else PART_OF_SEVERAL)[encoding] - used[-1]
        # The oracle names what is read as one character, as 1️⃣, of which only a part may be foreign.
        foreign = "".join(answer["foreign"][:1])
        ours = (
            cost.encoding,
            cost.segments,
            cost.characters,
            cost.left,
            "".join(cost.expensive[:1]) in foreign,
        )
        if ours != (encoding, len(used), sum(used), left, True):
            differing.append((answer, cost))

    assert differing == []


def test_oracle_was_asked_about_the_boundaries_and_about_every_kind_of_character() -> None:
    texts = [text_of(answer["pieces"]) for answer in ANSWERS]
    lengths = {(len(text), answer["encoding"]) for text, answer in zip(texts, ANSWERS, strict=True)}

    asked = {
        size: {encoding for length, encoding in lengths if length == size}
        for size in (70, 71, 134, 135, 160, 161, 306, 307)
    }

    assert len(texts) >= 200
    assert all(encodings == {"GSM-7", "UCS-2"} for encodings in asked.values())
    assert all(any(char in text for text in texts) for char in "€{}[]~^|\\\f😀\u200d\U0001f1e8字é\n")


@pytest.mark.parametrize(
    ("text", "characters", "billed", "left"),
    [
        ("", 0, 0, 70),
        ("a", 1, 1, 69),
        ("a" * 70, 70, 1, 0),
        ("字" * 70, 70, 1, 0),
        ("字" * 71, 71, 2, 63),
        ("a" * 134, 134, 2, 0),
        ("字" * 135, 135, 3, 66),
        ("字" * 150, 150, 3, 51),
        ("字" * 160, 160, 3, 41),
        ("【蓝队云】" + "字" * 65, 70, 1, 0),
        ("【蓝队云】" + "字" * 66, 71, 2, 63),
        ("字" * 68 + "😀", 70, 1, 0),
        ("字" * 69 + "😀", 71, 2, 63),
        ("字" * 69 + "€", 70, 1, 0),
        ("，。 1aA", 6, 1, 64),
    ],
)
def test_mainland_counts_every_character_once_and_emoji_twice(
    text: str, characters: int, billed: int, left: int
) -> None:
    cost = mainland(text)

    assert (cost.characters, cost.segments, cost.left) == (characters, billed, left)
    assert cost.expensive == ()
    assert segments(text) == billed


@pytest.mark.parametrize(
    ("text", "expensive"),
    [
        ("Pay by 16:20", ()),
        ("€5 {off} [now]", ()),
        ("it’s due – today’s last call", ("’", "–")),
        ("Pay，now，付", ("，", "付")),
        ("ok 😀", ("😀",)),
    ],
)
def test_characters_that_keep_a_text_from_gsm7_are_named_once(text: str, expensive: tuple[str, ...]) -> None:
    cost = international(text)

    assert cost.expensive == expensive
    assert cost.encoding == ("UCS-2" if expensive else "GSM-7")


LINK = "https://pay.example/O-1"


@pytest.mark.parametrize(
    ("before", "torn"), [(44, ()), (45, (LINK,)), (60, (LINK,)), (66, (LINK,)), (67, ()), (80, ())]
)
def test_link_over_two_segments_is_named(before: int, torn: tuple[str, ...]) -> None:
    text = "字" * before + LINK + "，" + "字" * 40

    costs = (mainland(text), international(text))

    assert [cost.torn_links for cost in costs] == [torn, torn]


@pytest.mark.parametrize("text", ["", "字a", "😀", "字😀👨\u200d👩\u200d👧e\u0301"])
def test_characters_are_those_that_are_billed(text: str) -> None:
    assert characters(text) == mainland(text).characters


def test_link_in_a_single_segment_is_whole() -> None:
    text = "字" * (70 - len(LINK)) + LINK

    cost = mainland(text)

    assert (cost.segments, cost.torn_links) == (1, ())
