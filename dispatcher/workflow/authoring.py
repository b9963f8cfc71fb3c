"""Templates of a shop's own: drafted, checked, published and taken back by people, each with a record."""

import asyncio
from collections.abc import Mapping
from hashlib import sha256
from typing import Any

import msgspec

from dispatcher.errors import Contended, UnknownTemplate
from dispatcher.messages.catalog import Catalog, Template
from dispatcher.messages.own import called, names
from dispatcher.messages.publishing import Look, examine
from dispatcher.policy.document import Policy
from dispatcher.storage.records import About, published
from dispatcher.storage.template_changes import Change, Kept, TemplateChange
from dispatcher.workflow.naming import unknown_template
from dispatcher.workflow.policies import PolicyBook
from dispatcher.workflow.ports import Clock, ShopTemplates

GONE = "there is no such version of the template, or it is not kept any more"

CALLED: dict[Change, str] = {
    "draft": "drafted",
    "discard": "discarded",
    "publish": "published",
    "rollback": "rolled_back",
    "withdraw": "withdrawn",
}
"""Changes, as the audit names them."""


class Place(msgspec.Struct, frozen=True, kw_only=True):
    """What is in force at one place of a shop's catalog; version 0 is the product's."""

    name: str
    template: str
    version: int
    draft: About | None


class Source(msgspec.Struct, frozen=True, kw_only=True):
    """A template's source with its version (0: the product's, `None`: the draft) and what is known of it."""

    name: str
    template: str | None
    version: int | None
    text: str
    about: About | None = None

    @property
    def sha256(self) -> str:
        """The text's SHA-256, as the audit tells it."""
        return _sha256(self.text)


class Published(msgspec.Struct, frozen=True, kw_only=True):
    """Which version is in force now, and what is known of it."""

    template: str
    version: int
    look: Look | None = None


