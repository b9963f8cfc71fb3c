"""What a call costs in time."""

import re

CHARACTERS_A_SECOND = 4.5
WORDS_A_SECOND = 2.5
"""Of words in Latin letters, a calm pace."""

_NOT_READ = re.compile(r"〔[^〕]*〕")
_WORD = re.compile(r"[A-Za-z][A-Za-z'’-]+")


def seconds_to_read(script: str) -> float:
    """How long an agent reads a call's script aloud; 〔 〕 holds notes for the agent, which are not read."""
    rest, words = _WORD.subn("", _NOT_READ.sub("", script))
    return len("".join(rest.split())) / CHARACTERS_A_SECOND + words / WORDS_A_SECOND
