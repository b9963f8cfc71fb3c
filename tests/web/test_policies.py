"""Policies over the API: what is in force, what was, and what is refused."""

from typing import Any

import pytest

from dispatcher.policy.document import default_policy, to_json
from tests.web.asking import Asking
from tests.web.test_templates import ALL, OWN, published
from tests.worlds import AT_ONCE, NOON, event

PATH = "/v1/shops/demo/policy"


def document(**more: Any) -> dict[str, Any]:
    return to_json(AT_ONCE) | more


async def test_a_shop_without_a_policy_has_the_default_as_version_0(api: Asking) -> None:
    every = await api.key("every", shops=["*"])

    told = (await api.client.get("/v1/shops/elsewhere/policy", headers=every)).json()

    assert told == {
        "version": 0,
        "policy": to_json(default_policy()),
        "at": None,
        "actor": None,
        "note": None,
    }


async def test_a_policy_put_into_force_is_the_next_version_and_told_with_who_and_why(api: Asking) -> None:
    put = await api.client.put(f"{PATH}?note=quieter%20nights", json=document(max_late="2h"))

    told = (await api.client.get(PATH)).json()
    assert (put.status_code, put.json()) == (200, {"version": 2})
    assert told["policy"] == document(max_late="2h")
    assert (told["version"], told["actor"], told["note"]) == (2, "key:all", "quieter nights")
    assert told["at"] == "2025-11-11T04:00:00.000Z"


async def test_a_policy_that_is_in_force_stays_so_without_a_record(api: Asking) -> None:
    first = await api.client.put(PATH, json=document(max_late="2h"))
    before = await api.world.service.store.shop("demo"), await api.world.audit()

    again = await api.client.put(f"{PATH}?note=again", json=document(max_late="2h"))

    assert (again.status_code, again.json()) == (200, first.json())
    assert (await api.world.service.store.shop("demo"), await api.world.audit()) == before


async def test_a_policy_that_was_in_force_before_is_a_new_version(api: Asking) -> None:
    await api.client.put(PATH, json=document(max_late="2h"))

    back = await api.client.put(PATH, json=document())

    assert back.json() == {"version": 3}


async def test_a_calendar_of_holidays_that_ends_is_warned_of(api: Asking) -> None:
    chinese = document(holidays="cn", days={"reminders": "workdays"})

    checked = (await api.client.post(f"{PATH}/check", json=chinese)).json()
    put = (await api.client.put(PATH, json=chinese)).json()

    assert [checked["valid"], checked["errors"]] == [True, []]
    assert put == {"version": 2, "warnings": checked["warnings"]}
    assert put["warnings"][0].endswith("plain weekdays count")


async def test_names_that_the_platform_forbids_are_warned_of(api: Asking) -> None:
    pool = {"id": "tea", "kind": "gift", "use": "this_order", "quantity": 1, "name": "微信红包"}
    named = document(platform="pdd", shop_name="淘宝小店", incentives=[pool])

    checked = (await api.client.post(f"{PATH}/check", json=named)).json()
    put = (await api.client.put(PATH, json=named)).json()

    assert [checked["valid"], checked["errors"]] == [True, []]
    assert put == {"version": 2, "warnings": checked["warnings"]}
    assert put["warnings"] == [
        "shop_name: the wording rules of pdd forbid 淘宝: no message that names the shop goes",
        "incentives.tea.name: the wording rules of pdd forbid 微信: "
        "messages that would say so go without the incentive",
    ]


async def test_templates_that_are_not_right_under_a_policy_are_warned_of(api: Asking) -> None:
    await published(api, OWN + "淘宝")
    await published(api, OWN, f"{ALL}/zh-CN/first_reminder/sms")

    checked = (await api.client.post(f"{PATH}/check", json=document(platform="jd"))).json()
    fits = (await api.client.post(f"{PATH}/check", json=document(platform="taobao"))).json()
    put = (await api.client.put(PATH, json=document(platform="jd"))).json()

    assert checked["valid"]
    assert "warnings" not in fits
    (warning,) = checked["warnings"]
    assert warning.startswith("the shop's template first_time/sms@shop.1 is not right: 淘宝")
    assert put == {"version": 2, "warnings": [warning]}


