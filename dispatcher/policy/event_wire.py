"""The shape of an event on the wire, as tables: its fields, how each is read, and which must be there."""

from collections.abc import Callable
from typing import Any, get_args

import msgspec

from dispatcher.errors import FieldProblem
from dispatcher.policy import event_text as texts
from dispatcher.policy import event_values as values
from dispatcher.policy.event_text import Expected
from dispatcher.policy.facts import CHANNELS, Availability, Item, Promotion

MAX_ITEMS = 200
MAX_NAME = 100
MAX_TITLE = 300
MAX_NOTE = 1000
MAX_QUANTITY = 1_000_000
MAX_PAID_ORDERS = 10_000_000

Problems = list[FieldProblem]
ReadLeaf = Callable[[object], Any]
ReadBranch = Callable[[object, str, Problems], Any]


class Field(msgspec.Struct, frozen=True):
    """How one field is read: by `leaf`, or by `branch` where it has fields of its own.

    A field that is `nullable` may be given as null, which means `default`.
    """

    leaf: ReadLeaf | None = None
    branch: ReadBranch | None = None
    nullable: bool = True
    default: Any = None


class Shape(msgspec.Struct, frozen=True):
    """An object's fields by name, and those of them that must be given."""

    fields: dict[str, Field]
    required: frozenset[str] = frozenset()

    def requiring(self, *names: str) -> "Shape":
        """Return the same fields with other ones required."""
        return Shape(self.fields, frozenset(names))


def pointer(at: str, name: object) -> str:
    """Return the RFC 6901 pointer to `name` below `at`; a long name is cut."""
    text = str(name)[: texts.MAX_ID_BYTES].encode("utf-8", "replace").decode()
    return f"{at}/{text.replace('~', '~0').replace('/', '~1')}"


def read_object(shape: Shape, value: object, at: str, problems: Problems) -> dict[str, Any]:
    """Return the fields given in `value`, read; every wrong one is added to `problems`."""
    given: dict[str, Any] = {}
    if type(value) is not dict:
        problems.append(FieldProblem(at, "expected an object"))
        return given
    fields = shape.fields
    for name, part in value.items():
        if name not in fields:
            problems.append(_unknown(fields, at, name))
            continue
        field = fields[name]
        leaf, branch = field.leaf, field.branch
        try:
            if part is None and field.nullable:
                given[name] = field.default
            elif leaf is not None:
                given[name] = leaf(part)
            elif branch is not None:
                given[name] = branch(part, f"{at}/{name}", problems)
        except Expected as wrong:
            problems.append(FieldProblem(f"{at}/{name}", str(wrong)))
    for name in shape.required:
        if name not in value:
            problems.extend(_missing(shape, value, at))
            break
    return given


def _missing(shape: Shape, value: dict[str, Any], at: str) -> list[FieldProblem]:
    missing = [name for name in shape.fields if name in shape.required and name not in value]
    return [FieldProblem(f"{at}/{name}", "required, but missing") for name in missing]


def _unknown(fields: dict[str, Field], at: str, name: object) -> FieldProblem:
    expected = f"one of {', '.join(fields)}" if fields else "none"
    return FieldProblem(pointer(at, name), f"unknown field; expected {expected}")


def _as_object(shape: Shape) -> ReadBranch:
    return lambda value, at, problems: read_object(shape, value, at, problems)


def _promotion(value: object, at: str, problems: Problems) -> Promotion | None:
    before = len(problems)
    given = read_object(PROMOTION, value, at, problems)
    return Promotion(**given) if len(problems) == before else None


def _items(value: object, at: str, problems: Problems) -> tuple[Item, ...]:
    if type(value) is not list or not 1 <= len(value) <= MAX_ITEMS:
        problems.append(FieldProblem(at, f"expected a list of 1 to {MAX_ITEMS} items"))
        return ()
    before = len(problems)
    given = [read_object(ITEM, item, f"{at}/{place}", problems) for place, item in enumerate(value)]
    return tuple([Item(**fields) for fields in given]) if len(problems) == before else ()


_TEXT = Field(texts.line_or_nothing(MAX_NAME))
_INSTANT = Field(values.instant)
_MONEY = Field(values.money)
_PHONE = Field(values.phone)
_FLAG = Field(values.yes_or_no)

