"""An order's text in the store: a header, what stands of it as MessagePack, the numbers of its audit records.

The header tells a script what leasing needs without decoding, and where the part ends that decisions stand
on. An earlier version wrote MessagePack alone, with the numbers in it (see `lua/lib/orders.lua`).
"""

from struct import Struct, error

import msgspec

from dispatcher.storage.records import RECORD_BYTES, StoredOrder

_HEADER = Struct(">BIBH")
_VERSION = 1
"""No MessagePack of an order begins so."""

_DECODER = msgspec.msgpack.Decoder(StoredOrder)
_ENCODER = msgspec.msgpack.Encoder()


def order_of(text: bytes) -> StoredOrder:
    """Return an order as it is stored, with the numbers of its records; `ValueError` where it is none."""
    order, alone = order_alone(text)
    if alone is not None:
        order.records = [
            int.from_bytes(text[at : at + RECORD_BYTES], "big")
            for at in range(len(alone), len(text) - RECORD_BYTES + 1, RECORD_BYTES)
        ]
    return order


def order_alone(text: bytes) -> tuple[StoredOrder, bytes | None]:
    """Return an order without its records, and the text of just that; an earlier version has no such text."""
    if text[:1] != b"\x01":
        return _DECODER.decode(text), None
    try:
        _, size, _, customer = _HEADER.unpack_from(text)
    except error as short:
        raise ValueError("an order's header is cut off") from short
    start = _HEADER.size + customer
    alone = text[: start + size]
    if len(alone) < start + size:
        raise ValueError("an order's text is cut off")
    return _DECODER.decode(alone[start:]), alone


def text_of(order: StoredOrder) -> bytes:
    """Return the text of an order without its records."""
    assert not order.records, "they are no part of this text"
    body, customer = _ENCODER.encode(order), (order.customer or "").encode()
    return _HEADER.pack(_VERSION, len(body), order.shared, len(customer)) + customer + body
