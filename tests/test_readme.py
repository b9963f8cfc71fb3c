"""The README is true: its commands run as shown, and its tables and names follow the code."""

import os
import re
import subprocess
import sys
import threading
import time
import tomllib
from collections.abc import Iterator
from contextlib import contextmanager
from itertools import permutations
from pathlib import Path
from typing import NamedTuple, get_args

import msgspec
import pytest
import redis
import yaml

from dispatcher import demo, telemetry
from dispatcher.ending import API_SECONDS, COMMITTED_SECONDS, WORKER_SECONDS
from dispatcher.errors import InvalidPolicy
from dispatcher.messages.bounds import (
    MAX_NESTED,
    MAX_PARENTHESES,
    MAX_SOURCE_CHARACTERS,
    MAX_TAG_WORDS,
    MAX_TAGS,
)
from dispatcher.messages.catalog import Catalog
from dispatcher.messages.checking import MAX_SECONDS
from dispatcher.messages.elements import ELEMENTS
from dispatcher.messages.fields import FIELDS
from dispatcher.messages.filters import FILTERS
from dispatcher.messages.paths import MAX_CONDITIONS
from dispatcher.messages.phrases import MAX_CHARACTERS as MAX_PHRASE
from dispatcher.messages.publishing import MAX_TYPICAL_SEGMENTS
from dispatcher.messages.schema import Field
from dispatcher.policy.document import load_json
from dispatcher.policy.event_text import MAX_ID_BYTES
from dispatcher.policy.event_wire import MAX_ITEMS
from dispatcher.policy.events import MAX_EVENTS, EventType
from dispatcher.policy.reminders import FINAL, HANDED_OVER, MOVES, WAITING
from dispatcher.policy.scenario import Scenario
from dispatcher.settings import Settings
from dispatcher.simulation.report import Report
from dispatcher.simulation.tmall import COLUMNS
from dispatcher.storage.embedded import EmbeddedStore
from dispatcher.storage.looking import Memory
from dispatcher.storage.server_settings import SETTINGS
from dispatcher.storage.templates import VERSIONS_KEPT
from dispatcher.web.access import SCOPES
from dispatcher.web.app import ROUTES
from dispatcher.web.bodies import SMALL_BYTES
from dispatcher.web.events import MAX_BYTES
from dispatcher.web.metrics import Figures
from dispatcher.web.paging import DEFAULT_LIMIT, MAX_LIMIT
from dispatcher.web.previews import MAX_SAMPLE
from dispatcher.web.problems import KINDS
from dispatcher.web.server import BODY_SECONDS, HEAD_SECONDS, MAX_CONNECTIONS, SHUTDOWN_SECONDS
from dispatcher.workflow.grouping import GROUP, MAX_UNDER_WAY, PART
from tests.benchmarks.__main__ import FIGURES
from tests.faults import test_kill, test_race
from tests.web.reasons import SCENES

ROOT = Path(__file__).parents[1]
README = (ROOT / "README.md").read_text(encoding="utf-8")
BIN = Path(sys.executable).parent
GROUPS = {"waiting": WAITING, "handed over": HANDED_OVER, "final": FINAL}

ADDRESS = "http://127.0.0.1:8080"
"""Where a reader's service is; the tests' own is elsewhere."""
UP_SECONDS = 60.0
AGAIN_SECONDS = 30.0
"""How long a reader who looks again and again would wait for what is shown."""

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


@contextmanager
def demo_up(directory: Path, environment: dict[str, str]) -> Iterator[str]:
    """Run the demo as a reader does, on a free port, and yield its address once it has said all."""
    with (directory / "up.log").open("wb") as log:
        process = subprocess.Popen(
            [BIN / "dispatcher", "up", "--demo", "--port", "0"],
            cwd=directory,
            env=environment,
            stdout=subprocess.PIPE,
            stderr=log,
            encoding="utf-8",
        )
    overdue = threading.Timer(UP_SECONDS, process.terminate)
    overdue.start()
    try:
        assert process.stdout is not None
        said = ""
        for line in process.stdout:
            said += line
            if demo.TO_CALL in line:
                break
        overdue.cancel()
        (address,) = re.findall(r"^dispatcher is up at (http://[^;]+);", said, re.MULTILINE)
        yield address
    finally:
        overdue.cancel()
        process.terminate()
        _ended(process, directory / "data" / "store")


def _ended(process: subprocess.Popen[str], store: Path) -> None:
    """Wait until `up` has ended; one that does not is killed, and so is the store it leaves behind."""
    try:
        process.communicate(timeout=UP_SECONDS)
    except subprocess.TimeoutExpired:
        process.kill()
        process.communicate()
        with EmbeddedStore(store):
            raise


