"""JSON as the store keeps it: compressed against a text that holds what nearly every record repeats.

`packing-1.txt` is that text. It must never change, since what was packed with it is read with it;
another one would get another number, which is the first byte of what was packed.
"""

from importlib.resources import files

import msgspec
from zstandard import DICT_TYPE_RAWCONTENT, ZstdCompressionDict, ZstdCompressor, ZstdDecompressor, ZstdError

from dispatcher.errors import StoreRefused

Packed = msgspec.Raw
"""A packed text as a string in MessagePack."""

PLAIN = b"\x00"
VERSION = b"\x01"
LEVEL = -1
"""Two thirds of the time of level 3 for a twelfth more bytes, since the texts are short."""
WORTH_PACKING = 160
"""A shorter text is kept as it is, behind the byte `PLAIN`: packing it would cost more than it saves."""
LARGEST = 1_048_576
"""Nothing that is packed is longer; a longer one is not ours."""

_SHORT = [b"\xd9" + length.to_bytes(1, "big") for length in range(0x100)]
"""What stands before a string of so many bytes in MessagePack; before a longer one it is five bytes."""

_TEXT = (files("dispatcher.storage") / "packing-1.txt").read_bytes()
_DICTIONARY = ZstdCompressionDict(_TEXT, dict_type=DICT_TYPE_RAWCONTENT)
_DICTIONARY.precompute_compress(level=LEVEL)
_PACKER = ZstdCompressor(dict_data=_DICTIONARY)
_UNPACKER = ZstdDecompressor(dict_data=_DICTIONARY)


def pack(text: bytes | bytearray) -> Packed:
    """Return a JSON text as it is stored, ready for a script's arguments; for one thread only."""
    return string(VERSION + _PACKER.compress(text) if len(text) > WORTH_PACKING else PLAIN + text)


def string(text: bytes) -> Packed:
    """Return bytes as a string in MessagePack and not as binary, which the store's reader does not know."""
    length = len(text)
    return Packed((_SHORT[length] if length < len(_SHORT) else b"\xdb" + length.to_bytes(4, "big")) + text)


def unpack(packed: bytes) -> bytes:
    """Return what was packed; `StoreRefused` when it was not packed here. As `pack`, for one thread."""
    if packed[:1] == PLAIN:
        return packed[1:]
    if packed[:1] != VERSION:
        raise StoreRefused("what is stored was packed in a way that this release does not know")
    try:
        return _UNPACKER.decompress(packed[1:], max_output_size=LARGEST)
    except ZstdError as error:
        raise StoreRefused("what is stored cannot be unpacked") from error
