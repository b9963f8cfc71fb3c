"""What a template says, worked out once for each set of fields that an order has values for."""

from collections.abc import Callable, Collection, Iterable, Iterator, Mapping
from functools import lru_cache
from typing import NamedTuple

from jinja2 import nodes

from dispatcher.errors import MissingField
from dispatcher.messages.fields import FIELDS
from dispatcher.messages.filters import FILTERS
from dispatcher.messages.schema import Value

MAX_PHRASINGS = 256
"""Of one template that are kept; each is at most as long as its source."""


class Phrasing(NamedTuple):
    """A text with `%s` for each field that is shown, and what becomes of that field's value."""

    text: str
    shown: tuple[tuple[str, Callable[[Value], object] | None], ...]


class Phrasings:
    """What a parsed template says; nothing of it ever runs, its ifs are looked at here."""

    def __init__(self, tree: nodes.Template) -> None:
        self._body = tree.body
        self._known = lru_cache(MAX_PHRASINGS)(self._phrasing)

    def say(self, values: Mapping[str, Value]) -> str:
        """The text for the fields that are there, in the order they always come in; a yes/no one for yes.

        Raises `MissingField` for the first one that is shown and not there.
        """
        pattern, shown = self.filled(values)
        return pattern % shown

    def filled(self, values: Mapping[str, Value]) -> tuple[str, tuple[object, ...]]:
        """The same as a pattern with `%s` for each value that is shown, and those values."""
        text, shown = self._known(tuple(values))
        return text, tuple([values[name] if show is None else show(values[name]) for name, show in shown])

    def shown(self, values: Iterable[str]) -> frozenset[str]:
        """The fields that the text shows where these have values, in the order they always come in."""
        return frozenset(name for name, _ in self._known(tuple(values)).shown)

    def _phrasing(self, there: tuple[str, ...]) -> Phrasing:
        texts: list[str] = []
        shown: list[tuple[str, Callable[[Value], object] | None]] = []
        for part in _said(self._body, there):
            match part:
                case nodes.TemplateData(data=str(text)):
                    texts.append(text.replace("%", "%%"))
                    continue
                case nodes.Name(name=str(name)):
                    shown.append((name, None))
                case nodes.Filter(node=nodes.Name(name=str(name))):
                    shown.append((name, _filter(part)))
                case _:
                    raise _not_allowed(part)
            if name not in there:
                raise MissingField(FIELDS[name].path)
            texts.append("%s")
        return Phrasing("".join(texts), tuple(shown))


def _filter(used: nodes.Filter) -> Callable[[Value], object]:
    arguments = [argument.as_const() for argument in used.args]
    apply = FILTERS[used.name].apply
    return (lambda value: apply(value, *arguments)) if arguments else apply


def _said(statements: Iterable[nodes.Node], there: Collection[str]) -> Iterator[nodes.Node]:
    """Texts and fields in order, of each if those of the branch that is taken."""
    for statement in statements:
        match statement:
            case nodes.If():
                branches = ((branch.test, branch.body) for branch in (statement, *statement.elif_))
                taken = (body for test, body in branches if _holds(test, there))
                yield from _said(next(taken, statement.else_), there)
            case nodes.Output():
                yield from statement.nodes
            case _:
                raise _not_allowed(statement)


def _holds(condition: nodes.Node, there: Collection[str]) -> bool:
    match condition:
        case nodes.And():
            return _holds(condition.left, there) and _holds(condition.right, there)
        case nodes.Or():
            return _holds(condition.left, there) or _holds(condition.right, there)
        case nodes.Not():
            return not _holds(condition.node, there)
        case nodes.Test(name="defined", node=nodes.Name(name=name)) | nodes.Name(name=name):
            return name in there
    raise _not_allowed(condition)


def _not_allowed(node: nodes.Node) -> AssertionError:
    return AssertionError(f"{node!r} is not allowed in a template")