class Terminal(NamedTuple):
    """A reader's terminal: what a block exports is there in those behind it."""

    directory: Path
    environment: dict[str, str]

    def paste(self, text: str) -> str:
        """Run a block and return what it prints; a command that fails ends it with its exit code."""
        exports = self.directory / "exports"
        exports.touch()
        done = subprocess.run(
            ["sh", "-eu", "-c", f". ./exports\n{text}\nexport -p > exports"],
            cwd=self.directory,
            env=self.environment,
            stdout=subprocess.PIPE,
            encoding="utf-8",
            check=False,
            timeout=60,
        )
        return done.stdout + (f"exit code {done.returncode}\n" if done.returncode else "")

    def paste_until(self, text: str, shown: str) -> str:
        """Run a block again and again until it prints what is shown, as a reader who waits for it does."""
        deadline = time.monotonic() + AGAIN_SECONDS
        while not matches(shown, printed := self.paste(text)):
            if time.monotonic() > deadline:
                break
        return printed


def test_its_commands_print_what_it_shows(tmp_path: Path) -> None:
    environment = {name: value for name, value in os.environ.items() if not name.startswith("DISPATCHER_")}
    environment["PATH"] = f"{BIN}{os.pathsep}{environment['PATH']}"
    terminal = Terminal(tmp_path, environment)
    run = [(at, block) for at, block in enumerate(BLOCKS) if block.kind.startswith("sh run")]

    printed = {}
    with demo_up(tmp_path, environment) as address:
        for at, block in run:
            text = block.text.replace(ADDRESS, address)
            again = block.kind == "sh run until"
            printed[at] = terminal.paste_until(text, shown_after(at)) if again else terminal.paste(text)

    wrong = {BLOCKS[at].text: text for at, text in printed.items() if not matches(shown_after(at), text)}
    assert len(printed) >= 8
    assert wrong == {}


def test_its_other_commands_name_what_is_there() -> None:
    lines = [line for block in BLOCKS if block.kind == "sh" for line in _commands(block.text)]
    targets = re.findall(r"^(\w+):", (ROOT / "Makefile").read_text(encoding="utf-8"), re.MULTILINE)

    unknown = [line for line in lines if not _is_there(line.split(), targets)]

    assert len(lines) >= 4
    assert unknown == []


def _commands(text: str) -> list[str]:
    return [line.partition("#")[0] for line in text.splitlines()]


def _is_there(words: list[str], targets: list[str]) -> bool:
    match words:
        case ["make", target]:
            return target in targets
        case [".venv/bin/pytest", path, *_]:
            return (ROOT / path).exists()
    return False


def picture(kind: str) -> str:
    """Return the only diagram of a kind."""
    (text,) = [block.text for block in BLOCKS if block.text.startswith(kind)]
    return text


def test_its_picture_of_a_life_shows_the_table_of_moves() -> None:
    arrows = re.findall(r"^ +(\w+) --> (\w+)", picture("stateDiagram-v2"), re.MULTILINE)

    moves = [(before, after) for before, follow in MOVES.items() for after in follow]

    assert sorted(arrows) == sorted((str(before), str(after)) for before, after in moves)


def test_its_table_of_states_has_the_groups_of_the_code() -> None:
    rows = {ticked(state)[0]: group.split(", ") for state, group, _ in table("A reminder's life")}

    groups = {name: {state for state, told in rows.items() if name in told} for name in GROUPS}

    assert set(rows) == set(MOVES)
    assert groups == GROUPS


def test_its_table_of_routes_is_what_is_served() -> None:
    told = {(ticked(route)[0], "" if scope == "–" else ticked(scope)[0]) for route, scope, _ in table("API")}

    served = {
        (f"{method} {path.replace(':str', '')}", route.opt["scope"])
        for route in ROUTES
        for path in route.paths
        for method in route.http_methods - {"OPTIONS"}
    }

    assert told == served


def test_its_table_of_events_has_every_type() -> None:
    told = [ticked(name)[0] for name, *_ in table("Events")]

    assert sorted(told) == sorted(EventType)


def test_its_table_of_problems_has_every_code() -> None:
    told = {(int(status), code) for status, codes in table("Problems and limits") for code in ticked(codes)}

    assert told == {(kind.status, code) for code, kind in KINDS.items()}


def test_its_table_of_metrics_is_what_is_measured() -> None:
    told = [ticked(name)[0] for name, *_ in table("Metrics and alarms") if "dispatcher_" in name]

    measured = [family.name for family in Figures([], Memory(0, 0), 0).collect()]

    assert sorted(told) == sorted(measured)


