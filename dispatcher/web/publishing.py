"""Changing the templates of a shop: drafts, checks, and putting one into force or back."""

from typing import Any

from litestar import delete, post, put

from dispatcher.messages.bounds import MAX_SOURCE_CHARACTERS
from dispatcher.messages.checking import Figures
from dispatcher.messages.publishing import Look
from dispatcher.policy import event_text, event_values
from dispatcher.policy.event_wire import Field, Shape
from dispatcher.web.access import caller_of
from dispatcher.web.answers import Answer, answer
from dispatcher.web.describing import Described, opens
from dispatcher.web.parts import Asked
from dispatcher.web.policies import HIGHEST_VERSION, MAX_NOTE, NOTE
from dispatcher.web.problems import WrongField
from dispatcher.web.query import read_fields, read_query
from dispatcher.web.templates import ONE, READ, ShopTemplate, asked, authoring, placed
from dispatcher.workflow.authoring import Published

WRITE = "templates:write"

SOURCE = Field(event_text.note(MAX_SOURCE_CHARACTERS), nullable=False)
WHY = Field(event_text.line(MAX_NOTE))

HEX_DIGITS = 64
"""Of a SHA-256."""

DRAFT = Shape({"source": SOURCE, "note": WHY}, frozenset({"source"}))
CHECKED = Shape({"source": SOURCE}, frozenset({"source"}))
PUBLISHED = Shape({"note": WHY, "sha256": Field(event_text.line(HEX_DIGITS), nullable=False)})
ROLLED_BACK = Shape(
    {"version": Field(event_values.whole_number(0, HIGHEST_VERSION), nullable=False), "note": WHY},
    frozenset({"version"}),
)


class Costs(Figures, frozen=True, kw_only=True, omit_defaults=True):
    """What messages of a template cost, and words in them that are better not said."""

    advised: tuple[str, ...] = ()


class CheckedTemplate(Costs, frozen=True, kw_only=True):
    """Whether a template could be published, and everything that is wrong with it."""

    valid: bool
    errors: tuple[WrongField, ...]


class PublishedTemplate(Costs, frozen=True, kw_only=True):
    """What is in force now."""

    template: str
    version: int


@put(
    ONE + "/draft",
    opt=opens(
        WRITE,
        Described(
            body={"application/json": DRAFT},
            answers={"application/json": CheckedTemplate},
            codes=("unknown-template",),
        ),
    ),
)
async def put_draft(request: Asked) -> Answer:
    """Keep a draft in place of the one before, and tell what publishing it would meet.

    One that is not right yet is kept too. Nothing is sent by a draft.
    """
    read_query(request, {})
    shop, name = asked(request)
    given = await read_fields(request, DRAFT)
    source = given["source"] or ""
    return _checked(
        await authoring(request).draft(shop, name, source, caller_of(request).actor, given.get("note"))
    )


@delete(
    ONE + "/draft",
    status_code=200,
    opt=opens(WRITE, Described(answers={"application/json": ShopTemplate}, codes=("unknown-template",))),
)
async def discard_draft(request: Asked) -> Answer:
    """Throw a draft away; where there is none, nothing changes."""
    read_query(request, {})
    shop, name = asked(request)
    return answer(placed(await authoring(request).discard(shop, name, caller_of(request).actor)))


@post(
    ONE + "/check",
    status_code=200,
    opt=opens(
        READ,
        Described(
            body={"application/json": CHECKED},
            answers={"application/json": CheckedTemplate},
            codes=("unknown-template",),
        ),
    ),
)
async def check_template(request: Asked) -> Answer:
    """Tell what is wrong with a template and what its messages cost, without keeping it."""
    read_query(request, {})
    shop, name = asked(request)
    given = await read_fields(request, CHECKED)
    return _checked(await authoring(request).check(shop, name, given["source"] or ""))


@post(
    ONE + "/publish",
    status_code=200,
    opt=opens(
        WRITE,
        Described(
            body={"application/json": PUBLISHED},
            body_required=False,
            answers={"application/json": PublishedTemplate},
            codes=("unknown-template", "invalid-template", "contended"),
        ),
    ),
)
async def publish_template(request: Asked) -> Answer:
    """Put the draft into force as the next version; one that is not right is refused as a whole.

    With the `sha256` of the text that was looked at no other is published. What was decided by the text
    before and is not being sent yet is decided anew. A draft that is in force already changes nothing.
    """
    read_query(request, {})
    shop, name = asked(request)
    given = await read_fields(request, PUBLISHED)
    note, seen = given.get("note"), given.get("sha256")
    return _published(await authoring(request).publish(shop, name, caller_of(request).actor, note, seen))


@post(
    ONE + "/rollback",
    status_code=200,
    opt=opens(
        WRITE,
        Described(
            body={"application/json": ROLLED_BACK},
            answers={"application/json": PublishedTemplate},
            codes=("unknown-template", "invalid-template"),
        ),
    ),
)
async def roll_back_template(request: Asked) -> Answer:
    """Put an older version into force again, 0 being the product's own.

    It must be right by today's checks.
    """
    read_query(request, {})
    shop, name = asked(request)
    given = await read_fields(request, ROLLED_BACK)
    return _published(
        await authoring(request).rollback(
            shop, name, given["version"], caller_of(request).actor, given.get("note")
        )
    )


@delete(
    ONE,
    status_code=200,
    opt=opens(
        WRITE,
        Described(query=NOTE, answers={"application/json": PublishedTemplate}, codes=("unknown-template",)),
    ),
)
async def withdraw_template(request: Asked) -> Answer:
    """Go back to the product's own template; the shop's versions stay, to be put into force again."""
    given = read_query(request, NOTE)
    shop, name = asked(request)
    return _published(
        await authoring(request).withdraw(shop, name, caller_of(request).actor, given.get("note"))
    )


def _costs(look: Look) -> dict[str, Any]:
    return {name: getattr(look, name) for name in Costs.__struct_fields__}


def _checked(look: Look) -> Answer:
    wrong = tuple(WrongField("/source", problem) for problem in look.problems)
    return answer(CheckedTemplate(valid=not wrong, errors=wrong, **_costs(look)))


def _published(found: Published) -> Answer:
    costs = {} if found.look is None else _costs(found.look)
    return answer(PublishedTemplate(template=found.template, version=found.version, **costs))
