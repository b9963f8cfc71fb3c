"""Templates of a shop over the API: drafted, checked, published, taken back, and refused."""

from hashlib import sha256
from typing import Any

import httpx
import pytest

from dispatcher.messages.bounds import MAX_SOURCE_CHARACTERS
from dispatcher.policy.document import to_json
from dispatcher.storage.looking import text_of
from dispatcher.storage.templates import VERSIONS_KEPT
from tests.web.asking import Asking
from tests.worlds import AT_ONCE, NOON, event

ALL = "/v1/shops/demo/templates"
SMS = f"{ALL}/zh-CN/first_time/sms"
OWN = (
    "【{{ shop }}】{% if customer is defined %}{{ customer }}，{% endif %}您{{ placed }}拍下的"
    "{% if product is defined %}{{ product }}{% else %}订单（尾号{{ order_tail }}）{% endif %}还未付款，"
    "{% if incentive is defined %}{{ incentive }}{% endif %}不合适可退换，请核对：{{ pay_url }}"
    "{% if incentive is defined %} 拒收请回复R{% endif %}"
)
OTHER = OWN.replace("请核对", "核对后可付")


async def put(api: Asking, source: str, path: str = SMS, **more: str) -> httpx.Response:
    return await api.client.put(f"{path}/draft", json={"source": source} | more)


async def published(api: Asking, source: str = OWN, path: str = SMS, **body: Any) -> httpx.Response:
    await put(api, source, path)
    return await api.client.post(f"{path}/publish", json=body)


async def changes(api: Asking) -> list[dict[str, Any]]:
    return [record for record in await api.world.audit() if record["kind"] == "template.changed"]


async def sent(api: Asking) -> tuple[str, str]:
    """Take an order and return the text that its SMS had, and the template that the audit names."""
    await api.world.service.intake.take([event("order.unpaid", "O-1", NOON, chat=None)], "key:test")
    await api.world.dispatch()
    (record,) = (one for one in await api.world.audit() if one["kind"] == "reminder.sending")
    return str(await text_of(api.world.service.store, "demo", "demo~O-1~1")), record["template"]


async def test_a_published_template_writes_what_is_sent_and_is_named_as_the_shops(api: Asking) -> None:
    answer = await published(api, note="shorter")

    text, template = await sent(api)

    assert answer.status_code == 200
    assert {name: answer.json()[name] for name in ("template", "version", "segments_typical")} == {
        "template": "first_time/sms@shop.1",
        "version": 1,
        "segments_typical": 1,
    }
    assert text == "【demo】您今日12:00拍下的示例商品还未付款，不合适可退换，请核对：https://pay.example/O-1"
    assert template == "first_time/sms@shop.1"


async def test_a_draft_changes_nothing_that_is_sent(api: Asking) -> None:
    before = await api.world.service.store.shop("demo")

    answer = await put(api, OWN)

    assert (answer.status_code, answer.json()["valid"]) == (200, True)
    assert await api.world.service.store.shop("demo") == before
    assert "shop" not in (await sent(api))[1]


async def test_each_change_is_in_the_audit_with_its_author_and_the_texts_hash(api: Asking) -> None:
    packaged = (await api.client.get(SMS)).json()["template"]
    await put(api, OWN, note="first try")
    await api.client.post(f"{SMS}/publish", json={"note": "it is good"})
    await published(api, OTHER)
    await api.client.post(f"{SMS}/rollback", json={"version": 1, "note": "the other was worse"})
    await api.client.delete(SMS)
    await api.client.delete(f"{SMS}/draft")

    found = await changes(api)

    own, other = (sha256(text.encode()).hexdigest() for text in (OWN, OTHER))
    name = "zh-CN/first_time/sms"
    assert [(one["template"], one["details"]) for one in found] == [
        (None, {"change": "drafted", "name": name, "sha256": own, "note": "first try"}),
        (
            "first_time/sms@shop.1",
            {"version": 1, "change": "published", "name": name, "sha256": own, "note": "it is good"},
        ),
        (None, {"change": "drafted", "name": name, "sha256": other}),
        (
            "first_time/sms@shop.2",
            {"version": 2, "change": "published", "name": name, "sha256": other},
        ),
        (
            "first_time/sms@shop.1",
            {
                "version": 1,
                "change": "rolled_back",
                "name": name,
                "sha256": own,
                "note": "the other was worse",
            },
        ),
        (packaged, {"version": 0, "change": "withdrawn", "name": name}),
        (None, {"change": "discarded", "name": name}),
    ]
    assert {one["actor"] for one in found} == {"key:all"}
    assert not [one for one in await api.world.audit() if "请核对" in str(one)]


