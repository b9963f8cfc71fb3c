"""Finds orders, and what an id of a reminder, which is also its task's, names."""

from dispatcher.errors import UnknownOrder
from dispatcher.storage.keys import split_reminder_id
from dispatcher.storage.records import StoredOrder
from dispatcher.workflow.ports import Orders


def parts_of(reminder: str) -> tuple[str, str, int]:
    """Return (shop, order, step) of a reminder's id; raises `UnknownOrder` where it can be none."""
    try:
        return split_reminder_id(reminder)
    except ValueError:
        raise UnknownOrder("there is no such reminder") from None


async def find(store: Orders, reminder: str) -> tuple[str, str, int, StoredOrder]:
    """Return (shop, order, step) of a reminder and the order as it stands; raises `UnknownOrder`."""
    shop, order_id, number = parts_of(reminder)
    order = await store.order(shop, order_id)
    if order is None or number > len(order.steps):
        raise UnknownOrder("there is no such reminder")
    return shop, order_id, number, order


async def order(store: Orders, shop: str, order_id: str) -> StoredOrder:
    """Return an order as it stands; raises `UnknownOrder`."""
    found = await store.order(shop, order_id)
    if found is None:
        raise UnknownOrder("there is no such order")
    return found
