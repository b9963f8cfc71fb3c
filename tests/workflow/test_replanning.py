"""A new policy moves what waits only when told to, and says before what would move where."""

from pathlib import Path

from msgspec.structs import replace

from dispatcher.policy.document import DEFAULT_TOML, Policy
from dispatcher.policy.reminders import Status
from dispatcher.policy.terms import QuietHours
from dispatcher.storage.client import StoreClient
from dispatcher.storage.listing import Listing, Wanted
from dispatcher.workflow.replanning import PAGE, Moves
from tests.worlds import BASE, HOUR, MINUTE, NOON, World, event, load_toml, world

ACTOR = "user:operator"
MORNING = NOON - 100 * MINUTE


def after(hours: int, channels: str = '"sms", "chat"') -> Policy:
    """Return a policy that reminds so many hours after the order."""
    return load_toml(BASE.replace("0s", f"{hours}h") + f"[routing]\nchannels = [{channels}]")


async def waiting(redis: StoreClient, directory: Path, orders: int = 3) -> World:
    """Return a world with orders that are to be reminded of in two hours."""
    here = await world(redis, directory, policy=after(2))
    events = [event("order.unpaid", f"O-{number}", NOON, customer=f"C-{number}") for number in range(orders)]
    await here.service.intake.take(events, "key:test")
    return here


async def change(here: World, policy: Policy) -> None:
    """Put another policy into force a minute later."""
    here.clock.advance_to(NOON + MINUTE)
    await here.service.put_policy("demo", policy, "test", ACTOR)


async def moved(here: World, actor: str | None = ACTOR) -> Moves:
    """Replan all of the shop, page by page."""
    moves, place, more = Moves(), None, True
    while more:
        listed, place = await Listing(here.service.store).reminders(Wanted(shop="demo"), PAGE, place)
        moves += await here.service.replanning.look("demo", listed, actor=actor)
        more = place is not None
    return moves


