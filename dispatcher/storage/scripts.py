"""The Lua scripts, put together from `lua/` with the tables they follow, and called by their hash.

A script's header is its contract: `uses` names the parts from `lua/lib`, and every other line of the
form `name: field:type …` becomes the table its arguments are checked against, so a header cannot lie.
"""

import re
from hashlib import sha1
from importlib.resources import files
from typing import Any

import msgspec
from redis.exceptions import NoScriptError

from dispatcher.policy.facts import CHANNELS
from dispatcher.policy.reminders import FINAL, HANDED_OVER, INDEXED, MOVES, WAITING, Status
from dispatcher.storage.audit_record import ENTRY_RECORDS
from dispatcher.storage.client import StoreClient
from dispatcher.storage.records import (
    LATENESS_BUCKETS,
    MOST_BLOCKED,
    MOST_STEPS,
    OTHERS_READ,
    RECORD_BYTES,
    RECORDS_KEPT,
)

NODE_BYTES = 4_096
"""What a server allocates when an entry begins a node of a stream."""

ENTRY_BYTES = NODE_BYTES - 296
"""Bytes of an entry's records; 16 names and lengths and the head of a node take 119 more."""

FILLER_BYTES = NODE_BYTES - 46
"""Bytes of what fills a node; what stands around them takes 29 more."""

_FIELD = re.compile(r"(\w+):(\w+)(\?)?$")
_LUA = files("dispatcher.storage") / "lua"

Spec = dict[str, dict[str, tuple[str, bool]]]
"""Table name -> field -> (type, optional)."""


def header(source: str) -> tuple[list[str], Spec]:
    """Return the parts a script uses and the tables its header states; `ValueError` on an unknown type."""
    uses: list[str] = []
    spec: Spec = {"head": {}, "item": {}, "shop": {}}
    for line in source.splitlines():
        if not line.startswith("-- "):
            break
        name, colon, rest = line[3:].partition(": ")
        if not colon or " " in name or name == "reply":
            continue
        if name == "uses":
            uses = rest.split()
            continue
        spec[name] = {}
        for word in rest.split():
            match = _FIELD.match(word)
            if match is None or match[2] not in _WRONG:
                raise ValueError(f"{word} in the header line {name!r} is not name:type")
            spec[name][match[1]] = (match[2], match[3] is not None)
    return uses, spec


_WRONG = {
    "number": "type(v) ~= 'number' or v - v ~= 0",
    "string": "type(v) ~= 'string'",
    "list": "type(v) ~= 'table'",
    "key": "not is_key(v)",
}
"""Type -> the Lua condition under which a value `v` is not of it."""

_RIGHT = {
    "number": "v < huge and v > -huge",
    "string": "v .. '' == v",
    "list": "type(v) == 'table'",
    "key": "KEYS[v] ~= nil",
}
"""Type -> what is true of its values, and false or an error for others, without a call."""


def _checks(spec: Spec) -> str:
    """Return Lua that makes two tables of functions, one each for each of the header's tables.

    The first says quickly whether all fields are right, the second which one is wrong.
    """
    lines = [
        "local function CHECKS(is_key, wrong)",
        "local right, checks, huge = {}, {}, math.huge",
    ]
    for name, fields in spec.items():
        if name == "row":
            lines += _row_check(fields)
            continue
        lines += [f"function right.{name}(fields)", "local v"]
        for field, (kind, optional) in fields.items():
            given = "v == nil or " if optional else ""
            lines += [f"v = fields.{field}", f"if not ({given}{_RIGHT[kind]}) then return false end"]
        lines += ["return true", "end", f"function checks.{name}(where, fields)", "local v"]
        for field, (kind, optional) in fields.items():
            given = "v ~= nil and " if optional else ""
            lines += [
                f"v = fields.{field}",
                f"if {given}({_WRONG[kind]}) then wrong(where, '{field}', '{kind}', v) end",
            ]
        lines.append("end")
    return "\n".join([*lines, "return right, checks", "end", *_row(spec)])


