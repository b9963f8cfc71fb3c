"""The README is true: its commands run as shown, and its tables and names follow the code."""

import os
import re
import subprocess
import sys
from pathlib import Path
from typing import NamedTuple

import msgspec
import pytest
import redis

from dispatcher.errors import InvalidPolicy
from dispatcher.policy.document import load_json
from dispatcher.policy.reminders import FINAL, HANDED_OVER, MOVES, WAITING
from dispatcher.settings import Settings
from dispatcher.simulation.report import Report
from dispatcher.simulation.tmall import COLUMNS
from dispatcher.storage.embedded import EmbeddedStore
from tests.faults import test_kill, test_race

ROOT = Path(__file__).parents[1]
README = (ROOT / "README.md").read_text(encoding="utf-8")
BIN = Path(sys.executable).parent
GROUPS = {"waiting": WAITING, "handed over": HANDED_OVER, "final": FINAL}
SIZES = {"1gb": str(1024**3)}
"""How a server tells a size that people write shorter."""

CHECKED = re.compile(r"`((?:dispatcher|tests|templates)/[\w./-]+)(?:::(\w+))?`")
"""A file or folder of the repository, and a test in it."""


class Block(NamedTuple):
    """A fenced block; `kind` is all that stands behind its first fence."""

    kind: str
    text: str


BLOCKS = [Block(*found) for found in re.findall(r"^```(.+)\n((?s:.*?))^```$", README, re.MULTILINE)]


def table(title: str) -> list[list[str]]:
    """Return the cells of the first table of a section, without its head."""
    section = re.split(rf"^##+ {re.escape(title)}$", README, flags=re.MULTILINE)[1].partition("\n#")[0]
    rows = [line.strip("| ") for line in section.splitlines() if line.startswith("|")]
    return [[cell.strip() for cell in row.split("|")] for row in rows[2:]]


def ticked(cell: str) -> list[str]:
    """Return what a cell sets in backticks."""
    return re.findall(r"`([^`]+)`", cell)


def shown_after(position: int) -> str:
    """Return the output that is shown for a block: nothing, unless the next one is its output."""
    following = BLOCKS[position + 1] if position + 1 < len(BLOCKS) else Block("", "")
    return following.text if following.kind == "text output" else ""


def matches(shown: str, printed: str) -> bool:
    """Tell whether the lines are the same, where `…` stands for what differs from run to run."""
    patterns = [re.escape(line).replace("…", ".+") for line in shown.splitlines()]
    lines = printed.splitlines()
    return len(lines) == len(patterns) and all(map(re.fullmatch, patterns, lines))


def test_its_commands_print_what_it_shows(tmp_path: Path) -> None:
    environment = {name: value for name, value in os.environ.items() if not name.startswith("DISPATCHER_")}
    environment["PATH"] = f"{BIN}{os.pathsep}{environment['PATH']}"
    run = [position for position, block in enumerate(BLOCKS) if block.kind == "sh run"]

    printed = {
        position: subprocess.run(
            ["sh", "-eu", "-c", BLOCKS[position].text],
            cwd=tmp_path,
            env=environment,
            capture_output=True,
            encoding="utf-8",
            check=True,
            timeout=60,
        ).stdout
        for position in run
    }

    wrong = {BLOCKS[at].text: text for at, text in printed.items() if not matches(shown_after(at), text)}
    assert len(printed) >= 3
    assert wrong == {}


def test_its_other_commands_name_what_is_there() -> None:
    lines = [line for block in BLOCKS if block.kind == "sh" for line in block.text.splitlines()]
    targets = re.findall(r"^(\w+):", (ROOT / "Makefile").read_text(encoding="utf-8"), re.MULTILINE)

    unknown = [line for line in lines if not _is_there(line.split(), targets)]

    assert len(lines) >= 4
    assert unknown == []


def _is_there(words: list[str], targets: list[str]) -> bool:
    match words:
        case ["make", target]:
            return target in targets
        case [".venv/bin/python", "-m", module]:
            return (ROOT / f"{module.replace('.', '/')}.py").is_file()
        case [".venv/bin/pytest", path, *_]:
            return (ROOT / path).exists()
        case ["export", assignment]:
            return assignment == 'PATH="$PWD/.venv/bin:$PATH"'
    return False


def test_its_table_of_states_is_the_table_of_moves() -> None:
    rows = {ticked(state)[0]: (ticked(after), group) for state, after, group, _ in table("States")}

    moves = {state: set(after) for state, (after, _) in rows.items()}
    groups = {
        name: {state for state, (_, told) in rows.items() if name in told.split(", ")} for name in GROUPS
    }

    assert moves == MOVES
    assert groups == GROUPS


