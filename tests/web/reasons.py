"""For each reason a reminder may be held back or ended for, a scene that brings one about."""

from collections.abc import Awaitable, Callable
from typing import Any

from dispatcher.channels.stub import Behaviour
from dispatcher.policy.document import load_toml
from dispatcher.policy.events import Event
from dispatcher.policy.zones import iso
from tests.web.asking import Asking
from tests.worlds import BASE, HOUR, MINUTE, NOON, at_once, event, saying, told

BY_SMS = """
[routing]
channels = ["sms"]
"""
BY_CHAT = """
[routing]
channels = ["chat"]
"""
BY_CALL = """
[routing]
channels = ["phone", "sms"]
[phone]
windows = [["09:00", "12:30"]]
overflow_after = "2h"
"""
NIGHT = """
[quiet_hours]
start = "12:30"
end = "14:00"
max_held = "{max_held}"
"""

Scene = Callable[[Asking], Awaitable[None]]
"""Leaves reminder `demo~A~1` as it is for one reason."""


async def take(api: Asking, order: str = "A", **more: Any) -> None:
    """Take an unpaid order that is placed now."""
    await taken(api, event("order.unpaid", order, api.world.clock.now(), **more))


async def taken(api: Asking, told: Event) -> None:
    """Take an event."""
    await api.world.service.intake.take([told], "key:test")


async def under(api: Asking, sections: str) -> None:
    """Let a policy be in force that reminds at once."""
    await api.world.service.put_policy("demo", at_once(sections), "test", "user:test")


def later(api: Asking, by: int) -> None:
    """Let time pass."""
    api.world.clock.advance_to(api.world.clock.now() + by)


def bare(order: str, *, pay_url: str | None, availability: str, sensitive: bool = False) -> Event:
    """Return an unpaid order as few shops tell it."""
    item: dict[str, object] = {
        "name": "示例商品",
        "quantity": 1,
        "price": "99.00",
        "availability": availability,
    }
    item["sensitive"] = sensitive
    about = {"id": order, "placed_at": iso(NOON), "total": "99.00", "currency": "CNY", "items": [item]}
    if pay_url is not None:
        about["pay_url"] = pay_url
    data = {"order": about, "customer": {"id": "C-1", "phone": "+8613800000000"}}
    return told("order.unpaid", order, NOON, data)


async def quiet_hours(api: Asking) -> None:
    await under(api, NIGHT.format(max_held="2h") + BY_SMS)
    await take(api)
    later(api, 31 * MINUTE)


async def closes_before_window(api: Asking) -> None:
    await under(api, NIGHT.format(max_held="2h") + BY_SMS)
    later(api, 31 * MINUTE)
    await take(api, closes_at=NOON + 90 * MINUTE)


async def too_late(api: Asking) -> None:
    await under(api, NIGHT.format(max_held="1h") + BY_SMS)
    later(api, 29 * MINUTE)
    await take(api)
    later(api, 2 * MINUTE)


async def daily_cap(api: Asking) -> None:
    await under(api, "[caps]\nper_day = 1\n" + BY_SMS)
    await take(api, "B")
    await api.world.dispatch()
    await take(api)


async def min_gap(api: Asking) -> None:
    await under(api, "[caps]\nmin_gap = '3h'\n" + BY_SMS)
    await take(api, "B")
    await api.world.dispatch()
    await take(api)


async def paid(api: Asking) -> None:
    await take(api)
    await taken(api, event("order.paid", "A", NOON))


async def cancelled(api: Asking) -> None:
    await take(api)
    await taken(api, event("order.cancelled", "A", NOON))


async def closed(api: Asking) -> None:
    await take(api, closes_at=NOON + HOUR)
    later(api, HOUR)
    await api.world.dispatch()


async def sold_out(api: Asking) -> None:
    await taken(api, bare("A", pay_url="https://pay.example/A", availability="sold_out"))


async def missing_field(api: Asking) -> None:
    await taken(api, bare("A", pay_url=None, availability="in_stock"))


async def wording(api: Asking) -> None:
    await under(api, BY_SMS + '[links]\nallowed = ["shop.example"]')
    await taken(api, bare("A", pay_url="https://pay.example/A", availability="in_stock"))


async def sensitive(api: Asking) -> None:
    await under(api, "[suppression]\nsensitive_channels = []\n" + BY_SMS)
    await taken(api, bare("A", pay_url="https://pay.example/A", availability="in_stock", sensitive=True))


async def below_minimum(api: Asking) -> None:
    await under(api, '[suppression]\nmin_total = "99.01"\n' + BY_SMS)
    await take(api)


async def no_address(api: Asking) -> None:
    await under(api, BY_CHAT)
    await take(api, chat=None)