def _row_check(fields: dict[str, tuple[str, bool]]) -> list[str]:
    """Return Lua that says whether a row's values, one after the other, are right."""
    lines = [f"function right.row({', '.join(fields)})", "local v"]
    for field, (kind, optional) in fields.items():
        assert not optional, "a row has all its values"
        lines += [f"v = {field}", f"if not ({_RIGHT[kind]}) then return false end"]
    return [*lines, "return true", "end"]


def _row(spec: Spec) -> list[str]:
    """Return Lua that says what a row is, where the header states one."""
    fields = spec.get("row", {})
    if not fields:
        return []
    described = " ".join(f"{field}:{kind}" for field, (kind, _) in fields.items())
    return [f"local ROW, ROW_WIDTH = '{described}', {len(fields)}"]


def _set(name: str, statuses: frozenset[Status]) -> str:
    return f"{name} = {{" + ", ".join(f"{status} = true" for status in sorted(statuses)) + "}"


def _moves_table() -> str:
    rows = (
        f"{before} = {{{', '.join(f'{a} = true' for a in sorted(after))}}}" for before, after in MOVES.items()
    )
    return "local MOVES = {" + ", ".join(rows) + "}"


_GLOBALS = "KEYS, redis, cmsgpack, struct, string, table, math, type, pairs, ipairs, pcall, tonumber, unpack"
_TABLES = "\n".join(
    (
        f"local {_GLOBALS} = {_GLOBALS}",  # found without a look into the table of globals
        "local CHANNELS = {" + ", ".join(f"'{channel}'" for channel in CHANNELS) + "}",
        _moves_table(),
        "local " + _set("WAITING", WAITING),
        "local " + _set("HANDED_OVER", HANDED_OVER),
        "local " + _set("FINAL", FINAL),
        "local " + _set("INDEXED", INDEXED),
        f"local MOST_STEPS = {MOST_STEPS}",
        f"local MOST_BLOCKED = {MOST_BLOCKED}",
        f"local RECORDS_KEPT, RECORD, RECORD_BYTES = {RECORDS_KEPT}, '>I{RECORD_BYTES}', {RECORD_BYTES}",
        f"local OTHERS_READ = {OTHERS_READ}",
        f"local ENTRY_RECORDS, ENTRY_BYTES, FILLER_BYTES = {ENTRY_RECORDS}, {ENTRY_BYTES}, {FILLER_BYTES}",
        "local LATENESS_BUCKETS = {" + ", ".join(map(str, LATENESS_BUCKETS)) + ", math.huge}",
    )
)


class Script:
    """One transition: called with the keys of one lane, a head and a batch of items.

    It works above the store's memory limit too, so that what is there can be ended, unless it
    `brings_new`: then it is refused there as a whole.
    """

    def __init__(self, name: str, *, brings_new: bool = False) -> None:
        source = (_LUA / f"{name}.lua").read_text(encoding="utf-8")
        uses, self.spec = header(source)
        parts = [(_LUA / "lib" / f"{part}.lua").read_text(encoding="utf-8") for part in uses]
        self.name = name
        self.source = "\n".join(
            ["#!lua" if brings_new else "#!lua flags=allow-oom", _TABLES, _checks(self.spec), *parts, source]
        )
        self.sha = sha1(self.source.encode(), usedforsecurity=False).hexdigest()

    async def __call__(
        self, redis: StoreClient, keys: list[str], head: dict[str, Any], items: Any, rows: bytes = b""
    ) -> Any:
        """Run the script once; loads it again where the store has lost it.

        Raises `StoreUnavailable` when nothing is known of its effect, `StoreFull` and `StoreRefused` when
        it had none.
        """
        args = (len(keys), *keys, msgspec.msgpack.encode(head), msgspec.msgpack.encode(items))
        if rows:
            args = (*args, rows)
        async with redis.for_scripts.place():
            try:
                return await redis.execute_command("EVALSHA", self.sha, *args)
            except NoScriptError:
                return await redis.execute_command("EVAL", self.source, *args)


NAMES = tuple(
    sorted(entry.name.removesuffix(".lua") for entry in _LUA.iterdir() if entry.name.endswith(".lua"))
)
ACCEPT = Script("accept", brings_new=True)
SCRIPTS = {name: Script(name) for name in NAMES} | {ACCEPT.name: ACCEPT}
NEW_ORDERS = Script("intake", brings_new=True)
