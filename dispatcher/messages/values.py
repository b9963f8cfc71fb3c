"""Values from outside, made fit to stand in one line of a message."""

import re
from functools import lru_cache
from unicodedata import east_asian_width

from dispatcher.policy.naming import FOR_NOTHING, says_something
from dispatcher.policy.unseen import CLASS, UNSEEN, shows

ELLIPSIS = "…"
ELLIPSIS_COLUMNS = 2
MAX_LOOKED_AT = 400
"""Characters of a value that are looked at when it is shortened; intake takes no longer ones."""

CURRENCY_WORDS = {"CNY": "元", "HKD": "港元", "USD": "美元", "EUR": "欧元", "GBP": "英镑", "JPY": "日元"}
CURRENCY_SYMBOLS = {"CNY": "¥", "HKD": "HK$", "USD": "US$", "EUR": "€", "GBP": "£", "JPY": "JP¥"}

# A text message's signature stands in these brackets, so a value must not be able to forge one.
_BRACKETS = str.maketrans("【】︻︼", "[][]")
_BLANKED = str.maketrans(dict.fromkeys(UNSEEN, " "))
_UNFIT = re.compile(f"[【】︻︼{CLASS}]")
# A picture keeps its place without what says how it is drawn, and so does a mark behind it.
_DRAWN = re.compile("(?<=[\u00a9-\u3299\U0001f000-\U0001faff])[\ufe0e\ufe0f]")

_STOPS = " ,;:，。；：、"
_LAST_STOPS = _STOPS + "."
"""A template has signs of its own around a value; a name may begin with a dot, as in `.NET`."""


class Money(str):
    """A sum in words, such as `299元`; `symbol` is the same with its sign before it, such as `¥299`."""

    __slots__ = ("symbol",)

    symbol: str


def one_line(value: str | None) -> str | None:
    """The value with what is not seen turned to spaces; `None` when no letter, digit or symbol is left."""
    if value is None:
        return None
    if not value.isprintable():
        value = "".join(char if char.isprintable() else " " for char in value)
    if value.isascii():
        line = " ".join(value.split())
    elif _UNFIT.search(value):
        line = " ".join(_DRAWN.sub("", value).translate(_BLANKED).split()).translate(_BRACKETS)
    else:
        line = " ".join(value.split())
    # Punctuation alone says nothing: a message would stand there with a hole.
    return line if line[:1].isalnum() or shows(line) else None


def without_stops(value: str | None) -> str | None:
    """The value on one line without the stops around it; `None` when what is left says nothing."""
    if value is not None and value.isalnum() and not _UNFIT.search(value):
        # As nearly all names of people and places are.
        return None if value.lower() in FOR_NOTHING else value
    line = one_line(value)
    if line is None:
        return None
    line = line.lstrip(_STOPS).rstrip(_LAST_STOPS)
    return line if says_something(line) else None


def shortened(value: str | None, columns: int) -> str | None:
    """The value on one line and at most `columns` wide, where a Chinese character takes two.

    Stops around it are left out; `None` when what is left says nothing.
    """
    line = without_stops(value if value is None else value[:MAX_LOOKED_AT])
    if line is None or len(line) * 2 <= columns:
        return line
    return _cut(line, columns)


# Names of things, of which a shop has few: what is said of a person is not kept once it is said.
shortened_thing = lru_cache(maxsize=4096)(shortened)


def _cut(line: str, columns: int) -> str:
    taken = 0
    kept = 0
    for index, char in enumerate(line):
        taken += _columns(char)
        if taken <= columns - ELLIPSIS_COLUMNS:
            kept = index + 1
        elif taken > columns:
            return line[:kept].rstrip() + ELLIPSIS
    return line


def _columns(char: str) -> int:
    return 2 if east_asian_width(char) in "WFA" else 1


@lru_cache(maxsize=4096)
def amount(total: str, currency: str) -> Money:
    """A decimal string in words, such as `299元` or `299.50元`; a currency without a word keeps its code."""
    whole, _, cents = total.partition(".")
    whole, cents = whole.lstrip("0") or "0", cents.rstrip("0")
    number = f"{whole}.{cents.ljust(2, '0')}" if cents else whole
    word = CURRENCY_WORDS.get(currency)
    money = Money(f"{number}{word}" if word else f"{number} {currency}")
    money.symbol = f"{CURRENCY_SYMBOLS.get(currency, f'{currency} ')}{number}"
    return money
