"""What must hold between the store's own keys, whatever was done to it."""

from collections import Counter
from collections.abc import Iterator

from tests.checkers.dump import paused
from tests.checkers.state import HANDED_OVER, INDEXED, WAITING, shared
from tests.checkers.store import Client, Lane, read


def structure(client: Client, lanes: int) -> list[str]:
    """Find what contradicts itself in the store, which must be at rest.

    That is: reminders that wait nowhere or twice, queue members and slots without their reminder, a wrong
    index of queue heads, statuses or unpaid orders, orders without a timer, a lane that miscounts its audit,
    queues or open tasks, or does not know what is paused.
    """
    return [
        f"lane {number}: {problem}"
        for number, lane in enumerate(read(client, lanes))
        for check in (
            _places,
            _strangers,
            _slots,
            _ready,
            _statuses,
            _timers,
            _unpaid,
            _count,
            _waiting,
            _open,
            _pauses,
            _blocked,
            _items,
        )
        for problem in check(lane)
    ]


def _places(lane: Lane) -> Iterator[str]:
    """Waiting: in one place; being sent: leased; ended: nowhere."""
    places: dict[str, list[tuple[str, int]]] = {}
    for queue, members in lane.due.items():
        for reminder, score in members.items():
            places.setdefault(reminder, []).append((queue, score))
    for reminder, step in lane.steps():
        shop = reminder.partition("~")[0]
        found = places.get(reminder, [])
        leased = reminder in lane.leases
        own_queue = [(f"{shop}~{step.get('channel')}", int(step.get("due") or 0))]
        if step["status"] in WAITING:
            right = found == [] if leased else found == own_queue
        else:
            right = found == [] and leased == (step["status"] == "sending")
        if not right:
            where = [f"{queue} at {score}" for queue, score in found] + ["leases"] * leased
            due = f" due {own_queue[0]}" if step["status"] in WAITING else ""
            yield f"reminder {reminder} is {step['status']}{due} and stands in {where or 'no queue'}"


def _strangers(lane: Lane) -> Iterator[str]:
    """Whatever stands in a queue or a ledger is a reminder of a stored order."""
    known = {reminder for reminder, _ in lane.steps()}
    places = {"leases": lane.leases}
    places |= {f"due {queue}": members for queue, members in lane.due.items()}
    places |= {f"ledger {'~'.join(customer)}": members for customer, members in lane.ledgers.items()}
    for place, members in places.items():
        for reminder in sorted(members.keys() - known):
            yield f"{place} holds {reminder}, which no order has"


def _slots(lane: Lane) -> Iterator[str]:
    """A reminder holds one slot, its own customer's, exactly when it was or may have been handed over."""
    holders: dict[str, list[tuple[str, str]]] = {}
    for customer, members in lane.ledgers.items():
        for reminder in members:
            holders.setdefault(reminder, []).append(customer)
    for (shop, order), stored in lane.orders.items():
        for number, step in enumerate(stored.get("steps") or [], start=1):
            found = holders.get(f"{shop}~{order}~{number}", [])
            person = step.get("person")
            owner = shared(person) if person else stored.get("customer")
            expected = [(shop, owner)] if step["status"] in HANDED_OVER else []
            if found != expected:
                yield f"reminder {shop}~{order}~{number} is {step['status']} and holds slots of {found}"


def _ready(lane: Lane) -> Iterator[str]:
    """The index names the head of every queue that is neither empty nor paused."""
    heads = {queue: min(members.values()) for queue, members in lane.due.items() if members}
    for queue in list(heads):
        shop, _, channel = queue.rpartition("~")
        if paused(lane.shops.get(shop, {})) & {"*", channel}:
            del heads[queue]
    for queue in sorted(heads.keys() | lane.ready.keys()):
        shop, _, channel = queue.rpartition("~")
        paced = f"pace.{channel}" in lane.shops.get(shop, {})
        if paced and queue in heads and lane.ready.get(queue, 0) > heads[queue]:
            continue  # nobody needs to look before the pace allows one more
        if heads.get(queue) != lane.ready.get(queue):
            yield f"queue {queue} has its head at {heads.get(queue)}, ready says {lane.ready.get(queue)}"


def _statuses(lane: Lane) -> Iterator[str]:
    """The index of a shop's statuses has exactly the reminders that stand in each of them."""
    expected: dict[str, set[str]] = {}
    for reminder, step in lane.steps():
        if step["status"] in INDEXED:
            expected.setdefault(f"{reminder.partition('~')[0]}~{step['status']}", set()).add(reminder)
    for index in sorted(expected.keys() | lane.status.keys()):
        right, found = expected.get(index, set()), lane.status.get(index, {}).keys()
        for reminder in sorted(right - found):
            yield f"status {index} lacks {reminder}"
        for reminder in sorted(found - right):
            yield f"status {index} holds {reminder}, which is not"


