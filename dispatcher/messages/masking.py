"""Names from outside, made fit to be said on a platform."""

import re

import msgspec

from dispatcher.messages.wording import Hit, Rules, check

_DECORATION = re.compile(r"【[^【】]*】|\[[^\[\]]*\]|（[^（）]*）|\([^()]*\)")
"""What sellers put around a name; 《 》 holds the name of a book itself."""
_SAYS_SOMETHING = re.compile(r"[^\W\d_]{2}")


class Named(msgspec.Struct, frozen=True, gc=False):
    """A name from outside as it may be said, `None` when it may not, and the forbidden words it had."""

    text: str | None
    hits: tuple[Hit, ...] = ()


def masked(name: str, rules: Rules) -> Named:
    """The name without the brackets that hold something forbidden; no name when more than those does.

    Only whole brackets are left out: a word cut from the middle of a name could turn its sense.
    """
    hits = tuple(hit for hit in check(name, rules) if hit.level == "forbid")
    if not hits:
        return Named(name)
    kept = _DECORATION.sub(
        lambda bracket: "" if any(_inside(hit, bracket) for hit in hits) else bracket[0], name
    )
    kept = " ".join(kept.split())
    says_something = _SAYS_SOMETHING.search(_DECORATION.sub("", kept))
    if not says_something or any(hit.level == "forbid" for hit in check(kept, rules)):
        return Named(None, hits)
    return Named(kept, hits)


def _inside(hit: Hit, bracket: re.Match[str]) -> bool:
    return bracket.start() <= hit.start and hit.end <= bracket.end()
