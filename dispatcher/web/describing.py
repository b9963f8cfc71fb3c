"""What a route takes and answers, said beside it, so that its description is made of what it does."""

from collections.abc import Mapping
from typing import Any

import msgspec

from dispatcher.policy.event_wire import Shape
from dispatcher.web.access import needs
from dispatcher.web.query import Params, Schema


def ref(component: str) -> Schema:
    """Return the reference to a named schema of the description."""
    return {"$ref": f"#/components/schemas/{component}"}


class Described(msgspec.Struct, frozen=True, kw_only=True):
    """A route as a caller sees it.

    `answers`: content type -> type (or schema) of what is answered with `status`. `body`: content type ->
    what it must be like. `codes`: problems of its own, beyond those of every route.
    """

    answers: Mapping[str, Any]
    query: Params = {}
    status: int = 200
    body: Mapping[str, Shape | Schema] = {}
    body_required: bool = True
    codes: tuple[str, ...] = ()


def opens(scope: str, described: Described) -> dict[str, Any]:
    """Return the `opt` of a route that a key with this scope opens."""
    return {**needs(scope), "described": described}
