"""`dispatcher templates list|show|publish|rollback|preview`, over the store of a data directory."""

import asyncio
import json
from collections.abc import Iterator
from pathlib import Path

import pytest
from click.testing import CliRunner, Result

from dispatcher.cli import main
from dispatcher.commands.stores import opened_service
from dispatcher.messages.examples import EXAMPLES
from dispatcher.policy.document import to_json
from dispatcher.settings import Settings
from dispatcher.storage.embedded import EmbeddedStore
from dispatcher.wiring import SystemClock, build, connect
from tests.web.test_templates import OWN
from tests.worlds import AT_ONCE, event

NAME = "zh-CN/first_time/sms"


@pytest.fixture(autouse=True)
def running(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """A store in ./data with an order, and a template in a file."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.delenv("DISPATCHER_REDIS_URL", raising=False)
    Path("own.j2").write_text(OWN, encoding="utf-8")
    with EmbeddedStore(Path("data/store"), durable=False) as store:
        asyncio.run(filled(store))
        yield


async def filled(store: EmbeddedStore) -> None:
    redis = connect(socket=store.socket)
    service = await build(Settings(), redis, SystemClock(), {}, Path("data/audit"))
    await service.put_policy("demo", AT_ONCE, "test", "user:test")
    now = SystemClock().now()
    await service.intake.take([event("order.unpaid", "A", now, name="王女士")], "key:test")
    await redis.aclose()


def drafted(text: str, *, publish: bool = False) -> None:
    """Let somebody write a draft over the API."""

    async def draft() -> None:
        async with opened_service(Path("data")) as service:
            await service.authoring.draft("demo", NAME, text, "key:li", None)
            if publish:
                await service.authoring.publish("demo", NAME, "key:li", None)

    asyncio.run(draft())


def templates(*arguments: str) -> Result:
    return CliRunner().invoke(main, ["templates", *arguments])


def test_a_template_is_published_listed_shown_and_taken_back() -> None:
    published = templates("publish", "demo", NAME, "own.j2", "--note", "shorter")
    listed = templates("list", "demo")
    shown = templates("show", "demo", NAME)
    back = templates("rollback", "demo", NAME, "0")

    assert published.stdout == "first_time/sms@shop.1 is in force\n"
    assert f"{NAME}  first_time/sms@shop.1  draft\n" in listed.stdout
    assert shown.stdout == f"{OWN}\n"
    assert "shop" not in back.stdout
    assert "in force" in back.stdout


def test_a_template_that_is_not_right_is_told_with_every_problem_and_keeps_no_draft() -> None:
    Path("own.j2").write_text("{{ secret }}\n{{ shop.x }}", encoding="utf-8")

    found = templates("publish", "demo", NAME, "own.j2")

    assert found.exit_code == 1
    assert "line 1: unknown field secret" in found.stderr
    assert "line 2: an attribute" in found.stderr
    assert "draft" not in templates("list", "demo").stdout


def test_only_what_is_the_shops_own_or_of_one_language_is_listed() -> None:
    templates("publish", "demo", NAME, "own.j2")
    templates("publish", "demo", "en/first_time/sms", "own.j2")

    every, own, english, both = (
        [line.split()[0] for line in templates("list", "demo", *more).stdout.splitlines()]
        for more in ((), ("--own",), ("--locale", "en"), ("--own", "--locale", "en"))
    )

    assert own == ["en/first_time/sms", NAME]
    assert english == [name for name in every if name.startswith("en/")]
    assert both == ["en/first_time/sms"]


@pytest.mark.parametrize(("shop", "warned"), [("nope", True), ("demo", False)])
def test_publishing_for_a_shop_of_which_nothing_is_known_is_warned_of(shop: str, warned: bool) -> None:
    found = templates("publish", shop, NAME, "own.j2")

    assert found.exit_code == 0
    assert ("warning: nope has no policy of its own and no order" in found.stderr) is warned


def test_a_draft_that_somebody_else_has_not_published_is_not_lost() -> None:
    drafted("someone's work")

    refused = templates("publish", "demo", NAME, "own.j2")
    kept = templates("show", "demo", NAME).stdout
    done = templates("publish", "demo", NAME, "own.j2", "--over-draft")

    assert refused.exit_code == 1
    assert "key:li has a draft that is not published" in " ".join(refused.stderr.split())
    assert kept != f"{OWN}\n"
    assert done.stdout == "first_time/sms@shop.1 is in force\n"


def test_a_draft_that_is_published_is_in_nobodys_way() -> None:
    drafted(OWN, publish=True)
    Path("own.j2").write_text(OWN + "谢谢", encoding="utf-8")

    done = templates("publish", "demo", NAME, "own.j2")

    assert done.stdout == "first_time/sms@shop.2 is in force\n"


def test_a_sample_of_a_shop_without_orders_is_told_to_be_empty() -> None:
    found = templates("preview", "none", NAME, "--sample", "3")

    assert (found.exit_code, found.stdout) == (0, "")
    assert "no order" in found.stderr


def test_a_policy_that_a_template_is_not_right_under_is_applied_with_a_warning() -> None:
    drafted(OWN + "淘宝", publish=True)
    Path("jd.json").write_text(json.dumps(to_json(AT_ONCE) | {"platform": "jd"}), encoding="utf-8")

    applied = CliRunner().invoke(main, ["policy", "apply", "demo", "jd.json"])

    assert applied.stdout == "version 2 is in force\n"
    assert "warning: the shop's template first_time/sms@shop.1 is not right" in applied.stderr


def test_a_template_is_shown_of_an_order_a_sample_and_extremes() -> None:
    of_order = templates("preview", "demo", NAME, "--file", "own.j2", "--order", "A")
    sample = templates("preview", "demo", NAME, "--sample", "3", "--json")
    extremes = templates("preview", "demo", NAME, "--version", "0", "--json")

    assert "── A: " in of_order.stdout
    assert "王女士，您" in of_order.stdout
    assert [json.loads(line)["order"] for line in sample.stdout.splitlines()] == ["A"]
    assert len(extremes.stdout.splitlines()) == len(EXAMPLES)


@pytest.mark.parametrize(
    ("arguments", "code", "says"),
    [
        (("show", "demo", "guess"), 1, "no such template"),
        (("show", "demo", "first_time/sms@shop.2"), 1, f"as in {NAME}"),
        (("rollback", "demo", NAME, "7"), 1, "no such version"),
        (("preview", "demo", NAME, "--order", "B"), 1, "no such order"),
        (("preview", "demo", NAME, "--version", "draft"), 1, "no draft"),
        (("preview", "demo", NAME, "--version", "x"), 2, "expected the number of a version, or draft"),
        (("preview", "demo", NAME, "--version", "1", "--file", "own.j2"), 2, "only one of"),
        (("publish", "de~mo", NAME, "own.j2"), 2, "shop id"),
    ],
)
def test_what_is_not_there_or_wrong_is_named(arguments: tuple[str, ...], code: int, says: str) -> None:
    found = templates(*arguments)

    assert found.exit_code == code
    assert says in " ".join(found.stderr.split())
