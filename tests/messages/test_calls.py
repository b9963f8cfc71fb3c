"""How long a call's script takes."""

import pytest

from dispatcher.messages.calls import seconds_to_read


@pytest.mark.parametrize(
    ("script", "seconds"),
    [
        ("", 0),
        ("您好，请问是王女士", 2),
        ("您好，\n请问 是王女士\u3000", 2),
        ("您好，请问〔听顾客确认；要改的地方记下来〕是王女士", 2),
        ("〔忘了〕您好，请问是王女士〔不想要了〕", 2),
        ("字" * 270, 60),
        ("Hello there friend 〔Wait for an answer〕 well", 1.6),
    ],
)
def test_script_is_read_at_four_and_a_half_characters_a_second_without_its_notes(
    script: str, seconds: float
) -> None:
    assert seconds_to_read(script) == seconds
