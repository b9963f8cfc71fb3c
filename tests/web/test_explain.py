"""Explanations: what would be decided now, and for each reason one reminder that names it."""

from typing import Any

import pytest

from dispatcher.policy.zones import iso
from tests.web.asking import Asking
from tests.web.given_reasons import given_reasons
from tests.web.reasons import BY_CALL, BY_SMS, NIGHT, OF_STEP_2, SCENES, bare, later, take, taken, under
from tests.worlds import HOUR, MINUTE, NOON, PERSONAL
from tests.worlds import told as as_told

IN_STOCK = [{"name": "示例商品", "quantity": 1, "price": "99.00", "availability": "in_stock"}]


async def explained(api: Asking, reminder: str) -> dict[str, Any]:
    answer = await api.client.get(f"/v1/reminders/{reminder}/explain")
    assert answer.status_code == 200, answer.text
    found: dict[str, Any] = answer.json()
    return found


# What would be decided now.


async def test_a_reminder_that_may_go_now_says_so_and_changes_nothing(api: Asking) -> None:
    await take(api, "A")
    before = await api.records()

    told = (await explained(api, "demo~A~1"))["now"]

    assert (told["decision"], told["channel"], told["reason"], told["blocking"]) == ("send", "sms", None, [])
    assert told["next_eligible"] == told["at"] == "2025-11-11T04:00:00.000Z"
    assert {"order_state", "close", "stock", "routing"} <= {rule["rule"] for rule in told["rules"]}
    assert await api.records() == before
    assert (await api.world.dispatch())["send"] == 1


async def test_a_reminder_held_by_the_night_could_go_when_it_ends(api: Asking) -> None:
    await under(api, NIGHT.format(max_held="2h") + BY_SMS)
    await take(api, "A")
    later(api, 31 * MINUTE)

    told = (await explained(api, "demo~A~1"))["now"]

    assert (told["decision"], told["reason"], told["blocking"]) == ("defer", "quiet_hours", ["quiet_hours"])
    assert told["next_eligible"] == "2025-11-11T06:00:00.000Z"


async def test_a_reminder_that_is_not_due_waits_for_its_time_and_what_blocks_then(api: Asking) -> None:
    await under(api, NIGHT.format(max_held="2h") + BY_SMS)
    later(api, 31 * MINUTE)
    await take(api, "A")

    told = (await explained(api, "demo~A~1"))["now"]

    assert (told["decision"], told["reason"]) == ("defer", "quiet_hours")
    assert told["blocking"] == ["due", "quiet_hours"]
    assert told["next_eligible"] == "2025-11-11T06:00:00.000Z"


async def test_a_reminder_that_only_waits_to_be_due_has_no_reason(api: Asking) -> None:
    await under(api, NIGHT.format(max_held="2h") + BY_SMS)
    await take(api, "A", placed_at=NOON + HOUR)

    told = (await explained(api, "demo~A~1"))["now"]

    assert (told["decision"], told["reason"], told["blocking"]) == ("defer", None, ["due"])
    assert told["next_eligible"] == "2025-11-11T06:00:00.000Z"


async def test_what_will_be_dropped_once_it_is_due_is_said_before(api: Asking) -> None:
    await under(api, NIGHT.format(max_held="2h") + "[caps]\nper_day = 0\n" + BY_SMS)
    later(api, 31 * MINUTE)
    await take(api, "A")

    told = (await explained(api, "demo~A~1"))["now"]

    assert (told["decision"], told["reason"], told["next_eligible"]) == ("drop", "daily_cap", None)


async def test_a_text_that_lacks_a_value_is_foreseen(api: Asking) -> None:
    await taken(api, bare("A", pay_url=None, availability="in_stock"))

    told = (await explained(api, "demo~A~1"))["now"]

    assert (told["decision"], told["reason"]) == ("drop", "missing_field")


@pytest.mark.parametrize(
    ("body", "held"), [({}, True), ({"channel": "sms"}, True), ({"channel": "chat"}, False)]
)
async def test_what_a_pause_holds_has_no_next_moment(api: Asking, body: dict[str, str], held: bool) -> None:
    await take(api, "A")
    await api.client.post("/v1/shops/demo/pause", json=body)

    told = (await explained(api, "demo~A~1"))["now"]

    assert (told["decision"], told["reason"]) == (("defer", "paused") if held else ("send", None))
    assert (told["next_eligible"] is None) is held


