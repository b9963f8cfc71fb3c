"""Sentences that many templates have, each written once in a file of its own."""

from collections.abc import Iterator
from pathlib import Path

from dispatcher.errors import InvalidTemplate
from dispatcher.messages.bounds import Problem
from dispatcher.messages.fields import values
from dispatcher.messages.incentives import KINDS, TOLD
from dispatcher.messages.language import parsed
from dispatcher.messages.manifest import text_of
from dispatcher.messages.paths import Paths
from dispatcher.messages.phrasing import Phrasings
from dispatcher.messages.places import LINK
from dispatcher.messages.subjects import Part


def part_in(path: Path) -> Part:
    """What a part says of an incentive; checked by itself, it is right wherever templates show it."""
    try:
        tree, problems = parsed(text_of(path))
        if tree is not None:
            paths = Paths(tree)
            problems = (*_itself(paths), *_silent(paths), *paths.unguarded())
    except (ValueError, OSError) as error:
        tree, problems = None, (Problem(1, str(error)),)
    if tree is None or problems:
        more = f" (and {len(problems) - 1} more)" if problems[1:] else ""
        raise InvalidTemplate(f"{path}:{problems[0].line}: {problems[0].detail}{more}")
    fields, phrasings = paths.fields(), Phrasings(tree)
    return lambda about: phrasings.say(values(fields, about))


def _itself(paths: Paths) -> Iterator[Problem]:
    for name, line in [*paths.asked, *((name, line) for name, line, _ in paths.uses)]:
        if name == TOLD:
            yield Problem(line, f"{TOLD} is what this file says: expected the other fields on incentives")
        if name == LINK:
            yield Problem(line, f"expected {LINK} in the templates, not here")


def _silent(paths: Paths) -> Iterator[Problem]:
    # An item that no message names would be taken for nothing.
    for kind in KINDS:
        if kind not in paths.conditions:
            yield Problem(1, f"must tell of {kind}, but does not ask about it")
