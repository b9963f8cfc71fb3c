"""Reading one table of a document while collecting every problem in it."""

import json
from collections.abc import Callable, Iterator
from typing import Any, TypeVar

from dispatcher.errors import FieldProblem

T = TypeVar("T")

MAX_ROWS = 100
"""The longest list a policy may hold."""

_SHOWN = 60


class Table:
    """A table at an RFC 6901 pointer; what is wrong in it goes to the `problems` shared by a document."""

    def __init__(self, data: object, pointer: str, problems: list[FieldProblem]) -> None:
        self.pointer = pointer
        self._problems = problems
        self._keys: list[str] = []
        self._data: dict[str, Any] = data if isinstance(data, dict) else {}
        if not isinstance(data, dict):
            self._problem(pointer, f"expected a table, got {shown(data)}")

    def take(self, key: str, parse: Callable[[object], T], *, required: bool = False) -> T | None:
        """The parsed value, or `None` where it is absent or wrong; `parse` raises `ValueError`."""
        self._keys.append(key)
        value = self._data.get(key)
        try:
            if key in self._data:
                return parse(value)
            if required:
                parse(None)
        except ValueError as error:
            got = f"got {shown(value)}" if key in self._data else "which is missing"
            self._problem(self._below(key), f"{error}, {got}")
        return None

    def table(self, key: str, *, required: bool = False) -> "Table | None":
        """The table under a key, or `None` where it is absent."""
        self._keys.append(key)
        if key in self._data:
            return Table(self._data[key], self._below(key), self._problems)
        if required:
            self._problem(self._below(key), "expected a table, which is missing")
        return None

    def section(self, key: str, read: Callable[["Table"], T | None]) -> T | None:
        """What `read` makes of the table under a key, or `None` where it is absent; others are refused."""
        table = self.table(key)
        if table is None:
            return None
        found = read(table)
        table.close()
        return found

    def tables(self, key: str, *, required: bool = True) -> Iterator["Table"]:
        """The tables of a list that must hold one at least, where it is given."""
        self._keys.append(key)
        if not required and key not in self._data:
            return
        rows = self._data.get(key)
        if not isinstance(rows, list) or not 1 <= len(rows) <= MAX_ROWS:
            self._problem(self._below(key), f"expected a list of 1 to {MAX_ROWS} tables")
            return
        for number, row in enumerate(rows):
            yield Table(row, f"{self._below(key)}/{number}", self._problems)

    def refuse(self, key: str, detail: str) -> None:
        """Record a problem that only several keys together show."""
        self._problem(self._below(key) if key else self.pointer, detail)

    def has(self, key: str) -> bool:
        """Whether the document gives this key."""
        return key in self._data

    def close(self) -> None:
        """Refuse by name every key that was not asked for."""
        known = ", ".join(self._keys)
        for key in self._data:
            if key not in self._keys:
                self._problem(self._below(str(key)), f"unknown key, expected one of: {known}")

    def _below(self, key: str) -> str:
        return f"{self.pointer}/{key.replace('~', '~0').replace('/', '~1')}"

    def _problem(self, pointer: str, detail: str) -> None:
        self._problems.append(FieldProblem(pointer, detail))


def shown(value: object) -> str:
    """A value as an error text may show it: short, on one line."""
    text = json.dumps(value, ensure_ascii=True, default=str)
    return text if len(text) <= _SHOWN else f"{text[:_SHOWN]}…"
