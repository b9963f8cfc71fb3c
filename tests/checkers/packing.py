"""How the store keeps JSON (layout `d1`): plain if short, else in packing 2 or 1; put down a second time."""

from pathlib import Path

import zstandard

PLAIN = 0
"""What the first byte tells, if not the number of a packing."""

TEXTS = Path(__file__).parents[2] / "dispatcher" / "storage"
DICTIONARIES = {
    number: zstandard.ZstdCompressionDict(
        (TEXTS / f"packing-{number}.txt").read_bytes(), dict_type=zstandard.DICT_TYPE_RAWCONTENT
    )
    for number in (1, 2)
}
NEWEST = max(DICTIONARIES)


def unpacked(packed: bytes) -> bytes:
    """Return what was packed or left plain; anything else is a `ValueError`."""
    number = packed[0] if packed else None
    if number == PLAIN:
        return packed[1:]
    if number not in DICTIONARIES:
        raise ValueError(f"expected plain, packing 1 or packing 2, got {packed[:1]!r}")
    return zstandard.ZstdDecompressor(dict_data=DICTIONARIES[number]).decompress(packed[1:])


def packed(text: bytes) -> bytes:
    """Return a text as it is stored."""
    return bytes([NEWEST]) + zstandard.ZstdCompressor(dict_data=DICTIONARIES[NEWEST]).compress(text)