async def test_a_customer_who_is_left_alone_is_told_as_such(api: Asking) -> None:
    await take(api, "A")
    await api.client.post("/v1/shops/demo/pause", json={"customer": "C-1"})

    told = (await explained(api, "demo~A~1"))["now"]

    assert (told["decision"], told["reason"], told["blocking"]) == ("drop", "paused", ["paused"])


async def test_what_the_pace_holds_back_goes_when_it_allows_one_more(api: Asking) -> None:
    await under(api, "[pace]\nsms = 1\n" + BY_SMS)
    await take(api, "B")
    await api.world.dispatch()
    later(api, 20_000)
    await take(api, "A", customer="C-2")

    told = (await explained(api, "demo~A~1"))["now"]
    refused = await api.client.post("/v1/reminders/demo~A~1/send-now")
    before = await api.world.dispatch()
    api.world.clock.advance_to(NOON + 2 * MINUTE)

    assert (told["decision"], told["reason"], told["blocking"]) == ("defer", "pace", ["pace"])
    assert iso(NOON + MINUTE) <= told["next_eligible"] <= iso(NOON + 2 * MINUTE)
    assert (refused.status_code, refused.json()["blocking"]) == (409, ["pace"])
    assert (before, await api.world.dispatch()) == ({}, {"send": 1})


async def test_a_call_past_the_open_tasks_names_their_limit_and_when_it_asks_again(api: Asking) -> None:
    only_calls = "[routing]\nchannels = ['phone']\n[phone]\nmax_open = 1\n"
    await under(api, only_calls)
    await take(api, "B")
    await api.world.dispatch()
    await take(api, "A", customer="C-2")

    told = (await explained(api, "demo~A~1"))["now"]
    await api.world.dispatch()

    (limit,) = [rule for rule in told["rules"] if rule["rule"] == "max_open"]
    status = (await api.client.get("/v1/reminders/demo~A~1")).json()
    assert (told["decision"], told["reason"], told["blocking"]) == ("defer", "overflow", ["max_open"])
    assert limit["inputs"] == {"open_tasks": 1, "max_open": 1}
    assert told["next_eligible"] == status["due"] == iso(NOON + 5 * MINUTE)


async def test_a_call_past_the_open_tasks_can_go_another_way_at_once(api: Asking) -> None:
    await under(api, BY_CALL + "max_open = 0\n")
    await take(api, "A")

    told = (await explained(api, "demo~A~1"))["now"]
    await api.world.dispatch()

    assert (told["channel"], told["blocking"], told["next_eligible"]) == ("sms", ["max_open"], told["at"])
    assert (await explained(api, "demo~A~1"))["status"] == "sent"


async def test_a_blocked_address_is_told_as_none(api: Asking) -> None:
    await under(api, BY_SMS)
    await take(api, "A")
    await api.client.post("/v1/shops/demo/blocked", json={"phone": "+8613800000000"})

    told = (await explained(api, "demo~A~1"))["now"]

    (routing,) = [rule for rule in told["rules"] if rule["rule"] == "routing"]
    assert (told["decision"], told["reason"], told["blocking"]) == ("drop", "no_address", ["routing"])
    assert routing["inputs"]["blocked"] == ["sms", "phone"]


async def test_an_open_task_tells_whether_it_can_be_claimed_and_where_it_goes_else(api: Asking) -> None:
    await under(api, BY_CALL)
    await take(api, "A")
    await api.world.dispatch()

    before = (await explained(api, "demo~A~1"))["now"]
    later(api, 31 * MINUTE)
    closed = (await explained(api, "demo~A~1"))["now"]

    assert (before["decision"], before["next_eligible"]) == ("send", before["at"])
    assert (closed["decision"], closed["reason"], closed["blocking"]) == (
        "defer",
        "phone_window",
        ["phone_window"],
    )
    assert closed["next_eligible"] == "2025-11-11T06:00:00.000Z"


async def test_a_task_that_only_a_call_can_follow_stays_one_until_it_can_be_claimed(api: Asking) -> None:
    await under(api, BY_CALL)
    await take(api, "A", consent={"sms": False})
    await api.world.dispatch()
    later(api, 2 * HOUR)

    over = (await explained(api, "demo~A~1"))["now"]
    await api.world.dispatch()
    stays = (await explained(api, "demo~A~1"))["now"]

    assert over == stays
    assert (over["reason"], over["next_eligible"]) == ("phone_window", "2025-11-12T01:00:00.000Z")


