"""Requests share calls: each gets its own answers, whatever becomes of its neighbours."""

import asyncio
from collections.abc import Callable, Sequence
from functools import partial
from typing import Any

import pytest

from dispatcher.errors import InvalidEvent, Overloaded, StoreFull, StoreUnavailable
from dispatcher.policy.events import Event
from dispatcher.workflow import grouping
from dispatcher.workflow.grouping import CALLS, ENOUGH, GROUP, PART, GroupedIntake
from dispatcher.workflow.intake import Result
from tests.policy.event_examples import wire
from tests.web.asking import Asking
from tests.web.test_bad_input import problem_in
from tests.web.test_events import unpaid
from tests.worlds import NOON, event


class Gate:
    """Takes events as they come, each call held until the test lets it go on."""

    def __init__(self) -> None:
        self.calls: list[tuple[str, list[str]]] = []
        self.begun: asyncio.Queue[asyncio.Event] = asyncio.Queue()
        self.held = True
        self.failure: dict[str, Exception] = {}

    async def take(self, events: Sequence[Event | InvalidEvent], actor: str) -> list[Result]:
        """Take events, or fail as the test says for one of them."""
        taken = [one for one in events if isinstance(one, Event)]
        self.calls.append((actor, [one.order for one in taken]))
        if self.held:
            go_on = asyncio.Event()
            self.begun.put_nowait(go_on)
            await go_on.wait()
        for one in taken:
            if one.order in self.failure:
                raise self.failure[one.order]
        return [Result(id=one.id, status="accepted", order=one.order) for one in taken]

    async def all_busy(self) -> list[asyncio.Event]:
        """Wait until as many calls are under way as may be."""
        return [await self.begun.get() for _ in range(CALLS)]


def order(name: object, shop: str = "demo") -> Event:
    """Return the event of an order."""
    return event("order.unpaid", str(name), NOON, shop=shop)


class Watched(GroupedIntake):
    """An intake with one lane a shop, of which is known when requests have come so far that they wait."""

    def __init__(self, gate: Gate) -> None:
        super().__init__(gate, len)
        self._waiting = asyncio.Semaphore(0)

    async def _put(self, number: int, events: Sequence[Event], actor: str) -> list[Result]:
        self._waiting.release()  # it waits before anybody can hear of this
        return await super()._put(number, events, actor)

    async def wait_for(self, requests: int) -> None:
        """Wait until so many requests more wait."""
        for _ in range(requests):
            await self._waiting.acquire()


def asked(intake: Watched, *names: object, actor: str = "key:a") -> asyncio.Task[list[Result]]:
    """Ask for orders to be taken."""
    return asyncio.create_task(intake.take([order(name) for name in names], actor))


def release(gates: Sequence[asyncio.Event]) -> None:
    """Let calls that are under way go on."""
    for gate in gates:
        gate.set()


async def busy(gate: Gate, intake: Watched) -> tuple[list[asyncio.Task[Any]], list[asyncio.Event]]:
    """Bring as many calls under way as may be."""
    first, gates = [], []
    for number in range(CALLS):
        first.append(asked(intake, *(f"first-{number}-{place}" for place in range(ENOUGH))))
        gates.append(await gate.begun.get())
    await intake.wait_for(CALLS)
    return first, gates


async def test_what_comes_in_while_calls_are_under_way_goes_with_the_next() -> None:
    gate = Gate()
    intake = Watched(gate)
    first, gates = await busy(gate, intake)
    others = [asked(intake, number) for number in range(10)]
    await intake.wait_for(10)
    gate.held = False

    release(gates)
    results = await asyncio.gather(*others)

    assert [[result.order for result in one] for one in results] == [[str(number)] for number in range(10)]
    assert gate.calls[CALLS:] == [("key:a", [str(number) for number in range(10)])]
    await asyncio.gather(*first)


