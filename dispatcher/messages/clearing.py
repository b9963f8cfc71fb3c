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

# What the scheme of a link cannot go on with: a name behind a colon is longer.
_BEFORE = " \n："
_BEHIND = "\n，；！？（"

_SHOWN = re.compile("%.")

MAX_HOSTS = 10_000
"""Of which it is remembered whether they say a word."""

MAX_PATTERNS = 5_000
"""Of which it is remembered what is to be looked at."""


def cleared(pattern: str, values: tuple[object, ...], rules: Rules, pay_url: str | None) -> bool:
    """Whether `check` is sure to find nothing in the text that a pattern makes of these values.

    What the pattern says by itself is looked at once, and a link for paying never where its host is allowed;
    where anything is found in the rest, it is for `check` to tell what.
    """
    left_out = None
    if pay_url is not None and pay_url in values and _leads_where_it_may(pay_url, rules):
        left_out = values.index(pay_url)
    return not raw_hits(fold(_short(pattern, left_out, rules) % values), rules)


def _short(pattern: str, left_out: int | None, rules: Rules) -> str:
    """The pattern without what stands by itself between two marks and has nothing in it that a rule knows.

    Nor is the value looked at that is `left_out`, by its number, where nothing beside it goes on over it.
    """
    short = rules.short.get((pattern, left_out))
    if short is None:
        if len(rules.short) >= MAX_PATTERNS:
            rules.short.clear()
        ends = "|".join(end for mark, end in _ENDS.items() if not _in_a_word(mark, rules))
        parts = re.split(ends, pattern) if ends else [pattern]
        # Two words that count near each other only come nearer.
        short = LEFT_OUT.join(part for part in parts if "%" in part or not _is_silent(part, rules))
        if left_out is not None:
            short = _without(short, left_out)
        rules.short[pattern, left_out] = short
    return short


def _without(pattern: str, nth: int) -> str:
    """The pattern without what stands for a value, unless something beside it may go on over it."""
    at = [shown.start() for shown in _SHOWN.finditer(pattern) if shown[0] == "%s"][nth]
    before, behind = pattern[:at], pattern[at + len("%s") :]
    if before[-1:] not in _BEFORE or behind[:1] not in _BEHIND:
        return pattern
    return f"{before}{LEFT_OUT}%.0s{behind}"


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
