"""A few orders of a shop for somebody to look at."""

from dispatcher.policy.reminders import Status
from dispatcher.storage.listing import Listing, Wanted
from dispatcher.storage.reading import Reader


async def sample(store: Reader, shop: str, size: int) -> tuple[str, ...]:
    """Return orders of a shop: those whose reminders are due next, then those that close or are erased next.

    The newest would take a walk through the audit: no list is kept by when an order came.
    """
    found: dict[str, None] = {}
    for wanted in (Wanted(shop=shop, status=Status.PLANNED), Wanted(shop=shop)):
        if len(found) < size:
            listed, _ = await Listing(store).reminders(wanted, size * 2)
            found |= dict.fromkeys(one.order_id for one in listed)
    return tuple(found)[:size]
