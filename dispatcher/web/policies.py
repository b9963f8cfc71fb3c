"""A shop's policy: the one in force, those before it, and new ones."""

from typing import Annotated, Any

import msgspec
from litestar import get, post, put

from dispatcher.errors import InvalidPolicy
from dispatcher.policy.document import load_json, to_json
from dispatcher.policy.zones import iso
from dispatcher.storage.listing import Listing, Place, Wanted
from dispatcher.storage.looking import about_versions
from dispatcher.storage.records import About
from dispatcher.web.access import require
from dispatcher.web.answers import Answer, answer
from dispatcher.web.bodies import read_object
from dispatcher.web.describing import Described, opens, ref
from dispatcher.web.paging import DEFAULT_LIMIT, LIMIT, Page, cursor, token
from dispatcher.web.parts import Asked, parts_of
from dispatcher.web.problems import WrongField
from dispatcher.web.query import line, number, one_of, read_query
from dispatcher.workflow.replanning import PAGE

READ, WRITE = "policy:read", "policy:write"

MAX_NOTE = 200
HIGHEST_VERSION = 1_000_000_000

DOCUMENT = ref("Policy")
ANY = {"type": "object", "description": "What may be a policy document, see the schema Policy."}


class Before(msgspec.Struct, frozen=True, array_like=True, forbid_unknown_fields=True):
    """A list goes on with the versions before this one."""

    version: Annotated[int, msgspec.Meta(ge=1, le=HIGHEST_VERSION)]


VERSION = {"version": number(0, HIGHEST_VERSION, "A version; if not given the one in force.")}
NOTE = {"note": line(MAX_NOTE, "Why, for the audit.")}
VERSIONS = {"limit": LIMIT, "cursor": cursor(Before)}
REPLAN = {
    "apply": one_of(("true", "false"), "Whether to move them; if not given or false, they are only counted."),
    "cursor": cursor(Place),
}


class PolicyVersion(msgspec.Struct, frozen=True, kw_only=True):
    """A version of a policy and who put it into force; 0 is the default policy, of which nobody did."""

    version: int
    policy: dict[str, Any]
    at: str | None = None
    actor: str | None = None
    note: str | None = None


class Version(msgspec.Struct, frozen=True, kw_only=True):
    """A version without its document."""

    version: int
    in_force: bool
    at: str | None = None
    actor: str | None = None
    note: str | None = None


class InForce(msgspec.Struct, frozen=True, omit_defaults=True):
    """The version that is in force now."""

    version: int
    warnings: tuple[str, ...] = ()


class Checked(msgspec.Struct, frozen=True, omit_defaults=True):
    """Whether a policy document is right, and each wrong field."""

    valid: bool
    errors: tuple[WrongField, ...]
    warnings: tuple[str, ...] = ()


class Replanned(msgspec.Struct, frozen=True, kw_only=True):
    """What the policy in force plans otherwise, of the reminders on this page.

    Of those that wait `kept` stay; of the others so many go `earlier` or `later`, change
    `to_channel`, or are `dropped` by reason. `changed` had moved by themselves when they were to be moved.
    """

    looked_at: int
    kept: int
    earlier: int
    later: int
    to_channel: dict[str, int]
    dropped: dict[str, int]
    changed: int
    next_cursor: str | None


@get(
    "/v1/shops/{shop:str}/policy",
    opt=opens(
        READ,
        Described(query=VERSION, answers={"application/json": PolicyVersion}, codes=("unknown-policy",)),
    ),
)
async def get_policy(request: Asked) -> Answer:
    """Return the policy in force, or another version of it."""
    given = read_query(request, VERSION)
    shop = request.path_params["shop"]
    require(request, shop)
    service = parts_of(request).service
    version, policy = await service.policies.wanted(shop, given.get("version"))
    about = (await about_versions(service.store, shop, [version])).get(version)
    return answer(PolicyVersion(version=version, policy=to_json(policy), **told(about)))


