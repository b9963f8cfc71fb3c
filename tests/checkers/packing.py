"""How the store keeps JSON (layout `d1`): plain if short, else in packing 1; written down a second time."""

from pathlib import Path

import zstandard

PLAIN, PACKED = b"\x00", b"\x01"
"""What the first byte tells."""

TEXT = Path(__file__).parents[2] / "dispatcher" / "storage" / "packing-1.txt"
DICTIONARY = zstandard.ZstdCompressionDict(TEXT.read_bytes(), dict_type=zstandard.DICT_TYPE_RAWCONTENT)


def unpacked(packed: bytes) -> bytes:
    """Return what was packed or left plain; anything else is a `ValueError`."""
    if packed.startswith(PLAIN):
        return packed[1:]
    if not packed.startswith(PACKED):
        raise ValueError(f"expected plain or packing 1, got {packed[:1]!r}")
    return zstandard.ZstdDecompressor(dict_data=DICTIONARY).decompress(packed[1:])


def packed(text: bytes) -> bytes:
    """Return a text as it is stored."""
    return PACKED + zstandard.ZstdCompressor(dict_data=DICTIONARY).compress(text)
