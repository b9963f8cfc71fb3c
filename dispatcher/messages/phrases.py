"""Quick phrases for agents, in groups, each found by its code; checked as templates are."""

from functools import lru_cache
from pathlib import Path
from typing import Annotated

import msgspec

from dispatcher.errors import InvalidTemplate
from dispatcher.messages.catalog import WORDS, Template, compiled, directory_of
from dispatcher.messages.checking import forbidden_in, hits_by_platform, rules_in, tried
from dispatcher.messages.manifest import Entry, toml_of
from dispatcher.messages.subjects import Speech
from dispatcher.messages.wording import Rules
from dispatcher.policy.terms import DEFAULT_LOCALE, Platform

FILE = "phrases.toml"

MAX_GROUPS = 20
MAX_PHRASES = 50
"""Of one group."""

MAX_CHARACTERS = 300
"""An agent's phrase is short, whatever the order."""

_SPEECH = Speech(words=WORDS[DEFAULT_LOCALE], incentives={})
"""An agent offers nothing of their own."""

_Code = Annotated[str, msgspec.Meta(pattern="^[a-z0-9]{1,12}$")]
_ENTRY = Entry(version=1, technique="check_details", elements=())


class _Phrase(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """A phrase as it is written."""

    code: _Code
    text: str


class _Group(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """A group as it is written."""

    id: Annotated[str, msgspec.Meta(pattern="^[a-z_]{1,30}$")]
    name: Annotated[str, msgspec.Meta(min_length=1, max_length=30)]
    phrases: Annotated[tuple[_Phrase, ...], msgspec.Meta(max_length=MAX_PHRASES)]


class _File(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """The whole file."""

    groups: Annotated[tuple[_Group, ...], msgspec.Meta(max_length=MAX_GROUPS)]


class Phrase(msgspec.Struct, frozen=True, kw_only=True):
    """A phrase that an agent finds by its code; `group_name` is what agents call its group.

    What says nothing of an order has its `text` at once.
    """

    code: str
    group: str
    group_name: str
    template: Template
    text: str | None


@lru_cache(maxsize=1)
def phrases(directory: Path) -> tuple[Phrase, ...]:
    """Return the phrases that stand beside the templates; `InvalidTemplate` tells what is wrong."""
    found, problems = _read_all(directory / DEFAULT_LOCALE / FILE)
    if problems:
        raise InvalidTemplate(problems[0])
    return found


def check_phrases(
    directory: Path | None = None, rules: dict[Platform, Rules] | None = None
) -> tuple[str, ...]:
    """Return everything that is wrong with the phrases: how they are written, and what they say.

    They are tried on the built-in orders and on every platform, by its wording rules.
    """
    path = directory_of(directory) / DEFAULT_LOCALE / FILE
    found, problems = _read_all(path)
    rules = rules or rules_in(directory)
    for phrase in found:
        texts, wrong = tried(phrase.template, _SPEECH)
        hits = hits_by_platform(phrase.template, _SPEECH, texts, rules)
        longest = max(map(len, texts.values()), default=0)
        if longest > MAX_CHARACTERS:
            wrong = (*wrong, f"expected at most {MAX_CHARACTERS} characters of any order, got {longest}")
        problems += tuple(f"{path}: /{phrase.code}: {one}" for one in (*wrong, *forbidden_in(hits)))
    return problems


def _read_all(path: Path) -> tuple[tuple[Phrase, ...], tuple[str, ...]]:
    try:
        file = msgspec.convert(toml_of(path), _File)
    except (ValueError, OSError) as error:  # what tomllib, msgspec and a bad encoding raise
        return (), (f"{path}: {error}",)
    found: dict[str, Phrase] = {}
    problems: list[str] = []
    for group, written in ((of, one) for of in file.groups for one in of.phrases):
        at = f"{path}: /{written.code}"
        if written.code in found:
            problems.append(f"{at}: expected a code that no other phrase has")
        name = f"phrases/{written.code}"
        template, wrong = compiled(written.text.strip(), name, "chat", _ENTRY)
        problems += [f"{at}: line {problem.line}: {problem.detail}" for problem in wrong]
        if template is not None:
            text = None if template.fields else template.phrasings.say({})
            found[written.code] = Phrase(
                code=written.code, group=group.id, group_name=group.name, template=template, text=text
            )
    return tuple(found.values()), tuple(problems)
