"""Which fields a template shows under which conditions, over every way through its ifs at once."""

from collections.abc import Iterable, Iterator
from itertools import accumulate
from operator import and_

from jinja2 import nodes

from dispatcher.messages import incentives
from dispatcher.messages.bounds import Problem
from dispatcher.messages.elements import ELEMENTS, REFUSAL, Element
from dispatcher.messages.fields import FIELDS
from dispatcher.policy.facts import Channel

MAX_CONDITIONS = 18
"""Fields that the ifs of one template may ask about; each doubles the ways through it."""

Ways = int
"""A set of ways: way number n is bit n, and bit i of n says whether the i-th condition holds."""


class TooManyConditions(ValueError):
    """A template that asks about more fields than `MAX_CONDITIONS`."""


class Paths:
    """A parsed template's ways; a condition is whether a field is there, of a yes/no field that it is yes."""

    def __init__(self, tree: nodes.Template) -> None:
        self.asked = [
            (name.name, name.lineno) for branch in tree.find_all(nodes.If) for name in _names(branch.test)
        ]
        self.conditions = tuple(dict.fromkeys(name for name, _ in self.asked))
        if len(self.conditions) > MAX_CONDITIONS:
            raise TooManyConditions(
                f"expected ifs on at most {MAX_CONDITIONS} fields, got {len(self.conditions)}"
            )
        self.all: Ways = (1 << (1 << len(self.conditions))) - 1
        self.holds = {name: self._holding(place) for place, name in enumerate(self.conditions)}
        self.shown: dict[str, Ways] = {}
        self.uses: list[tuple[str, int, Ways]] = []
        self.refusable: Ways = 0
        self._follow(tree.body, self.all)

    def fields(self) -> tuple[str, ...]:
        """The fields that are shown or asked about."""
        return tuple(dict.fromkeys((*self.shown, *self.conditions)))

    def _holding(self, place: int) -> Ways:
        # A run of 2^place ways in which the condition fails, one in which it holds, and so on by doubling.
        ways, width = ((1 << (1 << place)) - 1) << (1 << place), 2 << place
        while width < 1 << len(self.conditions):
            ways |= ways << width
            width *= 2
        return ways

    def _follow(self, statements: Iterable[nodes.Node], ways: Ways) -> None:
        for statement in statements:
            if isinstance(statement, nodes.If):
                for taken, body in self.branches(statement, ways):
                    self._follow(body, taken)
            else:
                for name in _names(statement):
                    self.shown[name.name] = self.shown.get(name.name, 0) | ways
                    self.uses.append((name.name, name.lineno, ways))
                if any(REFUSAL.search(text.data) for text in statement.find_all(nodes.TemplateData)):
                    self.refusable |= ways

    def branches(self, statement: nodes.If, ways: Ways) -> Iterator[tuple[Ways, list[nodes.Node]]]:
        """Each branch with those of `ways` that take it, the one for none of the conditions last."""
        for branch in (statement, *statement.elif_):
            taken = ways & self._where(branch.test)
            yield taken, branch.body
            ways ^= taken
        yield ways, statement.else_

    def _where(self, condition: nodes.Node) -> Ways:
        match condition:
            case nodes.And():
                return self._where(condition.left) & self._where(condition.right)
            case nodes.Or():
                return self._where(condition.left) | self._where(condition.right)
            case nodes.Not():
                return self.all ^ self._where(condition.node)
            case nodes.Test(node=nodes.Name() as name) | (nodes.Name() as name):
                return self.holds[name.name]
        raise AssertionError(f"{condition!r} is not allowed in a template")

    def unguarded(self) -> Iterator[Problem]:
        """Tell each use of an optional field on a way where it may have no value."""
        for name, line, ways in self.uses:
            if FIELDS[name].optional and ways & ~self._given(name):
                yield Problem(line, f"{name} may be missing: expected it within if {name} is defined")

    def _given(self, name: str) -> Ways:
        """Where an optional field has a value for certain."""
        ways = 0
        for asked in (name, *FIELDS[name].given_with):
            ways |= self.holds.get(asked, 0)
        return ways

    def lacking(self, elements: Iterable[Element], channel: Channel) -> Iterator[Problem]:
        """Tell each element that some way does not carry, with that way's conditions."""
        for element in elements:
            carrier = ELEMENTS[element]
            if unused := sorted(name for name in carrier.fields if name not in self.shown):
                yield Problem(1, f"must carry {element}, but does not use {', '.join(unused)}")
                continue
            lacking = self.all & ~self._carrying(element, channel)
            if lacking:
                way = self._example(lacking)
                where, expected = _in_words(way), _expected(element, channel)
                line = self._line(way, carrier.fields)
                yield Problem(line, f"must carry {element}, but does not{where}: expected {expected}")

    def irrefusable(self, channel: Channel) -> Iterator[Problem]:
        """Tell whether some way of a text message names an incentive, but not how to refuse promotions."""
        asked = [name for name in self.conditions if name in incentives.FIELDS]
        promoting = 0
        for name in ["promotion"] if "promotion" in asked else asked:
            promoting |= self.holds[name]
        lacking = promoting & ~self.refusable
        if channel == "sms" and lacking:
            way = self._example(lacking)
            line = next(line for name, line in self.asked if name in way)
            expected = "expected words like 拒收请回复R, 回T退订 or Reply R to stop"
            yield Problem(line, f"must carry the way to refuse, but does not{_in_words(way)}: {expected}")

    def _carrying(self, element: Element, channel: Channel) -> Ways:
        carrier = ELEMENTS[element]
        said = excused = self.all
        for name in carrier.fields:
            there = self.holds.get(name, self.all) if FIELDS[name].optional else self.all
            said &= self.shown[name]
            excused &= self.shown[name] | ~there
        for name in carrier.instead(channel):
            excused &= self.shown.get(name, 0)
        return said | (excused & ~self._there(carrier.optional))

    def _there(self, names: Iterable[str]) -> Ways:
        ways = self.all
        for name in names:
            ways &= self.holds.get(name, self.all)
        return ways

    def _example(self, ways: Ways) -> dict[str, bool]:
        """The fewest conditions, by leaving out one after the other, that lead to nothing but `ways`."""
        first = (ways & -ways).bit_length() - 1
        way = {name: bool(first >> place & 1) for place, name in enumerate(self.conditions)}
        single = [self.holds[name] if holds else self.all ^ self.holds[name] for name, holds in way.items()]
        rest = [*accumulate(reversed(single[1:]), and_, initial=self.all)][::-1]
        kept, others = self.all, self.all ^ ways
        for name, own, after in zip(self.conditions, single, rest, strict=True):
            if kept & after & others:
                kept &= own
            else:
                del way[name]
        return way

    def _line(self, way: dict[str, bool], fields: frozenset[str]) -> int:
        """Where to look: the last if that asks about the way's conditions before one of `fields` is shown."""
        lines = [line for name, line in self.asked if name in way]
        shown = max(line for name, line, _ in self.uses if name in fields)
        return max((line for line in lines if line <= shown), default=min(lines, default=1))


def _names(node: nodes.Node) -> Iterator[nodes.Name]:
    if isinstance(node, nodes.Name):
        yield node
    yield from node.find_all(nodes.Name)


def _in_words(way: dict[str, bool]) -> str:
    told = [
        f"{'' if holds else 'not '}{name}"
        if FIELDS[name].kind == "yes/no"
        else f"{name} is {'' if holds else 'not '}defined"
        for name, holds in way.items()
    ]
    return f" where {' and '.join(told)}" if told else ""


def _expected(element: Element, channel: Channel) -> str:
    carrier = ELEMENTS[element]
    instead = carrier.instead(channel)
    standing_in = f", or {', '.join(sorted(instead))} where that is missing" if instead else ""
    return ", ".join(sorted(carrier.fields)) + standing_in
