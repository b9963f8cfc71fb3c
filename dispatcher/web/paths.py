"""Paths as they came: an id's own `/` never parts it, and what is not text in UTF-8 is refused."""

from urllib.parse import unquote_to_bytes

from dispatcher.errors import FieldProblem, InvalidInput
from dispatcher.policy.event_text import Expected, identifier, shop_id

MAX_PATH_BYTES = 2_048
MAX_ID_BYTES = 300
"""A reminder's id is a shop's and an order's, with a number."""


def decoded(parameters: dict[str, str]) -> dict[str, str]:
    """Return a path's parameters as what they mean; `InvalidInput` names a wrong one."""
    return {name: _read(name, raw) for name, raw in parameters.items()}


def _read(name: str, raw: str) -> str:
    try:
        text = unquote_to_bytes(raw.encode("latin-1")).decode()
        return shop_id(text) if name == "shop" else identifier(text, MAX_ID_BYTES)
    except UnicodeDecodeError:
        raise _wrong(name, "expected text in UTF-8") from None
    except Expected as wrong:
        raise _wrong(name, str(wrong)) from None


def _wrong(name: str, expected: str) -> InvalidInput:
    return InvalidInput(f"{name} in the path: {expected}", (FieldProblem(f"/{name}", expected),))
