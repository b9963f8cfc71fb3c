"""The demo: a shop that reminds at once, sample orders, and lines to paste."""

import asyncio
import http.client
import os
from hashlib import sha256
from pathlib import Path
from typing import Any

import msgspec
import rich_click as click

from dispatcher.policy.document import load_toml
from dispatcher.policy.facts import Instant
from dispatcher.policy.zones import iso
from dispatcher.settings import Settings
from dispatcher.storage.access import AccessKeys
from dispatcher.terminal import say
from dispatcher.web.access import SCOPES
from dispatcher.web.issuing import issue
from dispatcher.wiring import Service, SystemClock, build, connect
from dispatcher.worker import HANDED_OVER

SHOP = "demo"
ACTOR = "user:demo"
NOTE = "Demo: reminds at once, at any hour, as often as there are orders. Not for real customers."
POLICY = """
timezone = "Asia/Shanghai"
platform = "own"
currency = "CNY"
pay_within = "24h"
max_late = "24h"
[[cadence]]
placed = ["00:00", "24:00"]
remind = {after = "0s"}
[routing]
channels = ["chat", "sms"]
high_value = "500.00"
[phone]
"""
KEY_FILE = "demo-key"
EVENTS_FILE = "demo-events.jsonl"
POST_SECONDS = 30.0
POSTED = "The sample orders are there: for chat, for SMS, for a call, and one that was paid at once."

_BATCH = "application/cloudevents-batch+json"

SAMPLES = (
    ("SAMPLE-1", "299.00", {"id": "SAMPLE-C-1", "name": "示例一", "chat": "sample_1"}),
    ("SAMPLE-2", "58.00", {"id": "SAMPLE-C-2", "name": "示例二", "phone": "+8613800000002"}),
    ("SAMPLE-3", "899.00", {"id": "SAMPLE-C-3", "name": "示例三", "phone": "+8613800000003"}),
    ("SAMPLE-4", "120.00", {"id": "SAMPLE-C-4", "name": "示例四", "chat": "sample_4"}),
)
"""For chat, for SMS, for a call, and one that is paid at once: number, total, customer."""
TO_CALL = f"{SHOP}~SAMPLE-3~1"
PAID = "SAMPLE-4"


class Demo:
    """The demo of one data directory: the same key and the same sample events at every start."""

    def __init__(self, data: Path) -> None:
        self._data = data
        self._key = ""

    def prepare(self, settings: Settings, url: str) -> None:
        """See to it that the shop has a policy and the demo a key; raises `StoreUnavailable`."""
        asyncio.run(self._prepare(settings, url))

    async def _prepare(self, settings: Settings, url: str) -> None:
        client = connect(url=url)
        try:
            service = await build(settings, client, SystemClock(), {}, self._data / "audit")
            if (await service.store.shop(SHOP)).policy == 0:
                await service.put_policy(SHOP, load_toml(POLICY), NOTE, ACTOR)
            self._key = await self._kept_key(service)
        finally:
            await client.aclose()

    async def _kept_key(self, service: Service) -> str:
        keys, path = AccessKeys(service.store), self._data / KEY_FILE
        token = path.read_text(encoding="utf-8", errors="replace").strip() if path.exists() else ""
        _, _, rest = token.partition("_")
        key, _, secret = rest.partition("_")
        stored = await keys.find(key)
        if stored is not None and stored.sha256 == sha256(secret.encode()).hexdigest():
            return token
        now = service.clock.now()
        issued = issue([SHOP], SCOPES, now)
        _write(path, issued.token + "\n")
        await keys.create(issued.key, issued.stored, now, ACTOR)
        return issued.token

    def run(self, where: str) -> None:
        """Post the sample events and show what to do next."""
        now = SystemClock().now()
        path = self._data / EVENTS_FILE
        if not path.exists():
            _write(path, "".join(msgspec.json.encode(event).decode() + "\n" for event in samples(now)))
        events = path.read_text(encoding="utf-8", errors="replace").splitlines()
        problem = self._post(where, events)
        self._say(where, now, f"The sample orders could not be posted: {problem}" if problem else POSTED)

    def _post(self, where: str, events: list[str]) -> str | None:
        """Post events; return what went wrong."""
        headers = {"Authorization": f"Bearer {self._key}", "Content-Type": _BATCH}
        connection = http.client.HTTPConnection(where, timeout=POST_SECONDS)
        try:
            connection.request("POST", "/v1/events", f"[{','.join(events)}]".encode(), headers)
            status = connection.getresponse().status
        except (OSError, http.client.HTTPException) as error:
            return type(error).__name__
        finally:
            connection.close()
        return None if status == http.HTTPStatus.ACCEPTED else f"the API answered {status}"

    def _say(self, where: str, now: Instant, posted: str) -> None:
        order = f"TRY-{now // 1000}"
        unpaid = _event(
            "order.unpaid", order, now, "199.00", {"id": f"C-{order}", "name": "试用", "chat": "try_1"}
        )
        paid = _event("order.paid", order, now)
        url = f"http://{where}/v1"
        curl = f"curl -sS -w '\\n' -H 'Authorization: Bearer {self._key}'"
        as_json = "-H 'Content-Type: application/json'"
        _title(
            f"The demo's shop `{SHOP}` reminds at once, at any hour: its policy is not for real customers."
        )
        say(f"{posted} What went out is in {self._data / HANDED_OVER}")
        _title("Post an order:")
        say(f"{curl} {as_json} {url}/events -d '{_text(unpaid)}'")
        _title("Look at it, and at every step it took:")
        say(f"{curl} {url}/orders/{SHOP}/{order}")
        say(f"{curl} '{url}/audit?shop={SHOP}&order={order}'")
        _title("Pay it: the answer says what that stopped and what was too late.")
        say(f"{curl} {as_json} {url}/events -d '{_text(paid)}'")
        _title("Claim a call to a customer:")
        say(f"{curl} {as_json} '{url}/tasks/{TO_CALL}/claim' -d '{{\"agent\":\"me\"}}'")


def samples(now: Instant) -> list[dict[str, Any]]:
    """Return the events of the sample orders, all placed now."""
    events = [_event("order.unpaid", order, now, total, customer) for order, total, customer in SAMPLES]
    return [*events, _event("order.paid", PAID, now)]


def _event(
    kind: str, order: str, now: Instant, total: str | None = None, customer: dict[str, str] | None = None
) -> dict[str, Any]:
    about: dict[str, Any] = {"id": order}
    if total is not None:
        about |= {
            "placed_at": iso(now),
            "total": total,
            "currency": "CNY",
            "pay_url": f"https://pay.example/{order}",
            "items": [{"name": "示例商品", "quantity": 1, "price": total}],
        }
    return {
        "specversion": "1.0",
        "id": f"{order}-{kind.partition('.')[2]}",
        "source": f"/shops/{SHOP}",
        "type": kind,
        "time": iso(now),
        "data": {"order": about} if customer is None else {"order": about, "customer": customer},
    }


def _text(event: dict[str, Any]) -> str:
    return msgspec.json.encode(event).decode()


def _title(text: str) -> None:
    say(click.style(text, bold=True))


def _write(path: Path, text: str) -> None:
    """Write a file whole, for its owner only."""
    part = path.with_suffix(".part")
    with open(part, "w", encoding="utf-8", opener=lambda name, flags: os.open(name, flags, 0o600)) as file:
        file.write(text)
    part.replace(path)