def _timers(lane: Lane) -> Iterator[str]:
    """Every order has a timer, and so has what a customer said that is forgotten; there are no others."""
    expected = {f"o~{shop}~{order}" for shop, order in lane.orders}
    found = {timer for timer in lane.timers if timer.startswith("o~")}
    for timer in sorted(expected - found):
        yield f"order {timer[2:]} has no timer"
    for timer in sorted(found - expected):
        yield f"timer {timer} has no order"
    passing = {"replied", "paid"}
    expected = {f"c~{shop}~{name}" for (shop, name), kept in lane.customers.items() if passing & kept.keys()}
    found = {timer for timer in lane.timers if timer.startswith("c~")}
    for timer in sorted(expected ^ found):
        yield f"customer {timer[2:]} has {'no timer' if timer in expected else 'a timer for nothing'}"


def _unpaid(lane: Lane) -> Iterator[str]:
    """Each customer's list has the unpaid orders, once, and those that share one know it."""
    expected: dict[tuple[str, str], list[str]] = {}
    for (shop, order), stored in lane.orders.items():
        if stored["state"] == "unpaid" and stored.get("customer"):
            expected.setdefault((shop, stored["customer"]), []).append(order)
    for customer in sorted(expected.keys() | lane.unpaid.keys()):
        right, found = sorted(expected.get(customer, [])), sorted(lane.unpaid.get(customer, []))
        if right != found:
            yield f"customer {'~'.join(customer)} has not paid {right}, listed are {found}"
        for order in right if len(right) > 1 else []:
            if not lane.orders[customer[0], order].get("shared"):
                yield f"order {customer[0]}~{order} does not know of the others of its customer"


def _count(lane: Lane) -> Iterator[str]:
    """The lane's `seq` is that of its newest record."""
    newest = lane.audit[-1]["seq"] if lane.audit else int(lane.lane.get("archived") or 0)
    if int(lane.lane.get("seq") or 0) != newest:
        yield f"counts {lane.lane.get('seq')} records, the newest is {newest}"


def _waiting(lane: Lane) -> Iterator[str]:
    """The lane counts how many stand in its queues of each channel."""
    queued: Counter[str] = Counter()
    for queue, members in lane.due.items():
        queued[queue.rpartition("~")[2]] += len(members)
    counted = {
        name.partition("|")[2]: count for name, count in lane.counts.items() if name.startswith("waiting|")
    }
    for channel in sorted(queued.keys() | counted.keys()):
        if queued[channel] != counted.get(channel, 0):
            yield f"{queued[channel]} wait for {channel}, counted are {counted.get(channel, 0)}"


def _open(lane: Lane) -> Iterator[str]:
    """The lane counts its open tasks."""
    tasks = sum(step["status"] == "open" for _, step in lane.steps())
    if tasks != lane.counts.get("open", 0):
        yield f"{tasks} tasks are open, counted are {lane.counts.get('open', 0)}"


def _pauses(lane: Lane) -> Iterator[str]:
    """The lane names every pause of its shops."""
    expected = {f"{shop}~{channel}" for shop, stored in lane.shops.items() for channel in paused(stored)}
    for name in sorted(expected ^ lane.pauses.keys()):
        yield f"pause {name} is {'not named' if name in expected else 'named, though it is none'}"


def _blocked(lane: Lane) -> Iterator[str]:
    """Each shop counts the addresses that it blocks."""
    for shop in sorted(lane.shops.keys() | lane.blocked.keys()):
        counted = int(lane.shops.get(shop, {}).get("blocked") or 0)
        if counted != len(lane.blocked.get(shop, {})):
            yield f"shop {shop} blocks {len(lane.blocked.get(shop, {}))} addresses, counted are {counted}"


def _items(lane: Lane) -> Iterator[str]:
    """Of each pool as many items are taken as customers have."""
    for shop, counts in lane.pools.items():
        held: Counter[str] = Counter()
        for field, count in counts.items():
            if field.startswith("of|"):
                held[field.split("|")[1]] += count
        parts = [(*name.partition("|"), count) for name, count in counts.items()]
        taken = {pool: count for kind, _, pool, count in parts if kind == "taken"}
        for pool in sorted(held.keys() | taken.keys()):
            if held[pool] != taken.get(pool, 0):
                yield f"pool {shop}~{pool}: {taken.get(pool, 0)} are taken, customers have {held[pool]}"
