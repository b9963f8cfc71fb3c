"""What a message may not say on a platform, found however it is spelled."""

import re
from bisect import bisect_right
from collections.abc import Callable, Iterable, Iterator
from itertools import accumulate, pairwise
from operator import itemgetter
from pathlib import Path

import msgspec
from ahocorasick_rs import AhoCorasick

from dispatcher.messages.contacts import Form, Found, contacts, links, may_lead_out
from dispatcher.messages.folding import SEPARATORS, fold, origins
from dispatcher.messages.wording_file import Chosen, Kind, Level, bare, read
from dispatcher.policy.terms import Platform

_LATIN = frozenset("abcdefghijklmnopqrstuvwxyz0123456789")
_GOES_ON = re.compile("[a-z0-9]|-[0-9]")


class Hit(msgspec.Struct, frozen=True, gc=False):
    """A word of the rules (two joined by +, or the name of a form), and what stands for it in the text."""

    word: str
    found: str
    start: int
    end: int
    level: Level
    kind: Kind


class Entry(msgspec.Struct, frozen=True, gc=False):
    """A word of the rules; without a level it is an exception."""

    word: str
    level: Level | None = None
    kind: Kind = "platform_term"


class Pair(msgspec.Struct, frozen=True, gc=False):
    """Two words that count only near each other; `within` is the most characters between them."""

    words: tuple[str, str]
    within: int
    level: Level
    kind: Kind


class Rules(msgspec.Struct, frozen=True, kw_only=True):
    """A platform's rules, made ready for `check`.

    `entries` holds every word, `parts` the words of pairs, and `words` finds all of them at once. Each of
    `hosts` begins with a dot. With `any_host` a link may lead anywhere, unless its host is a forbidden word;
    `plain` remembers of hosts whether they say no word, `short` what is to be looked at of a
    pattern, by the number of the value that is left out; both are shared with rules that allow other hosts,
    whose words are the same.
    """

    platform: Platform
    entries: dict[str, Entry]
    parts: frozenset[str]
    words: AhoCorasick
    pairs: tuple[Pair, ...]
    forms: dict[Form, Level]
    hosts: tuple[str, ...]
    any_host: bool = False
    plain: dict[str, bool] = {}
    short: dict[tuple[str, int | None], str] = {}

    @classmethod
    def of(cls, platform: Platform, chosen: Chosen) -> "Rules":
        """The rules that a platform's files hold."""
        entries: dict[str, Entry] = {}
        for wanted in ("advise", "forbid"):  # a word that is in both is forbidden
            for level, group in chosen.groups:
                if level == wanted:
                    entries |= {bare(word): Entry(word, level, group.kind) for word in group.words}
        entries |= {bare(word): Entry(word) for word in chosen.exceptions}
        pairs = tuple(
            Pair((bare(near.words[0]), bare(near.words[1])), near.within, level, kind)
            for level, kind, near in chosen.near
        )
        parts = frozenset(word for pair in pairs for word in pair.words)
        return cls(
            platform=platform,
            entries=entries,
            parts=parts,
            words=AhoCorasick(sorted(parts | entries.keys())),
            pairs=pairs,
            forms=chosen.forms,
            hosts=_dotted(chosen.hosts),
        )

    def allowing(self, hosts: Iterable[str]) -> "Rules":
        """The same rules with links to these hosts, and to what is below them, allowed as well."""
        return msgspec.structs.replace(self, hosts=self.hosts + _dotted(hosts))

    def allowing_any(self) -> "Rules":
        """The same rules for who does not say where links may lead: to any host that is no forbidden word."""
        return msgspec.structs.replace(self, any_host=True)


def load(directory: Path) -> dict[Platform, Rules]:
    """Read each platform's rules from the templates' directory, or raise `InvalidTemplate`."""
    return {platform: Rules.of(platform, chosen) for platform, chosen in read(directory).items()}


class _Seen(msgspec.Struct, frozen=True, gc=False):
    """What the words of a text are, by their place in its folded form."""

    words: list[tuple[int, int, Entry]]
    parts: list[tuple[int, int, str]]
    spared: list[tuple[int, int]]


def check(text: str, rules: Rules) -> tuple[Hit, ...]:
    """Every hit in the order of the text, but for those that lie inside another one that is as strict."""
    folded = fold(text)
    found = raw_hits(folded, rules)
    return tuple(_outermost(_placed(text, folded, found))) if found else ()


Raw = tuple[int, int, str, Level, Kind]
"""Where in a folded text something is found, and what it is."""


