"""The filters a template may put behind a field, as in `{{ product|short(20) }}`."""

from collections.abc import Callable
from typing import Any, NamedTuple

from dispatcher.messages.schema import Kind
from dispatcher.messages.times import Moment
from dispatcher.messages.values import Money, shortened

MIN_SHORT_COLUMNS = 4
MAX_SHORT_COLUMNS = 80


class Filter(NamedTuple):
    """A filter: what it does to a value of its `kind`, and whether it takes a width in columns."""

    kind: Kind
    takes_columns: bool
    apply: Callable[..., Any]
    example: str
    meaning: str


def _clock(value: Moment) -> str:
    return value.clock


def _symbol(value: Money) -> str:
    return value.symbol


FILTERS: dict[str, Filter] = {
    "short": Filter(
        "text",
        True,
        shortened,
        "{{ product|short(20) }}",
        f"cut to so many columns, {MIN_SHORT_COLUMNS} to {MAX_SHORT_COLUMNS}; a Chinese character takes two",
    ),
    "clock": Filter("time", False, _clock, "{{ ships_before|clock }}", "the time of day without the day"),
    "symbol": Filter("money", False, _symbol, "{{ total|symbol }}", "with the currency's sign, as in ¥299"),
}
"""Every filter by the name that templates use."""
