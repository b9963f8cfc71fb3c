"""Order files as events: each record goes through the same checks as an event from outside."""

import csv
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import NamedTuple, NoReturn

from dispatcher.errors import FieldProblem, InvalidEvent, InvalidInput
from dispatcher.policy.events import Event, decode_event
from dispatcher.policy.facts import Instant
from dispatcher.policy.terms import Policy
from dispatcher.simulation import tmall

MAX_PROBLEMS = 100
"""A file that is wrong all over is answered with its first so many problems."""


class SourceEvent(NamedTuple):
    """An event and the instant at which it reaches the service."""

    at: Instant
    event: Event


def read_orders(path: Path, form: str, policy: Policy, shop: str) -> list[SourceEvent]:
    """Return the events of an order file, oldest first, those of one instant in the order of the file.

    `form` is `tmall` or `jsonl`; in `jsonl` an event names its own shop. A file that is not right raises
    `InvalidInput`, with a pointer of line and column for each problem.
    """
    reader = _READERS.get(form)
    if reader is None:
        raise InvalidInput(f"unknown format: expected one of {', '.join(_READERS)}")
    events: list[SourceEvent] = []
    problems: list[FieldProblem] = []
    try:
        for found in reader(path, policy, shop):
            if isinstance(found, FieldProblem):
                problems.append(found)
            else:
                events.append(SourceEvent(found.time, found))
    except OSError as wrong:
        raise InvalidInput(f"{path} cannot be read: {wrong.strerror}") from wrong
    except (UnicodeDecodeError, csv.Error) as wrong:
        raise InvalidInput(f"{path.name} is not right: expected a {form} file in UTF-8") from wrong
    if problems:
        _refuse(path, problems)
    return sorted(events, key=lambda source: source.at)


def _refuse(path: Path, problems: list[FieldProblem]) -> NoReturn:
    first = problems[0]
    line, _, place = first.pointer.removeprefix("/").partition("/")
    where = f"line {line}, {place}" if place else f"line {line}"
    more = f" (and {len(problems) - 1} more)" if len(problems) > 1 else ""
    raise InvalidInput(f"{path.name}, {where}: {first.detail}{more}", tuple(problems[:MAX_PROBLEMS]))


def _jsonl(path: Path, _policy: Policy, _shop: str) -> Iterator[Event | FieldProblem]:
    with path.open("rb") as file:
        for number, line in enumerate(file, 1):
            text = line.removeprefix(b"\xef\xbb\xbf").strip()
            if not text:
                continue
            try:
                yield decode_event(text)
            except InvalidEvent as wrong:
                for problem in wrong.problems:
                    yield FieldProblem(f"/{number}{problem.pointer}", problem.detail)


_READERS: dict[str, Callable[[Path, Policy, str], Iterator[Event | FieldProblem]]] = {
    "tmall": tmall.read,
    "jsonl": _jsonl,
}