def raw_hits(folded: str, rules: Rules) -> list[Raw]:
    """Every hit in a folded text."""
    seen = _Seen([], [], [])
    outside: list[Found] = []
    ways: list[Found] = []
    if may_lead_out(folded):
        outside = _outside(folded, rules, seen) if "link" in rules.forms else []
        ways = [way for way in contacts(folded) if way.form in rules.forms]
    _look(folded, rules, seen)
    found = seen.words or seen.parts or outside or ways
    return [*_hits(rules, seen, outside, ways)] if found else []


def _dotted(hosts: Iterable[str]) -> tuple[str, ...]:
    """As the end of a dot and a host is compared with: itself, or what is below it."""
    return tuple(f".{host.lower()}" for host in hosts)


def _outside(folded: str, rules: Rules, seen: _Seen) -> list[Found]:
    """The links that lead where none may; the rest of other links is no wording: its letters are chance."""
    outside = []
    for link in links(folded):
        if link.host and f".{link.host}".endswith(rules.hosts):
            seen.spared.append((link.start, link.end))
        elif link.host and rules.any_host:
            seen.spared.append((link.host_end, link.end))
        else:
            outside.append(link)
    return outside


def _look(folded: str, rules: Rules, seen: _Seen) -> None:
    """Find each word past whatever separates its characters; of those that begin together the longest."""
    letters = folded
    for mark in SEPARATORS:
        if mark in letters:
            letters = letters.replace(mark, "")
    matches = rules.words.find_matches_as_indexes(letters, overlapping=True)
    if not matches:
        return
    place = [place for place, char in enumerate(folded) if char not in SEPARATORS]
    longest: dict[int, tuple[int, int, Entry]] = {}
    for _, first, behind in sorted(matches, key=itemgetter(1, 2)):
        start, end = place[first], place[behind - 1] + 1
        if not _stands_alone(folded, start, end):
            continue
        word = letters[first:behind]
        if word in rules.parts:
            seen.parts.append((start, end, word))
        entry = rules.entries.get(word)
        if entry and entry.level:
            longest[start] = start, end, entry
        elif entry:
            seen.spared.append((start, end))
    seen.words.extend(longest.values())


def _stands_alone(folded: str, start: int, end: int) -> bool:
    """Whether Latin letters or digits at either end are no part of a longer word or model (jd-2000)."""
    if folded[start] in _LATIN and start and folded[start - 1] in _LATIN:
        return False
    return folded[end - 1] not in _LATIN or not _GOES_ON.match(folded, end)


def _hits(rules: Rules, seen: _Seen, outside: list[Found], ways: list[Found]) -> Iterator[Raw]:
    if seen.words or ways:
        spared = _lies_in(seen.spared)
        for start, end, entry in seen.words:
            if entry.level and not spared(start, end):
                yield start, end, entry.word, entry.level, entry.kind
        for way in ways:
            if not spared(way.start, way.end):
                yield way.start, way.end, way.form, rules.forms[way.form], "contact"
    if len(seen.parts) > 1:
        yield from _pairs(rules, seen)
    for link in outside:
        yield link.start, link.end, "link", rules.forms["link"], "link"


def _pairs(rules: Rules, seen: _Seen) -> Iterator[Raw]:
    for pair in rules.pairs:
        places = [part for part in seen.parts if part[2] in pair.words]
        # Of all places the nearest two with both words follow one another.
        for one, other in pairwise(places):
            if one[2] != other[2] and other[0] - one[1] <= pair.within:
                yield one[0], max(one[1], other[1]), "+".join(pair.words), pair.level, pair.kind


def _lies_in(spans: list[tuple[int, int]]) -> Callable[[int, int], bool]:
    """Tells whether a place lies within one of the spans."""
    spans = sorted(spans)
    starts = [start for start, _ in spans]
    reached = [*accumulate((end for _, end in spans), max, initial=0)]
    return lambda start, end: reached[bisect_right(starts, start)] >= end


def _outermost(hits: Iterable[Hit]) -> Iterator[Hit]:
    reached = {"advise": 0, "forbid": 0}
    for hit in sorted(hits, key=lambda hit: (hit.start, -hit.end, hit.level == "advise")):
        covered = max(reached.values()) if hit.level == "advise" else reached["forbid"]
        if hit.end > covered:
            reached[hit.level] = hit.end
            yield hit


def _placed(text: str, folded: str, found: list[Raw]) -> Iterator[Hit]:
    """The hits at their places in the text itself."""
    origin = origins(text) if len(folded) != len(text) else range(len(text))
    for start, end, word, level, kind in found:
        begin, stop = origin[start], origin[end - 1] + 1
        yield Hit(word, text[begin:stop], begin, stop, level, kind)