def test_its_table_of_alarms_has_every_alarm() -> None:
    section = README.partition("### Metrics and alarms")[2].partition("### Log")[0]
    told = re.findall(r"^\| `(Dispatcher\w+)`", section, re.MULTILINE)

    alerts = yaml.safe_load((ROOT / "deploy" / "prometheus" / "alerts.yml").read_text(encoding="utf-8"))

    assert told == [rule["alert"] for group in alerts["groups"] for rule in group["rules"]]


def test_its_table_of_the_log_has_every_event() -> None:
    told = [ticked(event)[0] for event, _ in table("Log")]

    logged = [value for name, value in vars(telemetry).items() if name.isupper() and isinstance(value, str)]

    assert sorted(told) == sorted(logged)


def test_its_table_of_measurements_is_what_the_benchmark_prints() -> None:
    told = [ticked(name)[0] for name, *_ in table("Measure")]

    assert sorted(told) == sorted(FIGURES)


def test_its_table_of_measurements_has_no_empty_cell() -> None:
    rows = table("Measure")

    empty = [name for name, *cells in rows if not all(cell.strip("–") for cell in cells)]

    assert empty == []


@pytest.mark.parametrize(
    "limit",
    [
        f"{MAX_EVENTS:,} events and {MAX_BYTES // 1024**2} MiB a request",
        f"{SMALL_BYTES // 1024} KiB for any other body",
        f"{MAX_ITEMS} items an order",
        f"ids of {MAX_ID_BYTES} bytes",
        f"{MAX_CONNECTIONS:,} connections",
        f"{MAX_UNDER_WAY:,} events under way",
        f"(1 to {MAX_LIMIT}, else {DEFAULT_LIMIT})",
        f"up to {GROUP} together",
        f"up to {PART} of one request",
        f"head and body within {HEAD_SECONDS:g} seconds each",
        f"head and body within {BODY_SECONDS:g} seconds each",
        f"ends the API within {API_SECONDS:g} seconds, {SHUTDOWN_SECONDS} of them for requests under way",
        f"ends a worker within {WORKER_SECONDS:g} seconds",
        f"what it committed has {COMMITTED_SECONDS:g} seconds to finish",
        f"{MAX_SOURCE_CHARACTERS:,} characters, {MAX_TAGS} tags, {MAX_TAG_WORDS} words and signs in a tag",
        f"{MAX_NESTED} ifs or {MAX_PARENTHESES} parentheses within each other",
        f"on more than {MAX_CONDITIONS} fields",
        f"takes to read out (fewer than {MAX_SECONDS:g})",
        f"at most {MAX_TYPICAL_SEGMENTS} segments",
        f"The newest {VERSIONS_KEPT} versions",
        f"of up to {MAX_SAMPLE} orders",
        f"beyond {MAX_PHRASE} characters",
        f"`channel_timeout_seconds` ({Settings().channel_timeout_seconds:g})",
    ],
)
def test_the_limits_it_tells_are_those_of_the_code(limit: str) -> None:
    assert limit in " ".join(README.split())


def test_its_table_of_settings_is_what_can_be_set() -> None:
    told = {ticked(name)[0]: default for name, default, _ in table("Settings")}

    defaults = {field.name: str(field.default) for field in msgspec.structs.fields(Settings)}

    assert told == defaults


def test_its_table_of_the_policy_has_every_key_that_is_read() -> None:
    told = [ticked(key)[0] for key, *_ in table("Policy file")]
    everywhere: dict[str, object] = {key: {"?": 0} for key in _keys_read({"?": 0})[""]}
    everywhere |= {"?": 0, "cadence": [{"?": 0, "remind": {"?": 0}}]}
    everywhere |= {"caps": {"?": 0, "per_channel": {"?": 0}}}
    everywhere |= {"routing": {"?": 0, "segments": {"?": 0}}, "incentives": [{"?": 0}]}

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


def may_be_missing(field: Field) -> str:
    """The last cell of a field's row."""
    if not field.optional:
        return "–"
    given = ", ".join(f"`{name}`" for name in field.given_with)
    return f"yes, but not with {given}" if given else "yes"


def test_its_table_of_fields_is_what_a_template_may_show() -> None:
    told = {ticked(name)[0]: tuple(cells) for name, *cells in table("Fields of a template")}

    fields = {
        name: (field.kind, field.example, field.meaning, may_be_missing(field))
        for name, field in FIELDS.items()
    }

    assert told == fields


