"""What a message must say, and by which fields a template says it."""

import re
from typing import Literal, NamedTuple

from dispatcher.messages.fields import FIELDS
from dispatcher.policy.facts import Channel

Element = Literal[
    "shop", "greeting", "product", "specification", "time", "order", "amount", "receiver", "close",
    "pay_link", "same_day_shipping", "self_introduction", "service_promise",
    "orders", "left", "note", "incentive",
]  # fmt: skip


REFUSAL = re.compile(
    # What is denied is no way: 不能退订, 请勿回复, do not reply.
    r"(?<![不无没勿别莫非未])(?<![不无没勿别莫非未].)(?<!(?:not|n't) )(?<!never )(?:"
    r"(?:拒收|退订)请?回复?[A-Za-z]{1,2}|回复?[A-Za-z]{1,2}(?:退订|拒收)|[Rr]eply [A-Za-z]{1,4} to stop)"
)
"""Words that say how to refuse promotions, as in 拒收请回复R, 回T退订 or Reply R to stop."""


class Carrier(NamedTuple):
    """The `fields` that carry an element.

    Where an optional one of them has no value the element may be left out, but then all fields of
    `written_instead` are said, on the phone those of `spoken_instead`.
    """

    fields: frozenset[str]
    written_instead: frozenset[str] = frozenset()
    spoken_instead: frozenset[str] = frozenset()

    def instead(self, channel: Channel) -> frozenset[str]:
        """The fields that stand in for optional ones without a value."""
        return self.spoken_instead if channel == "phone" else self.written_instead

    @property
    def optional(self) -> frozenset[str]:
        """Those of the fields that may have no value."""
        return frozenset(name for name in self.fields if FIELDS[name].optional)


ELEMENTS: dict[Element, Carrier] = {
    "shop": Carrier(frozenset({"shop"})),
    "greeting": Carrier(frozenset({"customer"})),
    # A customer on the phone knows an order by its time; nobody reads out the end of a long number.
    "product": Carrier(frozenset({"product"}), frozenset({"order_tail"}), frozenset({"placed"})),
    "specification": Carrier(frozenset({"spec"})),
    "time": Carrier(frozenset({"placed"})),
    "order": Carrier(frozenset({"order_tail"})),
    "amount": Carrier(frozenset({"total"})),
    "receiver": Carrier(frozenset({"city"})),
    "close": Carrier(frozenset({"closes"})),
    "pay_link": Carrier(frozenset({"pay_url"})),
    "same_day_shipping": Carrier(frozenset({"ships_before"})),
    "self_introduction": Carrier(frozenset({"shop", "agent"})),
    "service_promise": Carrier(frozenset()),
    "left": Carrier(frozenset({"left"})),
    "note": Carrier(frozenset({"note"})),
    "incentive": Carrier(frozenset({"incentive"})),
    "orders": Carrier(
        frozenset({"orders_count", "orders_total", "orders_placed", "orders_product", "orders_close"})
    ),
}
"""Every element; a promise is words alone, which no field shows."""
