"""One time limit for all calls under way, with one timer: a timer for each costs as much as the call."""

import asyncio
from types import TracebackType


class TimeLimit:
    """Lets no call take longer than `seconds`, in one event loop."""

    def __init__(self, seconds: float) -> None:
        self._seconds = seconds
        self._under_way: dict[_Call, None] = {}  # in the order in which their time is over
        self._timer: asyncio.TimerHandle | None = None

    def call(self) -> "_Call":
        """Begin a call: a context that is cancelled and left with `TimeoutError` as `asyncio.timeout` is."""
        loop = asyncio.get_running_loop()
        call = _Call(self._under_way, loop.time() + self._seconds)
        self._under_way[call] = None
        if self._timer is None:
            self._timer = loop.call_at(call.end, self._look, loop)
        return call

    def _look(self, loop: asyncio.AbstractEventLoop) -> None:
        """Cut short the calls whose time is over, and look again when the next one's is."""
        self._timer = None
        now = loop.time()
        for call in [*self._under_way]:
            if call.end > now:
                self._timer = loop.call_at(call.end, self._look, loop)
                return
            call.cut_short()


class _Call:
    __slots__ = ("_cancelling", "_task", "_too_long", "_under_way", "end")

    def __init__(self, under_way: "dict[_Call, None]", end: float) -> None:
        task = asyncio.current_task()
        assert task is not None, "a call is made in a task"
        self._task = task
        self._cancelling = task.cancelling()
        self._too_long = False
        self._under_way = under_way
        self.end = end

    def __enter__(self) -> None:
        pass

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._under_way.pop(self, None)
        if self._too_long and self._task.uncancel() <= self._cancelling and kind is asyncio.CancelledError:
            raise TimeoutError from error

    def cut_short(self) -> None:
        del self._under_way[self]
        self._too_long = True
        self._task.cancel()
