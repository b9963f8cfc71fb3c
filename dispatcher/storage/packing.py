"""JSON as the store keeps it: compressed against a text that holds what nearly every record repeats.

`packing-2.txt` is that text, `packing-1.txt` was it before. Neither must ever change, since what was packed
with it is read with it; another one would get another number, which is the first byte of what was packed.
"""

from importlib.resources import files

import msgspec
from zstandard import (
    DICT_TYPE_RAWCONTENT,
    ZstdCompressionDict,
    ZstdCompressionParameters,
    ZstdCompressor,
    ZstdDecompressor,
    ZstdError,
)

from dispatcher.errors import StoreRefused

Packed = msgspec.Raw
"""A packed text as a string in MessagePack."""

PLAIN = b"\x00"
VERSION = b"\x02"
LEVEL = -1
"""Two thirds of the time of level 3 for a twelfth more bytes, since the texts are short."""
MIN_MATCH, HASH_LOG, WINDOW_LOG = 7, 12, 14
"""What repeats here is long: looking for nothing shorter takes a tenth less time, and fewer bytes."""
WORTH_PACKING = 160
"""A shorter text is kept as it is, behind the byte `PLAIN`: packing it would cost more than it saves."""
LARGEST = 1_048_576
"""Nothing that is packed is longer; a longer one is not ours."""

_SHORT = [b"\xd9" + length.to_bytes(1, "big") for length in range(0x100)]
"""What stands before a string of so many bytes in MessagePack; before a longer one it is five bytes."""

_DICTIONARIES = {
    version: ZstdCompressionDict((files("dispatcher.storage") / text).read_bytes(), DICT_TYPE_RAWCONTENT)
    for version, text in ((b"\x01", "packing-1.txt"), (b"\x02", "packing-2.txt"))
}
_PARAMETERS = ZstdCompressionParameters.from_level(
    LEVEL, min_match=MIN_MATCH, hash_log=HASH_LOG, window_log=WINDOW_LOG
)
_DICTIONARIES[VERSION].precompute_compress(compression_params=_PARAMETERS)
_PACKER = ZstdCompressor(dict_data=_DICTIONARIES[VERSION], compression_params=_PARAMETERS)
_UNPACKERS = {version: ZstdDecompressor(dict_data=known) for version, known in _DICTIONARIES.items()}


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
    unpacker = _UNPACKERS.get(packed[:1])
    if unpacker is None:
        raise StoreRefused("what is stored was packed in a way that this release does not know")
    try:
        return unpacker.decompress(packed[1:], max_output_size=LARGEST)
    except ZstdError as error:
        raise StoreRefused("what is stored cannot be unpacked") from error