async def test_only_the_text_that_was_looked_at_is_published(api: Asking) -> None:
    await put(api, OWN)
    seen = (await api.client.get(f"{SMS}/draft")).json()["sha256"]
    await put(api, OTHER)

    refused = await api.client.post(f"{SMS}/publish", json={"sha256": seen})
    before = await changes(api)
    await put(api, OWN)
    done = await api.client.post(f"{SMS}/publish", json={"sha256": seen})

    assert (refused.status_code, refused.json()["type"]) == (409, "urn:dispatcher:problem:contended")
    assert [one["details"]["change"] for one in before] == ["drafted", "drafted"]
    assert seen == sha256(OWN.encode()).hexdigest()
    assert done.json()["version"] == 1
    assert (await api.client.get(SMS)).json()["sha256"] == seen


@pytest.mark.parametrize(("body", "told"), [({}, "first try"), ({"note": "it is good"}, "it is good")])
async def test_a_version_has_the_drafts_note_unless_it_is_given_one(
    api: Asking, body: dict[str, str], told: str
) -> None:
    await put(api, OWN, note="first try")

    await api.client.post(f"{SMS}/publish", json=body)

    assert (await api.client.get(SMS)).json()["note"] == told
    assert (await changes(api))[-1]["details"]["note"] == told


async def test_what_is_published_again_changes_nothing(api: Asking) -> None:
    first = await published(api)
    before = await api.world.service.store.shop("demo"), await api.world.audit()

    again = await api.client.post(f"{SMS}/publish", json={"note": "again"})
    back = await api.client.post(f"{SMS}/rollback", json={"version": 1})

    assert again.json() == first.json() == back.json()
    assert (await api.world.service.store.shop("demo"), await api.world.audit()) == before


async def test_an_older_version_is_put_into_force_again_in_one_call(api: Asking) -> None:
    await published(api)
    await published(api, OTHER)

    answer = await api.client.post(f"{SMS}/rollback", json={"version": 1})

    listed = (await api.client.get(f"{SMS}/versions")).json()["items"]
    assert answer.json()["template"] == "first_time/sms@shop.1"
    assert [(one["version"], one["in_force"], one["actor"]) for one in listed] == [
        (2, False, "key:all"),
        (1, True, "key:all"),
    ]
    assert (await api.client.get(SMS)).json()["source"] == OWN
    assert "请核对" in (await sent(api))[0]


@pytest.mark.parametrize("way", ["delete", "rollback to 0"])
async def test_the_products_own_is_in_force_again(api: Asking, way: str) -> None:
    packaged = (await api.client.get(SMS)).json()
    await published(api)

    if way == "delete":
        answer = await api.client.delete(f"{SMS}?note=back")
    else:
        answer = await api.client.post(f"{SMS}/rollback", json={"version": 0})

    assert answer.json() == {"template": packaged["template"], "version": 0}
    assert (await api.client.get(SMS)).json() == packaged
    assert (await api.client.get(f"{SMS}?version=1")).json()["source"] == OWN
    assert "shop" not in (await sent(api))[1]


async def test_numbers_of_versions_go_on_after_a_template_was_withdrawn(api: Asking) -> None:
    await published(api)
    await api.client.delete(SMS)

    answer = await published(api, OTHER)

    assert answer.json()["version"] == 2


async def test_the_list_tells_what_is_in_force_and_being_drafted(api: Asking) -> None:
    await published(api)
    await put(api, OTHER, f"{ALL}/zh-CN/before_close/sms", note="a try")

    first = (await api.client.get(ALL, params={"limit": 2})).json()
    every = (await api.client.get(ALL, params={"limit": 200})).json()
    rest = (await api.client.get(ALL, params={"limit": 200, "cursor": first["next_cursor"]})).json()

    found = {(one["scenario"], one["channel"]): one for one in every["items"] if one["locale"] == "zh-CN"}
    assert first["items"] + rest["items"] == every["items"]
    assert found["first_time", "sms"]["template"] == "first_time/sms@shop.1"
    assert found["first_time", "sms"]["draft"]["at"] == "2025-11-11T04:00:00.000Z"
    assert (found["first_time", "chat"]["version"], found["first_time", "chat"]["draft"]) == (0, None)
    assert found["before_close", "sms"]["draft"]["note"] == "a try"


WRONG = {
    "no shop on one way": (OWN.replace("【{{ shop }}】", "{% if returning %}{{ shop }}{% endif %}"), "shop"),
    "an unknown field": (OWN + "{{ secret }}", "unknown field secret"),
    "an escape": (OWN + "{{ shop.__class__ }}", "attribute"),
    "not closed": (OWN + "{% if returning %}", "endif"),
    "a forbidden word": (OWN + "加微信", "微信"),
    "a link elsewhere": (OWN + " https://shop.example/", "shop.example"),
    "far too long": (OWN + "好" * 600, "at most 500 characters"),
    "many segments": (OWN + "好" * 200, "at most 3 segments"),
    "nothing": ("", "must carry"),
}