async def test_a_template_that_is_gone_is_warned_of(api: Asking) -> None:
    await published(api, OWN)
    await api.world.service.store.redis.delete(api.world.service.store.keys(api.world.lane).templates("demo"))

    checked = (await api.client.post(f"{PATH}/check", json=document())).json()

    assert "no such version" in checked["warnings"][0]


async def test_earlier_versions_can_be_looked_at(api: Asking) -> None:
    await api.client.put(PATH, json=document(max_late="2h"))

    told = (await api.client.get(f"{PATH}?version=1")).json()
    default = (await api.client.get(f"{PATH}?version=0")).json()

    assert (told["version"], told["policy"]) == (1, document())
    assert (default["version"], default["actor"]) == (0, None)


async def test_a_version_that_is_none_is_not_found(api: Asking) -> None:
    answer = await api.client.get(f"{PATH}?version=2")

    assert (answer.status_code, answer.json()["type"]) == (404, "urn:dispatcher:problem:unknown-policy")


async def test_versions_are_listed_newest_first_page_by_page(api: Asking) -> None:
    for hours in range(1, 5):
        await api.client.put(f"{PATH}?note=n{hours}", json=document(max_late=f"{hours}h"))

    first = (await api.client.get(f"{PATH}/versions?limit=3")).json()
    second = (await api.client.get(f"{PATH}/versions?limit=3&cursor={first['next_cursor']}")).json()

    assert [(one["version"], one["note"], one["in_force"]) for one in first["items"]] == [
        (5, "n4", True),
        (4, "n3", False),
        (3, "n2", False),
    ]
    assert [one["version"] for one in second["items"]] == [2, 1]
    assert second["next_cursor"] is None


async def test_a_shop_without_a_policy_has_no_versions(api: Asking) -> None:
    every = await api.key("every", shops=["*"])

    answer = await api.client.get("/v1/shops/elsewhere/policy/versions", headers=every)

    assert answer.json() == {"items": [], "next_cursor": None}


@pytest.mark.parametrize("verb", ["PUT", "POST"])
async def test_a_wrong_policy_is_refused_naming_each_wrong_field(api: Asking, verb: str) -> None:
    wrong = document(timezone="Mars/Olympus", caps={"per_day": -1}, colour="red")
    path = PATH if verb == "PUT" else f"{PATH}/check"

    answer = await api.client.request(verb, path, json=wrong)

    assert answer.status_code == (400 if verb == "PUT" else 200)
    assert {one["pointer"] for one in answer.json()["errors"]} == {"/timezone", "/caps/per_day", "/colour"}
    assert (await api.client.get(PATH)).json()["version"] == 1


async def test_ten_wrong_fields_are_named_at_once_and_nothing_changes(api: Asking) -> None:
    wrong = document(
        caps={"per_order": -1},
        suppression={
            "min_total": 20,
            "sensitive_channels": ["fax"],
            "consent_required": "sms",
            "minimum": "20.00",
        },
        routing={
            "channels": ["sms"],
            "vip_grade": 5,
            "segments": {"high_value": [], "vip": "phone", "repeat": ["sms", "sms"], "newcomer": ["sms"]},
        },
    )
    before = (await api.client.get(PATH)).json(), await api.world.audit()

    answer = await api.client.put(PATH, json=wrong)

    assert answer.status_code == 400
    assert sorted(one["pointer"] for one in answer.json()["errors"]) == [
        "/caps/per_order",
        "/routing/segments/high_value",
        "/routing/segments/newcomer",
        "/routing/segments/repeat",
        "/routing/segments/vip",
        "/routing/vip_grade",
        "/suppression/consent_required",
        "/suppression/min_total",
        "/suppression/minimum",
        "/suppression/sensitive_channels",
    ]
    assert ((await api.client.get(PATH)).json(), await api.world.audit()) == before