async def test_a_call_has_a_limit_and_one_actor_and_actors_take_turns() -> None:
    gate = Gate()
    intake = Watched(gate)
    first, gates = await busy(gate, intake)
    many = [asked(intake, number) for number in range(GROUP + 1)]
    other = asked(intake, "x", actor="key:b")
    await intake.wait_for(GROUP + 2)
    gate.held = False

    release(gates)
    await asyncio.gather(*many, other)

    assert [(actor, len(orders)) for actor, orders in gate.calls[CALLS:]] == [
        ("key:a", GROUP),
        ("key:b", 1),
        ("key:a", 1),
    ]
    await asyncio.gather(*first)


async def test_a_large_request_is_cut_and_keeps_its_order() -> None:
    gate = Gate()
    gate.held = False
    names = [str(number) for number in range(2 * PART + 3)]

    results = await asked(Watched(gate), *names)

    assert [result.order for result in results] == names
    assert [len(orders) for _, orders in gate.calls] == [PART, PART, 3]


async def test_an_unexpected_error_hits_only_the_event_it_came_from(caplog: pytest.LogCaptureFixture) -> None:
    gate = Gate()
    gate.failure = {"bad": ZeroDivisionError("secret words")}
    intake = Watched(gate)
    first, gates = await busy(gate, intake)
    good, mixed = asked(intake, "good"), asked(intake, "fine", "bad", "well")
    await intake.wait_for(2)
    gate.held = False

    release(gates)
    results = await good + await mixed

    assert [(result.order, result.status) for result in results] == [
        ("good", "accepted"),
        ("fine", "accepted"),
        ("bad", "rejected"),
        ("well", "accepted"),
    ]
    assert "secret words" not in caplog.text
    assert [record.message for record in caplog.records] == ["events_not_taken", "event_not_taken"]
    await asyncio.gather(*first)


@pytest.mark.parametrize("failure", [StoreUnavailable("away"), StoreFull("full")])
async def test_when_the_store_is_away_all_who_wait_are_told_at_once(failure: StoreUnavailable) -> None:
    gate = Gate()
    gate.failure = {"first-0-0": failure}
    intake = Watched(gate)
    first, gates = await busy(gate, intake)
    others = [asked(intake, number) for number in range(5)]
    others.append(asked(intake, "y", actor="key:b"))
    await intake.wait_for(6)

    gates[0].set()
    told = await asyncio.gather(first[0], *others, return_exceptions=True)

    assert {type(one) for one in told} == {type(failure)}
    assert len({id(one) for one in told}) == len(told)
    assert len(gate.calls) == CALLS
    release(gates[1:])
    await first[1]


async def test_after_the_store_was_away_events_are_taken_again() -> None:
    gate = Gate()
    gate.held = False
    gate.failure = {"x": StoreUnavailable("away")}
    intake = Watched(gate)
    await asyncio.gather(*(asked(intake, "x") for _ in range(5)), return_exceptions=True)
    gate.failure = {}

    (result,) = await asked(intake, "x")

    assert result.status == "accepted"


async def test_lanes_do_not_wait_for_each_other() -> None:
    gate = Gate()
    intake = Watched(gate)
    first, gates = await busy(gate, intake)
    gate.held = False

    results = await intake.take([order("x", shop="elsewhere")], "key:a")

    assert results[0].status == "accepted"
    for one in gates:
        one.set()
    await asyncio.gather(*first)


async def test_who_leaves_does_not_disturb_who_stays() -> None:
    gate = Gate()
    intake = Watched(gate)
    first, gates = await busy(gate, intake)
    leaver, stayer = asked(intake, "leaver"), asked(intake, "stayer")
    await intake.wait_for(2)
    gate.held = False

    leaver.cancel()
    release(gates)
    (result,) = await stayer

    assert result.order == "stayer"
    await asyncio.gather(*first)


async def test_more_than_may_be_under_way_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(grouping, "MAX_UNDER_WAY", CALLS * ENOUGH + 3)
    gate = Gate()
    intake = Watched(gate)
    first, gates = await busy(gate, intake)
    waiting = asked(intake, 1, 2)
    await intake.wait_for(1)

    with pytest.raises(Overloaded):
        await intake.take([order(3), order(4)], "key:a")

    gate.held = False
    for one in gates:
        one.set()
    assert len(await waiting) == 2
    assert len(await intake.take([order(3), order(4)], "key:a")) == 2
    await asyncio.gather(*first)


