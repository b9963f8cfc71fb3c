"""What a template would say of an order, with what it costs and what the wording rules find in it."""

from typing import Any

import msgspec

from dispatcher.errors import DispatcherError, ForbiddenWording
from dispatcher.messages.bounds import Problem
from dispatcher.messages.calls import seconds_to_read
from dispatcher.messages.catalog import Catalog, Template
from dispatcher.messages.elements import ELEMENTS, Element
from dispatcher.messages.examples import EXAMPLES, HOST
from dispatcher.messages.fields import FIELDS, values
from dispatcher.messages.outside import Remark
from dispatcher.messages.own import own_template
from dispatcher.messages.rendering import render
from dispatcher.messages.sms import characters, segments
from dispatcher.messages.subjects import Speech, Subject, if_sent, subject
from dispatcher.policy.document import Policy
from dispatcher.policy.facts import Channel, Customer, Instant, Order
from dispatcher.policy.shipping import ships_today
from dispatcher.policy.terms import Links


class Preview(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """A message as it would be written: of an `order` by its id, or of a built-in `example` by its name.

    Without a `text` the `problem` says why. `elements` are said as far as no name is left out for a word in
    `masked`; `missing` are the template's fields that have no value, `advised` words that are better not
    said. `segments` is of text messages, `seconds` of call scripts.
    """

    order: str | None = None
    example: str | None = None
    text: str | None = None
    problem: str | None = None
    characters: int | None = None
    segments: int | None = None
    seconds: float | None = None
    elements: tuple[Element, ...] = ()
    missing: tuple[str, ...] = ()
    masked: tuple[Remark, ...] = ()
    advised: tuple[Remark, ...] = ()
    forbidden: tuple[str, ...] = ()


class Trial(msgspec.Struct, frozen=True, kw_only=True):
    """A template that is tried out for a shop with a policy."""

    catalog: Catalog
    template: Template
    policy: Policy

    @property
    def _speech(self) -> Speech:
        return self.catalog.speeches[self.template.locale]

    def of_order(
        self, shop: str, order: Order, customer: Customer, others: tuple[Order, ...], now: Instant
    ) -> Preview:
        """Return what would be said of an order, and of `others` in a merged message, if it were sent now."""
        facts, send = if_sent(
            order,
            customer,
            self.template.channel,
            now,
            shop=shop,
            others=others,
            ships_today=ships_today(order, self.policy, now),
        )
        seen = self._seen(subject(facts, send, self.policy, now, self._speech))
        return msgspec.structs.replace(seen, order=order.id)

    def of_examples(self) -> tuple[Preview, ...]:
        """Return what would be said of the built-in orders: ordinary, and at each extreme."""
        seen = []
        for example in EXAMPLES:
            about = example.about(self.template.channel, self._speech, self.policy.platform)
            policy = msgspec.structs.replace(about.policy, links=_with_examples(self.policy))
            one = self._seen(msgspec.structs.replace(about, policy=policy))
            seen.append(msgspec.structs.replace(one, example=example.name))
        return tuple(seen)

    def _seen(self, about: Subject) -> Preview:
        known = values(self.template.fields, about)
        missing = tuple(
            sorted(
                name for name in self.template.fields if name not in known and FIELDS[name].kind != "yes/no"
            )
        )
        try:
            rendered = render(
                self.catalog, about.facts, about.decision, about.policy, about.now, self.template
            )
        except ForbiddenWording as error:
            return Preview(problem=str(error), missing=missing, forbidden=error.words)
        except DispatcherError as error:
            return Preview(problem=str(error), missing=missing)
        text = rendered.text
        shown = self.template.phrasings.shown(known)
        carried = tuple(
            name for name, carrier in ELEMENTS.items() if carrier.fields and carrier.fields <= shown
        )
        return Preview(
            text=text,
            elements=carried,
            missing=missing,
            masked=rendered.masked,
            advised=rendered.advised,
            **_cost(self.template.channel, text),
        )


def trial(catalog: Catalog, packaged: Template, source: str, policy: Policy) -> Trial | tuple[Problem, ...]:
    """Return a source ready to be tried out in a catalog's place, or all that is wrong with it."""
    template, problems = own_template(packaged, source)
    return problems if template is None else Trial(catalog=catalog, template=template, policy=policy)


def _with_examples(policy: Policy) -> Links | None:
    """The hosts that the shop allows, with that of the built-in orders."""
    return None if policy.links is None else Links(allowed=(*policy.links.allowed, HOST))


def _cost(channel: Channel, text: str) -> dict[str, Any]:
    if channel == "sms":
        return {"characters": characters(text), "segments": segments(text)}
    cost: dict[str, Any] = {"characters": len(text)}
    if channel == "phone":
        cost["seconds"] = round(seconds_to_read(text), 1)
    return cost
