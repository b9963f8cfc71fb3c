"""`dispatcher explain`, over the store of a data directory."""

import asyncio
import json
import re
from collections.abc import Iterator
from pathlib import Path

import pytest
from click.testing import CliRunner, Result

from dispatcher.cli import main
from dispatcher.settings import Settings
from dispatcher.storage.embedded import EmbeddedStore
from dispatcher.web.explanations import Explanation
from dispatcher.wiring import SystemClock, build, connect
from tests.worlds import DAY, HOUR, PERSONAL, at_once, event
from tests.worlds import told as as_told

WAITING = """
[before_close]
lead = "1h"
[routing]
channels = ["sms"]
"""


@pytest.fixture(autouse=True)
def running(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """A store in ./data with two orders of a customer, and one of another."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.delenv("DISPATCHER_REDIS_URL", raising=False)
    with EmbeddedStore(Path("data/store"), durable=False) as store:
        asyncio.run(filled(store))
        yield


async def filled(store: EmbeddedStore) -> None:
    redis = connect(socket=store.socket)
    now = SystemClock().now()
    service = await build(Settings(), redis, SystemClock(), {}, Path("data/audit"))
    await service.put_policy("demo", at_once(WAITING), "test", "user:test")
    orders = [
        event(
            "order.unpaid",
            order,
            now,
            customer=customer,
            name="王女士",
            placed_at=now + HOUR,
            closes_at=now + DAY,
        )
        for order, customer in (("A", "C-1"), ("B", "C-1"), ("C", "C-2"))
    ]
    by_agent = {"order": {"id": "C"}, "channel": "chat", "agent": "bob"}
    await service.intake.take([*orders, as_told("order.reminded", "r-1", now, by_agent)], "key:test")
    await service.by_hand.hand_over("demo", "C", "h-1", "sms", "eve", "key:test")
    await service.steering.cancel("demo~C~2", None, "user:test")
    await redis.aclose()


def explain(*arguments: str) -> Result:
    return CliRunner().invoke(main, ("explain", *arguments))


def told(*arguments: str) -> list[dict[str, object]]:
    return [json.loads(line) for line in explain(*arguments, "--json").stdout.splitlines()]


def test_a_reminder_is_told_rule_by_rule() -> None:
    answer = explain("demo~A~1")

    lines = [" ".join(line.split()) for line in answer.stdout.splitlines()]
    assert (answer.exit_code, answer.stderr) == (0, "")
    assert lines[0].startswith("demo~A~1: planned, due 20")
    assert any(
        line.startswith("decided 20") and line.endswith("under policy 1: plan by sms") for line in lines
    )
    assert any(line.startswith("now 20") and line.endswith("under policy 1: defer by sms") for line in lines)
    assert any(line.startswith("held until 20") and " due now=20" in line for line in lines)
    assert any(line.startswith("✓ sms routing total=99.00, paid_orders=0, addresses=[") for line in lines)
    assert any(line.startswith("could go next: 20") for line in lines)
    assert any(re.fullmatch(r"would be written by first_time/sms@\d+ \(first_time\)", line) for line in lines)


@pytest.mark.parametrize(
    ("reminder", "begins", "ends"),
    [
        ("demo~C~2", "decided 20", "Z: drop by sms, operator"),
        ("demo~C~3", "reported by bob 20", "Z: sent by chat"),
        ("demo~C~4", "decided 20", " under policy 1, by hand by eve: send by sms"),
    ],
)
def test_what_people_did_names_them_and_no_policy_that_was_not_asked(
    reminder: str, begins: str, ends: str
) -> None:
    line = explain(reminder).stdout.splitlines()[1].strip()

    assert line.startswith(begins)
    assert line.endswith(ends)


@pytest.mark.parametrize(
    ("arguments", "reminders"),
    [
        (("demo~A~2",), ["demo~A~2"]),
        (("--order", "A", "--shop", "demo"), ["demo~A~1", "demo~A~2"]),
        (("--customer", "C-1", "--shop", "demo"), ["demo~A~1", "demo~A~2", "demo~B~1", "demo~B~2"]),
        (("--customer", "nobody", "--shop", "demo"), []),
    ],
)
def test_what_is_asked_for_is_told_as_the_api_tells_it(
    arguments: tuple[str, ...], reminders: list[str]
) -> None:
    found = told(*arguments)

    assert sorted(str(one["reminder"]) for one in found) == reminders
    assert all(one.keys() == {*Explanation.__struct_fields__} for one in found)
    assert all(one["now"] and one["history"] for one in found)


def test_no_name_or_number_is_told() -> None:
    both = [explain("--customer", "C-1", "--shop", "demo", *more) for more in ((), ("--json",))]

    assert [answer.exit_code for answer in both] == [0, 0]
    assert all("demo~A~1" in answer.stdout for answer in both)
    assert not [secret for secret in PERSONAL for answer in both if secret in answer.output]


@pytest.mark.parametrize("arguments", [("demo~Z~1",), ("nothing",), ("--order", "Z", "--shop", "demo")])
def test_what_is_not_there_says_so(arguments: tuple[str, ...]) -> None:
    answer = explain(*arguments)

    assert (answer.exit_code, answer.stdout) == (1, "")
    assert "there is no such" in answer.stderr


@pytest.mark.parametrize(
    "arguments",
    [
        (),
        ("--shop", "demo"),
        ("--order", "A"),
        ("demo~A~1", "--shop", "demo"),
        ("--shop", "demo", "--order", "A", "--customer", "C-1"),
        ("--shop", "de~mo", "--order", "A"),
    ],
)
def test_asking_for_nothing_or_too_much_is_a_wrong_usage(arguments: tuple[str, ...]) -> None:
    assert explain(*arguments).exit_code == 2
