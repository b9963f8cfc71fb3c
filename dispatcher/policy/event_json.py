"""JSON as it came, made comparable: parsed strictly, written in one canonical way, repeated names found."""

import json

import msgspec

from dispatcher.errors import FieldProblem, InvalidEvent, TooLarge

_PLAIN = msgspec.json.Decoder()
_CANONICAL = msgspec.json.Encoder(order="deterministic")
_BATCH = msgspec.json.Decoder(list[msgspec.Raw])
_NOT_JSON = (msgspec.MsgspecError, UnicodeDecodeError, RecursionError)


def parse(raw: bytes) -> object:
    """Return the value of one JSON text; what is not JSON in UTF-8, or too deep, raises `InvalidEvent`."""
    try:
        return _PLAIN.decode(raw)
    except _NOT_JSON:
        expected = "expected one JSON object in UTF-8"
        # The parser's own words may quote what it read.
        raise InvalidEvent(f"the event is not right: {expected}", (FieldProblem("", expected),)) from None


def split(body: bytes, most: int) -> list[bytes]:
    """Return the texts of a JSON array's elements, or raise `TooLarge`; else raises `InvalidEvent`."""
    try:
        parts = _BATCH.decode(body)
    except _NOT_JSON:
        expected = "expected a JSON array of events in UTF-8"
        raise InvalidEvent(f"the batch is not right: {expected}", (FieldProblem("", expected),)) from None
    if len(parts) > most:
        raise TooLarge(f"expected a batch of at most {most} events")
    return [bytes(part) for part in parts]


def canonical(content: object) -> bytes:
    """Return the one text that stands for `content`, whatever the order of names, spaces and escapes was."""
    return _CANONICAL.encode(content)


def repeated_name(raw: bytes, written: bytes) -> str | None:
    """Return a name that an object in `raw` gives twice; `written` is the canonical text of what was read.

    The parser keeps the last of several, so that strings are missing in `written`. Counting them is cheap;
    only then a second parser is asked which name it was.
    """
    if _quotes(raw) == _quotes(written):
        return None
    repeated: list[str] = []

    def look(pairs: list[tuple[str, object]]) -> None:
        seen: set[str] = set()
        for name, _ in pairs:
            if name in seen and not repeated:
                repeated.append(name)
            seen.add(name)

    try:
        json.loads(raw, object_pairs_hook=look)
    except RecursionError:  # this parser goes less deep than the first one
        return None
    return repeated[0] if repeated else None


def _quotes(text: bytes) -> int:
    if b"\\" not in text:
        return text.count(b'"')
    # Without the pairs of backslashes, every backslash before a quote escapes it.
    text = text.replace(b"\\\\", b"")
    return text.count(b'"') - text.count(b'\\"')