def test_its_table_of_messages_has_every_kind_with_its_technique() -> None:
    told: dict[str, set[str]] = {}
    for kinds, _, technique in table("Which message"):
        for kind in ticked(kinds):
            told.setdefault(kind, set()).update(ticked(technique))

    techniques: dict[str, set[str]] = {}
    for (_, kind, _), template in Catalog.load().templates.items():
        techniques.setdefault(kind, set()).add(template.entry.technique)

    assert told == techniques
    assert told.keys() == set(get_args(Scenario))


def test_its_table_of_filters_is_what_a_template_may_use() -> None:
    section = README.partition("### Filters of a template")[2].partition("\n#")[0]
    told = [line for line in section.splitlines() if line.startswith("| `")]

    filters = [
        f"| `{name}` | {known.kind} | `{known.example.replace('|', chr(92) + '|')}` | {known.meaning} |"
        for name, known in FILTERS.items()
    ]

    assert told == filters


def test_its_table_of_elements_names_the_fields_that_carry_them() -> None:
    told = {
        ticked(name)[0]: tuple(frozenset(ticked(cell)) for cell in cells)
        for name, *cells in table("Elements of a message")
    }

    carriers = {name: tuple(carrier) for name, carrier in ELEMENTS.items()}

    assert told == carriers


def test_its_table_of_figures_is_what_a_simulation_tells() -> None:
    told = [ticked(figure)[0] for figure, _ in table("Figures")]

    assert told == [*Report.__struct_fields__, "orders_per_second"]


def test_its_table_of_reasons_has_every_reason_and_names_rules_that_there_are() -> None:
    rows = table("Reasons")
    rooms = ROOT / "dispatcher"
    sources = "".join(source.read_text(encoding="utf-8") for source in rooms.rglob("*.py"))

    told = [ticked(reason)[0] for reason, *_ in rows]
    unknown = [rule for *_, rules in rows for rule in ticked(rules) if f'"{rule}"' not in sources]

    assert sorted(told) == sorted(SCENES)
    assert unknown == []


def test_its_example_of_a_key_has_every_scope() -> None:
    (block,) = [block.text for block in BLOCKS if "--shop my-shop --scope" in block.text]

    assert sorted(re.findall(r"--scope (\S+)", block)) == sorted(SCOPES)


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

    assert kept == asked == SETTINGS


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


def test_its_links_lead_to_headings_and_name_every_chapter() -> None:
    headings = re.findall(r"^(##+) (.+)$", README, re.MULTILINE)
    anchors = {re.sub(r"[^\w -]", "", name).lower().replace(" ", "-"): marks for marks, name in headings}

    linked = set(re.findall(r"\]\(#([^)]+)\)", README))

    assert linked - anchors.keys() == set()
    assert {anchor for anchor, marks in anchors.items() if marks == "##"} - linked == set()


def test_its_picture_shows_every_room() -> None:
    shown = set(re.findall(r"\[\"(\w+)/<br>", picture("flowchart")))

    rooms = {init.parent.name for init in (ROOT / "dispatcher").glob("*/__init__.py")}
    assert shown == rooms | {"templates"}


def test_its_picture_shows_what_is_imported_and_nothing_else() -> None:
    arrows = set(re.findall(r"^ +(\w+) -->(?:\|\w+\|)? (\w+)$", picture("flowchart"), re.MULTILINE))
    nodes = set(re.findall(r"^ +(\w+)\[", picture("flowchart"), re.MULTILINE)) - {"templates"}

    imports = {(above, below) for above, below in permutations(nodes, 2) if _imports(above, below)}

    assert len(arrows) > 10
    assert arrows - imports == set()
    assert imports - _followed(arrows) == set()


def _followed(arrows: set[tuple[str, str]]) -> set[tuple[str, str]]:
    """Return from where to where one comes by one arrow or several."""
    further = arrows | {(above, below) for above, at in arrows for to, below in arrows if at == to}
    return arrows if further == arrows else _followed(further)


def _imports(above: str, below: str) -> bool:
    room = ROOT / "dispatcher" / above
    sources = list(room.glob("*.py")) if room.is_dir() else [room.with_suffix(".py")]
    wanted = re.compile(rf"^from dispatcher(?:\.{below}\b| import .*\b{below}\b)", re.MULTILINE)
    return any(wanted.search(source.read_text(encoding="utf-8")) for source in sources)


def test_it_names_all_that_it_stands_on() -> None:
    project = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]
    paragraph = README.partition("**What it stands on.**")[2].partition("\n\n")[0]

    needed = {re.split(r"[\[<>=]", name)[0] for name in project["dependencies"]}

    assert needed - set(re.findall(r"[a-z0-9]+(?:-[a-z]+)*", paragraph)) == set()


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
