"""The command line: what it prints, where, and with which exit code."""

import asyncio
import fcntl
import json
import os
import subprocess
import sys
import tempfile
from pathlib import Path

import pytest
from click.testing import CliRunner, Result
from redis import Redis

from dispatcher.channels.stub import StubChannel
from dispatcher.cli import main
from dispatcher.policy.document import DEFAULT_TOML, default_policy, to_json
from dispatcher.settings import Settings
from dispatcher.simulation.clock import VirtualClock
from dispatcher.storage.embedded import EmbeddedStore, attach
from dispatcher.storage.keys import lane_of
from dispatcher.storage.store import Store
from dispatcher.wiring import build, connect
from tests.faults.crew import until
from tests.worlds import AT_ONCE, DAY, HOUR, MINUTE, NOON, event

STORE_SECONDS = 30.0
"""A store has started within so long."""

TMALL = """\
订单编号,总金额,买家实际支付金额,收货地址 ,订单创建时间,订单付款时间 ,退款金额
101,38.0,0.0,四川省,2020-02-15 12:00:00,,0.0
102,21.5,21.5,上海,2020-02-15 11:00:00,2020-02-15 11:00:07,0.0
103,700.0,0.0,上海,2020-02-15 12:30:00,,0.0
"""

UNPAID = {
    "specversion": "1.0",
    "id": "e-1",
    "source": "/shops/demo",
    "type": "order.unpaid",
    "time": "2025-11-11T12:00:00+08:00",
    "data": {
        "order": {
            "id": "O-1",
            "placed_at": "2025-11-11T12:00:00+08:00",
            "total": "99.00",
            "currency": "CNY",
            "pay_url": "https://pay.example/O-1",
            "items": [{"name": "示例商品", "quantity": 1, "price": "99.00"}],
        },
        "customer": {"id": "C-1", "phone": "+8613800000000", "chat": "example_1"},
    },
}
PAID = {**UNPAID, "id": "e-2", "type": "order.paid", "data": {"order": {"id": "O-1"}}}

FIGURES = {
    "orders",
    "unpaid_at_due",
    "sent",
    "sent_by_channel",
    "sent_by_day",
    "deferred",
    "dropped_by_reason",
    "largest_minute",
    "tasks",
    "seconds",
}
"""What `simulate --json` prints at least."""


