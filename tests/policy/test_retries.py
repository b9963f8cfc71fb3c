"""What follows a refused hand-off."""

from typing import Any

import pytest

from dispatcher.policy.decisions import Drop, Fail, Retry
from dispatcher.policy.facts import OrderState
from dispatcher.policy.retries import after_refusal
from tests.policy.examples import MINUTE, at, customer, facts, order, policy

NOW = at("2026-11-11 12:21")


def refused(temporary: bool, **fields: Any) -> Retry | Fail | Drop:
    made: dict[str, Any] = {"attempt": 1, **fields}
    return after_refusal(facts("2026-11-11 12:20", **made), "channel_down", temporary, policy(), NOW)


@pytest.mark.parametrize(("attempt", "minutes"), [(1, 1), (2, 4), (3, 16)])
def test_a_refusal_for_now_is_tried_again_later_and_later(attempt: int, minutes: int) -> None:
    waits = []
    for number in range(100):
        found = refused(True, attempt=attempt, order=order(id=f"O-{number}"))
        assert isinstance(found, Retry)
        assert (found.channel, found.reason, found.tried) == ("chat", "channel_down", ())
        waits.append(found.due - NOW)

    assert 0.8 * minutes * MINUTE <= min(waits) < 0.85 * minutes * MINUTE
    assert 1.15 * minutes * MINUTE < max(waits) < 1.2 * minutes * MINUTE
    assert waits[0] == refused(True, attempt=attempt, order=order(id="O-0")).due - NOW  # type: ignore[union-attr]


def test_after_four_attempts_the_next_channel_takes_over_at_once() -> None:
    assert refused(True, attempt=4) == Retry(due=NOW, channel="sms", reason="channel_down", tried=("chat",))


@pytest.mark.parametrize("attempt", [1, 4])
def test_a_refusal_for_good_goes_to_the_next_channel_at_once(attempt: int) -> None:
    found = refused(False, attempt=attempt)

    assert found == Retry(due=NOW, channel="sms", reason="channel_down", tried=("chat",))


@pytest.mark.parametrize(("temporary", "reason"), [(True, "attempts_used_up"), (False, "rejected")])
def test_where_no_channel_is_left_the_step_has_failed(temporary: bool, reason: str) -> None:
    assert refused(temporary, attempt=4, tried=("sms",)) == Fail(reason=reason)
    assert refused(temporary, attempt=4, customer=customer(phone=None)) == Fail(reason=reason)


def test_a_channel_given_up_is_named_once() -> None:
    found = refused(False, channel="sms", tried=("chat", "sms"), order=order(total="500"))

    assert found == Retry(due=NOW, channel="phone", reason="channel_down", tried=("chat", "sms"))


@pytest.mark.parametrize("state", [OrderState.PAID, OrderState.CANCELLED, OrderState.CLOSED])
@pytest.mark.parametrize("temporary", [True, False])
def test_an_order_no_longer_unpaid_is_not_tried_again(state: OrderState, temporary: bool) -> None:
    assert refused(temporary, state=state) == Drop(reason=str(state), rules=())
