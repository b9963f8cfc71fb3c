"""What a text message costs, in China and elsewhere, and what made it cost that."""

import re
from itertools import accumulate
from typing import Literal

import msgspec

from dispatcher.messages.contacts import links
from dispatcher.messages.folding import fold

Encoding = Literal["mainland", "GSM-7", "UCS-2"]

ONE_PART: dict[Encoding, int] = {"mainland": 70, "GSM-7": 160, "UCS-2": 70}
"""The most characters of a message that is one segment."""
PART_OF_SEVERAL: dict[Encoding, int] = {"mainland": 67, "GSM-7": 153, "UCS-2": 67}
"""The most characters of each segment when there are several."""

# The basic and the extension table of GSM 03.38; an extension character takes an escape and itself.
GSM_BASIC = frozenset(
    "@£$¥èéùìòÇ\nØø\rÅåΔ_ΦΓΛΩΠΨΣΘΞÆæßÉ !\"#¤%&'()*+,-./0123456789:;<=>?"
    "¡ABCDEFGHIJKLMNOPQRSTUVWXYZÄÖÑÜ§¿abcdefghijklmnopqrstuvwxyzäöñüà"
)
GSM_EXTENSION = frozenset("\f^{}\\[~]|€")
_GSM = GSM_BASIC | GSM_EXTENSION

# What a reader sees as one character is never torn in two: a pair of flag letters, or a character with the
# marks, skin tones, tags and joined pictures that follow it.
_UNTORN = re.compile(
    "[\U0001f1e6-\U0001f1ff]{2}"
    "|.(?:[\u0300-\u036f\u200c\u20d0-\u20ff\ufe00-\ufe0f\U0001f3fb-\U0001f3ff\U000e0020-\U000e007f]"
    "|\u200d[\u2190-\u2bff\U0001f000-\U0001faff]?)*",
    re.DOTALL,
)


class Cost(msgspec.Struct, frozen=True, kw_only=True):
    """What a text is billed as.

    `characters` are counted as the encoding counts them, `left` is how many more the last segment holds;
    `expensive` names each character that kept the text from GSM-7, in order (to a mainland number nothing is
    expensive), and `torn_links` the links that begin in one segment and end in another.
    """

    encoding: Encoding
    characters: int
    segments: int
    left: int
    expensive: tuple[str, ...] = ()
    torn_links: tuple[str, ...] = ()


def mainland(text: str) -> Cost:
    """The cost to a mainland number of a text with its 【signature】.

    Every character counts 1, in Chinese or not, and one beyond the basic plane, as most emoji are, counts 2.
    """
    units = [_utf16(char) for char in text]
    total = sum(units)
    single, part = ONE_PART["mainland"], PART_OF_SEVERAL["mainland"]
    # Providers bill the characters by 67 and say nothing of where a segment ends, so nothing is kept whole.
    count = min(total, 1) if total <= single else -(-total // part)
    segment_of = [0 if count <= 1 else (end - 1) // part for end in accumulate(units)]
    return Cost(
        encoding="mainland",
        characters=total,
        segments=count,
        left=single - total if count <= 1 else part * count - total,
        torn_links=_torn(text, segment_of),
    )


def international(text: str) -> Cost:
    """The cost to a number elsewhere, by GSM 03.38 and 23.040: GSM-7 when it has every character, else UCS-2.

    Neither an escape and its character nor anything that is read as one character is split over two segments.
    """
    expensive = tuple(dict.fromkeys(char for char in text if char not in _GSM))
    encoding: Encoding = "UCS-2" if expensive else "GSM-7"
    sizes = [1 + (char in GSM_EXTENSION) for char in text] if encoding == "GSM-7" else _untorn_sizes(text)
    used = [0]
    segment_of = []
    limit = ONE_PART[encoding] if sum(sizes) <= ONE_PART[encoding] else PART_OF_SEVERAL[encoding]
    for size in sizes:
        if size and used[-1] + size > limit:
            used.append(0)
        used[-1] += size
        segment_of.append(len(used) - 1)
    return Cost(
        encoding=encoding,
        characters=sum(sizes),
        segments=len(used) if text else 0,
        left=limit - used[-1],
        expensive=expensive,
        torn_links=_torn(text, segment_of),
    )


def characters(text: str) -> int:
    """Billed characters of a text to a mainland number: its UTF-16 units, of which most emoji have two."""
    return len(text.encode("utf-16-le")) // 2


def segments(text: str) -> int:
    """Billed segments of a text to a mainland number, its 【signature】 included."""
    return mainland(text).segments


def _utf16(char: str) -> int:
    return 2 if char > "\uffff" else 1


def _untorn_sizes(text: str) -> list[int]:
    """The size of each character, where the first of those that stay together has the size of them all."""
    sizes: list[int] = []
    for together in _UNTORN.findall(text):
        size = sum(map(_utf16, together))
        sizes += [size] + [0] * (len(together) - 1)
    return sizes


def _torn(text: str, segment_of: list[int]) -> tuple[str, ...]:
    found = ((link.start, link.end) for link in links(fold(text)))
    return tuple(text[start:end] for start, end in found if segment_of[start] != segment_of[end - 1])
