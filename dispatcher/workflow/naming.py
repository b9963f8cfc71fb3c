"""What somebody may have meant who named a template that is not there."""

from collections.abc import Collection
from difflib import get_close_matches

from dispatcher.errors import UnknownTemplate
from dispatcher.policy.terms import DEFAULT_LOCALE

NEAREST = 3
"""Names that are suggested at most."""

LONGEST_COMPARED = 100

EXAMPLE = f"{DEFAULT_LOCALE}/first_time/sms"


def unknown_template(name: str, known: Collection[str]) -> UnknownTemplate:
    """Return the refusal of a name, with the known ones that come nearest to it.

    What the audit keeps of a message leads there too: that has a version, and mostly no language.
    """
    meant = name.partition("@")[0][:LONGEST_COMPARED]
    at_home = f"{DEFAULT_LOCALE}/{meant}"
    near = [each for each in (meant, at_home) if each in known]
    if not near:
        named = meant if meant.count("/") > 1 else at_home
        near = get_close_matches(named, known, NEAREST)
    return UnknownTemplate(
        "the catalog has no such template: expected language, scenario and channel, "
        f"as in {' or '.join(near or [EXAMPLE])}"
    )
