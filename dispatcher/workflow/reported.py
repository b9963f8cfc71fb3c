"""Hand-offs that agents report: each takes its slot in the ledger that the policy counts by."""

from collections.abc import Iterable, Mapping

from dispatcher.errors import StoreRefused
from dispatcher.policy.events import Event, EventType
from dispatcher.policy.facts import OrderFacts
from dispatcher.storage.commands import Intake
from dispatcher.workflow import details
from dispatcher.workflow.people import People, by_phone
from dispatcher.workflow.policies import InForce

Pair = tuple[str, str | None]
"""A shop and one of its orders."""

Known = dict[Pair, tuple[int, OrderFacts | None] | StoreRefused]
"""(shop, order) -> its revision and what is known of it, or why that cannot be read."""

Forces = dict[str, InForce | StoreRefused]
"""Shop -> its policy, or why that cannot be read."""


def looked_at(events: Iterable[Event], forces: Forces) -> list[tuple[str, str]]:
    """Return the orders that are amended, and those of which a report must know the customer's number."""
    return [
        (event.shop, event.order or "")
        for event in events
        if event.type is EventType.AMENDED or _counted_by_number(event, forces)
    ]


def _counted_by_number(event: Event, forces: Forces) -> bool:
    return event.type is EventType.REMINDED and _by_number(forces[event.shop])


def _by_number(force: InForce | StoreRefused) -> bool:
    return isinstance(force, InForce) and by_phone(force.policy)


async def persons_of(
    people: People, events: Iterable[Event], forces: Forces, known: Known
) -> dict[Pair, str]:
    """Return the pseudonym of the number that each report counts for, of those that have one."""
    persons: dict[Pair, str] = {}
    for shop, order in {(event.shop, event.order) for event in events if _counted_by_number(event, forces)}:
        found = known.get((shop, order))
        if isinstance(found, tuple) and found[1] is not None and found[1].customer.phone:
            (persons[shop, order],) = await people.pseudonyms(shop, [found[1].customer.phone])
    return persons


def count_for(item: Intake, event: Event, force: InForce, known: Known, persons: Mapping[Pair, str]) -> None:
    """Have a report take its slot, as long as policy and order are those that say which one."""
    item.shop_rev = force.rev
    if not _by_number(force):
        return
    found = known.get((event.shop, event.order), (0, None))
    if isinstance(found, StoreRefused):
        raise found
    item.rev = found[0]
    item.person = persons.get((event.shop, event.order))
    assert item.handed is not None
    item.details = details.of_reported(item.handed, event.agent, item.person)
