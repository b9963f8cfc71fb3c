"""A shop with very many reminders due does not hold up another one's few."""

from pathlib import Path
from typing import NamedTuple

from dispatcher.policy.event_values import instant
from dispatcher.policy.facts import Instant
from dispatcher.settings import Settings
from dispatcher.storage.audit_filter import Filter
from dispatcher.storage.keys import lane_of
from dispatcher.wiring import SystemClock
from tests.faults.site import START_SECONDS, Site, until
from tests.worlds import AT_ONCE, as_json, event

SETTINGS = Settings()
MANY = 20_000
FEW = 10
BETWEEN_MS = 100
"""Every so often one of the few falls due."""
LATE_MS = 2_000
"""No reminder of a small shop may be handed over later than this after its due time."""
BIG, NEIGHBOUR, FAR = "big", "tiny", "small"
"""The neighbour is in the big shop's lane."""


class Served(NamedTuple):
    """When reminders of small shops were due and handed over; how many of the big one still waited then."""

    dues: dict[str, Instant]
    handed: dict[str, Instant]
    still_waiting: int


async def test_few_reminders_of_a_shop_are_not_late_behind_many_of_another(tmp_path: Path) -> None:
    lanes = {shop: lane_of(shop, SETTINGS.lanes) for shop in (BIG, NEIGHBOUR, FAR)}

    served = await serve_small_shops_beside_a_big_one(tmp_path, MANY)

    assert lanes[NEIGHBOUR] == lanes[BIG] != lanes[FAR]
    assert served.handed.keys() == served.dues.keys()
    assert max(served.handed[reminder] - due for reminder, due in served.dues.items()) < LATE_MS
    assert served.still_waiting > 0


async def serve_small_shops_beside_a_big_one(directory: Path, many: int) -> Served:
    """Let few reminders of small shops fall due while a worker works off `many` of a big one."""
    clock = SystemClock()
    with Site(directory, SETTINGS) as site:
        await site.prepare(AT_ONCE, [BIG, NEIGHBOUR, FAR])
        now = clock.now()
        await site.fill(
            [event("order.unpaid", f"O-{n}", now, shop=BIG, customer=f"C-{n}") for n in range(many)]
        )
        worker = site.start_worker()
        await until(lambda: site.all_run() and site.handed(), START_SECONDS, "the worker has begun")
        first = clock.now() + BETWEEN_MS
        few = [(shop, f"O-{n}", first + n * BETWEEN_MS) for n in range(FEW) for shop in (NEIGHBOUR, FAR)]
        await site.fill(
            [event("order.unpaid", order, due, shop=shop, customer=f"C-{order}") for shop, order, due in few]
        )
        last = first + FEW * BETWEEN_MS
        await until(
            lambda: site.nothing_left(NEIGHBOUR, last) and site.nothing_left(FAR, last),
            START_SECONDS,
            "the small shops are served",
        )
        still_waiting = site.waiting(BIG)
        worker.end()
        handed = await _handed(site)
    return Served({f"{shop}~{order}~1": due for shop, order, due in few}, handed, still_waiting)


async def _handed(site: Site) -> dict[str, Instant]:
    found = {}
    async with site.service() as service:
        for shop in (NEIGHBOUR, FAR):
            async for record in service.audit.find(Filter(shop=shop, kind="reminder.sent")):
                told = as_json(record)
                found[told["reminder"]] = instant(told["details"]["handed_at"])
    return found