async def no_consent(api: Asking) -> None:
    await under(api, BY_SMS)
    await take(api, consent={"sms": False})


async def paused(api: Asking) -> None:
    await take(api)
    await api.client.post("/v1/shops/demo/pause")


async def changed(api: Asking) -> None:
    await under(api, BY_SMS)
    await take(api)
    await under(api, BY_CHAT)


async def phone_window(api: Asking) -> None:
    await under(api, BY_CALL)
    await take(api)
    later(api, 31 * MINUTE)


async def overflow(api: Asking) -> None:
    await under(api, BY_CALL)
    await take(api)
    await api.world.dispatch()
    later(api, 2 * HOUR)


async def pace(api: Asking) -> None:
    await under(api, "[pace]\nsms = 1\n" + BY_SMS)
    await take(api, "B")
    await api.world.dispatch()
    await take(api, customer="C-2")


async def not_scheduled(api: Asking) -> None:
    never = load_toml(BASE.replace('"24:00"', '"01:00"') + BY_SMS)
    await api.world.service.put_policy("demo", never, "test", "user:test")
    await take(api)


async def channel_down(api: Asking) -> None:
    await refused(api, Behaviour.REFUSE)


async def rejected(api: Asking) -> None:
    await refused(api, Behaviour.REJECT)


async def refused(api: Asking, behaviour: Behaviour) -> None:
    api.world.channels["sms"]._behaviour = lambda _: behaviour
    await under(api, BY_SMS)
    await take(api)
    await api.world.dispatch()


async def attempts_used_up(api: Asking) -> None:
    await channel_down(api)
    for _ in range(3):
        later(api, HOUR)
        await api.world.dispatch()


async def internal(api: Asking) -> None:
    await under(api, BY_SMS)
    await take(api)
    for _ in range(3):
        await api.world.service.store.lease("demo", "sms", 1, api.world.clock.now())
        later(api, HOUR)
        await api.world.service.housekeeping.sweep(api.world.lane)


async def opted_out(api: Asking) -> None:
    await under(api, BY_SMS)
    await take(api)
    await taken(api, saying("opted_out", api.world.clock.now(), channel="sms"))
    await api.world.dispatch()


async def replied(api: Asking) -> None:
    await under(api, BY_SMS + '[suppression]\nquiet_after_reply = "1h"')
    await take(api)
    await taken(api, saying("replied", api.world.clock.now()))
    await api.world.dispatch()


async def paid_other_order(api: Asking) -> None:
    await under(api, BY_SMS + "[suppression]\npaid_other_order = true")
    await take(api, "B")
    await take(api)
    await taken(api, event("order.paid", "B", api.world.clock.now()))
    await api.world.dispatch()


async def merged(api: Asking) -> None:
    await under(api, BY_SMS + '[merge]\nwithin = "1h"')
    await take(api, "B")
    later(api, MINUTE)
    await take(api)
    await api.world.dispatch()


FIRST_CALLED = """
[routing]
channels = ["sms"]
high_value = "99.00"
[before_close]
lead = "20h"
"""


async def called(api: Asking, outcome: str, **said: str) -> None:
    """Have order `A` called about; its second reminder is due four hours later."""
    await under(api, FIRST_CALLED)
    await take(api)
    await api.world.dispatch()
    for verb, more in (("claim", {}), ("complete", {"outcome": outcome, **said})):
        answer = await api.client.post(f"/v1/tasks/demo~A~1/{verb}", json={"agent": "li", **more})
        assert answer.status_code == 200, answer.text


async def promised(api: Asking) -> None:
    await called(api, "promised", promised_until=iso(NOON + 6 * HOUR))
    later(api, 4 * HOUR)
    await api.world.dispatch()


async def refused_to_pay(api: Asking) -> None:
    await called(api, "refused", reason="price")


async def operator(api: Asking) -> None:
    await take(api)
    await api.client.post("/v1/reminders/demo~A~1/cancel")


OF_STEP_2 = frozenset({"promised", "refused"})
"""Reasons that a call gives, which is the first reminder: they are the second one's."""

SCENES: dict[str, Scene] = {
    scene.__name__: scene
    for scene in (
        quiet_hours,
        phone_window,
        closes_before_window,
        too_late,
        daily_cap,
        min_gap,
        paid,
        cancelled,
        closed,
        sold_out,
        missing_field,
        wording,
        sensitive,
        below_minimum,
        no_address,
        no_consent,
        paused,
        changed,
        overflow,
        pace,
        not_scheduled,
        channel_down,
        rejected,
        attempts_used_up,
        internal,
        opted_out,
        replied,
        paid_other_order,
        merged,
        promised,
        operator,
    )
} | {"refused": refused_to_pay}
"""Reason -> its scene."""
