"""Characters that print, by Unicode, and of which nothing is seen."""

from unicodedata import category

FILLERS = "\u115f\u1160\u2800\u3164\uffa0\U0001d159"
"""Letters and symbols that look like a space."""

_MARKS = (
    range(0x034F, 0x0350),
    range(0x17B4, 0x17B6),
    range(0x180B, 0x1810),
    range(0xFE00, 0xFE10),
    range(0xE0100, 0xE01F0),
)
"""Marks that Unicode calls ignorable: joiners and the selectors of another form."""

# As ranges: a pattern of hundreds of single characters is slow.
CLASS = FILLERS + "".join(f"{chr(codes[0])}-{chr(codes[-1])}" for codes in _MARKS)
"""What stands between the brackets of a pattern for one of `UNSEEN`."""

UNSEEN = frozenset(FILLERS).union(chr(code) for codes in _MARKS for code in codes)
"""All that `str.isprintable` lets pass and that shows nothing."""


def shows(text: str) -> bool:
    """Whether a letter, a digit or a symbol is left that one can see."""
    return any(char not in UNSEEN and category(char)[0] in "LNS" for char in text)
