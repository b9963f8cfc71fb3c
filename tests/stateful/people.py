"""What people do in a world: they tell of calls, send by hand, steer, and have customers left alone."""

from contextlib import suppress
from typing import Any

from hypothesis import strategies as st
from hypothesis.stateful import rule

from dispatcher.errors import NotNow, NotWaiting, UnknownOrder, WrongMoment
from dispatcher.policy.events import decode_event
from dispatcher.policy.zones import iso

MINUTE = 60_000
ORDERS = [f"O-{number}" for number in range(9)]

orders = st.sampled_from(ORDERS)
channels = st.sampled_from(["sms", "chat", "phone"])
seldom = st.integers(0, 3)
"""What is drawn is done only at 0, so that the common things happen more often."""


class People:
    """Rules of a world, which brings workers, a clock and a way to take events."""

    clock: Any
    workers: list[Any]
    take: Any
    next_id: Any
    do: Any

    @rule(order=orders, channel=channels, hand=st.integers(0, 3))
    def send_by_hand(self, order: str, channel: str, hand: int) -> None:
        asked = (f"h-{hand}-{channel}", channel, "ann", "user:ann")
        by_hand = self.workers[2].service.by_hand
        with suppress(NotNow, UnknownOrder):
            first = self.do(by_hand.hand_over("demo", order, *asked))
            assert self.do(by_hand.hand_over("demo", order, *asked)) == first

    @rule(order=orders, channel=channels, age=st.sampled_from([0, 1, 90 * MINUTE]), really=seldom)
    def report(self, order: str, channel: str, age: int, really: int) -> None:
        if really:
            return
        told = {
            "specversion": "1.0",
            "id": self.next_id(),
            "source": "/shops/demo",
            "type": "order.reminded",
            "time": iso(self.clock.now() - age),
            "data": {"order": {"id": order}, "channel": channel},
        }
        self.take(decode_event(told))

    @rule(order=orders, step=st.integers(1, 3), verb=st.integers(0, 2), by=st.sampled_from([1, 40, 900]))
    def steer(self, order: str, step: int, verb: int, by: int) -> None:
        steering, reminder = self.workers[1].service.steering, f"demo~{order}~{step}"
        acts = (
            lambda: steering.send_now(reminder, "user:bo"),
            lambda: steering.postpone(reminder, self.clock.now() + by * MINUTE, None, "user:bo"),
            lambda: steering.cancel(reminder, "enough", "user:bo"),
        )
        with suppress(NotNow, NotWaiting, UnknownOrder, WrongMoment):
            self.do(acts[verb]())

    @rule(customer=st.sampled_from(["C-0", "C-1", "C-2"]), on=st.booleans(), really=seldom)
    def spare(self, customer: str, on: bool, really: int) -> None:
        if on and really:
            return
        people = self.workers[0].service.operators
        self.do((people.pause if on else people.resume)("demo", customer, self.clock.now(), "user:bo"))

    @rule(on=st.booleans(), chat=st.booleans(), really=seldom)
    def block(self, on: bool, chat: bool, really: int) -> None:
        if on and really:
            return
        blocking = self.workers[0].service.blocking
        address = ("chat", "example_1") if chat else ("phone", "+8613800000000")
        self.do((blocking.block if on else blocking.unblock)("demo", *address, "user:bo"))

    def call_ended(self, task: str, agent: str, way: int) -> Any:
        """Return how a call ends, one of several ways."""
        outcome, said = (
            ("no_answer", None),
            ("promised", self.clock.now() + 90 * MINUTE),
            ("refused", None),
            ("wrong_number", None),
        )[way]
        tasks = self.workers[2].service.tasks
        return tasks.complete(task, agent, outcome, f"user:{agent}", said=said)
