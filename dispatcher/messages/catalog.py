"""The messages there are, loaded once from the templates' directory."""

import tomllib
from pathlib import Path
from typing import Literal

import msgspec

import dispatcher
from dispatcher.errors import InvalidTemplate
from dispatcher.messages import incentives
from dispatcher.messages.bounds import Problem
from dispatcher.messages.elements import Element
from dispatcher.messages.language import parsed
from dispatcher.messages.paths import Paths, TooManyConditions
from dispatcher.messages.phrasing import Phrasings
from dispatcher.messages.wording import Rules, load
from dispatcher.policy.document import Policy
from dispatcher.policy.facts import CHANNELS, Channel
from dispatcher.policy.terms import Platform

MANIFEST = "catalog.toml"

Kind = Literal["first_reminder", "before_close", "merged_orders"]
KINDS: dict[Kind, tuple[Channel, ...]] = {
    "first_reminder": CHANNELS,
    "before_close": CHANNELS,
    "merged_orders": ("chat", "sms"),
}
"""The kinds of messages, with the channels that each goes by; a call is about one order."""

MAX_FILE_BYTES = 65_536
"""Of a file that is larger nothing is read."""


class Entry(
    msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True, rename={"message_class": "class"}
):
    """What the manifest says of one template."""

    version: int
    message_class: Literal["notice"]
    technique: Literal["check_details", "honest_urgency"]
    elements: tuple[Element, ...]


class Manifest(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """The catalog's file: for each kind and channel its template."""

    locale: Literal["zh-CN"]
    templates: dict[Kind, dict[Channel, Entry]]


class Template(msgspec.Struct, frozen=True, kw_only=True):
    """One template made ready; `name` is what the audit keeps, as in `first_reminder/sms@1`.

    Of its `fields` only the `plain` ones have a value in a message without an incentive.
    """

    name: str
    channel: Channel
    entry: Entry
    fields: tuple[str, ...]
    plain: tuple[str, ...]
    phrasings: Phrasings


class Read(msgspec.Struct, frozen=True, kw_only=True):
    """A template's file as it was found: `template` is `None` when there are `problems`."""

    name: str
    path: Path
    channel: Channel
    entry: Entry
    template: Template | None
    problems: tuple[Problem, ...]

    def told(self) -> tuple[str, ...]:
        """Each problem with file and line, as in `sms.j2:3: …`."""
        return tuple(f"{self.path}:{problem.line}: {problem.detail}" for problem in self.problems)


class Catalog(msgspec.Struct, frozen=True, kw_only=True):
    """Every template there is, with each platform's rules and the directory they came from."""

    directory: Path
    templates: dict[tuple[Kind, Channel], Template]
    rules: dict[Platform, Rules]

    @classmethod
    def load(cls, directory: Path | None = None) -> "Catalog":
        """Read all templates and wording rules; `InvalidTemplate` when any is missing or not right."""
        found, all_read = read_all(directory)
        problems = [told for read in all_read.values() for told in read.told()]
        if problems:
            more = f" (and {len(problems) - 1} more: templates check names them)" if problems[1:] else ""
            raise InvalidTemplate(problems[0] + more)
        templates = {at: read.template for at, read in all_read.items() if read.template is not None}
        return cls(directory=found, templates=templates, rules=load(found))

    def template(self, step: int, channel: Channel, *, merged: bool = False) -> Template:
        """The template for a reminder's step: the first introduces, later ones tell the order's close.

        What is `merged` is about several orders, whichever step it is.
        """
        if merged:
            return self.templates["merged_orders", channel]
        return self.templates["first_reminder" if step == 1 else "before_close", channel]

    def rules_of(self, policy: Policy) -> Rules:
        """The wording rules of a shop: its platform's, with the hosts that its policy allows."""
        rules = self.rules[policy.platform]
        return rules.allowing_any() if policy.links is None else rules.allowing(policy.links.allowed)


def read_all(directory: Path | None = None) -> tuple[Path, dict[tuple[Kind, Channel], Read]]:
    """Where the templates are, and each as it was found; `InvalidTemplate` for a wrong manifest."""
    found = _directory(directory)
    manifest = _manifest(found / MANIFEST)
    return found, {
        (kind, channel): _read(found, manifest, kind, channel)
        for kind, channels in KINDS.items()
        for channel in channels
    }


def _directory(directory: Path | None) -> Path:
    """The directory named, else the one packed into the wheel, else the checkout's."""
    package = Path(dispatcher.__file__).parent
    places = (directory,) if directory else (package / "templates", package.parent / "templates")
    for place in places:
        if (place / MANIFEST).is_file():
            return place
    raise InvalidTemplate(f"expected {MANIFEST} in {' or '.join(map(str, places))}")


def _text(path: Path) -> str:
    with path.open("rb") as file:
        content = file.read(MAX_FILE_BYTES + 1)
    if len(content) > MAX_FILE_BYTES:
        raise ValueError(f"expected at most {MAX_FILE_BYTES} bytes")
    return content.decode("utf-8")


def _manifest(path: Path) -> Manifest:
    try:
        return msgspec.convert(tomllib.loads(_text(path)), Manifest)
    except RecursionError:
        raise InvalidTemplate(f"{path}: nested too deeply") from None
    except (ValueError, OSError) as error:  # what tomllib, msgspec and a bad encoding raise
        raise InvalidTemplate(f"{path}: {error}") from error


def _read(directory: Path, manifest: Manifest, kind: Kind, channel: Channel) -> Read:
    entry = manifest.templates.get(kind, {}).get(channel)
    if entry is None:
        raise InvalidTemplate(f"{directory / MANIFEST}: expected a section [templates.{kind}.{channel}]")
    path = directory / manifest.locale / kind / f"{channel}.j2"
    name = f"{kind}/{channel}@{entry.version}"
    try:
        template, problems = compiled(_text(path), name, channel, entry)
    except (ValueError, OSError) as error:
        template, problems = None, (Problem(1, str(error)),)
    return Read(name=name, path=path, channel=channel, entry=entry, template=template, problems=problems)


def compiled(
    source: str, name: str, channel: Channel, entry: Entry
) -> tuple[Template | None, tuple[Problem, ...]]:
    """The template that a source makes, or everything that is wrong with it."""
    tree, problems = parsed(source)
    if tree is None:
        return None, problems
    try:
        paths = Paths(tree)
    except TooManyConditions as error:
        return None, (Problem(1, str(error)),)
    problems = (*paths.unguarded(), *paths.lacking(entry.elements, channel), *paths.irrefusable(channel))
    if problems:
        return None, problems
    fields = tuple(dict.fromkeys((*paths.shown, *paths.conditions)))
    return Template(
        name=name,
        channel=channel,
        entry=entry,
        fields=fields,
        plain=tuple(field for field in fields if field not in incentives.FIELDS),
        phrasings=Phrasings(tree),
    ), ()
