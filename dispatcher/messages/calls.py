"""What a call costs in time."""

import re

CHARACTERS_A_SECOND = 4.5

_NOT_READ = re.compile(r"〔[^〕]*〕|\s+")


def seconds_to_read(script: str) -> float:
    """How long an agent reads a call's script aloud; 〔 〕 holds notes for the agent, which are not read."""
    return len(_NOT_READ.sub("", script)) / CHARACTERS_A_SECOND
