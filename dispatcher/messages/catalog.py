"""The messages there are, loaded once from the templates' directory."""

from functools import lru_cache
from pathlib import Path
from typing import get_args

import msgspec

import dispatcher
from dispatcher.errors import InvalidTemplate
from dispatcher.messages import incentives
from dispatcher.messages.bounds import Problem
from dispatcher.messages.chinese import CHINESE
from dispatcher.messages.english import ENGLISH
from dispatcher.messages.language import parsed
from dispatcher.messages.manifest import MANIFEST, Entry, Manifest, entry_of, manifest_in, text_of
from dispatcher.messages.parts import part_in
from dispatcher.messages.paths import Paths, TooManyConditions
from dispatcher.messages.phrasing import Phrasings
from dispatcher.messages.places import misplaced
from dispatcher.messages.subjects import Speech
from dispatcher.messages.wording import Rules, load
from dispatcher.messages.words import Words
from dispatcher.policy.decisions import Send
from dispatcher.policy.document import Policy
from dispatcher.policy.facts import CHANNELS, Channel, Facts
from dispatcher.policy.scenario import Scenario, scenario
from dispatcher.policy.terms import DEFAULT_LOCALE, Locale, Platform

Kind = Scenario
KINDS: dict[Kind, tuple[Channel, ...]] = dict.fromkeys(get_args(Scenario), CHANNELS) | {
    "merged_orders": ("chat", "sms")
}
"""The kinds of messages, with the channels that each goes by; a call is about one order."""

WORDS: dict[Locale, Words] = {"zh-CN": CHINESE, "en": ENGLISH}
"""The languages that every kind is there in."""

PROMOTING: tuple[Channel, ...] = ("chat", "sms")
"""Where messages may name an incentive, each with a part of its own for that."""

At = tuple[Locale, Kind, Channel]
"""Where a template stands in the catalog."""


class Template(msgspec.Struct, frozen=True, kw_only=True):
    """One template made ready; `name` is what the audit keeps, as in `first_reminder/sms@1`.

    The names of templates in another language than `DEFAULT_LOCALE` begin with it, as in `en/price/chat@1`.
    Of its `fields` only the `plain` ones have a value in a message without an incentive.
    """

    name: str
    source: str
    locale: Locale
    channel: Channel
    entry: Entry
    fields: tuple[str, ...]
    plain: tuple[str, ...]
    phrasings: Phrasings


class Read(msgspec.Struct, frozen=True, kw_only=True):
    """A template's file as it was found: `template` is `None` when there are `problems`."""

    name: str
    path: Path
    locale: Locale
    channel: Channel
    entry: Entry
    template: Template | None
    problems: tuple[Problem, ...]

    def told(self) -> tuple[str, ...]:
        """Each problem with file and line, as in `sms.j2:3: …`."""
        return tuple(f"{self.path}:{problem.line}: {problem.detail}" for problem in self.problems)


class Found(msgspec.Struct, frozen=True, kw_only=True):
    """Where the templates are, each as it was found, and what those of a language share."""

    directory: Path
    templates: dict[At, Read]
    speeches: dict[Locale, Speech]


class Catalog(msgspec.Struct, frozen=True, kw_only=True):
    """Every template there is, with each platform's rules and the directory they came from."""

    directory: Path
    templates: dict[At, Template]
    speeches: dict[Locale, Speech]
    rules: dict[Platform, Rules]

    @classmethod
    def load(cls, directory: Path | None = None) -> "Catalog":
        """Read all templates and wording rules; `InvalidTemplate` when any is missing or not right."""
        return cls._of(read_all(directory)) if directory else _packaged()

    @classmethod
    def _of(cls, found: Found) -> "Catalog":
        problems = [told for read in found.templates.values() for told in read.told()]
        if problems:
            more = f" (and {len(problems) - 1} more: templates check names them)" if problems[1:] else ""
            raise InvalidTemplate(problems[0] + more)
        templates = {at: read.template for at, read in found.templates.items() if read.template is not None}
        return cls(
            directory=found.directory,
            templates=templates,
            speeches=found.speeches,
            rules=load(found.directory),
        )

    def template(self, facts: Facts, policy: Policy, decision: Send) -> Template:
        """The template for what a message is about, on its channel and in the shop's language."""
        return self.templates[policy.locale, scenario(facts, policy, decision), decision.channel]

    def rules_of(self, policy: Policy) -> Rules:
        """The wording rules of a shop: its platform's, with the hosts that its policy allows."""
        rules = self.rules[policy.platform]
        return rules.allowing_any() if policy.links is None else rules.allowing(policy.links.allowed)


@lru_cache(maxsize=1)
def _packaged() -> Catalog:
    # These do not change while a process runs.
    return Catalog._of(read_all())


def read_all(directory: Path | None = None) -> Found:
    """Each template as it was found; `InvalidTemplate` for a wrong manifest or part."""
    found = directory_of(directory)
    manifest = manifest_in(found)
    templates = {
        (locale, kind, channel): _read(found, manifest, (locale, kind, channel))
        for locale in WORDS
        for kind, channels in KINDS.items()
        for channel in channels
    }
    speeches = {
        locale: Speech(
            words=words,
            incentives={
                channel: part_in(found / locale / "parts" / f"incentive.{channel}.j2")
                for channel in PROMOTING
            },
        )
        for locale, words in WORDS.items()
    }
    return Found(directory=found, templates=templates, speeches=speeches)


def directory_of(directory: Path | None) -> Path:
    """The directory named, else the one packed into the wheel, else the checkout's."""
    package = Path(dispatcher.__file__).parent
    places = (directory,) if directory else (package / "templates", package.parent / "templates")
    for place in places:
        if (place / MANIFEST).is_file():
            return place
    raise InvalidTemplate(f"expected {MANIFEST} in {' or '.join(map(str, places))}")


def _read(directory: Path, manifest: Manifest, at: At) -> Read:
    locale, kind, channel = at
    entry = entry_of(directory, manifest, locale, kind, channel)
    path = directory / locale / kind / f"{channel}.j2"
    name = f"{'' if locale == DEFAULT_LOCALE else f'{locale}/'}{kind}/{channel}@{entry.version}"
    try:
        template, problems = compiled(text_of(path), name, channel, entry, locale)
    except (ValueError, OSError) as error:
        template, problems = None, (Problem(1, str(error)),)
    return Read(
        name=name,
        path=path,
        locale=locale,
        channel=channel,
        entry=entry,
        template=template,
        problems=problems,
    )


def compiled(
    source: str, name: str, channel: Channel, entry: Entry, locale: Locale = DEFAULT_LOCALE
) -> tuple[Template | None, tuple[Problem, ...]]:
    """The template that a source makes, or everything that is wrong with it."""
    tree, problems = parsed(source)
    if tree is None:
        return None, problems
    try:
        paths = Paths(tree)
    except TooManyConditions as error:
        return None, (Problem(1, str(error)),)
    problems = (
        *paths.unguarded(),
        *paths.lacking(entry.elements, channel),
        *paths.irrefusable(channel),
        *misplaced(tree, paths, signed=channel == "sms" and "shop" in entry.elements),
    )
    if problems:
        return None, problems
    fields = paths.fields()
    return Template(
        name=name,
        source=source,
        locale=locale,
        channel=channel,
        entry=entry,
        fields=fields,
        plain=tuple(field for field in fields if field not in incentives.FIELDS),
        phrasings=Phrasings(tree),
    ), ()
