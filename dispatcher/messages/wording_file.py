"""The wording rules' files: what they hold, and what is refused when they are read."""

from pathlib import Path
from typing import Annotated, Literal, TypeVar, get_args

import msgspec

from dispatcher.errors import InvalidTemplate
from dispatcher.messages.contacts import Form
from dispatcher.messages.folding import SEPARATORS, fold
from dispatcher.messages.manifest import toml_of
from dispatcher.policy.terms import Platform

DIRECTORY = "wording"
COMMON = "common.toml"

MAX_WORD = 30
MAX_WITHIN = 50

Level = Literal["forbid", "advise"]
Kind = Literal[
    "superlative", "authority", "medical", "pressure", "insult", "review_reward", "contact", "link",
    "outside_payment", "other_platform", "payment_system", "platform_term",
]  # fmt: skip

_Word = Annotated[str, msgspec.Meta(min_length=1, max_length=MAX_WORD)]
_Words = tuple[_Word, ...]


class Group(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Words of one kind, forbidden or advised against together."""

    kind: Kind
    words: _Words


class Near(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """An entry of a group: two words that are meant only with at most `within` characters between them."""

    group: str
    words: tuple[_Word, _Word]
    within: Annotated[int, msgspec.Meta(ge=0, le=MAX_WITHIN)]


class Common(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """The file that all platforms share."""

    groups: dict[str, Group]
    near: tuple[Near, ...] = ()
    exceptions: _Words = ()


class Own(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """A platform's own file: which groups it forbids and advises against, and what is its alone."""

    forbid: tuple[str, ...]
    advise: tuple[str, ...]
    hosts: tuple[str, ...]
    forms: dict[Form, Level]
    groups: dict[str, Group] = {}
    near: tuple[Near, ...] = ()
    exceptions: _Words = ()


_File = TypeVar("_File", Common, Own)


class Chosen(msgspec.Struct, frozen=True, kw_only=True):
    """What holds on a platform: its groups and near words with their levels, exceptions, forms and hosts."""

    groups: tuple[tuple[Level, Group], ...]
    near: tuple[tuple[Level, Kind, Near], ...]
    exceptions: _Words
    forms: dict[Form, Level]
    hosts: tuple[str, ...]


def bare(word: str) -> str:
    """The word as it is compared: folded, without what may stand inside it."""
    return "".join(char for char in fold(word) if char not in SEPARATORS)


def read(directory: Path) -> dict[Platform, Chosen]:
    """The rules of each platform from the templates' directory; `InvalidTemplate` names file and field."""
    common = _file(directory / DIRECTORY / COMMON, Common)
    return {
        platform: _chosen(common, directory / DIRECTORY / f"{platform}.toml")
        for platform in get_args(Platform)
    }


def _chosen(common: Common, path: Path) -> Chosen:
    own = _file(path, Own)
    if twice := sorted(common.groups.keys() & own.groups.keys()):
        raise InvalidTemplate(f"{path}: groups.{twice[0]} is in {COMMON} already; expected another name")
    groups = common.groups | own.groups
    near = common.near + own.near
    for field, names in (
        ("forbid", own.forbid), ("advise", own.advise), ("near", [entry.group for entry in near]),
    ):  # fmt: skip
        if unknown := [name for name in names if name not in groups]:
            raise InvalidTemplate(f"{path}: {field}: expected one of {', '.join(groups)}, got {unknown[0]!r}")
    if both := sorted({*own.forbid} & {*own.advise}):
        raise InvalidTemplate(f"{path}: {both[0]}: expected in forbid or in advise, got both")
    levels: dict[str, Level] = dict.fromkeys(own.advise, "advise")
    levels |= dict.fromkeys(own.forbid, "forbid")
    return Chosen(
        groups=tuple((levels[name], group) for name, group in groups.items() if name in levels),
        near=tuple(
            (levels[entry.group], groups[entry.group].kind, entry) for entry in near if entry.group in levels
        ),
        exceptions=common.exceptions + own.exceptions,
        forms=own.forms,
        hosts=own.hosts,
    )


def _file(path: Path, shape: type[_File]) -> _File:
    try:
        found = msgspec.convert(toml_of(path), shape)
    except (ValueError, OSError) as error:  # what tomllib, msgspec and a bad encoding raise
        raise InvalidTemplate(f"{path}: {error}") from error
    _check_words(path, found)
    return found


def _check_words(path: Path, found: Common | Own) -> None:
    words = [(f"groups.{name}.words", word) for name, group in found.groups.items() for word in group.words]
    words += [("near.words", word) for near in found.near for word in near.words]
    words += [("exceptions", word) for word in found.exceptions]
    for field, word in words:
        plain = bare(word)
        # A lone letter or digit would hit everywhere, and so would nothing at all.
        if not plain or (len(plain) == 1 and plain.isascii()):
            raise InvalidTemplate(f"{path}: {field}: expected a word, got {word!r}")
