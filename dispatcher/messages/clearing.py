"""Tells of nearly every message that no rule of its wording is met, by looking at little of it."""

import re

from dispatcher.messages.contacts import contacts, links
from dispatcher.messages.folding import fold
from dispatcher.messages.wording import Rules, raw_hits
from dispatcher.messages.wording_file import bare

# With a path: without one what stands behind could be the host's.
_PLAIN_URL = re.compile("https?://([a-z0-9.-]+)/[!-~]*")

LEFT_OUT = "\n"
"""Stands for what is not looked at, and belongs to no word, link or contact."""

_ENDS = {mark: mark for mark in "，；！？（）\n"} | {"。": "(?<=[一-龥])。|。(?=[一-龥])"}
"""Marks that no link or contact goes beyond; a full stop may be one of a host, but not beside Chinese."""

_BEFORE = re.compile(r"(?:[ \n]|[一-龥]：)$")
_BEHIND = frozenset("\n，；！？（")

MAX_HOSTS = 10_000
"""Of which it is remembered whether they say a word."""

MAX_PATTERNS = 5_000
"""Of which it is remembered what is to be looked at."""


def cleared(pattern: str, values: tuple[object, ...], rules: Rules, pay_url: str | None) -> bool:
    """Whether `check` is sure to find nothing in the text that a pattern makes of these values.

    What the pattern says by itself is looked at once, and a link for paying never where its host is allowed;
    where anything is found in the rest, it is for `check` to tell what.
    """
    rest = _short(pattern, rules) % values
    if pay_url is not None and _leads_where_it_may(pay_url, rules):
        parts = rest.split(pay_url)
        if all(map(_may_precede, parts[:-1])) and all(map(_may_follow, parts[1:])):
            rest = LEFT_OUT.join(parts)
    return not raw_hits(fold(rest), rules)


def _may_precede(text: str) -> bool:
    """Whether what stands before a link is surely no part of it, nor of another one that goes on with it."""
    return not text or _BEFORE.search(text[-2:]) is not None


def _may_follow(text: str) -> bool:
    return not text or text[0] in _BEHIND


def _short(pattern: str, rules: Rules) -> str:
    """The pattern without what stands by itself between two marks and has nothing in it that a rule knows."""
    short = rules.short.get(pattern)
    if short is None:
        if len(rules.short) >= MAX_PATTERNS:
            rules.short.clear()
        ends = "|".join(end for mark, end in _ENDS.items() if not _in_a_word(mark, rules))
        parts = re.split(ends, pattern) if ends else [pattern]
        # Two words that count near each other only come nearer.
        short = LEFT_OUT.join(part for part in parts if "%" in part or not _is_silent(part, rules))
        rules.short[pattern] = short
    return short


def _in_a_word(mark: str, rules: Rules) -> bool:
    return any(mark in word for words in (rules.entries, rules.parts) for word in words)


def _is_silent(part: str, rules: Rules) -> bool:
    folded = fold(part)
    if any(links(folded)) or any(contacts(folded)):
        return False
    return not rules.words.find_matches_as_indexes(bare(part))


def _leads_where_it_may(url: str, rules: Rules) -> bool:
    """Whether a link's host is plain, and allowed or, where any host is, none of the words."""
    found = _PLAIN_URL.fullmatch(url)
    if found is None:
        return False
    host = found[1]
    if not rules.any_host:
        return f".{host}".endswith(rules.hosts)
    plain = rules.plain.get(host)
    if plain is None:
        if len(rules.plain) >= MAX_HOSTS:
            rules.plain.clear()
        plain = rules.plain[host] = not raw_hits(host, rules)
    return plain
