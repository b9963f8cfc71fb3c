"""Templates of a shop's own in place of the catalog's: named, compiled and put among the others."""

from collections.abc import Mapping

import msgspec

from dispatcher.errors import StoreRefused
from dispatcher.messages.bounds import Problem
from dispatcher.messages.catalog import Catalog, Template, compiled
from dispatcher.messages.phrasing import Phrasings
from dispatcher.messages.schema import Value

OWN = "@shop."
"""Parts a template's name from the number of a shop's version, where the catalog has an `@` alone."""

NUMBER_TO_COME = 1
"""Stands for the number of a version that is not published yet; it changes nothing of the text."""


def names(catalog: Catalog) -> dict[str, Template]:
    """Return what a shop may put a template of its own in place of, as `zh-CN/first_reminder/sms`."""
    return {"/".join(at): found for at, found in catalog.templates.items()}


def called(packaged: Template) -> str:
    """Return what a shop's versions of a template are called, up to their number."""
    return packaged.name.rpartition("@")[0] + OWN


def own_template(
    packaged: Template, source: str, version: int = NUMBER_TO_COME
) -> tuple[Template | None, tuple[Problem, ...]]:
    """Return a shop's version of a template, or everything that is wrong with its source.

    It must carry what the manifest asks of the catalog's own.
    """
    entry = msgspec.structs.replace(packaged.entry, version=version)
    return compiled(source, f"{called(packaged)}{version}", packaged.channel, entry, packaged.locale)


class _Unusable(Phrasings):
    """Says nothing."""

    def __init__(self) -> None:
        pass

    def filled(self, values: Mapping[str, Value]) -> tuple[str, tuple[object, ...]]:
        raise StoreRefused("a template that the shop has published cannot be used")


def unusable(packaged: Template, version: int) -> Template:
    """Return what stands for a shop's version that is not to be had: writing by it is `StoreRefused`."""
    name = f"{called(packaged)}{version}"
    return msgspec.structs.replace(packaged, name=name, fields=(), plain=(), phrasings=_Unusable())


def with_own(catalog: Catalog, own: Mapping[str, Template]) -> Catalog:
    """Return the catalog of a shop that has templates of its own, by what `names` calls them."""
    at = dict(zip(names(catalog), catalog.templates, strict=True))
    return msgspec.structs.replace(
        catalog, templates=catalog.templates | {at[name]: template for name, template in own.items()}
    )