ITEM = Shape(
    {
        "name": Field(texts.line(MAX_TITLE), nullable=False),
        "quantity": Field(values.whole_number(1, MAX_QUANTITY), default=1),
        "price": _MONEY,
        "spec": Field(texts.line_or_nothing(MAX_TITLE)),
        "sensitive": Field(values.yes_or_no, default=False),
        "availability": Field(values.one_of(get_args(Availability))),
        "category": _TEXT,
    },
    required=frozenset({"name"}),
)
RECEIVER = Shape({"name": _TEXT, "city": _TEXT, "phone": _PHONE})
PROMOTION = Shape(
    {"name": Field(texts.line(MAX_NAME), nullable=False), "saves": _MONEY, "ends_at": _INSTANT},
    required=frozenset({"name"}),
)
CONSENT = Shape({"sms": _FLAG, "chat": _FLAG, "phone": _FLAG, "promotion": _FLAG})
ORDER = Shape(
    {
        "id": Field(texts.identifier, nullable=False),
        "placed_at": Field(values.instant, nullable=False),
        "closes_at": _INSTANT,
        "total": Field(values.money, nullable=False),
        "currency": Field(values.currency),
        "pay_url": Field(values.web_address),
        "items": Field(branch=_items, nullable=False),
        "buyer_note": Field(texts.note(MAX_NOTE)),
        "receiver": Field(branch=_as_object(RECEIVER)),
        "original_total": _MONEY,
        "promotion": Field(branch=_promotion),
    },
    required=frozenset({"id"}),
)
CUSTOMER = Shape(
    {
        "id": Field(texts.identifier, nullable=False),
        "name": _TEXT,
        "phone": _PHONE,
        "chat": Field(texts.identifier),
        "paid_orders": Field(values.whole_number(0, MAX_PAID_ORDERS), default=0),
        "timezone": Field(values.zone_name),
        "grade": Field(values.whole_number(0, values.MAX_GRADE)),
        "consent": Field(branch=_as_object(CONSENT)),
        "consulted_at": _INSTANT,
        "agent": _TEXT,
    },
    required=frozenset({"id"}),
)
COMPLETE_ORDER = ("id", "placed_at", "total", "items")
COMPLETE_DATA = Shape(
    {
        "order": Field(branch=_as_object(ORDER.requiring(*COMPLETE_ORDER)), nullable=False),
        "customer": Field(branch=_as_object(CUSTOMER), nullable=False),
    },
    required=frozenset({"order", "customer"}),
)
PARTIAL_DATA = Shape(
    {
        "order": Field(branch=_as_object(ORDER), nullable=False),
        "customer": Field(branch=_as_object(CUSTOMER)),
    },
    required=frozenset({"order"}),
)
SPEAKER = Shape({"id": Field(texts.identifier, nullable=False)}, required=frozenset({"id"}))
NAMED_ORDER = Shape({"id": ORDER.fields["id"]}, ORDER.required)
REPLY_DATA = Shape(
    {"customer": Field(branch=_as_object(SPEAKER), nullable=False)}, required=frozenset({"customer"})
)
OPT_OUT_DATA = Shape(
    {**REPLY_DATA.fields, "channel": Field(values.one_of(CHANNELS))}, required=REPLY_DATA.required
)

REMINDED_DATA = Shape(
    {
        "order": Field(branch=_as_object(NAMED_ORDER), nullable=False),
        "channel": Field(values.one_of(CHANNELS), nullable=False),
        "agent": _TEXT,
    },
    required=frozenset({"order", "channel"}),
)


def _unread(value: object) -> object:
    return value


def envelope(types: tuple[str, ...]) -> Shape:
    """Return the shape of a CloudEvent of one of the `types`; its `data` is left as it came."""
    return Shape(
        {
            "specversion": Field(values.one_of(("1.0",)), nullable=False),
            "id": Field(texts.identifier, nullable=False),
            "source": Field(texts.source, nullable=False),
            "type": Field(values.one_of(types), nullable=False),
            "time": Field(values.instant, nullable=False),
            "data": Field(_unread, nullable=False),
            "datacontenttype": Field(values.one_of(("application/json",))),
            "subject": Field(texts.line_or_nothing(MAX_TITLE)),
            "dataschema": Field(texts.line_or_nothing(values.MAX_URL_CHARS)),
        },
        required=frozenset({"specversion", "id", "source", "type", "time", "data"}),
    )
