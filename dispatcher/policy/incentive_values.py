"""The single values that only an incentive holds: each reader raises `ValueError` with what was expected."""

import re
from decimal import Decimal
from typing import get_args

from dispatcher.policy.document_values import amount
from dispatcher.policy.incentive_terms import Audience, IncentiveKind, IncentiveUse

POOL_ID = "^[a-z0-9][a-z0-9_-]{0,39}$"
"""It stands in keys, routes and records: no separator of theirs, and nothing that must be escaped."""

_KINDS: tuple[IncentiveKind, ...] = get_args(IncentiveKind)
_USES: tuple[IncentiveUse, ...] = get_args(IncentiveUse)
_AUDIENCES: tuple[Audience, ...] = get_args(Audience)


def pool_id(value: object) -> str:
    """A pool's id."""
    if isinstance(value, str) and re.fullmatch(POOL_ID, value):
        return value
    raise ValueError("expected an id of 1 to 40 of a-z, 0-9, - and _, a letter or digit first")


def kind(value: object) -> IncentiveKind:
    """What is offered."""
    for known in _KINDS:
        if value == known:
            return known
    raise ValueError(f"expected one of {', '.join(_KINDS)}")


def use(value: object) -> IncentiveUse:
    """Which order it is for."""
    for known in _USES:
        if value == known:
            return known
    raise ValueError(f"expected one of {', '.join(_USES)}")


def some_amount(value: object) -> Decimal:
    """An amount above zero."""
    found = amount(value)
    if not found:
        raise ValueError("expected an amount above zero")
    return found


def audience(value: object) -> tuple[Audience, ...]:
    """For whom it is, each once."""
    if isinstance(value, list) and value and all(isinstance(each, str) for each in value):
        read = tuple(known for known in _AUDIENCES if known in value)
        if len(read) == len(value):
            return read
    raise ValueError(f"expected a list of one or more of {', '.join(_AUDIENCES)}, each once")
