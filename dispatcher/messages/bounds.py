"""What keeps a template's source small and flat enough to be parsed, looked at before it is parsed."""

from collections.abc import Iterable, Iterator
from typing import NamedTuple

MAX_SOURCE_CHARACTERS = 8_000
MAX_TAGS = 80
"""Tags are `{{ … }}` and `{% … %}`."""

MAX_TAG_WORDS = 50
"""Names, signs and numbers in one tag."""

MAX_PARENTHESES = 5
"""Parentheses within each other."""

MAX_NESTED = 6
"""An `if` within an `if`."""

MAX_DIGITS = 4
MAX_PROBLEMS = 20
"""Problems of one template that are told."""

MAX_SHOWN = 24
"""Characters of a template that a complaint repeats."""

BLOCKS = ("if", "elif", "else", "endif")


class Problem(NamedTuple):
    """What is not right in a template, and in which line of its source."""

    line: int
    detail: str


class _Tag(NamedTuple):
    line: int
    kind: str
    words: list[str]


def shown(text: str) -> str:
    """A piece of a template as a complaint repeats it, cut when it is long."""
    return text if len(text) <= MAX_SHOWN else text[:MAX_SHOWN] + "…"


def beyond_bounds(tokens: Iterable[tuple[int, str, str]]) -> Iterator[Problem]:
    """Tell what is larger or deeper than a template may be, and each tag that is none of `BLOCKS`."""
    nested = 0
    for number, tag in enumerate(_tags(tokens), 1):
        if number > MAX_TAGS:
            yield Problem(tag.line, f"expected at most {MAX_TAGS} tags")
            return
        yield from _within(tag)
        nested += {"if": 1, "endif": -1}.get(_name(tag), 0)
        if nested > MAX_NESTED:
            yield Problem(tag.line, f"expected at most {MAX_NESTED} ifs within each other")
            return


def _tags(tokens: Iterable[tuple[int, str, str]]) -> Iterator[_Tag]:
    tag: _Tag | None = None
    for line, kind, text in tokens:
        if kind in ("variable_begin", "block_begin", "raw_begin"):
            tag = _Tag(line, kind, [])
        elif kind in ("variable_end", "block_end", "raw_end"):
            if tag is not None:
                yield tag
            tag = None
        elif tag is not None and kind not in ("whitespace", "data"):
            tag.words.append(text)
            if len(tag.words) > MAX_TAG_WORDS:
                break
    if tag is not None:
        yield tag


def _within(tag: _Tag) -> Iterator[Problem]:
    name = _name(tag)
    # The end of a tag that is not allowed goes with its beginning.
    if name and name not in BLOCKS and not name.startswith("end"):
        yield Problem(tag.line, f"the tag {shown(name)} is not allowed; a template has {', '.join(BLOCKS)}")
    if len(tag.words) > MAX_TAG_WORDS:
        yield Problem(tag.line, f"expected at most {MAX_TAG_WORDS} words and signs in a tag")
    if _parentheses(tag.words) > MAX_PARENTHESES:
        yield Problem(tag.line, f"expected at most {MAX_PARENTHESES} parentheses within each other")
    if any(word[0].isdigit() and len(word) > MAX_DIGITS for word in tag.words):
        yield Problem(tag.line, f"expected numbers of at most {MAX_DIGITS} digits")


def _name(tag: _Tag) -> str:
    """The word that a `{% … %}` begins with; jinja reads over the one of `raw` by itself."""
    if tag.kind == "raw_begin":
        return "raw"
    return tag.words[0] if tag.kind == "block_begin" and tag.words else ""


def _parentheses(words: list[str]) -> int:
    depth = deepest = 0
    for word in words:
        depth += (word in "([{") - (word in ")]}")
        deepest = max(deepest, depth)
    return deepest