async def test_a_new_policy_counts_at_once(api: Asking) -> None:
    await take(api, "A")
    await under(api, "[caps]\nper_day = 0\n" + BY_SMS)

    told = await explained(api, "demo~A~1")

    assert (told["decision"], told["policy"]) == ("plan", 1)
    assert (told["now"]["reason"], told["now"]["policy"]) == ("daily_cap", 2)


async def test_what_waits_no_more_has_no_outlook(api: Asking) -> None:
    await take(api, "A")
    await api.world.dispatch()

    told = await explained(api, "demo~A~1")

    assert (told["status"], told["now"]) == ("sent", None)


async def test_the_decision_that_follows_is_the_one_that_was_told(api: Asking) -> None:
    await under(api, NIGHT.format(max_held="2h") + "[caps]\nmin_gap = '3h'\n" + BY_SMS)
    await take(api, "A")
    await take(api, "B")
    later(api, 10 * MINUTE)
    await api.world.dispatch()
    (waiting,) = [one for one in "AB" if (await explained(api, f"demo~{one}~1"))["status"] == "planned"]

    told = (await explained(api, f"demo~{waiting}~1"))["now"]
    api.world.clock.advance_to(NOON + 10 * MINUTE + 3 * HOUR - 1)
    await api.world.dispatch()
    early = (await explained(api, f"demo~{waiting}~1"))["status"]
    api.world.clock.advance_to(NOON + 10 * MINUTE + 3 * HOUR)
    await api.world.dispatch()

    assert told["next_eligible"] == "2025-11-11T07:10:00.000Z"
    assert (early, (await explained(api, f"demo~{waiting}~1"))["status"]) == ("planned", "sent")


async def test_what_waits_for_a_better_order_says_so(api: Asking) -> None:
    await under(api, "[caps]\nmin_gap = '3h'\n" + BY_SMS)
    await take(api, "A", total="10.00")
    await take(api, "B", total="99.00", placed_at=NOON + HOUR)

    told = (await explained(api, "demo~A~1"))["now"]

    assert (told["decision"], told["reason"], told["blocking"]) == ("defer", "min_gap", ["arbitration"])
    assert told["next_eligible"] == "2025-11-11T05:01:00.000Z"


async def test_what_a_message_would_carry_is_told_before(api: Asking) -> None:
    await under(api, BY_SMS + '[merge]\nwithin = "1h"')
    await take(api, "A")
    await take(api, "B")

    told = (await explained(api, "demo~A~1"))["now"]

    (merge,) = [rule for rule in told["rules"] if rule["rule"] == "merge"]
    assert [other["order"] for other in merge["inputs"]["others"]] == ["B"]


# Which message it is.


@pytest.mark.parametrize(
    ("sections", "about", "template", "why"),
    [
        ("", {}, "first_time/sms@", "first_time"),
        ("", {"paid_orders": 1}, "repeat/sms@", "repeat"),
        ("[shipping]\ncutoff = '17:00'\n", {"items": IN_STOCK}, "same_day_shipping/sms@", "ships_today"),
        ("", {"closes_at": NOON + HOUR}, "flash_sale/sms@", "flash_sale"),
    ],
)
async def test_which_template_writes_it_and_why_is_told_before_and_after(
    api: Asking, sections: str, about: dict[str, Any], template: str, why: str
) -> None:
    await under(api, sections + BY_SMS)
    await take(api, "A", **about)

    before = (await explained(api, "demo~A~1"))["now"]
    await api.world.dispatch()
    after = await explained(api, "demo~A~1")
    read = (await api.client.get("/v1/reminders/demo~A~1")).json()

    assert before["template"].startswith(template)
    assert (before["why"], after["why"]) == (why, why)
    assert after["template"] == read["template"] == before["template"]


async def test_what_waits_tells_what_will_write_it_and_what_ends_tells_none(api: Asking) -> None:
    await under(api, NIGHT.format(max_held="2h") + BY_SMS)
    await take(api, "A")
    later(api, 31 * MINUTE)

    held = await explained(api, "demo~A~1")
    await api.client.post("/v1/reminders/demo~A~1/cancel", json={})
    ended = await explained(api, "demo~A~1")
    read = (await api.client.get("/v1/reminders/demo~A~1")).json()

    assert (held["now"]["decision"], held["now"]["why"], held["template"]) == ("defer", "first_time", None)
    assert (ended["template"], ended["why"], read["template"]) == (None, None, None)


