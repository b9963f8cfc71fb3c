"""A decision to send becomes the text that is sent."""

from hashlib import sha256

import jinja2
import msgspec

from dispatcher.errors import InvalidTemplate, MessageTooLong
from dispatcher.messages.catalog import Catalog, Template
from dispatcher.messages.fields import values
from dispatcher.messages.sms import characters
from dispatcher.messages.subjects import Subject, subject
from dispatcher.policy.decisions import Send
from dispatcher.policy.document import Policy
from dispatcher.policy.facts import Channel, Facts, Instant

MAX_CHARACTERS: dict[Channel, int] = {"chat": 3_000, "sms": 500, "phone": 600}
"""The longest text that is handed over, an SMS as it is billed; rendering ends once a text goes beyond."""


class Rendered(msgspec.Struct, frozen=True, kw_only=True, gc=False):
    """A message's text with its template's name and version, and the hex SHA-256 of its UTF-8."""

    template: str
    text: str
    sha256: str


def render(catalog: Catalog, facts: Facts, decision: Send, policy: Policy, now: Instant) -> Rendered:
    """The message for this reminder on the decision's channel, times told as of `now`.

    Raises `MissingField` when the template needs a value that is absent or blank, `MessageTooLong` when
    the text goes beyond `MAX_CHARACTERS`, and `InvalidTemplate` when the template reaches for more
    than its fields.
    """
    template = catalog.template(facts.step, decision.channel, merged=bool(decision.carries))
    return render_for(template, subject(facts, decision, policy, now))


def render_for(template: Template, about: Subject) -> Rendered:
    """The message that a template makes of a subject; raises what `render` does."""
    channel = template.channel
    limit = MAX_CHARACTERS[channel]
    pieces = []
    length = 0
    try:
        # As `Template.render` does, but for joining the values with globals that are not there.
        context = template.compiled.new_context(values(template.fields, about), shared=True)
        for piece in template.compiled.root_render_func(context):
            length += characters(piece) if channel == "sms" else len(piece)
            if length > limit:
                raise MessageTooLong(f"{template.name}: expected at most {limit} characters, got {length}")
            pieces.append(piece)
    except jinja2.TemplateError as error:
        raise InvalidTemplate(f"{template.name}: {error}") from error
    text = "".join(pieces)
    return Rendered(template=template.name, text=text, sha256=sha256(text.encode()).hexdigest())
