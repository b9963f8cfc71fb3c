"""Messages with one value cut out, as they must never go: made of every template and part, place by place."""

from collections.abc import Iterator, Mapping
from typing import NamedTuple

from dispatcher.errors import MissingField
from dispatcher.messages.catalog import Catalog, Kind, Template
from dispatcher.messages.fields import values
from dispatcher.messages.incentives import TOLD
from dispatcher.messages.language import parsed
from dispatcher.messages.paths import Paths
from dispatcher.messages.phrasing import Phrasings
from dispatcher.messages.schema import Value
from dispatcher.policy.terms import Locale
from tests.messages.cases import OFFERS, PLAIN, subject_of

MARK = "\ue000"
WORD_OF_THE_LANGUAGE = "pay_word"
"""The one field that is no value of an order, and is always there."""


class Cut(NamedTuple):
    """A golden text without the value of a field in one of its places.

    `whole` is one that a template says in just these words where the field has no value.
    """

    language: Locale
    template: str
    field: str
    text: str
    whole: bool


def cuts(catalog: Catalog) -> Iterator[Cut]:
    """Cut each value in each of its places out of what every template says of a full order."""
    for (locale, kind, _), template in catalog.templates.items():
        for case in PLAIN.values():
            shown = values(template.fields, subject_of(catalog, locale, kind, template, **case))
            for name, cut in _each_cut(template.phrasings, shown):
                yield Cut(locale, template.name, name, cut, cut == _without(template, shown, name))
        if kind == "first_reminder" and template.channel != "phone":
            yield from _cuts_of_incentives(catalog, locale, kind, template)


def _cuts_of_incentives(catalog: Catalog, locale: Locale, kind: Kind, template: Template) -> Iterator[Cut]:
    tree, _ = parsed(
        (catalog.directory / locale / "parts" / f"incentive.{template.channel}.j2").read_text("utf-8")
    )
    assert tree is not None
    fields, phrasings = Paths(tree).fields(), Phrasings(tree)
    for case in OFFERS.values():
        about = subject_of(catalog, locale, kind, template, **case)
        around = values(template.fields, about)
        for name, cut in _each_cut(phrasings, values(fields, about)):
            yield Cut(locale, template.name, name, template.phrasings.say(around | {TOLD: cut}), whole=False)


def _each_cut(phrasings: Phrasings, shown: Mapping[str, Value]) -> Iterator[tuple[str, str]]:
    for name, value in shown.items():
        pieces = phrasings.say({**shown, name: MARK}).split(MARK)
        for place in range(1, len(pieces) if name != WORD_OF_THE_LANGUAGE else 0):
            yield name, str(value).join(pieces[:place]) + str(value).join(pieces[place:])


def _without(template: Template, shown: Mapping[str, Value], name: str) -> str | None:
    try:
        return template.phrasings.say({other: value for other, value in shown.items() if other != name})
    except MissingField:
        return None
