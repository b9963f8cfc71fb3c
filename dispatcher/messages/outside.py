"""Names that come from outside with an order, and what becomes of those that a message may not say."""

import re
from collections.abc import Callable

import msgspec

from dispatcher.messages.masking import masked
from dispatcher.messages.subjects import ORDER_TAIL_CHARACTERS
from dispatcher.messages.wording import Rules
from dispatcher.messages.wording_file import Kind
from dispatcher.policy.decisions import Send
from dispatcher.policy.facts import Facts, Order, Rival

Say = Callable[[str, str | None], str | None]
"""From a name's field and the name to what is said of it, `None` for nothing."""

_DIGITS = re.compile("[0-9]+")


class Remark(msgspec.Struct, frozen=True, gc=False):
    """A word of the rules that a message met; `field` is the name that it was left out with.

    Without a field it is in the message, or was met only between a name and what stands beside it.
    """

    word: str
    kind: Kind
    field: str | None = None


def masked_names(facts: Facts, decision: Send, rules: Rules) -> tuple[Facts, Send, tuple[Remark, ...]]:
    """The same with names that keep the rules, and the words that were left out for it."""
    remarks: dict[Remark, None] = {}

    def say(field: str, name: str | None) -> str | None:
        if name is None:
            return None
        fit = masked(name, rules)
        remarks.update(dict.fromkeys(Remark(hit.word, hit.kind, field) for hit in fit.hits))
        return fit.text

    return *_renamed(facts, decision, say), tuple(remarks)


def without_names(facts: Facts, decision: Send) -> tuple[Facts, Send]:
    """The same without any name, so that templates take their other words, and of ids the digits alone."""
    return _renamed(facts, decision, lambda field, name: None)


def _renamed(facts: Facts, decision: Send, say: Say) -> tuple[Facts, Send]:
    customer = msgspec.structs.replace(
        facts.customer,
        name=say("customer.name", facts.customer.name),
        agent=say("customer.agent", facts.customer.agent),
    )
    renamed = msgspec.structs.replace(facts, customer=customer, order=_order(facts.order, say))
    carries = tuple(_carried(each, say) for each in decision.carries)
    return renamed, msgspec.structs.replace(decision, carries=carries)


def _carried(rival: Rival, say: Say) -> Rival:
    return msgspec.structs.replace(rival, known=rival.known and _order(rival.known, say))


def _order(order: Order, say: Say) -> Order:
    """The order with its names said in their way; of several items messages name the first one alone."""
    items = order.items
    if items:
        name, spec = say("order.items.0.name", items[0].name), say("order.items.0.spec", items[0].spec)
        items = (msgspec.structs.replace(items[0], name=name or "", spec=spec), *items[1:])
    receiver = order.receiver
    if receiver:
        receiver = msgspec.structs.replace(receiver, city=say("order.receiver.city", receiver.city))
    note = say("order.buyer_note", order.buyer_note)
    tail = order.id[-ORDER_TAIL_CHARACTERS:]
    order_id = order.id if say("order.id", tail) == tail else _digits(order.id)
    return msgspec.structs.replace(order, id=order_id, items=items, receiver=receiver, buyer_note=note)


def _digits(order_id: str) -> str:
    """The last digits of an id that stand together; one without any stays as it is, and is judged so."""
    runs: list[str] = _DIGITS.findall(order_id)
    return runs[-1] if runs else order_id
