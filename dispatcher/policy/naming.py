"""Whether a text tells people anything, or only looks like one."""

from unicodedata import category

LOOKS_BLANK = "\u034f\u115f\u1160\u2800\u3164\uffa0"
"""Characters that count as letters or marks and show as nothing; some people call themselves by one."""

FOR_NOTHING = frozenset({"null", "none", "undefined", "nan", "nil", "n/a", "无", "暂无"})
"""What a shop's own system writes where it has no value."""


def says_something(text: str) -> bool:
    """Whether more than spaces and signs is in the text, and not just a word for nothing."""
    return text.strip().lower() not in FOR_NOTHING and any(map(_shows, text))


def _shows(char: str) -> bool:
    # Signs, spaces, invisible characters, and marks that stand on no letter say nothing; pictures do.
    return category(char)[0] in "LNS" and char not in LOOKS_BLANK