@pytest.fixture(autouse=True)
def elsewhere(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Run in an empty directory, without settings of the machine's."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.delenv("DISPATCHER_REDIS_URL", raising=False)


def dispatcher(*arguments: str | Path) -> Result:
    return CliRunner().invoke(main, [str(argument) for argument in arguments])


def file(name: str, content: str | bytes) -> Path:
    path = Path(name)
    path.write_bytes(content.encode() if isinstance(content, str) else content)
    return path


def jsonl(*events: object) -> Path:
    return file("events.jsonl", "".join(json.dumps(one, ensure_ascii=False) + "\n" for one in events))


def records(text: str) -> list[dict[str, object]]:
    return [json.loads(line) for line in text.splitlines()]


def test_a_tmall_report_is_simulated_to_one_json_object() -> None:
    result = dispatcher("simulate", file("orders.csv", TMALL), "--format", "tmall", "--json")

    assert (result.exit_code, result.stderr.strip()) == (0, "")
    figures = json.loads(result.stdout)
    assert figures.keys() >= FIGURES
    assert (figures["orders"], figures["tasks"]) == (3, 1)
    assert figures["sent"] == sum(figures["sent_by_channel"].values()) == sum(figures["sent_by_day"].values())
    assert figures["dropped_by_reason"]["paid"] == 2


def test_events_are_simulated_and_the_audit_is_written() -> None:
    result = dispatcher(
        "simulate", jsonl(UNPAID, PAID), "--format", "jsonl", "--json", "--audit", "audit.jsonl"
    )

    assert (result.exit_code, result.stderr.strip()) == (0, "")
    kinds = [record["kind"] for record in records(Path("audit.jsonl").read_text(encoding="utf-8"))]
    assert kinds[:2] == ["policy.changed", "order.accepted"]
    assert [kind for kind in kinds if kind.startswith("reminder.")][-1] == "reminder.dropped"
    assert json.loads(result.stdout)["sent"] == 0


def test_without_json_the_figures_are_for_people() -> None:
    result = dispatcher("simulate", jsonl(UNPAID), "--format", "jsonl")

    assert result.exit_code == 0
    assert "sent_by_channel:\n" in result.stdout
    assert "orders_per_second" in result.stdout


def test_a_given_policy_is_the_one_that_is_followed() -> None:
    policy = file("policy.toml", DEFAULT_TOML.replace('channels = ["chat", "sms"]', 'channels = ["sms"]'))

    result = dispatcher("simulate", jsonl(UNPAID), "--format", "jsonl", "--policy", policy, "--json")

    assert set(json.loads(result.stdout)["sent_by_channel"]) == {"sms"}


def test_a_rejected_event_is_told_and_ends_with_one() -> None:
    amended = {**PAID, "type": "order.amended"}

    result = dispatcher("simulate", jsonl(amended), "--format", "jsonl", "--json")

    assert result.exit_code == 1
    assert result.stderr.strip().startswith("dispatcher: event e-2 was rejected: the order is not known yet")
    assert json.loads(result.stdout)["rejected"] == 1


@pytest.mark.parametrize(
    ("content", "form", "told"),
    [
        ("{}\n", "jsonl", "dispatcher: events.txt, line 1, "),
        ("no json\n", "jsonl", "dispatcher: events.txt, line 1"),
        ("a,b\n", "tmall", "dispatcher: events.txt, line 1: expected the columns 订单编号"),
        (b"\xff\xfe\n", "tmall", "dispatcher: events.txt is not right: expected a tmall file in UTF-8"),
    ],
)
def test_a_file_that_is_not_right_is_told_on_stderr(content: str | bytes, form: str, told: str) -> None:
    result = dispatcher("simulate", file("events.txt", content), "--format", form, "--json")

    assert result.exit_code == 1
    assert result.stdout == ""
    first, *fields = result.stderr.splitlines()
    assert first.startswith(told)
    assert all(field.startswith("  /") for field in fields)
    assert "Traceback" not in result.stderr


def test_an_audit_that_cannot_be_written_is_told() -> None:
    result = dispatcher(
        "simulate", jsonl(UNPAID), "--format", "jsonl", "--json", "--audit", "none/audit.jsonl"
    )

    assert result.exit_code == 1
    assert result.stderr.strip() == "dispatcher: none/audit.jsonl: No such file or directory"


@pytest.mark.parametrize(
    "arguments",
    [
        ["simulate", "missing.csv", "--format", "tmall"],
        ["simulate", "events.txt", "--format", "xml"],
        ["simulate", "events.txt"],
        ["simulate"],
        ["policy", "check"],
        ["policy", "check", "missing.toml"],
        ["policy", "nonsense"],
        ["audit", "verify", "--data", "missing"],
        ["audit", "export", "--data", "missing"],
        ["nonsense"],
    ],
)
def test_a_wrong_use_ends_with_two(arguments: list[str]) -> None:
    file("events.txt", "")

    result = dispatcher(*arguments)

    assert result.exit_code == 2
    assert result.stdout == ""
    assert result.stderr != ""


def test_a_right_policy_is_said_to_be() -> None:
    result = dispatcher("policy", "check", file("policy.toml", DEFAULT_TOML))

    assert (result.exit_code, result.stdout, result.stderr) == (0, "policy.toml is right\n", "")


def test_a_policy_by_a_calendar_that_ends_is_right_with_a_warning() -> None:
    result = dispatcher("policy", "check", file("policy.toml", 'holidays = "cn"\n' + DEFAULT_TOML))

    assert (result.exit_code, result.stdout) == (0, "policy.toml is right\n")
    assert result.stderr.startswith("warning: holidays: the calendar ends with 20")


def test_a_policy_with_a_name_that_its_platform_forbids_is_right_with_a_warning() -> None:
    result = dispatcher("policy", "check", file("policy.toml", 'shop_name = "淘宝小店"\n' + DEFAULT_TOML))

    assert (result.exit_code, result.stdout) == (0, "policy.toml is right\n")
    assert result.stderr.startswith("warning: shop_name: the wording rules of jd forbid 淘宝")


def test_every_wrong_field_of_a_policy_is_named() -> None:
    wrong = DEFAULT_TOML.replace('"Asia/Shanghai"', '"Asia/Nowhere"').replace("per_day = 2", "per_day = -1")

    result = dispatcher("policy", "check", file("policy.toml", wrong))

    assert (result.exit_code, result.stdout) == (1, "")
    assert result.stderr.startswith("dispatcher: ")
    assert "/timezone" in result.stderr
    assert "/caps/per_day" in result.stderr


def test_however_many_wrong_fields_there_are_each_is_named() -> None:
    unknown = [f"unknown_{number}" for number in range(50)]
    wrong = "".join(f"{key} = 1\n" for key in unknown) + DEFAULT_TOML

    result = dispatcher("policy", "check", file("policy.toml", wrong))

    assert [key for key in unknown if f"/{key}: " not in result.stderr] == []


@pytest.mark.parametrize("content", ["= nonsense", b"\xff\xfe"])
def test_a_policy_that_cannot_be_read_is_told(content: str | bytes) -> None:
    result = dispatcher("policy", "check", file("policy.toml", content))

    assert (result.exit_code, result.stdout) == (1, "")
    assert result.stderr.startswith("dispatcher: ")
    assert "Traceback" not in result.stderr


def test_the_version_is_told() -> None:
    result = dispatcher("--version")

    assert result.exit_code == 0
    assert "0." in result.stdout


LANE = lane_of("demo", 4)
"""The lane of both shops of these tests."""


async def _fill(data: Path) -> None:
    with EmbeddedStore(data / "store") as store:
        redis = connect(socket=store.socket)
        clock = VirtualClock(NOON)
        sms = StubChannel("sms", clock.now)
        settings = Settings(lanes=4, segment_records=5)
        service = await build(settings, redis, clock, {"sms": sms}, data / "audit")
        for shop in ("demo", "other"):
            await service.put_policy(shop, AT_ONCE, "test", "user:test")
        events = [event("order.unpaid", f"O-{n}", NOON, customer=f"C-{n}") for n in range(5)]
        await service.intake.take([*events, event("order.unpaid", "O-1", NOON, shop="other")], "key:test")
        clock.advance_to(NOON + HOUR)
        await service.intake.take([event("order.paid", "O-1", NOON)], "key:test")
        await service.audit.archive(service.store.lane_of("demo"))
        await redis.aclose()


@pytest.fixture
def data(tmp_path: Path) -> Path:
    """A data directory with an audit, partly in segments on disk."""
    path = tmp_path / "data"
    path.mkdir()
    asyncio.run(_fill(path))
    assert len(list(path.glob("audit/lane-*/*.jsonl"))) == 3
    assert lane_of("other", 4) == LANE
    return path


def tree(directory: Path) -> dict[str, bytes]:
    """Return everything in a directory, but for the server's own log."""
    return {
        str(path.relative_to(directory)): path.read_bytes() if path.is_file() else b""
        for path in directory.rglob("*")
        if path.name != "valkey.log"
    }


@pytest.mark.usefixtures("data")
def test_a_sound_audit_is_said_to_be_and_how_much_of_it_was_checked() -> None:
    result = dispatcher("audit", "verify")

    assert result.exit_code == 0
    assert result.stdout.splitlines() == [
        f"lane {LANE:02d}: 16 records checked, 3 segments",
        "the audit is complete and unchanged",
    ]


def test_damage_to_the_audit_ends_with_one(data: Path) -> None:
    segment = next(data.glob("audit/lane-*/*.jsonl"))
    segment.write_bytes(segment.read_bytes().replace(b"demo", b"dem0", 1))

    result = dispatcher("audit", "verify", "--data", data)

    assert result.exit_code == 1
    assert result.stdout == ""
    assert f"{segment.name} does not match its seal" in result.stderr


async def _start_only(data: Path) -> None:
    with EmbeddedStore(data / "store") as store:
        redis = connect(socket=store.socket)
        await Store.open(redis, 4, retention=DAY, lease=MINUTE, max_leases=3)
        await redis.aclose()


def test_an_audit_without_any_record_is_said_to_be_empty(tmp_path: Path) -> None:
    asyncio.run(_start_only(tmp_path))

    result = dispatcher("audit", "verify", "--data", tmp_path)

    assert (result.exit_code, result.stdout) == (0, "the audit has no record yet\n")


@pytest.mark.parametrize("command", ["verify", "export"])
@pytest.mark.parametrize("there", [[], ["store"], ["audit"]], ids=["nothing", "no data", "no store"])
def test_a_directory_without_a_store_is_refused_and_stays_as_it_is(
    tmp_path: Path, command: str, there: list[str]
) -> None:
    for name in there:
        (tmp_path / name).mkdir()

    result = dispatcher("audit", command, "--data", tmp_path)

    assert (result.exit_code, result.stdout) == (1, "")
    (line,) = result.stderr.splitlines()
    assert line.startswith(f"dispatcher: there is no store in {tmp_path}; name a data directory")
    assert sorted(path.name for path in tmp_path.rglob("*")) == there


@pytest.mark.parametrize("command", ["verify", "export"])
def test_a_store_that_no_service_has_used_is_refused(tmp_path: Path, command: str) -> None:
    with EmbeddedStore(tmp_path / "store"):
        pass
    before = tree(tmp_path)

    result = dispatcher("audit", command, "--data", tmp_path)

    assert (result.exit_code, result.stdout) == (1, "")
    (line,) = result.stderr.splitlines()
    assert line.startswith("dispatcher: no service has used this store yet; ")
    assert tree(tmp_path) == before


@pytest.mark.parametrize("command", ["verify", "export"])
def test_a_server_that_no_service_has_used_is_refused_and_stays_empty(
    valkey: EmbeddedStore, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, command: str
) -> None:
    monkeypatch.setenv("DISPATCHER_REDIS_URL", f"unix://{valkey.socket}")
    with Redis(unix_socket_path=str(valkey.socket)) as client:
        client.flushall()

        result = dispatcher("audit", command, "--data", tmp_path)

        assert client.keys("*") == []
    assert result.exit_code == 1
    assert result.stderr.startswith("dispatcher: no service has used this store yet; ")
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize("command", ["verify", "export"])
def test_looking_at_an_audit_changes_nothing(
    data: Path, monkeypatch: pytest.MonkeyPatch, command: str
) -> None:
    monkeypatch.setenv("DISPATCHER_LANES", "7")
    monkeypatch.setenv("DISPATCHER_SEGMENT_RECORDS", "1")
    before = tree(data)

    result = dispatcher("audit", command, "--data", data)

    assert result.exit_code == 0
    assert tree(data) == before


def test_the_audit_of_a_server_of_ones_own_is_read_by_its_address(
    data: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    with EmbeddedStore(data / "store") as store:
        monkeypatch.setenv("DISPATCHER_REDIS_URL", f"unix://{store.socket}")

        result = dispatcher("audit", "verify", "--data", data)

    assert result.exit_code == 0
    assert result.stdout.endswith("the audit is complete and unchanged\n")


def test_the_whole_audit_is_exported(data: Path) -> None:
    result = dispatcher("audit", "export", "--data", data)

    found = records(result.stdout)
    assert result.exit_code == 0
    assert len([record for record in found if record["shop"] == "demo"]) == 13
    assert len([record for record in found if record["shop"] == "other"]) == 3
    for lane in {record["lane"] for record in found}:
        sequence = [record["seq"] for record in found if record["lane"] == lane]
        assert sequence == list(range(1, len(sequence) + 1))


@pytest.mark.parametrize(
    ("filters", "count"),
    [
        (["--shop", "other"], 3),
        (["--shop", "demo", "--order", "O-1"], 4),
        (["--customer", "C-2"], 2),
        (["--reminder", "demo~O-1~1"], 2),
        (["--kind", "order.paid"], 1),
        (["--since", "2025-11-11T05:00:00.000Z"], 2),
        (["--since", "2025-11-11T13:00:00+08:00"], 2),
        (["--since", "2025-11-11T05:00:00.001Z"], 0),
        (["--since", "2025-11-11t00:00:00.000-05:00"], 2),
        (["--until", "2025-11-11T05:00:00.000Z", "--shop", "demo"], 11),
        (["--until", "2025-11-11T13:00:00+08:00", "--shop", "demo"], 11),
        (["--until", "2025-11-11T13:00:00.001+08:00", "--shop", "demo"], 13),
        (["--since", "2025-11-11T13:00:00+08:00", "--until", "2025-11-11T13:00:00+08:00"], 0),
        (["--shop", "nobody"], 0),
    ],
)
def test_an_export_keeps_to_its_filters(data: Path, filters: list[str], count: int) -> None:
    result = dispatcher("audit", "export", "--data", data, *filters)

    assert result.exit_code == 0
    assert len(records(result.stdout)) == count


@pytest.mark.parametrize("option", ["--since", "--until"])
@pytest.mark.parametrize(
    "given",
    [
        "yesterday",
        "2025-11-11",
        "2025-11-11T05:00:00",
        "2025-11-11 05:00:00Z",
        "2025-02-30T05:00:00Z",
        "1",
        "",
    ],
)
def test_a_time_that_is_none_or_has_no_offset_is_a_wrong_use(tmp_path: Path, option: str, given: str) -> None:
    result = dispatcher("audit", "export", "--data", tmp_path, option, given)

    told = " ".join(result.stderr.replace("│", " ").split())
    assert (result.exit_code, result.stdout) == (2, "")
    assert f"Invalid value for '{option}': expected a time" in told
    assert f"2026-11-11T10:20:30+08:00, got '{given}'" in told


def test_a_kind_that_no_record_has_is_a_wrong_use(tmp_path: Path) -> None:
    result = dispatcher("audit", "export", "--data", tmp_path, "--kind", "order.payed")

    told = " ".join(result.stderr.replace("│", " ").split())
    assert (result.exit_code, result.stdout) == (2, "")
    assert "Invalid value for '--kind': expected one of order.accepted," in told


def test_the_audit_of_a_store_that_runs_is_read_there(data: Path) -> None:
    with EmbeddedStore(data / "store"):
        result = dispatcher("audit", "verify", "--data", data)

        assert attach(data / "store") is not None
    assert result.exit_code == 0
    assert result.stdout.endswith("the audit is complete and unchanged\n")


@pytest.mark.parametrize("command", ["verify", "export"])
def test_a_data_directory_in_use_is_told_in_one_line(data: Path, command: str) -> None:
    with (data / "store" / "lock").open("ab") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)

        result = dispatcher("audit", command, "--data", data)

    assert (result.exit_code, result.stdout) == (1, "")
    (line,) = result.stderr.splitlines()
    assert line.startswith("dispatcher: ")
    assert "in use by another process" in line


def test_a_missing_segment_ends_the_export_with_one(data: Path) -> None:
    for segment in data.glob("audit/lane-*/*.jsonl"):
        segment.unlink()

    result = dispatcher("audit", "export", "--data", data, "--shop", "demo")

    assert result.exit_code == 1
    assert result.stderr.splitlines()[-1].startswith("dispatcher: audit records 1 to ")


def test_a_damaged_segment_ends_the_export_with_one(data: Path) -> None:
    segment = next(data.glob("audit/lane-*/*.jsonl"))
    segment.write_bytes(segment.read_bytes()[:-20])

    result = dispatcher("audit", "export", "--data", data, "--shop", "demo")

    assert result.exit_code == 1
    (line,) = result.stderr.splitlines()
    assert line.startswith(f"dispatcher: {segment} is damaged or unreadable")


@pytest.mark.usefixtures("data")
def test_a_wrong_setting_is_told_in_one_line(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("DISPATCHER_LANES", "many")

    result = dispatcher("audit", "verify")

    (line,) = result.stderr.splitlines()
    assert result.exit_code == 1
    assert line == "dispatcher: DISPATCHER_LANES: expected a whole number from 1 to 99, got 'many'"


def test_an_address_that_is_none_is_told_in_one_line(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("DISPATCHER_REDIS_URL", "valkey://:secret@host")

    result = dispatcher("audit", "verify", "--data", tmp_path)

    assert result.exit_code == 1
    (line,) = result.stderr.splitlines()
    assert line.startswith("dispatcher: DISPATCHER_REDIS_URL: expected redis://HOST:PORT/DATABASE")
    assert "secret" not in line


def test_a_store_that_is_away_is_told_in_one_line(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("DISPATCHER_REDIS_URL", f"unix://{tmp_path}/nowhere.sock")

    result = CliRunner().invoke(main, ["audit", "verify", "--data", str(tmp_path)])

    assert result.exit_code == 1
    (line,) = result.stderr.splitlines()
    assert line.startswith("dispatcher: the store does not answer")


def test_a_simulation_that_is_ended_takes_its_store_along(tmp_path: Path) -> None:
    scratch = Path(tempfile.mkdtemp(prefix="d"))
    orders = tmp_path / "orders.csv"
    rows = (f"{number},20.0,0.0,广东省,2020-02-01 10:00:{number % 60:02d},,0.0" for number in range(4000))
    header = "订单编号,总金额,买家实际支付金额,收货地址 ,订单创建时间,订单付款时间 ,退款金额"
    orders.write_text("\n".join([header, *rows]), encoding="utf-8")
    command = [sys.executable, "-m", "dispatcher", "simulate", str(orders), "--format", "tmall"]

    with subprocess.Popen(command, env={**os.environ, "TMPDIR": str(scratch)}) as running:
        try:
            until(lambda: any(scratch.glob("*/store/valkey.sock")), STORE_SECONDS, "its store is there")
        finally:
            running.terminate()

    assert running.returncode == 143
    assert list(scratch.iterdir()) == []
    scratch.rmdir()


def test_the_audit_never_overwrites_what_is_read(tmp_path: Path) -> None:
    orders = tmp_path / "orders.jsonl"
    orders.write_text(json.dumps(UNPAID), encoding="utf-8")
    before = orders.read_bytes()

    result = CliRunner().invoke(main, ["simulate", str(orders), "--format", "jsonl", "--audit", str(orders)])

    assert result.exit_code == 2
    assert "--audit" in result.stderr
    assert orders.read_bytes() == before


def test_a_policy_may_be_json_and_is_named_where_it_is_wrong(tmp_path: Path) -> None:
    right, wrong = tmp_path / "right.json", tmp_path / "wrong.json"
    right.write_text(json.dumps(to_json(default_policy())), encoding="utf-8")
    wrong.write_text(json.dumps(to_json(default_policy()) | {"platform": "nowhere"}), encoding="utf-8")

    results = [CliRunner().invoke(main, ["policy", "check", str(path)]) for path in (right, wrong)]

    assert [result.exit_code for result in results] == [0, 1]
    assert "wrong.json" in results[1].stderr
    assert "/platform" in results[1].stderr
