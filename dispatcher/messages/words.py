"""What a language has words for beside its templates."""

from collections.abc import Callable, Sequence

import msgspec

from dispatcher.messages.times import InWords
from dispatcher.messages.values import Money
from dispatcher.policy.terms import Platform


class Words(msgspec.Struct, frozen=True, kw_only=True):
    """How a language tells values.

    `moment` says a time; `money` a decimal string and its currency;
    `lasting` milliseconds, told in whole units and never as more than there are; `several` an item's
    name and the pieces of an order with other items too, `pieces` those of a lone item, two or more.
    `pay` is the word for paying, `pay_on` that of platforms which ask for another one.
    """

    coupon: str
    pay: str
    pay_on: dict[Platform, str]
    moment: InWords
    money: Callable[[str, str], Money]
    lasting: Callable[[int], str]
    listed: Callable[[Sequence[str]], str]
    several: Callable[[str, int], str]
    pieces: Callable[[str, int], str]
