"""Addresses that a shop blocks: told to decisions as channels without one, and kept by pseudonym alone."""

from collections.abc import Hashable, Mapping, Sequence
from typing import TypeVar

import msgspec

from dispatcher.errors import TooManyBlocked
from dispatcher.policy.facts import Channel, Customer, Instant, OrderFacts
from dispatcher.policy.masking import masked_handle, masked_phone
from dispatcher.storage.blocked import Block, Kind, address, told
from dispatcher.storage.commands import Commit, TaskEnd
from dispatcher.storage.records import MOST_BLOCKED, Leased, Other, StoredStep
from dispatcher.workflow.people import People
from dispatcher.workflow.policies import InForce
from dispatcher.workflow.ports import Blocks, Clock

K = TypeVar("K", bound=Hashable)

REACHED_BY: dict[Kind, tuple[Channel, ...]] = {"chat": ("chat",), "phone": ("sms", "phone")}
"""The channels that an address is for."""


class Blocking:
    """Blocks addresses for operators."""

    def __init__(self, blocks: Blocks, people: People, clock: Clock) -> None:
        self._blocks = blocks
        self._people = people
        self._clock = clock

    async def block(self, shop: str, kind: Kind, text: str, actor: str) -> Block:
        """Block an address and return its block: the first one, where it is blocked already.

        Raises `TooManyBlocked`.
        """
        (person,) = await self._people.pseudonyms(shop, [text])
        block = Block(at=self._clock.now(), actor=actor, masked=masked(kind, text))
        if not await self._blocks.block(shop, kind, person, block):
            raise TooManyBlocked(f"a shop blocks at most {MOST_BLOCKED} addresses; unblock one first")
        return await self._blocks.one(shop, kind, person) or block

    async def unblock(self, shop: str, kind: Kind, text: str, actor: str) -> None:
        """End the block of an address, if there is one."""
        (person,) = await self._people.pseudonyms(shop, [text])
        await self._blocks.unblock(shop, kind, person, self._clock.now(), actor)


def masked(kind: Kind, text: str) -> str:
    """Return an address as people may see it."""
    return masked_phone(text) if kind == "phone" else masked_handle(text)


async def keep_called(people: People, shop: str, claim: Commit, phone: str | None) -> None:
    """Have a claim keep the number that is called: the order may have another by its end."""
    if phone is not None:
        (claim.called,) = await people.pseudonyms(shop, [phone])
        claim.masked = masked("phone", phone)


def block_called(end: TaskEnd, step: StoredStep, now: Instant, actor: str) -> None:
    """Have the end of a call block the number that was called, for all of the shop's customers."""
    if step.called is None or step.masked is None:  # a claim that an earlier version recorded
        return
    block = Block(at=now, actor=actor, masked=step.masked, agent=end.agent)
    end.address, end.about = address("phone", step.called), block.stored
    end.told = told("phone", step.called, agent=end.agent, call=end.reminder)


async def heed_leased(people: People, shop: str, rev: int, items: Sequence[Leased]) -> None:
    """Have leased reminders, and those beside them, decided on with the shop's blocks."""
    known = {(item.reminder, ""): item.facts for item in items if item.facts}
    known |= {(item.reminder, other.id): other.facts for item in items for other in item.others}
    heeded = await _heeded(people, shop, rev, known)
    for item in items:
        item.facts = heeded.get((item.reminder, ""))
        item.others = tuple(
            msgspec.structs.replace(other, facts=heeded[item.reminder, other.id]) for other in item.others
        )


async def heed(
    people: People, shop: str, force: InForce, known: Mapping[K, OrderFacts]
) -> dict[K, OrderFacts]:
    """Return what is known of orders with the shop's blocks."""
    return await _heeded(people, shop, force.rev, known) if force.state.blocked else dict(known)


async def heed_others(people: People, shop: str, force: InForce, others: Sequence[Other]) -> Sequence[Other]:
    """Return a customer's other orders with the shop's blocks."""
    heeded = await heed(people, shop, force, {other.id: other.facts for other in others})
    return [msgspec.structs.replace(other, facts=heeded[other.id]) for other in others]


async def _heeded(people: People, shop: str, rev: int, known: Mapping[K, OrderFacts]) -> dict[K, OrderFacts]:
    blocked = await people.blocked(shop, rev)
    texts = {text for facts in known.values() for _, text in _addresses(facts.customer)}
    of_text = sorted(texts)
    persons = dict(zip(of_text, await people.pseudonyms(shop, of_text), strict=True))
    return {key: _without(facts, blocked, persons) for key, facts in known.items()}


def _without(facts: OrderFacts, blocked: frozenset[str], persons: Mapping[str, str]) -> OrderFacts:
    channels = [
        channel
        for kind, text in _addresses(facts.customer)
        if address(kind, persons[text]) in blocked
        for channel in REACHED_BY[kind]
    ]
    if not channels:
        return facts
    customer = msgspec.structs.replace(facts.customer, blocked=tuple(channels))
    return msgspec.structs.replace(facts, customer=customer)


def _addresses(customer: Customer) -> list[tuple[Kind, str]]:
    found: list[tuple[Kind, str | None]] = [("chat", customer.chat), ("phone", customer.phone)]
    return [(kind, text) for kind, text in found if text]
