"""All templates of a directory looked at: what is wrong with each, and what its messages cost at worst."""

from collections.abc import Collection, Iterable, Iterator
from pathlib import Path

import msgspec

from dispatcher.errors import DispatcherError
from dispatcher.messages.calls import seconds_to_read
from dispatcher.messages.catalog import Read, Template, directory_of, read_all
from dispatcher.messages.examples import EXAMPLES, HOST, TYPICAL
from dispatcher.messages.rendering import MAX_CHARACTERS, render_for
from dispatcher.messages.sms import characters, segments
from dispatcher.messages.subjects import Speech
from dispatcher.messages.wording import Hit, Rules, load
from dispatcher.messages.wording import check as hits_of
from dispatcher.policy.facts import Channel
from dispatcher.policy.terms import Platform

MAX_SECONDS = 60.0
"""A call script takes less than this to read out."""


class Words(msgspec.Struct, frozen=True, kw_only=True):
    """The words of a platform's rules that a template's messages met."""

    forbidden: tuple[str, ...]
    advised: tuple[str, ...]


class Figures(msgspec.Struct, frozen=True, kw_only=True):
    """What messages of a template cost: of an ordinary order, and the worst of the built-in ones.

    Segments are those of text messages, seconds those of call scripts; `None` elsewhere, and where the
    template could not be tried.
    """

    characters_typical: int | None = None
    characters_worst: int | None = None
    segments_typical: int | None = None
    segments_worst: int | None = None
    seconds_typical: float | None = None
    seconds_worst: float | None = None


class Checked(Figures, frozen=True, kw_only=True):
    """What is known of one template; without figures where `problems` kept it from being tried.

    `wording` has the platforms whose rules have a hit.
    """

    template: str
    file: str
    channel: Channel
    message_class: str
    elements: tuple[str, ...]
    most_characters: int
    wording: dict[Platform, Words] = {}
    problems: tuple[str, ...] = ()


def rules_in(directory: Path | None = None) -> dict[Platform, Rules]:
    """Each platform's rules, by which templates of a directory are checked on the built-in orders."""
    return {platform: known.allowing((HOST,)) for platform, known in load(directory_of(directory)).items()}


def check(directory: Path | None = None, rules: dict[Platform, Rules] | None = None) -> tuple[Checked, ...]:
    """Every template of a directory, without one of those that come with the product; `rules` as `rules_in`.

    Raises `InvalidTemplate` when there is no manifest, or one that cannot be read.
    """
    found = read_all(directory)
    rules = rules or rules_in(directory)
    return tuple(_checked(read, found.speeches[read.locale], rules) for read in found.templates.values())


def _checked(read: Read, speech: Speech, rules: dict[Platform, Rules]) -> Checked:
    channel = read.channel
    checked = Checked(
        template=read.name,
        file=str(read.path),
        channel=channel,
        message_class=read.entry.message_class,
        elements=read.entry.elements,
        most_characters=MAX_CHARACTERS[channel],
        problems=read.told(),
    )
    if read.template is None:
        return checked
    texts, problems = tried(read.template, speech)
    hits = hits_by_platform(read.template, speech, texts, rules)
    told = tuple(f"{read.path}: {problem}" for problem in (*problems, *forbidden_in(hits)))
    wording = {platform: words_of(found) for platform, found in hits.items() if found}
    return msgspec.structs.replace(checked, problems=told, wording=wording, **figures(channel, texts))


def hits_by_platform(
    template: Template, speech: Speech, texts: dict[str, str], rules: dict[Platform, Rules]
) -> dict[Platform, tuple[Hit, ...]]:
    """What each platform's rules find in what the template says there; `texts` are what it says on most."""
    said = {platform: _said(template, speech, texts, platform) for platform in rules}
    return {platform: hits_in(said[platform], known) for platform, known in rules.items()}


def _said(template: Template, speech: Speech, texts: dict[str, str], platform: Platform) -> Collection[str]:
    """What the template says on a platform, which may have words of its own for some things."""
    if platform not in speech.words.pay_on:
        return set(texts.values())
    return set(tried(template, speech, platform)[0].values())


def tried(
    template: Template, speech: Speech, platform: Platform | None = None
) -> tuple[dict[str, str], tuple[str, ...]]:
    """Its texts by the names of the built-in orders, and what keeps any of them from being sent."""
    texts = {}
    problems = []
    for example in EXAMPLES:
        try:
            text = render_for(template, example.about(template.channel, speech, platform)).text
        except DispatcherError as error:
            problems.append(f"of the order '{example.name}': {error}")
            continue
        texts[example.name] = text
        if template.channel == "phone" and _seconds(text) >= MAX_SECONDS:
            expected = f"expected less than {MAX_SECONDS:g} seconds to read out, got {_seconds(text):g}"
            problems.append(f"of the order '{example.name}': {expected}")
    return texts, tuple(problems)


def figures(channel: Channel, texts: dict[str, str]) -> dict[str, float]:
    """The typical and the worst figures that the channel has."""
    figures: dict[str, float] = {}
    for name, figure, of in (
        ("characters", len, ("chat", "phone")),
        ("characters", characters, ("sms",)),
        ("segments", segments, ("sms",)),
        ("seconds", _seconds, ("phone",)),
    ):
        if channel in of and texts:
            figures[f"{name}_worst"] = max(map(figure, texts.values()))
            if TYPICAL.name in texts:
                figures[f"{name}_typical"] = figure(texts[TYPICAL.name])
    return figures


def _seconds(text: str) -> float:
    return round(seconds_to_read(text), 1)


def hits_in(texts: Iterable[str], rules: Rules) -> tuple[Hit, ...]:
    """The first hit of each word of the rules."""
    found: dict[str, Hit] = {}
    for text in sorted(texts):
        for hit in hits_of(text, rules):
            found.setdefault(hit.word, hit)
    return tuple(found.values())


def words_of(hits: tuple[Hit, ...]) -> Words:
    """Return the words of hits, those that are forbidden and those that are advised against."""
    return Words(
        forbidden=tuple(hit.word for hit in hits if hit.level == "forbid"),
        advised=tuple(hit.word for hit in hits if hit.level == "advise"),
    )


def forbidden_in(hits: dict[Platform, tuple[Hit, ...]]) -> Iterator[str]:
    """Tell each forbidden word once, with the platforms that forbid it."""
    platforms: dict[tuple[str, str, str], list[str]] = {}
    for platform, found in hits.items():
        for hit in found:
            if hit.level == "forbid":
                platforms.setdefault((hit.word, hit.kind, hit.found), []).append(platform)
    for (word, kind, said), where in platforms.items():
        as_said = "" if said == word else f", said as {said}"
        yield f"{word} ({kind}) is forbidden on {', '.join(where)}{as_said}"