@pytest.mark.parametrize("what", WRONG)
async def test_what_is_not_right_is_told_with_every_problem_and_not_published(api: Asking, what: str) -> None:
    source, says = WRONG[what]
    policy = to_json(AT_ONCE) | {"platform": "jd", "links": {"allowed": ["pay.example"]}}
    await api.client.put("/v1/shops/demo/policy", json=policy)
    await published(api)
    drafted = (await put(api, source)).json()
    checked = (await api.client.post(f"{SMS}/check", json={"source": source})).json()
    before = await api.world.service.store.shop("demo"), await api.world.audit()

    answer = await api.client.post(f"{SMS}/publish")

    told = answer.json()
    assert (answer.status_code, told["type"]) == (400, "urn:dispatcher:problem:invalid-template")
    assert says in str(told["errors"])
    assert told["errors"] == drafted["errors"] == checked["errors"]
    assert not drafted["valid"]
    assert (await api.world.service.store.shop("demo"), await api.world.audit()) == before


async def test_all_problems_are_told_at_once(api: Asking) -> None:
    told = (await api.client.post(f"{SMS}/check", json={"source": "{{ secret }}\n{{ shop.x }}"})).json()

    assert [one["detail"][:7] for one in told["errors"]] == ["line 1:", "line 2:"]


async def test_a_version_that_todays_policy_forbids_is_not_gone_back_to(api: Asking) -> None:
    await published(api, OWN + "淘宝")
    await published(api, OTHER)
    await api.client.put("/v1/shops/demo/policy", json=to_json(AT_ONCE) | {"platform": "pdd"})

    answer = await api.client.post(f"{SMS}/rollback", json={"version": 1})

    assert answer.status_code == 400
    assert "淘宝" in str(answer.json()["errors"])


@pytest.mark.parametrize(
    ("verb", "path", "body", "status"),
    [
        ("GET", f"{ALL}/fr/first_time/sms", None, 404),
        ("GET", f"{ALL}/zh-CN/guess/sms", None, 404),
        ("GET", f"{ALL}/zh-CN/first_reminder/fax", None, 404),
        ("GET", f"{ALL}/zh-CN/first_reminder%2Fsms/x", None, 404),
        ("GET", f"{SMS}?version=1", None, 404),
        ("GET", f"{SMS}?version=-1", None, 400),
        ("GET", f"{SMS}/draft", None, 404),
        ("GET", f"{SMS}/versions?limit=1", None, 400),
        ("POST", f"{SMS}/publish", None, 404),
        ("POST", f"{SMS}/publish", {"version": 1}, 400),
        ("POST", f"{SMS}/publish", {"sha256": "0" * 65}, 400),
        ("POST", f"{SMS}/rollback", {"version": 1}, 404),
        ("POST", f"{SMS}/rollback", {}, 400),
        ("POST", f"{SMS}/rollback", {"version": 1.5}, 400),
        ("PUT", f"{SMS}/draft", {}, 400),
        ("PUT", f"{SMS}/draft", {"source": None}, 400),
        ("PUT", f"{SMS}/draft", {"source": 7}, 400),
        ("PUT", f"{SMS}/draft", {"source": "x" * (MAX_SOURCE_CHARACTERS + 1)}, 400),
        ("PUT", f"{SMS}/draft", {"source": "a\u0000b"}, 400),
        ("PUT", f"{SMS}/draft", {"source": "x", "note": "n" * 201}, 400),
        ("PUT", f"{ALL}/zh-CN/guess/sms/draft", {"source": "x"}, 404),
        ("POST", f"{ALL}/zh-CN/guess/sms/check", {"source": "x"}, 404),
        ("DELETE", f"{ALL}/zh-CN/guess/sms", None, 404),
        ("DELETE", f"{ALL}/zh-CN/guess/sms/draft", None, 404),
        ("GET", "/v1/shops/other/templates", None, 403),
        ("PUT", "/v1/shops/other/templates/zh-CN/first_time/sms/draft", {"source": "x"}, 403),
    ],
)
async def test_what_is_not_right_or_not_there_is_refused(
    api: Asking, verb: str, path: str, body: Any, status: int
) -> None:
    before = await api.world.audit()

    answer = await api.client.request(verb, path, json=body)

    assert answer.status_code == status
    assert answer.headers["content-type"] == "application/problem+json"
    assert await api.world.audit() == before


async def test_reading_and_writing_are_two_scopes(api: Asking) -> None:
    reader = await api.key("reader", scopes=["templates:read"])
    writer = await api.key("writer", scopes=["templates:write"])

    written = await api.client.put(f"{SMS}/draft", json={"source": OWN}, headers=reader)
    read = await api.client.get(SMS, headers=writer)

    assert (written.status_code, read.status_code) == (403, 403)


async def test_the_newest_versions_are_kept_and_the_one_in_force_is_among_them(api: Asking) -> None:
    for number in range(VERSIONS_KEPT + 2):
        await published(api, f"{OWN}（{number}）")

    listed = (await api.client.get(f"{SMS}/versions")).json()["items"]

    assert [one["version"] for one in listed] == list(range(VERSIONS_KEPT + 2, 2, -1))
    assert listed[0]["in_force"]
    assert (await api.client.get(f"{SMS}?version=2")).status_code == 404
