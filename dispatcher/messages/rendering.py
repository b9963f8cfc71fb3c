"""A decision to send becomes the text that is sent."""

from collections.abc import Callable
from hashlib import sha256

import msgspec

from dispatcher.errors import ForbiddenWording, MessageTooLong
from dispatcher.messages import incentives
from dispatcher.messages.catalog import Catalog, Template
from dispatcher.messages.clearing import cleared
from dispatcher.messages.contacts import links
from dispatcher.messages.fields import FIELDS, values
from dispatcher.messages.folding import fold
from dispatcher.messages.outside import Remark, masked_names, without_names
from dispatcher.messages.schema import Value
from dispatcher.messages.sms import characters
from dispatcher.messages.subjects import Subject, subject
from dispatcher.messages.wording import Hit, Rules, check
from dispatcher.messages.wording_file import Level
from dispatcher.policy.decisions import Send
from dispatcher.policy.document import Policy
from dispatcher.policy.facts import Channel, Facts, Instant

MAX_CHARACTERS: dict[Channel, int] = {"chat": 3_000, "sms": 500, "phone": 900}
"""The longest text that is handed over, an SMS as it is billed."""

MAX_REMARKS = 20
"""Words that are told of one message."""

NAMELESS = 2
"""Which attempt at a message is the first one without any name."""


class Rendered(msgspec.Struct, frozen=True, kw_only=True, gc=False):
    """A message's text with its template's name and version, and the hex SHA-256 of its UTF-8.

    `masked` are words that names were left out for, `advised` those in the text that are better not said.
    A message that goes `without_offer` does not name the decision's incentive, whose words are forbidden.
    """

    template: str
    text: str
    sha256: str
    masked: tuple[Remark, ...] = ()
    advised: tuple[Remark, ...] = ()
    without_offer: bool = False


def render(
    catalog: Catalog,
    facts: Facts,
    decision: Send,
    policy: Policy,
    now: Instant,
    template: Template | None = None,
) -> Rendered:
    """The message for this reminder on the decision's channel, times told as of `now`.

    It is written by a `template` that is given, else by the one that suits it best.

    A name from outside that the shop's wording rules forbid is said without what they forbid, or not at all,
    and so is the incentive.

    Raises `MissingField` when the template needs a value that is absent or blank, `ForbiddenWording` when
    the text breaks the rules without such names too, and `MessageTooLong` when it goes beyond
    `MAX_CHARACTERS`.
    """
    template = template or catalog.template(facts, policy, decision)
    speech = catalog.speeches[template.locale]
    rules = catalog.rules_of(policy)
    told = _told(template, subject(facts, decision, policy, now, speech))
    pattern, shown = template.phrasings.filled(told)
    rendered = _rendered(template, pattern % shown, told)
    if cleared(pattern, shown, rules, facts.order.pay_url):
        return rendered
    hits = check(rendered.text, rules)
    if not _remarks(hits, "forbid"):
        return msgspec.structs.replace(rendered, advised=_remarks(hits, "advise"))

    def write(facts: Facts, decision: Send) -> Rendered:
        return render_for(template, subject(facts, decision, policy, now, speech))

    return _with_less(write, facts, decision, rules)


def _with_less(
    write: Callable[[Facts, Send], Rendered], facts: Facts, decision: Send, rules: Rules
) -> Rendered:
    """Write a message with less and less of what comes from outside, until the rules allow it."""
    # Few texts have a hit: names are not looked at by themselves before one shows.
    facts, decision, masked = masked_names(facts, decision, rules)
    ways = [(facts, decision), without_names(facts, decision)]
    if decision.offer is not None:
        ways += [(known, msgspec.structs.replace(named, offer=None)) for known, named in ways]
    forbidden: tuple[Remark, ...] = ()
    unsaid: dict[Remark, Remark] = {}
    for nth, (known, named) in enumerate(ways, 1):
        rendered = write(known, named)
        hits = check(rendered.text, rules)
        forbidden = _remarks(hits, "forbid")
        if not forbidden:
            return msgspec.structs.replace(
                rendered,
                masked=(*masked, *unsaid.values())[:MAX_REMARKS],
                advised=_remarks(hits, "advise"),
                without_offer=decision.offer is not None and named.offer is None,
            )
        # A name that was cut, or what stands beside it, can make a word that the whole name does not have;
        # what is there without any name, the incentive may have brought.
        if nth == NAMELESS and decision.offer is not None:
            unsaid |= {one: Remark(one.word, one.kind, incentives.PATH) for one in forbidden}
        else:
            unsaid = {one: one for one in forbidden} | unsaid
    kinds = dict.fromkeys(remark.kind for remark in forbidden)
    raise ForbiddenWording(tuple(remark.word for remark in forbidden), tuple(kinds), _hosts(hits))


def _remarks(hits: tuple[Hit, ...], level: Level) -> tuple[Remark, ...]:
    found = dict.fromkeys(Remark(hit.word, hit.kind) for hit in hits if hit.level == level)
    return tuple(found)[:MAX_REMARKS]


def _hosts(hits: tuple[Hit, ...]) -> tuple[str, ...]:
    """Where the links lead, as far as that is certain: no more of a link, whose path may tell of a person."""
    leading = (link.host for hit in hits if hit.word == "link" for link in links(fold(hit.found)))
    return tuple(dict.fromkeys(filter(None, leading)))[:MAX_REMARKS]


def render_for(template: Template, about: Subject) -> Rendered:
    """The message that a template makes of a subject; raises what `render` does."""
    told = _told(template, about)
    return _rendered(template, template.phrasings.say(told), told)


def _told(template: Template, about: Subject) -> dict[str, Value]:
    return values(template.plain if about.decision.offer is None else template.fields, about)


def _rendered(template: Template, text: str, told: dict[str, Value]) -> Rendered:
    length = characters(text) if template.channel == "sms" else len(text)
    limit = MAX_CHARACTERS[template.channel]
    if length > limit:
        field = _too_much(told, max(length - limit, limit // 2))
        raise MessageTooLong(template.name, template.channel, length, limit, field)
    return Rendered(template=template.name, text=text, sha256=sha256(text.encode()).hexdigest())


def _too_much(told: dict[str, Value], least: int) -> str | None:
    """The field whose value is the longest, if it has so many characters that it is to blame."""
    lengths = {name: len(value) for name, value in told.items() if isinstance(value, str)}
    longest = max(lengths, key=lengths.__getitem__, default=None)
    return FIELDS[longest].path if longest is not None and lengths[longest] >= least else None
