"""What writes the messages of a shop: the catalog, with what the shop has published in its place."""

import logging

from dispatcher.errors import InvalidTemplate, StoreRefused
from dispatcher.messages.catalog import Catalog, Template
from dispatcher.messages.own import names, own_template, unusable, with_own
from dispatcher.messages.rendering import Rendered, render
from dispatcher.policy.decisions import Send
from dispatcher.policy.document import Policy
from dispatcher.policy.facts import Facts, Instant
from dispatcher.telemetry import TEMPLATE_UNUSABLE
from dispatcher.workflow.judging import Renderer
from dispatcher.workflow.ports import Published

KEPT_TEMPLATES = 2_000
"""Versions of shops' templates that are kept compiled; beyond that all are read anew."""

KEPT_WRITERS = 1_000
"""Shops with templates of their own that are remembered at once."""

_log = logging.getLogger(__name__)


class TemplateBook:
    """Templates by shop and version; a version never changes, so it is read and compiled once."""

    def __init__(self, published: Published, catalog: Catalog) -> None:
        self._published = published
        self._catalog = catalog
        self._names = names(catalog)
        self._packaged = _writer(catalog)
        self._compiled: dict[tuple[str, str], Template] = {}
        self._writers: dict[tuple[str, str], Renderer] = {}

    async def writer(self, shop: str, published: str) -> Renderer:
        """Return what writes for a shop by the versions that are `published`, as a lease names them.

        Where a version is not to be had any more, or cannot be compiled, writing what it is for raises
        `StoreRefused`: nothing else goes out instead of what the shop published.
        """
        if not published:
            return self._packaged
        found = self._writers.get((shop, published))
        if found is None:
            own = await self._own(shop, [each for each in published.split(",") if self._name(each)])
            if len(self._writers) >= KEPT_WRITERS:
                self._writers.clear()
            found = self._writers[shop, published] = _guarded(with_own(self._catalog, own))
        return found

    def _name(self, version: str) -> str:
        """Return what a version is one of; nothing where this release has no such template."""
        name = version.rpartition("@")[0]
        return name if name in self._names else ""

    async def _own(self, shop: str, versions: list[str]) -> dict[str, Template]:
        missing = [each for each in versions if (shop, each) not in self._compiled]
        if len(self._compiled) + len(missing) > KEPT_TEMPLATES:
            self._compiled.clear()
            missing = versions
        if missing:
            texts = await self._published.texts(shop, missing)
            for each, text in zip(missing, texts, strict=True):
                self._compiled[shop, each] = self._compile(shop, each, text)
        return {self._name(each): self._compiled[shop, each] for each in versions}

    def _compile(self, shop: str, version: str, text: bytes | None) -> Template:
        packaged = self._names[self._name(version)]
        number = int(version.rpartition("@")[2])
        try:
            template = None if text is None else own_template(packaged, text.decode(), number)[0]
        except UnicodeDecodeError:
            template = None
        if template is None:
            _log.error(TEMPLATE_UNUSABLE, extra={"shop": shop, "template": version})
        return template or unusable(packaged, number)


def _writer(catalog: Catalog) -> Renderer:
    def write(facts: Facts, decision: Send, policy: Policy, now: Instant) -> Rendered:
        return render(catalog, facts, decision, policy, now)

    return write


def _guarded(catalog: Catalog) -> Renderer:
    def write(facts: Facts, decision: Send, policy: Policy, now: Instant) -> Rendered:
        try:
            return render(catalog, facts, decision, policy, now)
        except InvalidTemplate as error:
            raise StoreRefused("a template that the shop has published cannot be used") from error

    return write