async def test_over_http_neighbours_of_a_poisonous_event_are_taken(
    api: Asking, monkeypatch: pytest.MonkeyPatch
) -> None:
    real = api.world.service.intake.take

    async def take(events: Any, actor: str) -> Any:
        if any(one.order == "O-3" for one in events):
            raise ZeroDivisionError
        return await real(events, actor)

    monkeypatch.setattr(api.world.service.intake, "take", take)

    answers = await asyncio.gather(*(api.post(wire(unpaid(number))) for number in range(8)))

    assert [answer.status_code for answer in answers] == [202, 202, 202, 500, 202, 202, 202, 202]
    assert problem_in(answers[3], 500)["type"] == "urn:dispatcher:problem:internal"


async def test_events_that_come_together_are_read_each_for_itself() -> None:
    gate = Gate()
    gate.held = False
    intake = Watched(gate)

    def unreadable() -> Event:
        raise InvalidEvent("the event is not right")

    reads = [lambda: order(1), unreadable, lambda: order(2)]
    answers = await asyncio.gather(
        *(intake.take_one(read, "key:a") for read in reads), return_exceptions=True
    )

    assert isinstance(answers[1], InvalidEvent)
    assert [one.order for one in answers if isinstance(one, Result)] == ["1", "2"]
    assert gate.calls == [("key:a", ["1", "2"])]


async def test_an_event_that_finds_no_lane_holds_up_no_other() -> None:
    gate = Gate()
    gate.held = False

    def lane_of(shop: str) -> int:
        if shop == "lost":
            raise KeyError(shop)
        return 0

    intake = GroupedIntake(gate, lane_of)
    shops = ["demo", "lost", "demo"]

    answers = await asyncio.gather(
        *(intake.take_one(partial(order, place, shop), "key:a") for place, shop in enumerate(shops)),
        return_exceptions=True,
    )

    assert isinstance(answers[1], KeyError)
    assert [one.order for one in answers if isinstance(one, Result)] == ["0", "2"]


async def test_an_event_whose_sender_has_left_is_not_read() -> None:
    gate = Gate()
    gate.held = False
    intake = Watched(gate)
    left = asyncio.create_task(intake.take_one(lambda: order("left"), "key:a"))
    stays = asyncio.create_task(intake.take_one(lambda: order("stays"), "key:a"))
    await asyncio.sleep(0)  # both wait to be read in the next turn of the loop
    left.cancel()

    await stays

    assert gate.calls == [("key:a", ["stays"])]


async def test_too_many_single_events_are_refused_unread(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(grouping, "MAX_UNDER_WAY", 1)
    gate = Gate()
    gate.held = False
    intake = Watched(gate)

    read: list[str] = []

    def reading(name: str) -> Callable[[], Event]:
        return lambda: read.append(name) or order(name)  # type: ignore[func-returns-value]

    answers = await asyncio.gather(
        *(intake.take_one(reading(name), "key:a") for name in ("1", "2")), return_exceptions=True
    )

    assert isinstance(answers[1], Overloaded)
    assert read == ["1"]
    assert (await intake.take_one(lambda: order(2), "key:a")).status == "accepted"


async def test_little_waits_for_the_call_that_is_under_way() -> None:
    gate = Gate()
    intake = Watched(gate)
    first = asked(intake, "first")
    begun = await gate.begun.get()
    others = [asked(intake, number) for number in range(ENOUGH - 1)]
    await intake.wait_for(ENOUGH)
    little = gate.begun.empty()

    others.append(asked(intake, "enough"))
    gates = [begun, await gate.begun.get()]

    release(gates)
    await asyncio.gather(first, *others)
    assert little
    assert [len(orders) for _, orders in gate.calls] == [1, ENOUGH]
