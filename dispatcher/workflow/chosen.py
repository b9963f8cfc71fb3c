"""Which template wrote a message, or would write it, and why that one."""

from collections.abc import Mapping, Sequence
from typing import Any, NamedTuple, get_args

from dispatcher.messages.rendering import Rendered
from dispatcher.policy.decisions import Send
from dispatcher.policy.document import Policy
from dispatcher.policy.facts import Facts
from dispatcher.policy.scenario import Scenario, why, why_of


class Chosen(NamedTuple):
    """A template by its name, as the audit keeps it, and the code of why it is this kind of message."""

    template: str
    why: str | None


def for_message(facts: Facts, policy: Policy, decision: Send, rendered: Rendered) -> Chosen:
    """Return what wrote a message of what is to go."""
    return Chosen(rendered.template, why(facts, policy, decision))


def as_recorded(template: str, step: int, routing: Mapping[str, Any]) -> Chosen:
    """Return what wrote the message of a recorded decision, `routing` being the inputs of that rule.

    There is no code where the record does not tell it.
    """
    kind = next((kind for kind in get_args(Scenario) if kind == template.split("/")[-2]), None)
    used: Sequence[str] = routing.get("used", ())
    if kind is None or (kind == "check_details" and step == 1 and used):
        # Of a first step after a hand-off by a person both a note and a flash sale may have been the reason.
        return Chosen(template, None)
    return Chosen(template, why_of(kind, routing.get("segment"), short=step > 1))