class Authoring:
    """Lets shops put templates of their own in place of the catalog's; a name is as in `zh-CN/repeat/sms`.

    Every method raises `UnknownTemplate` for a name that the catalog does not have.
    """

    def __init__(self, kept: ShopTemplates, policies: PolicyBook, catalog: Catalog, clock: Clock) -> None:
        self._kept = kept
        self._policies = policies
        self._catalog = catalog
        self._clock = clock
        self._names = names(catalog)

    async def places(self, shop: str) -> list[Place]:
        """Return every place of the catalog, by name."""
        live = await self._live(shop)
        drafts = await self._kept.drafts(shop, list(self._names))
        return [self._place(name, live, drafts) for name in sorted(self._names)]

    async def source(self, shop: str, name: str, version: int | None = None) -> Source:
        """Return a version of a template, 0 being the product's, `None` what is in force."""
        packaged = self._packaged(name)
        wanted = (await self._live(shop)).get(name, 0) if version is None else version
        template = _template(packaged, wanted)
        if wanted == 0:
            return Source(name=name, template=template, version=0, text=packaged.source)
        kept = await self._kept.kept(shop, name, wanted)
        if kept is None:
            raise UnknownTemplate(GONE)
        return Source(name=name, template=template, version=wanted, text=kept.text, about=kept.about)

    async def drafted(self, shop: str, name: str) -> Source:
        """Return a template's draft."""
        self._packaged(name)
        kept = await self._draft(shop, name)
        return Source(name=name, template=None, version=None, text=kept.text, about=kept.about)

    async def versions(self, shop: str, name: str) -> tuple[int, dict[int, About]]:
        """Return which version is in force, and those that are kept, the newest first."""
        self._packaged(name)
        return (await self._live(shop)).get(name, 0), await self._kept.versions(shop, name)

    async def check(self, shop: str, name: str, text: str) -> Look:
        """Return what is wrong with a source and what it costs, by the shop's policy in force."""
        policy = (await self._policies.in_force(shop, anew=True)).policy
        return examine(self._catalog, self._packaged(name), text, policy)

    async def draft(self, shop: str, name: str, text: str, actor: str, note: str | None) -> Look:
        """Keep a draft, one that is not right yet too, and return what publishing it would meet."""
        found = await self.check(shop, name, text)
        await self._change(shop, name, "draft", actor, text=text, note=note)
        return found

    async def discard(self, shop: str, name: str, actor: str) -> Place:
        """Throw the draft away, if there is one, and return what stands there."""
        self._packaged(name)
        await self._change(shop, name, "discard", actor)
        return self._place(name, await self._live(shop), {})

    async def publish(
        self, shop: str, name: str, actor: str, note: str | None, seen: str | None = None
    ) -> Published:
        """Put the draft into force as the next version; one that is in force stays so.

        `seen` is the SHA-256 of the text that is meant, if the caller tells. Without a `note` the draft's
        stays. Raises `InvalidTemplate` with everything that is wrong, and `Contended` when the draft is
        another one than was seen or checked.
        """
        self._packaged(name)
        kept = await self._draft(shop, name)
        if seen is not None and seen != _sha256(kept.text):
            raise Contended("the draft is another text than the one that was looked at; look at it again")
        found = await self._right(shop, name, kept.text, "/source")
        return await self._publish(shop, name, kept.text, actor, note or kept.about.note, found)

    async def publish_text(
        self, shop: str, name: str, text: str, actor: str, note: str | None, *, over_draft: bool
    ) -> Published:
        """Put a text into force as the next version and let it be the draft; raises as `publish`.

        It is `Contended` too where another's draft that was never published would be lost, unless it goes
        `over_draft`.
        """
        found = await self._right(shop, name, text, "")
        if not over_draft:
            await self._spare(shop, name, text, actor)
        await self._change(shop, name, "draft", actor, text=text, note=note)
        return await self._publish(shop, name, text, actor, note, found)

    async def _spare(self, shop: str, name: str, text: str, actor: str) -> None:
        """Raise `Contended` where another's draft of another text was not published since it was written."""
        draft = await self._kept.kept(shop, name, None)
        if draft is None or draft.text == text or draft.about.actor == actor:
            return
        newest = next(iter(await self._kept.versions(shop, name)), None)
        known = None if newest is None else await self._kept.kept(shop, name, newest)
        if known is None or known.text != draft.text:
            raise Contended(f"{draft.about.actor} has a draft that is not published, which would be lost")

    async def _right(self, shop: str, name: str, text: str, pointer: str) -> Look:
        """Return what a look at a text finds; raises `InvalidTemplate` if that is a problem."""
        found = await self.check(shop, name, text)
        if found.problems:
            raise found.refusal(pointer)
        return found

    async def _publish(
        self, shop: str, name: str, text: str, actor: str, note: str | None, found: Look
    ) -> Published:
        version = await self._change(shop, name, "publish", actor, text=text, note=note)
        if version is None:
            raise Contended("the draft changed while it was checked; look at it and publish it again")
        return self._published(name, version, found)

    async def unsuited(self, shop: str, policy: Policy) -> tuple[str, ...]:
        """Tell which of the shop's templates in force are not right under a policy, and why."""
        live = [each for each in (await self._live(shop)).items() if each[0] in self._names]
        if not live:
            return ()
        texts = await self._kept.texts(shop, [f"{name}@{version}" for name, version in live])
        told = []
        for (name, version), text in zip(live, texts, strict=True):
            packaged = self._names[name]
            source = None if text is None else text.decode(errors="replace")
            found = None if source is None else examine(self._catalog, packaged, source, policy)
            problems = (GONE,) if found is None else found.problems
            if problems:
                told.append(f"the shop's template {_template(packaged, version)} is not right: {problems[0]}")
            await asyncio.sleep(0)  # a shop may have many, and others wait
        return tuple(told)

    async def rollback(self, shop: str, name: str, version: int, actor: str, note: str | None) -> Published:
        """Put an older version into force again, where today's checks let it; raises as `publish`."""
        kept = await self.source(shop, name, version)
        if version == 0:
            return await self.withdraw(shop, name, actor, note)
        found = await self._right(shop, name, kept.text, "/version")
        of: dict[str, Any] = {"hashed": kept.text, "note": note, "version": version}
        if await self._change(shop, name, "rollback", actor, **of) is None:
            raise UnknownTemplate(GONE)
        return self._published(name, version, found)

    async def withdraw(self, shop: str, name: str, actor: str, note: str | None) -> Published:
        """Go back to the product's own template; the shop's versions stay where they are."""
        self._packaged(name)
        await self._change(shop, name, "withdraw", actor, note=note)
        return self._published(name, 0, None)

    async def _change(
        self, shop: str, name: str, change: Change, actor: str, *, hashed: str | None = None, **of: Any
    ) -> int | None:
        packaged, text, note = self._names[name], of.get("text", hashed), of.get("note")
        told = {"change": CALLED[change], "name": name}
        if text is not None:
            told["sha256"] = _sha256(text)
        if note is not None:
            told["note"] = note
        prefix = packaged.name if change == "withdraw" else called(packaged)
        command = TemplateChange(kind=change, name=name, called=prefix, told=told, **of)
        return await self._kept.change(shop, command, self._clock.now(), actor)

    async def _draft(self, shop: str, name: str) -> Kept:
        kept = await self._kept.kept(shop, name, None)
        if kept is None:
            raise UnknownTemplate("the shop has no draft of this template")
        return kept

    async def _live(self, shop: str) -> dict[str, int]:
        return published((await self._policies.in_force(shop, anew=True)).state.templates)

    def _packaged(self, name: str) -> Template:
        found = self._names.get(name)
        if found is None:
            raise unknown_template(name, self._names)
        return found

    def _place(self, name: str, live: Mapping[str, int], drafts: Mapping[str, About]) -> Place:
        version = live.get(name, 0)
        template = _template(self._names[name], version)
        return Place(name=name, template=template, version=version, draft=drafts.get(name))

    def _published(self, name: str, version: int, found: Look | None) -> Published:
        return Published(template=_template(self._names[name], version), version=version, look=found)


def _template(packaged: Template, version: int) -> str:
    return packaged.name if version == 0 else f"{called(packaged)}{version}"


def _sha256(text: str) -> str:
    return sha256(text.encode()).hexdigest()
