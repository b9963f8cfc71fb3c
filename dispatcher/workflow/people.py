"""Whose hand-offs count: a customer's own, or those of all customers of a shop who share a phone number."""

from collections.abc import Sequence
from typing import Protocol

from dispatcher.errors import StoreRefused
from dispatcher.policy.facts import Customer
from dispatcher.policy.terms import Policy
from dispatcher.storage.ledgers import Ledger
from dispatcher.storage.records import Leased


class People(Protocol):
    """Where pseudonyms and ledgers are."""

    async def pseudonyms(self, shop: str, addresses: Sequence[str]) -> list[str]:
        """Return what stands for addresses."""

    async def blocked(self, shop: str, rev: int) -> frozenset[str]:
        """Return the names of the addresses that a shop blocks, as of a revision or later."""

    async def of_customer(self, shop: str, customer: str) -> Ledger:
        """Return a customer's own ledger."""

    async def of_people(self, shop: str, people: Sequence[str]) -> list[Ledger | None]:
        """Return the ledgers of phone numbers, by their pseudonyms; `None` for one that cannot be read."""


def by_phone(policy: Policy) -> bool:
    """Tell whether all who share a phone number are one customer for the caps."""
    return policy.caps is not None and policy.caps.per == "phone"


async def count_together(people: People, shop: str, items: Sequence[Leased]) -> None:
    """Have leased reminders decided on the hand-offs of all who share the customer's number.

    Where these cannot be read the facts are gone too: nothing is decided of that one.
    """
    found = [(item, item.facts.customer.phone) for item in items if item.facts and item.facts.customer.phone]
    if not found:
        return
    persons = await people.pseudonyms(shop, [phone or "" for _, phone in found])
    ledgers = await people.of_people(shop, persons)
    for (item, _), person, ledger in zip(found, persons, ledgers, strict=True):
        if ledger is None:
            item.facts = None
        else:
            item.person, item.ledger = person, ledger


async def ledger_of(
    people: People, shop: str, customer: Customer, policy: Policy
) -> tuple[str | None, Ledger]:
    """Return whose hand-offs count for a customer (`None`: the customer's alone), and those hand-offs."""
    if not by_phone(policy) or customer.phone is None:
        return None, await people.of_customer(shop, customer.id)
    (person,) = await people.pseudonyms(shop, [customer.phone])
    (ledger,) = await people.of_people(shop, [person])
    if ledger is None:
        raise StoreRefused("the hand-offs of the customer's number cannot be read")
    return person, ledger