@put(
    "/v1/shops/{shop:str}/policy",
    opt=opens(
        WRITE,
        Described(
            query=NOTE,
            body={"application/json": DOCUMENT},
            answers={"application/json": InForce},
            codes=("invalid-policy",),
        ),
    ),
)
async def put_policy(request: Asked) -> Answer:
    """Put a policy into force as a new version; one that is not right is refused as a whole.

    Where the document is that of the version in force, nothing changes. Warnings tell which templates of the
    shop are not right under it.
    """
    given = read_query(request, NOTE)
    shop = request.path_params["shop"]
    caller = require(request, shop)
    policy = load_json(await read_object(request))
    service = parts_of(request).service
    version = await service.put_policy(shop, policy, given.get("note", ""), caller.actor)
    unsuited = await service.authoring.unsuited(shop, policy)
    return answer(InForce(version, (*service.warnings(policy), *unsuited)))


@get(
    "/v1/shops/{shop:str}/policy/versions",
    opt=opens(READ, Described(query=VERSIONS, answers={"application/json": Page[Version]})),
)
async def list_versions(request: Asked) -> Answer:
    """List the versions of a policy, newest first; the default policy, version 0, is not among them."""
    given = read_query(request, VERSIONS)
    shop = request.path_params["shop"]
    require(request, shop)
    store = parts_of(request).service.store
    newest = (await store.shop(shop)).policy
    before: Before | None = given.get("cursor")
    first = min(newest, before.version - 1) if before else newest
    versions = range(first, max(0, first - given.get("limit", DEFAULT_LIMIT)), -1)
    about = await about_versions(store, shop, versions)
    items = [
        Version(version=version, in_force=version == newest, **told(about.get(version)))
        for version in versions
    ]
    more = Before(versions[-1]) if versions and versions[-1] > 1 else None
    return answer(Page(items, token(more)))


def told(about: About | None) -> dict[str, str | None]:
    """Return when, by whom and why, as an answer tells it; nothing where nobody knows."""
    return {} if about is None else {"at": iso(about.at), "actor": about.actor, "note": about.note}


@post(
    "/v1/shops/{shop:str}/policy/check",
    status_code=200,
    opt=opens(READ, Described(body={"application/json": ANY}, answers={"application/json": Checked})),
)
async def check_policy(request: Asked) -> Answer:
    """Tell whether a policy document is right, without putting it into force."""
    read_query(request, {})
    shop = request.path_params["shop"]
    require(request, shop)
    document = await read_object(request)
    try:
        policy = load_json(document)
    except InvalidPolicy as wrong:
        return answer(Checked(False, tuple(WrongField(one.pointer, one.detail) for one in wrong.problems)))
    service = parts_of(request).service
    unsuited = await service.authoring.unsuited(shop, policy)
    return answer(Checked(True, (), (*service.warnings(policy), *unsuited)))


@post(
    "/v1/shops/{shop:str}/policy/replan",
    status_code=200,
    opt=opens(WRITE, Described(query=REPLAN, answers={"application/json": Replanned}, codes=("contended",))),
)
async def replan_shop(request: Asked) -> Answer:
    """Count what the policy in force would plan otherwise, or plan it so, page by page.

    Only what is not due yet moves, and only to an instant ahead: nothing that a newer policy would have
    sent earlier is sent now because of it. What the policy would not send is dropped by its reason, and what
    follows a hand-off of its order stays.
    """
    given = read_query(request, REPLAN)
    shop = request.path_params["shop"]
    caller = require(request, shop)
    service = parts_of(request).service
    actor = caller.actor if given.get("apply") == "true" else None
    listed, place = await Listing(service.store).reminders(Wanted(shop=shop), PAGE, given.get("cursor"))
    moves = await service.replanning.look(shop, listed, actor=actor)
    return answer(Replanned(looked_at=len(listed), next_cursor=token(place), **msgspec.structs.asdict(moves)))
