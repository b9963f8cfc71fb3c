"""What writes the messages of a shop: the catalog, with what the shop has published in its place."""

import logging
from collections.abc import Mapping

import msgspec

from dispatcher.messages.catalog import Catalog, Template
from dispatcher.messages.own import names, own_template, unusable, with_own
from dispatcher.messages.rendering import Rendered, render
from dispatcher.policy.decisions import Send
from dispatcher.policy.document import Policy
from dispatcher.policy.facts import Facts, Instant
from dispatcher.storage.records import published
from dispatcher.telemetry import TEMPLATE_UNUSABLE
from dispatcher.workflow.judging import Renderer
from dispatcher.workflow.ports import Published

KEPT_TEMPLATES = 2_000
"""Templates of shops' own that are kept compiled; beyond that all are read anew."""

_log = logging.getLogger(__name__)

Numbered = tuple[str, int]
"""A template's name and the number of a shop's version."""


class _Own(msgspec.Struct, frozen=True):
    """What a shop writes by while this is `published`."""

    published: str
    templates: Mapping[Numbered, Template]
    write: Renderer


class TemplateBook:
    """Templates by shop; a version never changes, so it is compiled once while it is in force."""

    def __init__(self, published: Published, catalog: Catalog) -> None:
        self._published = published
        self._catalog = catalog
        self._names = names(catalog)
        self._packaged = _writer(catalog)
        self._shops: dict[str, _Own] = {}
        self._kept = 0

    async def writer(self, shop: str, published: str) -> Renderer:
        """Return what writes for a shop by the versions that are `published`, as a lease names them.

        Where a version is not to be had any more, or cannot be compiled, writing what it is for raises
        `StoreRefused`: nothing else goes out instead of what the shop published.
        """
        if not published:
            return self._packaged
        own = self._shops.get(shop)
        if own is None or own.published != published:
            own = await self._read(shop, published, {} if own is None else own.templates)
            self._keep(shop, own)
        return own.write

    def _keep(self, shop: str, own: _Own) -> None:
        """Keep one writer for a shop, the newest that was asked for."""
        former = self._shops.pop(shop, None)
        self._kept += len(own.templates) - (0 if former is None else len(former.templates))
        if self._kept > KEPT_TEMPLATES:
            self._shops.clear()
            self._kept = len(own.templates)
        self._shops[shop] = own

    async def _read(self, shop: str, state: str, former: Mapping[Numbered, Template]) -> _Own:
        """Read what is not among the `former` templates; what this release does not have is left out."""
        wanted = [each for each in published(state).items() if each[0] in self._names]
        missing = [each for each in wanted if each not in former]
        templates = {each: former[each] for each in wanted if each in former}
        if missing:
            # While this waits, others keep and forget what they like: only what was at hand before counts.
            texts = await self._published.texts(shop, [f"{name}@{version}" for name, version in missing])
            for each, text in zip(missing, texts, strict=True):
                templates[each] = self._compile(shop, each, text)
        own = {name: template for (name, _), template in templates.items()}
        return _Own(state, templates, _writer(with_own(self._catalog, own)))

    def _compile(self, shop: str, version: Numbered, text: bytes | None) -> Template:
        name, number = version
        packaged = self._names[name]
        try:
            template = None if text is None else own_template(packaged, text.decode(), number)[0]
        except UnicodeDecodeError:
            template = None
        if template is None:
            _log.error(TEMPLATE_UNUSABLE, extra={"shop": shop, "template": f"{name}@{number}"})
        return template or unusable(packaged, number)


def _writer(catalog: Catalog) -> Renderer:
    def write(facts: Facts, decision: Send, policy: Policy, now: Instant) -> Rendered:
        return render(catalog, facts, decision, policy, now)

    return write
