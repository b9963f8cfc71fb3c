"""Where a template shows the link for paying and a text message's signature, on every way through its ifs."""

import re
from collections.abc import Iterable, Iterator

from jinja2 import nodes

from dispatcher.messages.bounds import Problem
from dispatcher.messages.paths import Paths, Ways

LINK = "pay_url"
SIGNED_BY = "shop"
SIGNATURE = f"【{{{{ {SIGNED_BY} }}}}】"

_OPENS, _CLOSES = "【】"
_BRACKET = re.compile("[【】]")
_VISIBLE = re.compile("[!-~]")


class _Places:
    """The template followed once; each set holds the ways on which that is so at the place reached."""

    def __init__(self, paths: Paths, signed: bool) -> None:
        self.paths = paths
        self.signed = signed
        self.behind_link: Ways = 0
        self.joins: Ways = 0  # what stands there belongs to a link that begins here
        self.begun: Ways = 0
        self.opened: Ways = 0
        self.named: Ways = 0
        self.lost: Ways = 0  # told already

    def follow(self, statements: Iterable[nodes.Node], ways: Ways) -> Iterator[Problem]:
        for statement in statements:
            match statement:
                case nodes.If():
                    for test, body in self.paths.branches(statement, ways):
                        yield from self.follow(body, test)
                case nodes.Output():
                    for part in statement.nodes:
                        if isinstance(part, nodes.TemplateData):
                            yield from self._text(part, ways)
                        else:
                            yield from self._field(part, ways)

    def _text(self, text: nodes.TemplateData, ways: Ways) -> Iterator[Problem]:
        said = text.data
        if not said:
            return
        if ways & self.behind_link and _VISIBLE.match(said):
            yield Problem(
                text.lineno, f"expected no {said[0]} right behind {LINK}: it would be part of the link"
            )
        self.behind_link &= ~ways
        self.joins = self.joins | ways if _VISIBLE.match(said[-1]) else self.joins & ~ways
        if self.signed:
            yield from self._signing(text, ways)

    def _signing(self, text: nodes.TemplateData, ways: Ways) -> Iterator[Problem]:
        said = text.data
        if ways & ~self.begun:
            rest = said.removeprefix(_OPENS)
            right = said == _OPENS and not ways & self.begun
            self.opened |= ways
        elif ways & self.opened:
            rest = said.removeprefix(_CLOSES)
            right = rest != said and not ways & ~(self.opened & self.named)
            self.opened &= ~ways
        else:
            rest, right = said, True
        self.begun |= ways
        if not right:
            yield from self._unsigned(text.lineno, ways)
        elif _BRACKET.search(rest):
            yield Problem(text.lineno, f"expected no other 【 or 】 than those of {SIGNATURE}")

    def _unsigned(self, line: int, ways: Ways) -> Iterator[Problem]:
        if ways & ~self.lost:
            yield Problem(line, f"expected the text message to begin with {SIGNATURE}, on every way")
        self.lost |= ways
        self.begun |= ways
        self.opened &= ~ways

    def _field(self, field: nodes.Node, ways: Ways) -> Iterator[Problem]:
        name = field.name if isinstance(field, nodes.Name) else ""
        if ways & self.behind_link:
            yield Problem(field.lineno, f"expected a space or other text between {LINK} and the next field")
        if name == LINK and ways & self.joins:
            yield Problem(field.lineno, f"expected a space, a line break or Chinese text before {LINK}")
        self.behind_link = self.behind_link | ways if name == LINK else self.behind_link & ~ways
        self.joins |= ways
        if self.signed and (ways & ~self.begun or ways & self.opened):
            if name == SIGNED_BY and not ways & ~(self.opened & ~self.named):
                self.named |= ways
            else:
                yield from self._unsigned(field.lineno, ways)

    def ended(self) -> Iterator[Problem]:
        if self.signed and (self.paths.all & ~self.begun or self.opened):
            yield from self._unsigned(1, self.paths.all)


def misplaced(tree: nodes.Template, paths: Paths, signed: bool) -> Iterator[Problem]:
    """Tell what would become part of the link or break it and, of a `signed` message, a wrong signature."""
    places = _Places(paths, signed)
    yield from places.follow(tree.body, paths.all)
    yield from places.ended()
