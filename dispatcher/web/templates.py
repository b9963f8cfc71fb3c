"""Templates of a shop: which are in force, the versions there are, and what is being drafted."""

import msgspec
from litestar import get

from dispatcher.policy.zones import iso
from dispatcher.web.access import require
from dispatcher.web.answers import Answer, answer
from dispatcher.web.describing import Described, opens
from dispatcher.web.paging import DEFAULT_LIMIT, LIMIT, Page, cursor, token
from dispatcher.web.parts import Asked, parts_of
from dispatcher.web.policies import HIGHEST_VERSION, Version, told
from dispatcher.web.query import number, read_query
from dispatcher.workflow.authoring import Authoring, Place, Source

READ = "templates:read"

ALL = "/v1/shops/{shop:str}/templates"
ONE = ALL + "/{locale:str}/{scenario:str}/{channel:str}"

VERSION = {"version": number(0, HIGHEST_VERSION, "A version, 0 being the product's; else the one in force.")}


class _After(msgspec.Struct, array_like=True, forbid_unknown_fields=True):
    """A list goes on after the template of this name."""

    name: str


LISTED = {"limit": LIMIT, "cursor": cursor(_After)}


class Drafted(msgspec.Struct, frozen=True, kw_only=True):
    """When a draft was written, by whom and why."""

    at: str
    actor: str
    note: str | None


class ShopTemplate(msgspec.Struct, frozen=True, kw_only=True):
    """What is in force in one place of a shop's catalog, and the draft for it, if there is one."""

    locale: str
    scenario: str
    channel: str
    template: str
    version: int
    draft: Drafted | None


class TemplateSource(msgspec.Struct, frozen=True, kw_only=True):
    """A template as it is written; of a draft there is no version, of the product's own no author."""

    template: str | None
    version: int | None
    source: str
    sha256: str
    at: str | None = None
    actor: str | None = None
    note: str | None = None


@get(ALL, opt=opens(READ, Described(query=LISTED, answers={"application/json": Page[ShopTemplate]})))
async def list_templates(request: Asked) -> Answer:
    """List which template is in force for each scenario and channel, the shop's own or the product's."""
    given = read_query(request, LISTED)
    shop = request.path_params["shop"]
    require(request, shop)
    after, limit = given.get("cursor"), given.get("limit", DEFAULT_LIMIT)
    found = [one for one in await authoring(request).places(shop) if after is None or one.name > after.name]
    items = [placed(one) for one in found[:limit]]
    return answer(Page(items, token(_After(found[limit - 1].name)) if found[limit:] else None))


@get(
    ONE,
    opt=opens(
        READ,
        Described(query=VERSION, answers={"application/json": TemplateSource}, codes=("unknown-template",)),
    ),
)
async def get_template(request: Asked) -> Answer:
    """Return the template in force as it is written, or another version of it."""
    given = read_query(request, VERSION)
    shop, name = asked(request)
    return _source(await authoring(request).source(shop, name, given.get("version")))


@get(
    ONE + "/versions",
    opt=opens(READ, Described(answers={"application/json": Page[Version]}, codes=("unknown-template",))),
)
async def list_template_versions(request: Asked) -> Answer:
    """List the versions that are kept of a shop's template, newest first, without the product's own."""
    read_query(request, {})
    shop, name = asked(request)
    live, versions = await authoring(request).versions(shop, name)
    items = [Version(version=one, in_force=one == live, **told(about)) for one, about in versions.items()]
    return answer(Page(items, None))


@get(
    ONE + "/draft",
    opt=opens(READ, Described(answers={"application/json": TemplateSource}, codes=("unknown-template",))),
)
async def get_draft(request: Asked) -> Answer:
    """Return the draft of a template."""
    read_query(request, {})
    shop, name = asked(request)
    return _source(await authoring(request).drafted(shop, name))


def authoring(request: Asked) -> Authoring:
    """Return what knows the templates of shops."""
    return parts_of(request).service.authoring


def asked(request: Asked) -> tuple[str, str]:
    """Return the shop and the name of the template that a path is about; raises `Forbidden`."""
    path = request.path_params
    require(request, path["shop"])
    return path["shop"], f"{path['locale']}/{path['scenario']}/{path['channel']}"


def placed(one: Place) -> ShopTemplate:
    """Return what is told of one place of a shop's catalog."""
    locale, scenario, channel = one.name.split("/")
    draft = one.draft
    return ShopTemplate(
        locale=locale,
        scenario=scenario,
        channel=channel,
        template=one.template,
        version=one.version,
        draft=None if draft is None else Drafted(at=iso(draft.at), actor=draft.actor, note=draft.note),
    )


def _source(found: Source) -> Answer:
    return answer(
        TemplateSource(
            template=found.template,
            version=found.version,
            source=found.text,
            sha256=found.sha256,
            **told(found.about),
        )
    )
