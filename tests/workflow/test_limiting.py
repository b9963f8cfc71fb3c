"""Calls are cut short each at its own time, and nothing else of what they do is touched."""

import asyncio
from collections.abc import Awaitable, Callable

import pytest

from dispatcher.workflow.limiting import TimeLimit

SECONDS = 0.05


async def hang() -> str:
    await asyncio.Event().wait()
    return "answer"


async def hang_on() -> str:
    try:
        await asyncio.Event().wait()
    except asyncio.CancelledError:
        await asyncio.sleep(SECONDS / 5)
    return "answer"


async def break_when_cut_short() -> str:
    try:
        await asyncio.Event().wait()
    except asyncio.CancelledError:
        raise ConnectionResetError from None
    return "answer"


async def limited(limit: TimeLimit, call: Callable[[], Awaitable[str]]) -> str:
    with limit.call():
        return await call()


async def test_each_call_is_cut_short_when_its_own_time_is_over() -> None:
    limit = TimeLimit(SECONDS)
    loop = asyncio.get_running_loop()
    took: list[float] = []

    async def late(wait: float) -> None:
        await asyncio.sleep(wait)
        start = loop.time()
        with pytest.raises(TimeoutError):
            await limited(limit, hang)
        took.append(loop.time() - start)

    await asyncio.gather(*(late(nth * SECONDS / 3) for nth in range(7)))

    assert len(took) == 7
    assert min(took) >= SECONDS - 0.002  # an event loop's clock ticks in milliseconds


async def test_a_call_that_ends_in_time_is_left_alone_and_so_is_what_follows_it() -> None:
    limit = TimeLimit(SECONDS)

    answers = [await limited(limit, lambda: asyncio.sleep(0, "answer")) for _ in range(3)]
    await asyncio.sleep(2 * SECONDS)

    assert answers == ["answer"] * 3
    with pytest.raises(TimeoutError):
        await limited(limit, hang)


async def test_a_call_that_hangs_on_holds_up_the_end_of_no_other() -> None:
    limit = TimeLimit(SECONDS)

    answers = await asyncio.gather(
        limited(limit, hang_on),
        limited(limit, hang),
        limited(limit, break_when_cut_short),
        return_exceptions=True,
    )

    assert [type(answer) for answer in answers] == [str, TimeoutError, ConnectionResetError]


@pytest.mark.parametrize("call", [hang, hang_on])
async def test_a_task_that_was_cut_short_can_go_on(call: Callable[[], Awaitable[str]]) -> None:
    limit = TimeLimit(SECONDS)
    task = asyncio.current_task()
    assert task is not None

    for _ in range(2):
        await asyncio.gather(limited(limit, call), return_exceptions=True)
        with pytest.raises(TimeoutError):
            await limited(limit, hang)

    assert task.cancelling() == 0
    assert await asyncio.sleep(0, "here") == "here"


async def test_what_is_cancelled_from_outside_ends_as_cancelled() -> None:
    limit = TimeLimit(SECONDS)
    tasks = [asyncio.create_task(limited(limit, hang)) for _ in range(3)]
    await asyncio.sleep(0)

    for task in tasks:
        task.cancel()
    ended = await asyncio.gather(*tasks, return_exceptions=True)

    assert {type(one) for one in ended} == {asyncio.CancelledError}


async def test_a_cancellation_beside_the_limits_own_is_not_taken_for_it() -> None:
    limit = TimeLimit(SECONDS)

    async def cancelled_twice() -> str:
        task = asyncio.current_task()
        assert task is not None
        try:
            await asyncio.Event().wait()
        except asyncio.CancelledError:
            task.cancel()
            raise
        return "answer"

    ended = await asyncio.gather(limited(limit, cancelled_twice), return_exceptions=True)

    assert [type(one) for one in ended] == [asyncio.CancelledError]
