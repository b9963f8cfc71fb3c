"""Nothing opens without a key whose scopes and shops say so."""

import asyncio
import logging
from collections.abc import AsyncIterator
from time import monotonic
from typing import Any

import pytest
from litestar.handlers import HTTPRouteHandler

from dispatcher.errors import StoreUnavailable
from dispatcher.storage.access import AccessKeys, StoredKey
from dispatcher.web import access
from dispatcher.web.access import SCOPES, Access
from dispatcher.web.app import door
from tests.policy.event_examples import wire
from tests.web.asking import SECRET, SINGLE, Asking, bearer
from tests.web.test_bad_input import problem_in
from tests.web.test_events import unpaid

OPEN = {"/health/live", "/health/ready", "/metrics", "/schema/openapi.json"}
"""What may be asked without a key."""


def handlers(api: Asking) -> list[tuple[str, HTTPRouteHandler]]:
    """Every route with its handlers, but for those that name a path's methods."""
    return [
        (route.path, handler)
        for route in api.app.routes
        for handler in getattr(route, "route_handlers", ())
        if handler.http_methods != {"OPTIONS"}
    ]


async def test_every_route_goes_through_the_door_and_names_its_scope(api: Asking) -> None:
    found = handlers(api)

    without = [path for path, handler in found if handler.opt.get("scope") not in SCOPES]

    assert len(found) >= 3
    assert set(without) <= OPEN
    assert {handler.opt["scope"] for path, handler in found if path in OPEN} == {""}
    assert all(handler.resolve_before_request() is door for _, handler in found)


async def test_every_route_but_the_open_ones_refuses_who_has_no_key(api: Asking) -> None:
    del api.client.headers["authorization"]
    asked = [
        (path, await api.client.request(method, path.replace(":str", "").replace("{", "").replace("}", "")))
        for path, handler in handlers(api)
        for method in handler.http_methods
        if path not in OPEN
    ]

    statuses = {path: answer.status_code for path, answer in asked}

    assert statuses == dict.fromkeys(statuses, 401)
    assert all(answer.headers["www-authenticate"] == "Bearer" for _, answer in asked)


TOKENS: dict[str, str] = {
    "nothing": "",
    "no scheme": f"dk_all_{SECRET}",
    "another scheme": f"Basic dk_all_{SECRET}",
    "no token": "Bearer ",
    "another mark": f"Bearer xx_all_{SECRET}",
    "an unknown key": f"Bearer dk_none_{SECRET}",
    "a wrong secret": f"Bearer dk_all_{SECRET}x",
    "a part of the secret": f"Bearer dk_all_{SECRET[:-1]}",
    "no secret": "Bearer dk_all_",
    "a long token": "Bearer dk_all_" + "x" * 5000,
    "letters beyond ASCII": "Bearer dk_all_é",
}


@pytest.mark.parametrize("token", TOKENS.values(), ids=TOKENS.keys())
async def test_a_wrong_token_is_401_and_never_told_back(api: Asking, token: str) -> None:
    headers = {"authorization": token.encode("latin-1"), "content-type": "application/json"}

    answer = await api.client.post("/v1/events", content=wire(unpaid()), headers=headers)  # type: ignore[arg-type]

    problem_in(answer, 401)
    assert SECRET not in answer.text


async def test_two_tokens_are_as_good_as_none(api: Asking) -> None:
    headers = [("authorization", bearer("all")["authorization"])] * 2

    answer = await api.client.post("/v1/events", headers=headers, content=wire(unpaid()))

    problem_in(answer, 401)


async def test_a_key_without_the_scope_is_403(api: Asking) -> None:
    headers = await api.key("reader", scopes=[scope for scope in SCOPES if scope != "events:write"])

    answer = await api.post(wire(unpaid()), **headers)

    assert "events:write" in problem_in(answer, 403)["detail"]


async def test_a_key_of_another_shop_is_403(api: Asking) -> None:
    headers = await api.key("other", shops=["other"])

    answer = await api.post(wire(unpaid()), **headers)

    problem_in(answer, 403)


async def test_a_revoked_key_is_refused_within_a_second_however_often_it_is_used(api: Asking) -> None:
    headers = await api.key("leaver")
    before = await api.post(wire(unpaid()), **headers)
    await api.keys.revoke("leaver", 0, "user:test")
    revoked_at = asked_at = monotonic()

    while (after := await api.post(wire(unpaid()), **headers)).status_code == 202:
        assert asked_at - revoked_at < 1.0
        asked_at = monotonic()

    assert before.status_code == 202
    problem_in(after, 401)


async def test_a_key_that_is_revoked_while_a_body_comes_takes_nothing(api: Asking) -> None:
    headers = await api.key("leaver")

    async def slowly() -> AsyncIterator[bytes]:
        body = wire(unpaid())
        yield body[:10]
        await api.keys.revoke("leaver", 0, "user:test")
        async with asyncio.timeout(20):
            while (await api.post(wire(unpaid(2)), **headers)).status_code == 202:
                pass
        yield body[10:]

    answer = await api.client.post("/v1/events", content=slowly(), headers=headers | {"content-type": SINGLE})

    problem_in(answer, 401)
    assert {record["order"] for record in await api.records()} <= {unpaid(2)["data"]["order"]["id"]}


class Counted(AccessKeys):
    """Keys of which is known how often they were read; `away` makes reading fail."""

    def __init__(self) -> None:
        self.reads = 0
        self.away = False

    async def find(self, key: str) -> StoredKey | None:
        """Read nothing."""
        self.reads += 1
        await asyncio.sleep(0)
        if self.away:
            raise StoreUnavailable("away")
        return None


async def test_who_asks_at_the_same_time_shares_one_read_of_a_key() -> None:
    keys = Counted()
    door_keeper = Access(keys)

    refusals = await asyncio.gather(
        *(door_keeper.caller("dk_a_b") for _ in range(50)), return_exceptions=True
    )

    assert len(refusals) == 50
    assert keys.reads == 1


async def test_ids_that_are_remembered_are_bounded(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(access, "MAX_CACHED", 10)
    door_keeper = Access(Counted())

    await asyncio.gather(*(door_keeper.caller(f"dk_{n}_b") for n in range(100)), return_exceptions=True)

    assert len(door_keeper._cached) <= 10


async def test_a_store_that_is_away_is_503_and_not_remembered(
    api: Asking, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def away(key: str) -> Any:
        raise StoreUnavailable("the store does not answer")

    monkeypatch.setattr(access, "FRESH_SECONDS", 0.0)
    with monkeypatch.context() as while_away:
        while_away.setattr(api.keys, "find", away)
        during = await api.post(wire(unpaid()))
    monkeypatch.setattr(access, "FRESH_SECONDS", 60.0)
    after = await api.post(wire(unpaid()))

    assert problem_in(during, 503)["type"] == "urn:dispatcher:problem:store-unavailable"
    assert during.headers["retry-after"] == "1"
    assert after.status_code == 202


async def test_nothing_of_a_key_is_logged(api: Asking, caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.DEBUG)

    await api.post(wire(unpaid()))
    await api.post(wire(unpaid()), **bearer("all", "wrong-secret"))

    assert SECRET not in caplog.text
    assert "wrong-secret" not in caplog.text
