"""Whether a name tells people anything, or only looks like one."""

from dispatcher.policy.unseen import shows

FOR_NOTHING = frozenset({"null", "none", "undefined", "nan", "nil", "n/a", "无", "暂无"})
"""What a shop's own system writes where it has no value."""


def says_something(text: str) -> bool:
    """Whether more than spaces and signs is in the text, and not just a word for nothing."""
    return text.strip().lower() not in FOR_NOTHING and shows(text)
