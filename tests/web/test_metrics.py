"""What a Prometheus reads: true over restarts, the same from every process, and nobody's data."""

from pathlib import Path

import pytest
from prometheus_client.parser import text_string_to_metric_families

from dispatcher.channels.base import Message, Outcome, Unknown
from dispatcher.wiring import connect
from tests.web.asking import Asking
from tests.worlds import HOUR, MINUTE, NOON, at_once, event

CALLS = at_once(
    """
    [quiet_hours]
    start = "20:00"
    end = "21:00"
    [routing]
    channels = ["sms", "chat"]
    high_value = "500.00"
    """
)

Figures = dict[tuple[str, ...], float]


async def figures(api: Asking) -> Figures:
    """Return samples by name and label values."""
    answer = await api.client.get("/metrics", headers={"authorization": ""})
    assert answer.status_code == 200
    assert answer.headers["content-type"].startswith("text/plain; version=0.0.4")
    return {
        (sample.name, *sample.labels.values()): sample.value
        for family in text_string_to_metric_families(answer.text)
        for sample in family.samples
    }


async def take(api: Asking, *orders: str, kind: str = "order.unpaid", **more: str | None) -> None:
    now = api.world.clock.now()
    await api.world.service.intake.take([event(kind, order, now, **more) for order in orders], "key:test")


async def test_an_empty_store_has_every_figure_at_nothing(api: Asking) -> None:
    told = await figures(api)

    assert told["dispatcher_reminders_waiting", "sms"] == 0
    assert told["dispatcher_oldest_due_age_seconds", "chat"] == 0
    assert told["dispatcher_handed_over_total", "phone"] == 0
    assert told["dispatcher_lateness_seconds_count",] == 0
    assert told["dispatcher_tasks_open",] == 0
    assert told["dispatcher_paused_queues",] == 0
    assert told["dispatcher_store_memory_bytes",] > 100_000
    assert told["dispatcher_store_memory_limit_bytes",] == 0


async def test_what_waits_and_how_long_is_told_by_channel(api: Asking) -> None:
    await take(api, "A", "B")
    await take(api, "C", phone=None)
    api.world.clock.advance_to(NOON + MINUTE)

    told = await figures(api)

    assert told["dispatcher_reminders_waiting", "sms"] == 2
    assert told["dispatcher_reminders_waiting", "chat"] == 1
    assert told["dispatcher_oldest_due_age_seconds", "sms"] == 60
    assert told["dispatcher_oldest_due_age_seconds", "phone"] == 0


async def test_hand_offs_are_counted_with_how_late_they_were(api: Asking) -> None:
    await take(api, "A", "B")
    await api.world.dispatch()
    await take(api, "C")
    api.world.clock.advance_to(NOON + 1_500)
    await api.world.dispatch()

    told = await figures(api)

    assert told["dispatcher_handed_over_total", "sms"] == 3
    assert told["dispatcher_reminders_waiting", "sms"] == 0
    assert told["dispatcher_lateness_seconds_bucket", "0.1"] == 2
    assert told["dispatcher_lateness_seconds_bucket", "1.0"] == 2
    assert told["dispatcher_lateness_seconds_bucket", "2.0"] == 3
    assert told["dispatcher_lateness_seconds_bucket", "+Inf"] == 3
    assert told["dispatcher_lateness_seconds_sum",] == 1.5


