"""Rules of the house: rooms state their law, nothing grows without notice, nothing lies about unused."""

import ast
import re
import tomllib
from collections.abc import Iterator
from pathlib import Path
from typing import get_args

from dispatcher.messages.catalog import PROMOTING, WORDS
from dispatcher.policy.facts import CHANNELS
from dispatcher.policy.terms import Platform
from dispatcher.storage.audit_record import KINDS
from dispatcher.storage.scripts import header

ROOT = Path(__file__).parents[1]
PACKAGE = ROOT / "dispatcher"
TEMPLATES = ROOT / "templates"
LUA = PACKAGE / "storage" / "lua"
WORDING = {f"wording/{name}.toml" for name in ("common", *get_args(Platform))}
ROOMS = {"channels", "commands", "messages", "policy", "simulation", "storage", "web", "workflow"}

MODULE_LINES = 260

NOT_IMPORTED = {
    "dispatcher.__main__",  # `python -m dispatcher`
}

FUNCTION_LINES = 60
SCRIPT_LINES = 60
LIB_LINES = 130

CLOCK_AND_CHANCE = {"random", "secrets", "time", "uuid"}
MAY_TELL_TIME = {
    "simulation/simulate.py": {"time"},  # how long it took
    "storage/embedded.py": {"time"},  # waiting for the server
    "child.py": {"time"},  # keeping a process running
    "up.py": {"time"},  # waiting for processes
    "storage/people.py": {"secrets"},  # the key of pseudonyms
    "web/issuing.py": {"secrets"},  # keys of the API
    "wiring.py": {"time"},  # the machine's clock
}
ASKS_THE_MACHINE = re.compile(r"\b(?:datetime|date)\.(?:now|today|utcnow)\b|\burandom\b")
ASKS_THE_STORE = re.compile(r"call\('TIME'|math\.random|\bos\.(?:time|clock|date)\b", re.IGNORECASE)

KIND = re.compile(r"'([a-z]+\.[a-z_]+)'")
PUT_TOGETHER = {"task.released", "task.completed", "operator.blocked", "operator.unblocked"}
"""Kinds of which a script has the parts."""

SOURCES = {str(path.relative_to(PACKAGE)): path.read_text(encoding="utf-8") for path in PACKAGE.rglob("*.py")}
TREES = {name: ast.parse(source) for name, source in SOURCES.items()}
SCRIPTS = {path.stem: path.read_text(encoding="utf-8") for path in LUA.glob("*.lua")}
LIBS = {path.stem: path.read_text(encoding="utf-8") for path in (LUA / "lib").glob("*.lua")}

Named = ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef


def too_long(sources: dict[str, str], bound: int) -> dict[str, int]:
    """Return the texts with more lines than `bound`, and how many they have."""
    lengths = {name: len(source.splitlines()) for name, source in sources.items()}
    return {name: length for name, length in lengths.items() if length > bound}


def test_every_room_states_its_law() -> None:
    inits = {
        path.parent.name: SOURCES[str(path.relative_to(PACKAGE))] for path in PACKAGE.glob("*/__init__.py")
    }

    laws = {
        room for room, source in inits.items() if (ast.get_docstring(ast.parse(source)) or "")[:5] == "LAW: "
    }

    assert set(inits) == ROOMS
    assert laws == ROOMS


def test_modules_stay_small() -> None:
    found = too_long(SOURCES, MODULE_LINES)

    assert found == {}


def test_functions_fit_a_screen() -> None:
    functions = [
        (f"{name}: {node.name}", (node.end_lineno or 0) - node.lineno + 1)
        for name, tree in TREES.items()
        for node in ast.walk(tree)
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef)
    ]

    longer = [(function, lines) for function, lines in functions if lines > FUNCTION_LINES]

    assert len(functions) > 100
    assert longer == []


def test_scripts_stay_small() -> None:
    assert len(SCRIPTS) >= 9
    assert too_long(SCRIPTS, SCRIPT_LINES) == {}
    assert too_long(LIBS, LIB_LINES) == {}


def _public(body: list[ast.stmt]) -> Iterator[Named]:
    """Yield the public classes and functions of a module, and the public methods of such classes."""
    for node in body:
        if isinstance(node, Named) and not node.name.startswith("_"):
            yield node
            if isinstance(node, ast.ClassDef):
                yield from _public(node.body)


def test_everything_public_says_what_it_does() -> None:
    silent = [name for name, tree in TREES.items() if ast.get_docstring(tree) is None]

    silent += [
        f"{name}: {node.name}"
        for name, tree in TREES.items()
        for node in _public(tree.body)
        if ast.get_docstring(node) is None
    ]

    assert silent == []


def _imports(tree: ast.Module) -> Iterator[str]:
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom) and node.module is not None:
            yield node.module
            yield from (f"{node.module}.{alias.name}" for alias in node.names)


def test_every_module_is_used_by_another() -> None:
    modules = {
        f"dispatcher.{name.removesuffix('.py').replace('/', '.')}"
        for name in SOURCES
        if Path(name).name != "__init__.py"
    }

    imported = {name for tree in TREES.values() for name in _imports(tree)}

    assert modules - imported == NOT_IMPORTED


def test_every_script_and_every_part_of_one_is_used() -> None:
    called = {
        node.value
        for name, tree in TREES.items()
        if name.startswith("storage/")
        for node in ast.walk(tree)
        if isinstance(node, ast.Constant) and isinstance(node.value, str)
    }

    used = {part for source in SCRIPTS.values() for part in header(source)[0]}

    assert set(SCRIPTS) - called == set()
    assert used == set(LIBS)


def test_every_kind_of_audit_record_that_a_script_writes_is_listed() -> None:
    written = {kind for source in (SCRIPTS | LIBS).values() for kind in KIND.findall(source)}

    assert written | PUT_TOGETHER == set(KINDS)


def test_every_template_is_in_the_catalog() -> None:
    catalog = tomllib.loads((TEMPLATES / "catalog.toml").read_text(encoding="utf-8"))
    named = {
        f"{locale}/{kind}/{channel}.j2"
        for kind, described in catalog["templates"].items()
        for channel in described.keys() & set(CHANNELS)
        for locale in described[channel]["version"]
    }
    parts = {f"{locale}/parts/incentive.{channel}.j2" for locale in WORDS for channel in PROMOTING}

    there = {str(path.relative_to(TEMPLATES)) for path in TEMPLATES.rglob("*") if path.is_file()}

    assert there - {"catalog.toml", "zh-CN/phrases.toml"} - WORDING == named | parts


def test_only_keys_spells_the_layout_of_keys() -> None:
    spelled = {
        name
        for name, tree in TREES.items()
        for node in ast.walk(tree)
        if isinstance(node, ast.Constant) and re.match(r"d\d+(:|$)", str(node.value))
    }

    scripted = {name for name, source in (SCRIPTS | LIBS).items() if re.search(r"['\"]d\d+:", source)}

    assert spelled == {"storage/keys.py"}
    assert scripted == set()


def test_the_clock_and_chance_are_asked_in_few_places() -> None:
    importing = {
        name: found
        for name, tree in TREES.items()
        if (found := {module.partition(".")[0] for module in _imports(tree)} & CLOCK_AND_CHANCE)
    }

    asking = {name for name, source in SOURCES.items() if ASKS_THE_MACHINE.search(source)}

    assert importing == MAY_TELL_TIME
    assert asking == set()


def test_no_script_asks_the_store_for_time_or_chance() -> None:
    asking = {name for name, source in (SCRIPTS | LIBS).items() if ASKS_THE_STORE.search(source)}

    assert len(LIBS) >= 9
    assert asking == set()
