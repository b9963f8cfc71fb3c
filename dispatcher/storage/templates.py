"""What shops have in place of the product's templates: drafts and published versions, each change audited."""

from collections.abc import Hashable, Mapping, Sequence
from typing import TypeVar

import msgspec

from dispatcher.policy.facts import Instant
from dispatcher.storage.calls import Call
from dispatcher.storage.packing import pack
from dispatcher.storage.reading import Reader
from dispatcher.storage.records import About
from dispatcher.storage.scripts import SCRIPTS
from dispatcher.storage.template_changes import Kept, TemplateChange
from dispatcher.storage.unreadable import readable

VERSIONS_KEPT = 20
"""So many versions of a template are kept of a shop, the newest; the audit names them all."""

DRAFT = "draft"

GONE = -1
"""What `lua/template.lua` replies where the draft or version is not there."""

K = TypeVar("K", bound=Hashable)

_ABOUT = msgspec.json.Decoder(About)


class ShopTemplates:
    """The templates of shops, each by its name, as in `zh-CN/first_reminder/sms`."""

    def __init__(self, store: Reader) -> None:
        self._store = store

    async def texts(self, shop: str, versions: Sequence[str]) -> list[bytes | None]:
        """Return the texts of versions, each named as in `zh-CN/first_reminder/sms@3`."""
        found: list[bytes | None] = await self._store.redis.hmget(self._key(shop), list(versions))  # type: ignore[misc]
        return found

    async def kept(self, shop: str, name: str, version: int | None) -> Kept | None:
        """Return a version of a template, `None` being its draft."""
        at = f"{name}@{DRAFT if version is None else version}"
        text, about = await self.texts(shop, (at, f"{at}:about"))
        if text is None or about is None:
            return None
        what = f"what is stored of the template {at} of {shop}"
        return Kept(readable(what, bytes.decode, text), readable(what, _ABOUT.decode, about))

    async def drafts(self, shop: str, names: Sequence[str]) -> dict[str, About]:
        """Return what is known of the drafts among templates."""
        return await self._about(shop, {name: f"{name}@{DRAFT}" for name in names})

    async def versions(self, shop: str, name: str) -> dict[int, About]:
        """Return what is known of the versions that are kept of a template, the newest first."""
        (newest,) = await self.texts(shop, (f"{name}@newest",))
        last = readable(f"what is stored of the templates of {shop}", int, newest or b"0")
        numbers = range(last, max(0, last - VERSIONS_KEPT), -1)
        if not numbers:
            return {}
        return await self._about(shop, {number: f"{name}@{number}" for number in numbers})

    async def _about(self, shop: str, wanted: Mapping[K, str]) -> dict[K, About]:
        texts = await self.texts(shop, [f"{at}:about" for at in wanted.values()])
        return {
            name: readable(f"what is stored of the template {at} of {shop}", _ABOUT.decode, text)
            for (name, at), text in zip(wanted.items(), texts, strict=True)
            if text is not None
        }

    async def change(self, shop: str, change: TemplateChange, now: Instant, actor: str) -> int | None:
        """Make a change and return which version is in force then, 0 being the product's.

        `None` where the draft or version that it is about is not there, or not any more.
        """
        call = Call(self._store.keys(self._store.lane_of(shop)))
        call.shop(shop)
        item: dict[str, object] = {
            "kind": change.kind,
            "name": change.name,
            "called": change.called,
            "templates": call.key(call.lane.templates(shop)),
            "details": pack(msgspec.json.encode(change.told)),
        }
        if change.text is not None:
            about = About(now, actor, change.note)
            item |= {"text": change.text, "about": msgspec.json.encode(about).decode()}
        if change.version is not None:
            item["version"] = change.version
        head = {"now": now, "actor": actor, "shops": call.shops, "kept": VERSIONS_KEPT}
        (reply,) = await SCRIPTS["template"](self._store.redis, call.keys, head, [item])
        return None if int(reply) == GONE else int(reply)

    def _key(self, shop: str) -> str:
        return self._store.keys(self._store.lane_of(shop)).templates(shop)