async def test_what_was_put_off_dropped_called_or_paid_is_counted(api: Asking) -> None:
    await api.world.service.put_policy("demo", CALLS, "test", "user:test")
    await take(api, "A", "B", total="900.00")
    await api.world.dispatch()
    await api.world.service.tasks.claim("demo~A~1", "li", "key:test")
    await take(api, "C")
    await take(api, "C", kind="order.paid")
    await take(api, "D")
    api.world.clock.advance_to(NOON + 8 * HOUR)
    await api.world.dispatch()

    told = await figures(api)

    assert told["dispatcher_tasks_total", "opened"] == 2
    assert told["dispatcher_tasks_total", "claimed"] == 1
    assert told["dispatcher_tasks_open",] == 1
    assert told["dispatcher_handed_over_total", "phone"] == 1
    assert told["dispatcher_dropped_total", "paid"] == 1
    assert told["dispatcher_deferred_total", "quiet_hours"] == 1
    assert told["dispatcher_orders_total", "accepted"] == 4
    assert told["dispatcher_orders_total", "paid"] == 1
    assert told["dispatcher_audit_unarchived",] == len(await api.world.audit())


async def test_hand_offs_of_unknown_outcome_are_counted_by_channel(
    api: Asking, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def silent(message: Message) -> Outcome:
        return Unknown(reason="made up")

    monkeypatch.setattr(api.world.channels["sms"], "send", silent)
    await take(api, "A")
    await api.world.dispatch()

    told = await figures(api)

    assert told["dispatcher_uncertain_total", "sms"] == 1


async def test_paused_shops_raise_no_alarm(api: Asking) -> None:
    await take(api, "A")
    await api.client.post("/v1/shops/demo/pause")
    api.world.clock.advance_to(NOON + HOUR)

    told = await figures(api)

    assert told["dispatcher_reminders_waiting", "sms"] == 1
    assert told["dispatcher_oldest_due_age_seconds", "sms"] == 0


async def pause(api: Asking, channel: str | None = None, shop: str = "demo") -> None:
    await api.world.service.store.pause(shop, channel, api.world.clock.now(), "user:test")


async def test_queues_are_told_that_a_pause_holds_back_and_for_how_long(api: Asking) -> None:
    await take(api, "A", "B")
    await take(api, "C", phone=None)
    before = await figures(api)
    await pause(api, "sms")
    api.world.clock.advance_to(NOON + MINUTE)
    await pause(api)
    await pause(api, shop="other")  # where nothing waits
    api.world.clock.advance_to(NOON + HOUR)

    told = await figures(api)

    assert (before["dispatcher_paused_queues",], before["dispatcher_longest_pause_seconds",]) == (0, 0)
    assert told["dispatcher_paused_queues",] == 2
    assert told["dispatcher_longest_pause_seconds",] == 3600


async def test_a_pause_in_which_nothing_waits_any_more_is_not_told(api: Asking) -> None:
    await take(api, "A")
    await pause(api)
    await take(api, "A", kind="order.paid")
    api.world.clock.advance_to(NOON + HOUR)

    told = await figures(api)

    assert (told["dispatcher_paused_queues",], told["dispatcher_longest_pause_seconds",]) == (0, 0)


async def test_open_tasks_are_counted_whatever_becomes_of_them(api: Asking) -> None:
    await api.world.service.put_policy("demo", CALLS, "test", "user:test")
    await take(api, "A", "B", "C", "D", total="900.00")
    await api.world.dispatch()
    tasks = api.world.service.tasks
    await tasks.claim("demo~A~1", "li", "key:test")
    await tasks.claim("demo~B~1", "li", "key:test")
    await tasks.release("demo~B~1", "li", "key:test")
    await take(api, "C", kind="order.paid")
    await pause(api)

    told = await figures(api)

    assert told["dispatcher_tasks_open",] == 2


async def test_no_shop_and_no_person_is_in_the_figures(api: Asking) -> None:
    await take(api, "O-9", customer="王女士")
    await api.world.dispatch()

    text = (await api.client.get("/metrics")).text

    assert not [word for word in ("demo", "O-9", "王女士", "1380000", "key") if word in text]


async def test_while_the_store_is_away_there_are_no_figures(api: Asking, tmp_path: Path) -> None:
    api.world.service.store.redis = connect(socket=tmp_path / "nothing")

    answer = await api.client.get("/metrics")

    assert (answer.status_code, answer.headers["retry-after"]) == (503, "1")
