"""A script's header is its contract: it is what its arguments are checked against, and what Python sends."""

import re
import types
import typing
from importlib.resources import files

import msgspec
import pytest

from dispatcher.storage.commands import Command, Commit, Intake, PlanStep, Replan, Settlement, Steer, TaskEnd
from dispatcher.storage.records import StoredOrder, StoredStep
from dispatcher.storage.rows import OrderRow, SendRow, SentRow
from dispatcher.storage.scripts import NAMES, SCRIPTS, header

STRUCTS: dict[tuple[str, str], tuple[type[msgspec.Struct], set[str]]] = {
    ("commit", "item"): (Commit, {"customer", "swap"}),
    ("settle", "item"): (Settlement, {"customer", "swap", "committed"}),
    ("send", "row"): (SendRow, set()),
    ("sent", "row"): (SentRow, set()),
    ("accept", "row"): (OrderRow, set()),
    ("task", "item"): (TaskEnd, {"customer"}),
    ("sweep", "item"): (Command, {"customer", "ledger"}),
    ("intake", "item of_order of_hand of_customer ending facts"): (Intake, {"shop_name"}),
    ("steer", "item"): (Steer, {"customer", "ledger", "person"}),
    ("intake", "plan"): (PlanStep, set()),
    ("replan", "item"): (Replan, set()),
}
"""Which struct is sent as which table, and the fields that only tell the store where keys are."""

LUA_OF = {"string": "string", "number": "number", "key": "number", "list": "list"}


def lua_type(annotation: object) -> str:
    """Return the type a header must name for a Python annotation."""
    if typing.get_origin(annotation) in (types.UnionType, typing.Union):
        (annotation,) = (part for part in typing.get_args(annotation) if part is not types.NoneType)
    origin = typing.get_origin(annotation) or annotation
    if origin is int:
        return "number"
    return "list" if origin in (list, tuple) else "string"


def stated(script: str, tables: str) -> dict[str, tuple[str, bool]]:
    """Return the fields of some of a header's tables; those of any but the first are optional as a whole."""
    first, *more = tables.split()
    spec = SCRIPTS[script].spec
    return spec[first] | {name: (kind, True) for table in more for name, (kind, _) in spec[table].items()}


@pytest.mark.parametrize(("place", "struct"), STRUCTS.items(), ids=lambda value: str(value[0]))
def test_a_header_and_its_struct_name_the_same_fields(
    place: tuple[str, str], struct: tuple[type[msgspec.Struct], set[str]]
) -> None:
    kind, own = struct
    sent = {field.encode_name for field in msgspec.structs.fields(kind)}

    expected = stated(*place).keys()

    assert sent - own == expected


def test_scripts_write_nothing_of_an_order_that_its_struct_lacks() -> None:
    lua = "".join(script.source for script in SCRIPTS.values())

    of_steps = set(re.findall(r"\b(?:step|other)\.(\w+)", lua))
    of_orders = set(re.findall(r"(?<!')\border\.(\w+)", lua))

    assert {"handed", "carrier", "offered"} < of_steps
    assert {"rev", "told", "shared"} < of_orders
    of_both = {field.name for kind in (StoredStep, StoredOrder) for field in msgspec.structs.fields(kind)}
    assert of_steps | of_orders <= of_both


@pytest.mark.parametrize(("place", "struct"), STRUCTS.items(), ids=lambda value: str(value[0]))
def test_a_header_and_its_struct_agree_on_types(
    place: tuple[str, str], struct: tuple[type[msgspec.Struct], set[str]]
) -> None:
    hints = typing.get_type_hints(struct[0])

    differing = [name for name, (kind, _) in stated(*place).items() if LUA_OF[kind] != lua_type(hints[name])]

    assert differing == []


@pytest.mark.parametrize(("place", "struct"), STRUCTS.items(), ids=lambda value: str(value[0]))
def test_what_a_struct_may_leave_out_a_header_does_not_ask_for(
    place: tuple[str, str], struct: tuple[type[msgspec.Struct], set[str]]
) -> None:
    given_by_the_store = {
        "shop",
        "order_key",
        "facts_key",
        "ledger",
        "buckets",
        "timer",
        "text_key",
        "customer_key",
    }
    left_out = {field.encode_name for field in msgspec.structs.fields(struct[0]) if not field.required}

    asked = {name for name, (_, optional) in stated(*place).items() if not optional}

    assert asked & left_out <= given_by_the_store


@pytest.mark.parametrize("name", NAMES)
def test_a_header_says_what_the_script_does_takes_and_replies(name: str) -> None:
    source = (files("dispatcher.storage") / "lua" / f"{name}.lua").read_text(encoding="utf-8")
    lines = [line for line in source.splitlines() if line.startswith("-- ")]

    _, spec = header(source)

    assert re.match(r"-- [A-Z]\w+ ", lines[0])
    assert any(line.startswith("-- reply: ") for line in lines)
    assert "now" in spec["head"]


FUNCTION = re.compile(r"^local function (\w+)\(.*\n(?:(?!end$).*\n)*end\n", re.MULTILINE)


def reached(body: str) -> str:
    """Return a script without the functions of its parts that it never calls."""
    for function in FUNCTION.finditer(body):
        if len(re.findall(rf"\b{function[1]}\b", body)) == 1:
            return reached(body.replace(function[0], ""))
    return body


def test_a_function_that_is_never_called_is_not_reached() -> None:
    called = "local function called()\n  return 1\nend\n"
    lost = "local function only()\n  if x then\n    y()\n  end\nend\nlocal function lost()\n  only()\nend\n"

    assert reached(lost + called + "return called()") == called + "return called()"


MAY_BE_ABSENT = {"actor", "channel", "ledger"}
"""What a shared part reads of every script's head or items, as absent where the header has no such field."""


@pytest.mark.parametrize("name", NAMES)
def test_a_script_reads_no_argument_that_its_header_does_not_name(name: str) -> None:
    script = SCRIPTS[name]
    named = set().union(*(fields.keys() for fields in script.spec.values()))
    body = script.source.partition("local function refuse")[2]  # parts and script, without what is generated
    body = reached(body)

    read = set(re.findall(r"(?<![.\w'])(?:HEAD|item|event|plan)\.(\w+)", body))

    assert read - named <= MAY_BE_ABSENT


def test_tables_and_parts_are_read_from_a_header() -> None:
    lines = ("Says what it does.", "uses: args lane", "head: now:number actor:string?", "reply: x:y")
    source = "".join(f"-- {line}\n" for line in lines) + "return 1"

    uses, spec = header(source)

    assert uses == ["args", "lane"]
    assert spec == {
        "head": {"now": ("number", False), "actor": ("string", True)},
        "item": {},
        "shop": {},
    }


@pytest.mark.parametrize("line", ["now", "now:integer", "now:number?!", "now :number"])
def test_a_header_with_an_unknown_type_is_refused(line: str) -> None:
    with pytest.raises(ValueError, match="is not name:type"):
        header(f"-- head: {line}")


@pytest.mark.parametrize("name", NAMES)
def test_a_script_writes_the_ledgers_that_it_may_change_and_before_what_it_writes_all_with(name: str) -> None:
    body = reached(SCRIPTS[name].source.partition("local function refuse")[2])
    changes = {"take_slot(", "free_slot("} & set(re.findall(r"\b(?:take|free)_slot\(", body))
    calls = re.findall(r"^(save_ledgers|save_orders)\(\)$", body, re.MULTILINE)

    assert not changes or calls == ["save_ledgers", "save_orders"]
    assert changes or "save_ledgers" not in calls