async def dues(here: World, orders: int = 3) -> list[tuple[int, str]]:
    """Return when and by which channel each order's first reminder is due, hours after noon."""
    found = [await here.service.store.order("demo", f"O-{number}") for number in range(orders)]
    return [((one.steps[0].due - NOON) // HOUR, one.steps[0].channel) for one in found if one]


async def test_a_policy_alone_moves_nothing_that_waits(redis: StoreClient, audit_directory: Path) -> None:
    here = await waiting(redis, audit_directory)

    await change(here, after(5))

    assert await dues(here) == [(2, "sms")] * 3


async def test_a_preview_counts_and_moves_nothing(redis: StoreClient, audit_directory: Path) -> None:
    here = await waiting(redis, audit_directory)
    await change(here, after(5, '"chat"'))
    before = await here.audit()

    moves = await moved(here, actor=None)

    assert (moves.later, moves.earlier, moves.to_channel, moves.kept) == (3, 0, {"chat": 3}, 0)
    assert await dues(here) == [(2, "sms")] * 3
    assert await here.audit() == before


async def test_what_waits_goes_where_the_policy_in_force_plans_it_and_is_sent_there(
    redis: StoreClient, audit_directory: Path
) -> None:
    here = await waiting(redis, audit_directory)
    await change(here, after(5, '"chat"'))

    moves = await moved(here)

    assert (moves.later, moves.to_channel, moves.changed) == (3, {"chat": 3}, 0)
    assert await dues(here) == [(5, "chat")] * 3
    here.clock.advance_to(NOON + 2 * HOUR)
    assert await here.dispatch() == {}
    here.clock.advance_to(NOON + 5 * HOUR)
    assert await here.dispatch() == {"send": 3}
    planned = [one for one in await here.audit() if one["kind"] == "reminder.planned"]
    assert [(one["policy"], one["reason"], one["actor"]) for one in planned[-3:]] == [(2, None, ACTOR)] * 3


async def test_replanning_again_moves_nothing(redis: StoreClient, audit_directory: Path) -> None:
    here = await waiting(redis, audit_directory)
    await change(here, after(5))
    await moved(here)
    before = await here.audit()

    again = await moved(here)

    assert again == Moves(kept=3)
    assert await here.audit() == before


async def test_what_an_operator_moved_stays_until_its_order_moves_it(
    redis: StoreClient, audit_directory: Path
) -> None:
    here = await waiting(redis, audit_directory, orders=2)
    for order in ("O-0", "O-1"):
        await here.service.steering.postpone(f"demo~{order}~1", NOON + 7 * HOUR, None, ACTOR)
    amended = event("order.unpaid", "O-1", NOON, customer="C-1", placed_at=NOON + HOUR, event_id="again")
    await here.service.intake.take([amended], "key:test")
    await change(here, after(5))

    moves = await moved(here)

    assert (moves.kept, moves.later) == (1, 1)
    assert await dues(here, orders=2) == [(7, "sms"), (6, "sms")]


async def test_what_the_new_policy_would_have_sent_by_now_is_not_sent_in_a_heap(
    redis: StoreClient, audit_directory: Path
) -> None:
    here = await waiting(redis, audit_directory)
    await change(here, after(0))

    moves = await moved(here)

    assert moves == Moves(kept=3)
    assert await here.dispatch() == {}


async def test_what_cannot_be_reminded_of_any_more_is_dropped_with_its_reason(
    redis: StoreClient, audit_directory: Path
) -> None:
    here = await waiting(redis, audit_directory)
    await change(here, replace(after(30), quiet_hours=QuietHours(start=0, end=24 * 60)))

    moves = await moved(here)

    assert moves.dropped == {"closes_before_window": 3}
    records = [one for one in await here.audit() if one["kind"] == "reminder.dropped"]
    assert [one["reason"] for one in records] == ["closes_before_window"] * 3


async def test_what_is_paid_handed_over_or_due_stays(redis: StoreClient, audit_directory: Path) -> None:
    here = await waiting(redis, audit_directory)
    before = event("order.unpaid", "O-1", NOON + MINUTE, customer="C-1", placed_at=NOON - HOUR)
    await here.service.intake.take([event("order.paid", "O-0", NOON), before], "key:test")
    here.clock.advance_to(NOON + HOUR)
    assert await here.dispatch() == {"send": 1}
    here.clock.advance_to(NOON + 2 * HOUR)
    await here.service.put_policy("demo", after(5), "test", ACTOR)

    moves = await moved(here)

    assert moves == Moves(kept=1)
    assert await here.dispatch() == {"send": 1}


async def test_a_policy_that_did_not_change_moves_no_second_reminder_after_the_first_was_sent(
    redis: StoreClient, audit_directory: Path
) -> None:
    here = await world(redis, audit_directory, policy=load_toml(DEFAULT_TOML), start=MORNING)
    await here.service.intake.take([event("order.unpaid", "O-0", MORNING)], "key:test")
    here.clock.advance_to(MORNING + 3 * HOUR)
    assert await here.dispatch() == {"send": 1}
    here.clock.advance_to(MORNING + 8 * HOUR)

    moves = await moved(here)

    assert moves == Moves(kept=1)


async def test_a_second_reminder_stays_where_the_new_policy_would_send_the_first_too_late_for_it(
    redis: StoreClient, audit_directory: Path
) -> None:
    here = await world(redis, audit_directory, policy=load_toml(DEFAULT_TOML), start=NOON)
    await here.service.intake.take([event("order.unpaid", "O-0", NOON)], "key:test")
    here.clock.advance_to(NOON + HOUR)
    assert await here.dispatch() == {"send": 1}
    next_day = load_toml(DEFAULT_TOML.replace('remind = {after = "15m"}', 'remind = {next_day_at = "10:00"}'))
    await here.service.put_policy("demo", next_day, "test", ACTOR)

    moves = await moved(here)

    assert moves == Moves(kept=1)


async def test_what_changed_since_it_was_read_is_left_alone(
    redis: StoreClient, audit_directory: Path
) -> None:
    here = await waiting(redis, audit_directory, orders=2)
    await change(here, after(5))
    store = here.service.store
    read = store.facts

    async def pay_meanwhile(ids: object) -> object:
        store.facts = read  # type: ignore[method-assign]
        found = await read(ids)  # type: ignore[arg-type]
        await here.service.intake.take([event("order.paid", "O-1", NOON)], "key:test")
        return found

    store.facts = pay_meanwhile  # type: ignore[assignment,method-assign]

    moves = await moved(here)

    assert (moves.later, moves.changed) == (2, 1)
    order = await store.order("demo", "O-1")
    assert order is not None
    assert order.steps[0].status is Status.DROPPED


async def test_what_was_read_before_another_of_its_order_was_handed_over_is_left_alone(
    redis: StoreClient, audit_directory: Path
) -> None:
    policy = DEFAULT_TOML.replace('start = "22:00"', 'start = "21:00"')
    here = await world(redis, audit_directory, policy=load_toml(DEFAULT_TOML), start=MORNING)
    await here.service.intake.take([event("order.unpaid", "O-0", MORNING)], "key:test")
    await here.service.put_policy("demo", load_toml(policy), "test", ACTOR)
    listed, _ = await Listing(here.service.store).reminders(Wanted(shop="demo"), PAGE)
    here.clock.advance_to(MORNING + 3 * HOUR)
    assert await here.dispatch() == {"send": 1}

    moves = await here.service.replanning.look("demo", listed, actor=ACTOR)

    assert (moves.kept, moves.earlier, moves.changed) == (1, 1, 1)


async def test_many_reminders_are_looked_at_page_by_page(redis: StoreClient, audit_directory: Path) -> None:
    here = await waiting(redis, audit_directory, orders=450)
    await change(here, after(5))

    moves = await moved(here)

    assert (moves.later, moves.kept) == (450, 0)
    assert set(await dues(here, 450)) == {(5, "sms")}
