"""What the catalog's file says of each kind of messages."""

import stat
import tomllib
from pathlib import Path
from typing import Annotated, Any, Literal

import msgspec

from dispatcher.errors import InvalidTemplate
from dispatcher.messages.elements import Element
from dispatcher.policy.facts import Channel
from dispatcher.policy.scenario import Scenario
from dispatcher.policy.terms import Locale

MANIFEST = "catalog.toml"

MAX_FILE_BYTES = 65_536
"""Of a file that is larger nothing is read."""

MAX_DOTS_IN_LINE = 500
"""Of a TOML file: the parser takes the square of a dotted key's length."""

MAX_VERSION = 9_999

Technique = Literal[
    "check_details", "honest_urgency", "same_day_shipping", "after_sales", "thanks", "personal_service",
    "summary", "help", "answer", "farewell",
]  # fmt: skip
"""What makes a message worth reading; one that was used is not used again, unless the same is to be said."""


class Entry(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """What the manifest says of one template."""

    version: int
    technique: Technique
    elements: tuple[Element, ...]

    @property
    def message_class(self) -> Literal["notice", "either"]:
        """Whether its messages are notices, or either these or, where they name an incentive, promotions."""
        return "either" if "incentive" in self.elements else "notice"


class OnChannel(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """What the manifest says of a kind's templates for one channel, one in each language."""

    version: dict[Locale, Annotated[int, msgspec.Meta(ge=1, le=MAX_VERSION)]]
    elements: tuple[Element, ...]


class Described(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """What the manifest says of a kind of messages."""

    technique: Technique
    chat: OnChannel | None = None
    sms: OnChannel | None = None
    phone: OnChannel | None = None


class Manifest(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """The catalog's file: each kind with its channels."""

    templates: dict[Scenario, Described]


def text_of(path: Path) -> str:
    """The text of a file that is not too large; raises `ValueError` or `OSError`."""
    # What is no file may have no end, or wait for somebody who writes.
    if not stat.S_ISREG(path.stat().st_mode):
        raise ValueError("expected a regular file")
    with path.open("rb") as file:
        content = file.read(MAX_FILE_BYTES + 1)
    if len(content) > MAX_FILE_BYTES:
        raise ValueError(f"expected at most {MAX_FILE_BYTES} bytes")
    return content.decode("utf-8")


def toml_of(path: Path) -> dict[str, Any]:
    """What a TOML file says; raises `ValueError` or `OSError`."""
    text = text_of(path)
    for number, line in enumerate(text.splitlines(), 1):
        if line.count(".") > MAX_DOTS_IN_LINE:
            raise ValueError(f"expected at most {MAX_DOTS_IN_LINE} dots in line {number}")
    try:
        return tomllib.loads(text)
    except RecursionError:
        raise ValueError("nested too deeply") from None


def manifest_in(directory: Path) -> Manifest:
    """The manifest of a directory of templates; `InvalidTemplate` when it is not right."""
    path = directory / MANIFEST
    try:
        return msgspec.convert(toml_of(path), Manifest)
    except (ValueError, OSError) as error:  # what tomllib, msgspec and a bad encoding raise
        raise InvalidTemplate(f"{path}: {error}") from error


def entry_of(directory: Path, manifest: Manifest, locale: Locale, kind: Scenario, channel: Channel) -> Entry:
    """What the manifest says of one template; `InvalidTemplate` when it says nothing."""
    described = manifest.templates.get(kind)
    here: OnChannel | None = getattr(described, channel, None)
    if described is None or here is None:
        raise InvalidTemplate(f"{directory / MANIFEST}: expected a section [templates.{kind}.{channel}]")
    if locale not in here.version:
        section = f"[templates.{kind}.{channel}]"
        raise InvalidTemplate(f"{directory / MANIFEST}: expected a version of {locale} in {section}")
    return Entry(version=here.version[locale], technique=described.technique, elements=here.elements)