def test_its_table_of_settings_is_what_can_be_set() -> None:
    told = {ticked(name)[0]: default for name, default, _ in table("Settings")}

    defaults = {field.name: str(field.default) for field in msgspec.structs.fields(Settings)}

    assert told == defaults


def test_its_table_of_the_policy_has_every_key_that_is_read() -> None:
    told = [ticked(key)[0] for key, *_ in table("Policy file")]
    everywhere: dict[str, object] = {key: {"?": 0} for key in _keys_read({"?": 0})[""]}
    everywhere |= {"?": 0, "cadence": [{"?": 0, "remind": {"?": 0}}]}

    read = _keys_read(everywhere)

    named = {f"{section}.{key}".lstrip(".") for section, keys in read.items() for key in keys}
    assert sorted(told) == sorted(named - read.keys())


def _keys_read(document: dict[str, object]) -> dict[str, list[str]]:
    """Return the keys that each section knows, as the refusal of the key `?` in it names them."""
    return {
        _dotted(pointer.removesuffix("/?")): detail.partition(": ")[2].split(", ")
        for pointer, detail in _problems(document)
        if pointer.endswith("/?")
    }


def _problems(document: dict[str, object]) -> list[tuple[str, str]]:
    with pytest.raises(InvalidPolicy) as refused:
        load_json(document)
    return [(problem.pointer, problem.detail) for problem in refused.value.problems]


def _dotted(pointer: str) -> str:
    return pointer.replace("/0", "").strip("/").replace("/", ".")


def test_its_table_of_the_policy_marks_what_is_required() -> None:
    marked = {ticked(key)[0] for key, _, _, absent in table("Policy file") if absent == "**required**"}

    missing = _problems({"cadence": [{"remind": {"after": "15m"}}], "routing": {}})

    assert marked == {_dotted(pointer) for pointer, _ in missing}


def test_its_table_of_figures_is_what_a_simulation_tells() -> None:
    told = [ticked(figure)[0] for figure, _ in table("Reading the figures")]

    assert told == [*Report.__struct_fields__, "orders_per_second"]


def test_its_table_of_columns_is_what_an_order_file_has() -> None:
    told = {ticked(column)[0] for column, _ in table("Order files")}

    assert told == set(COLUMNS)


def test_the_embedded_store_has_the_settings_it_asks_for(tmp_path: Path) -> None:
    (block,) = [block for block in BLOCKS if block.kind == "conf"]
    asked = dict(line.split() for line in block.text.splitlines())

    with (
        EmbeddedStore(tmp_path / "store") as store,
        redis.Redis(unix_socket_path=str(store.socket), decode_responses=True) as client,
    ):
        kept = {name: client.config_get(name)[name] for name in asked}

    assert kept == {name: SIZES.get(value, value) for name, value in asked.items()}


def test_each_promise_names_tests_that_prove_it() -> None:
    rows = table("Promises")

    numbered = [promise[:6] for promise, _ in rows]
    unproved = [promise for promise, proof in rows if not CHECKED.search(proof)]

    assert numbered == [f"**I{number}**" for number in range(1, 7)]
    assert unproved == []


def test_every_file_and_test_it_names_is_there() -> None:
    named = CHECKED.findall(README) + [
        (link, "") for link in re.findall(r"\]\(([^)#]+)\)", README) if "://" not in link
    ]

    missing = [(path, test) for path, test in named if not (ROOT / path).exists() or not _has(path, test)]

    assert len(named) > 20
    assert missing == []


def _has(path: str, test: str) -> bool:
    return not test or f"def {test}(" in (ROOT / path).read_text(encoding="utf-8")


def test_its_picture_shows_every_room() -> None:
    (picture,) = [block.text for block in BLOCKS if block.kind == "text rooms"]

    shown = set(re.findall(r"(?:^| )([a-z]+)/(?= |$)", picture, re.MULTILINE))

    rooms = {init.parent.name for init in (ROOT / "dispatcher").glob("**/__init__.py")}
    assert shown == rooms | {"templates", "tests"}


@pytest.mark.parametrize(
    "measured",
    [
        f"{test_kill.KILLS} killed workers over {test_kill.CUSTOMERS:,} customers",
        f"{test_race.ENDED:,} endings placed before, beside and after the commit",
    ],
)
def test_what_it_says_the_fault_tests_do_is_what_they_do(measured: str) -> None:
    text = " ".join(README.split())

    assert measured in text


def test_no_figure_is_left_open() -> None:
    assert "FIGURE" not in README