async def test_a_right_policy_is_checked_without_being_put_into_force(api: Asking) -> None:
    answer = await api.client.post(f"{PATH}/check", json=document(max_late="2h"))

    assert answer.json() == {"valid": True, "errors": []}
    assert (await api.client.get(PATH)).json()["version"] == 1


@pytest.mark.parametrize("body", [b"", b"[]", b"{", b'{"a": 1, "a": 2}', b"\xff", b"[" * 60_000, b"null"])
async def test_a_body_that_is_no_object_is_refused(api: Asking, body: bytes) -> None:
    answer = await api.client.put(PATH, content=body, headers={"content-type": "application/json"})

    assert answer.status_code == 400
    assert (await api.client.get(PATH)).json()["version"] == 1


@pytest.mark.parametrize("note", ["", "%20", "a%0Ab", "x" * 201])
async def test_a_wrong_note_is_refused(api: Asking, note: str) -> None:
    answer = await api.client.put(f"{PATH}?note={note}", json=document())

    assert (answer.status_code, answer.json()["errors"][0]["pointer"]) == (400, "/note")


async def test_a_new_policy_counts_for_the_next_order(api: Asking) -> None:
    await api.client.put(PATH, json=document(routing={"channels": ["chat"]}))

    await api.world.service.intake.take([event("order.unpaid", "O-1", NOON)], "key:test")

    told = (await api.client.get("/v1/reminders/demo~O-1~1")).json()
    assert told["channel"] == "chat"


async def test_reading_does_not_open_writing(api: Asking) -> None:
    reader = await api.key("reader", scopes=["policy:read"])

    assert (await api.client.get(PATH, headers=reader)).status_code == 200
    assert (await api.client.post(f"{PATH}/check", json=document(), headers=reader)).status_code == 200
    assert (await api.client.put(PATH, json=document(), headers=reader)).status_code == 403


@pytest.mark.parametrize("depth", [100, 500, 960, 970, 980, 1_000, 5_000])
async def test_a_body_however_deep_is_refused(api: Asking, depth: int) -> None:
    body = b'{"x":' * depth + b"1" + b"}" * depth

    answer = await api.client.put(PATH, content=body, headers={"content-type": "application/json"})

    assert answer.status_code == 400


async def test_replanning_counts_first_and_moves_only_when_told_to(api: Asking) -> None:
    later = document(cadence=[{"placed": ["00:00", "24:00"], "remind": {"after": "3h"}}])
    await api.client.put(
        PATH, json=document(cadence=[{"placed": ["00:00", "24:00"], "remind": {"after": "1h"}}])
    )
    await api.world.service.intake.take([event("order.unpaid", "O-1", NOON)], "key:test")
    await api.client.put(PATH, json=later)

    counted = (await api.client.post(f"{PATH}/replan")).json()
    told = (await api.client.post(f"{PATH}/replan?apply=true")).json()
    after = (await api.client.post(f"{PATH}/replan?apply=true")).json()

    nothing = {"earlier": 0, "to_channel": {}, "dropped": {}, "changed": 0, "next_cursor": None}
    assert counted == told == {"looked_at": 1, "kept": 0, "later": 1, **nothing}
    assert after == {"looked_at": 1, "kept": 1, "later": 0, **nothing}
    assert (await api.client.get("/v1/reminders/demo~O-1~1")).json()["due"] == "2025-11-11T07:00:00.000Z"


async def test_replanning_needs_the_right_to_change_the_policy(api: Asking) -> None:
    reader = await api.key("reader", scopes=["policy:read"])

    answer = await api.client.post(f"{PATH}/replan?apply=true", headers=reader)

    assert answer.status_code == 403