async def test_an_open_task_tells_its_script_and_what_a_customer_told_the_next_message(api: Asking) -> None:
    await under(api, BY_CALL + "[before_close]\nlead = '2h'")
    await take(api, "A", paid_orders=1)
    await api.world.dispatch()

    opened = await explained(api, "demo~A~1")
    await api.client.post("/v1/tasks/demo~A~1/claim", json={"agent": "li"})
    done = {"agent": "li", "outcome": "other", "reason": "price"}
    completed = (await api.client.post("/v1/tasks/demo~A~1/complete", json=done)).json()
    order = (await api.client.get("/v1/orders/demo/A")).json()
    second = (await explained(api, "demo~A~2"))["now"]

    assert opened["now"]["template"] == opened["template"]
    assert (opened["now"]["why"], opened["why"]) == ("repeat", "repeat")
    assert (completed["told"], order["told"]) == ("price", "price")
    assert (second["template"].rpartition("@")[0], second["why"]) == ("price/sms", "told: price")


# What people did, and what another message carries.


async def test_what_an_agent_sent_by_hand_tells_who_and_on_which_rules(api: Asking) -> None:
    await take(api, "A")
    hand = {"id": "h-1", "shop": "demo", "order": "A", "channel": "sms", "agent": "bob"}
    await api.client.post("/v1/reminders", json=hand)

    told = await explained(api, "demo~A~2")

    assert (told["kind"], told["decision"], told["channel"]) == ("reminder.sent", "send", "sms")
    assert (told["by_hand"], told["agent"], told["policy"]) == ("asked", "bob", 1)
    assert told["decided_at"] == iso(api.world.clock.now())
    assert {"order_state", "close"} <= {rule["rule"] for rule in told["rules"]}


async def test_what_an_agent_reported_tells_who_and_that_nothing_was_weighed(api: Asking) -> None:
    await take(api, "A")
    data = {"order": {"id": "A"}, "channel": "chat", "agent": "bob"}
    await taken(api, as_told("order.reminded", "A", api.world.clock.now(), data))

    told = await explained(api, "demo~A~2")

    assert (told["by_hand"], told["agent"], told["channel"]) == ("reported", "bob", "chat")
    assert (told["policy"], told["rules"]) == (None, [])


async def test_what_a_channel_took_is_told_as_it_was_decided(api: Asking) -> None:
    await take(api, "A")
    await api.world.dispatch()

    told = await explained(api, "demo~A~1")

    assert (told["kind"], told["by_hand"], told["carrier"]) == ("reminder.sending", None, None)


async def test_a_merged_reminder_names_its_carrier(api: Asking) -> None:
    await SCENES["merged"](api)

    told = await explained(api, "demo~A~1")

    assert (told["reason"], told["carrier"]) == ("merged", "demo~B~1")


# By order and by customer.


async def test_an_order_is_explained_step_by_step(api: Asking) -> None:
    await under(api, '[before_close]\nlead = "2h"\n' + BY_SMS)
    await take(api, "A/1")
    await api.world.dispatch()

    told = (await api.client.get("/v1/orders/demo/A%2F1/explain")).json()

    assert (told["shop"], told["order"], told["state"]) == ("demo", "A/1", "unpaid")
    assert [(one["reminder"], one["status"], one["now"] is None) for one in told["reminders"]] == [
        ("demo~A/1~1", "sent", True),
        ("demo~A/1~2", "planned", False),
    ]
    assert told["reminders"][1] == await explained(api, "demo~A%2F1~2")


async def test_an_order_that_is_not_there_is_not_found(api: Asking) -> None:
    answer = await api.client.get("/v1/orders/demo/A/explain")

    assert (answer.status_code, answer.json()["type"]) == (404, "urn:dispatcher:problem:unknown-order")


