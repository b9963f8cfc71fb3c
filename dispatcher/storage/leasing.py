"""What a lease's reply says (see `lua/lease.lua`)."""

from collections.abc import Sequence
from typing import Any

from dispatcher.policy.facts import OrderState
from dispatcher.storage.customers import customer_of
from dispatcher.storage.keys import split_reminder_id
from dispatcher.storage.ledgers import NOBODY, ledger_of
from dispatcher.storage.records import Leased, Other, StoredOrder, Texts, facts_of
from dispatcher.storage.stored_orders import order_alone
from dispatcher.storage.unreadable import if_readable

_UNREADABLE = StoredOrder(state=OrderState.UNPAID, rev=0, time=0)
"""An order that the script can read and this version cannot: without facts nothing is decided of it."""


def leased(found: Sequence[Any]) -> list[Leased]:
    """Return the reminders that a reply lists behind its head."""
    return [_leased(*found[position : position + 6]) for position in range(0, len(found), 6)]


def _leased(
    reminder: bytes, order: bytes, facts: bytes, ledger: bytes, customer: bytes, others: Sequence[bytes]
) -> Leased:
    name = reminder.decode()
    _, order_id, number = split_reminder_id(name)
    read, was = if_readable(order_alone, order) or (None, None)
    known = if_readable(ledger_of, ledger)
    return Leased(
        reminder=name,
        order_id=order_id,
        number=number,
        order=read or _UNREADABLE,
        facts=if_readable(facts_of, facts) if read and known else None,
        ledger=known or NOBODY,
        customer=if_readable(customer_of, customer),
        texts=None if was is None else Texts(was, ledger, customer),
        others=_others(others) if others else (),
    )


def _others(found: Sequence[bytes]) -> tuple[Other, ...]:
    """Return the other orders of a customer; one that cannot be read is left out."""
    others = []
    for name, order, facts in zip(found[::3], found[1::3], found[2::3], strict=True):
        read, known = if_readable(order_alone, order), if_readable(facts_of, facts)
        if read is not None and known is not None:
            others.append(Other(id=name.decode(), order=read[0], facts=known))
    return tuple(others)
