"""A shop's template looked at before it may be sent: what is wrong with it, and what its messages cost."""

from typing import Any

import msgspec

from dispatcher.errors import FieldProblem, InvalidTemplate
from dispatcher.messages.catalog import Catalog, Template
from dispatcher.messages.checking import Figures, figures, forbidden_in, hits_in, tried, words_of
from dispatcher.messages.examples import HOST
from dispatcher.messages.own import own_template
from dispatcher.messages.wording import Rules
from dispatcher.policy.document import Policy

MAX_TYPICAL_SEGMENTS = 3
"""An ordinary order's text message takes no more; what comes with the product takes one or two."""


class Look(Figures, frozen=True, kw_only=True):
    """What is known of a template's source.

    `advised` are words in its messages that are better not said. `problems` tell why it cannot be published,
    each with its line where it has one; then figures may be missing.
    """

    advised: tuple[str, ...] = ()
    problems: tuple[str, ...] = ()

    def refusal(self, pointer: str) -> InvalidTemplate:
        """Return the error that tells all problems of what was given at `pointer`."""
        problems = tuple(FieldProblem(pointer, problem) for problem in self.problems)
        return InvalidTemplate(f"the template is not right: {self.problems[0]}", problems)


def examine(catalog: Catalog, packaged: Template, source: str, policy: Policy) -> Look:
    """Look at what a shop with this policy wants to say in place of one of the catalog's templates."""
    template, problems = own_template(packaged, source)
    if template is None:
        return Look(problems=tuple(f"line {problem.line}: {problem.detail}" for problem in problems))
    texts, told = tried(template, catalog.speeches[template.locale], policy.platform)
    hits = hits_in(texts.values(), _rules(catalog, policy))
    costs: dict[str, Any] = {**figures(template.channel, texts)}
    segments = costs.get("segments_typical", 0)
    if segments > MAX_TYPICAL_SEGMENTS:
        expected = f"expected at most {MAX_TYPICAL_SEGMENTS} segments for an ordinary order, got {segments:g}"
        told = (*told, expected)
    costs["problems"] = (*told, *forbidden_in({policy.platform: hits}))
    costs["advised"] = words_of(hits).advised
    return msgspec.convert(costs, Look)


def _rules(catalog: Catalog, policy: Policy) -> Rules:
    """The wording rules of the shop, to which the links of the built-in orders are as good as its own."""
    rules = catalog.rules[policy.platform]
    if policy.links is None:
        return rules.allowing_any()
    return rules.allowing((*policy.links.allowed, HOST))