async def test_a_customer_who_got_nothing_is_told_why_page_by_page(api: Asking) -> None:
    await under(api, "[caps]\nper_day = 1\n" + BY_SMS)
    for order in "ABCDE":
        await take(api, order, customer="C-2" if order == "C" else "张 三")
    await api.world.dispatch()
    told: list[dict[str, Any]] = []
    cursor = ""

    while True:
        page = (
            await api.client.get(f"/v1/explain?shop=demo&customer=%E5%BC%A0+%E4%B8%89&limit=3{cursor}")
        ).json()
        assert len(page["items"]) <= 3
        assert page["hand_offs"] == ["2025-11-11T04:00:00.000Z"]
        told += page["items"]
        if page["next_cursor"] is None:
            break
        cursor = f"&cursor={page['next_cursor']}"

    assert sorted(one["reminder"] for one in told) == [f"demo~{order}~1" for order in "ABDE"]
    waiting = [one["now"] for one in told if one["now"] is not None]
    assert [(now["reason"], now["next_eligible"]) for now in waiting] == [
        ("daily_cap", "2025-11-11T16:00:00.000Z"),
        *[("daily_cap", "2025-11-11T16:00:00.000Z")] * 2,
    ]


async def test_the_hand_offs_of_a_customer_are_those_to_the_number_where_the_policy_counts_so(
    api: Asking,
) -> None:
    await under(api, "[caps]\nper_day = 1\nper = 'phone'\n" + BY_SMS)
    await take(api, "A", customer="C-1")
    await take(api, "B", customer="C-2")
    await api.world.dispatch()

    pages = [
        (await api.client.get(f"/v1/explain?shop=demo&customer={customer}")).json()
        for customer in ("C-1", "C-2", "C-3")
    ]

    once = ["2025-11-11T04:00:00.000Z"]
    assert [page["hand_offs"] for page in pages] == [once, once, []]


@pytest.mark.parametrize(
    ("query", "pointer"),
    [("shop=demo", "/customer"), ("customer=C-1", "/shop"), ("shop=demo&customer=C-1&limit=21", "/limit")],
)
async def test_a_wrong_query_is_refused_naming_its_field(api: Asking, query: str, pointer: str) -> None:
    answer = await api.client.get(f"/v1/explain?{query}")

    assert answer.status_code == 400
    assert [wrong["pointer"] for wrong in answer.json()["errors"]] == [pointer]


@pytest.mark.parametrize("path", ["orders/other/A/explain", "explain?shop=other&customer=C-1"])
async def test_another_shop_is_not_opened(api: Asking, path: str) -> None:
    assert (await api.client.get(f"/v1/{path}")).status_code == 403


async def test_no_name_number_or_text_is_told(api: Asking) -> None:
    await take(api, "A", name="王女士")
    await api.world.dispatch()

    answer = await api.client.get("/v1/explain?shop=demo&customer=C-1")

    assert answer.status_code == 200
    assert '"demo~A~1"' in answer.text
    assert not [secret for secret in PERSONAL if secret in answer.text]


# A scene for each reason.

CONTRACT = [
    "quiet_hours",
    "daily_cap",
    "min_gap",
    "paid",
    "cancelled",
    "closed",
    "closes_before_window",
    "too_late",
    "opted_out",
    "no_address",
    "no_consent",
    "replied",
    "promised",
    "refused",
    "paid_other_order",
    "merged",
    "missing_field",
    "wording",
    "sold_out",
    "channel_down",
    "rejected",
    "attempts_used_up",
    "paused",
    "operator",
    "sensitive",
    "below_minimum",
    "changed",
    "internal",
]
OURS = ["phone_window", "overflow", "not_scheduled", "pace"]
"""Reasons that the contract does not name."""

EACH_WAY = {"overflow", "changed", "sold_out", "no_address", "closes_before_window", "quiet_hours", "min_gap"}
"""A reason of each way to give one: by name, by place, assigned, returned, and by the rule that blocks."""


def test_every_reason_that_is_given_has_a_scene() -> None:
    given = given_reasons()

    assert set(SCENES) == {*CONTRACT, *OURS}
    assert given <= set(SCENES)
    assert given >= EACH_WAY


@pytest.mark.parametrize("reason", SCENES)
async def test_a_reminder_names_the_reason_it_waits_or_ended_for(api: Asking, reason: str) -> None:
    await SCENES[reason](api)

    told = await explained(api, f"demo~A~{2 if reason in OF_STEP_2 else 1}")

    named = {told["reason"], told["history"][-1]["reason"], (told["now"] or {}).get("reason")}
    assert reason in named
    assert named <= {reason, None}
