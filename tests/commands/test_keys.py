"""`dispatcher keys` and `dispatcher policy show|apply`, over the store of a data directory."""

import json
from collections.abc import Iterator
from pathlib import Path

import pytest
from click.testing import CliRunner, Result

from dispatcher.cli import main
from dispatcher.policy.document import DEFAULT_TOML, default_policy, to_json
from dispatcher.storage.embedded import EmbeddedStore


@pytest.fixture(autouse=True)
def running(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """A service's store in ./data that runs, as while `up` does."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.delenv("DISPATCHER_REDIS_URL", raising=False)
    with EmbeddedStore(Path("data/store"), durable=False):
        yield


def dispatcher(*arguments: str) -> Result:
    return CliRunner().invoke(main, arguments)


def records(kind: str) -> list[dict[str, object]]:
    """What the audit says."""
    return [json.loads(line) for line in dispatcher("audit", "export", "--kind", kind).stdout.splitlines()]


def test_a_key_is_printed_once_listed_without_its_secret_and_revoked() -> None:
    created = dispatcher("keys", "create", "--shop", "demo", "--shop", "二店", "--scope", "events:write")
    mark, key, secret = created.stdout.strip().split("_")
    listed = dispatcher("keys", "list")

    revoked = dispatcher("keys", "revoke", key)

    assert (created.exit_code, mark, created.stderr) == (0, "dk", "")
    fields = listed.stdout.rstrip("\n").split("\t")
    assert (fields[0], *fields[2:]) == (key, "demo,二店", "events:write")
    assert secret not in listed.output + dispatcher("audit", "export").output
    assert revoked.exit_code == 0
    assert dispatcher("keys", "list").stdout == ""
    assert [record["actor"] for record in records("access.key_revoked")] == ["user:cli"]


def test_revoking_what_is_not_there_says_so() -> None:
    answer = dispatcher("keys", "revoke", "none")

    assert (answer.exit_code, answer.stdout) == (1, "")
    assert "dispatcher keys list" in answer.stderr


@pytest.mark.parametrize(
    "arguments",
    [
        ("--shop", "demo"),
        ("--scope", "events:write"),
        ("--shop", "demo", "--scope", "everything"),
        ("--shop", "de~mo", "--scope", "events:write"),
        ("--shop", "", "--scope", "events:write"),
        ("--shop", "a\nb", "--scope", "events:write"),
    ],
)
def test_a_key_that_is_not_right_is_a_wrong_usage(arguments: tuple[str, ...]) -> None:
    answer = dispatcher("keys", "create", *arguments)

    assert answer.exit_code == 2
    assert dispatcher("keys", "list").stdout == ""


def test_records_about_keys_are_exported_by_their_shop() -> None:
    dispatcher("keys", "create", "--shop", "*", "--scope", "events:write")

    exported = dispatcher("audit", "export", "--shop", "*")

    (record,) = [json.loads(line) for line in exported.stdout.splitlines()]
    assert (record["kind"], record["shop"], record["lane"]) == ("access.key_created", "*", 0)


@pytest.mark.parametrize("shop", ["*", "de~mo", "a\nb"])
@pytest.mark.parametrize("verb", ["show", "apply"])
def test_a_shop_that_can_be_none_has_no_policy(shop: str, verb: str) -> None:
    Path("one.toml").write_text(DEFAULT_TOML, encoding="utf-8")

    answer = dispatcher("policy", verb, shop, *(["one.toml"] if verb == "apply" else []))

    assert answer.exit_code == 2
    assert "Shop" in answer.stderr or "SHOP" in answer.stderr


@pytest.mark.parametrize("shop", ["de~mo", "a\nb"])
def test_a_shop_that_can_be_none_has_no_audit(shop: str) -> None:
    assert dispatcher("audit", "export", "--shop", shop).exit_code == 2


def test_a_shop_without_a_policy_shows_the_default() -> None:
    answer = dispatcher("policy", "show", "demo")

    assert json.loads(answer.stdout) == to_json(default_policy())
    assert answer.stderr == "version 0, the default\n"


def test_an_applied_policy_is_shown_and_audited() -> None:
    Path("one.toml").write_text(DEFAULT_TOML.replace("per_day = 2", "per_day = 1"), encoding="utf-8")

    applied = dispatcher("policy", "apply", "demo", "one.toml", "--note", "quieter")
    shown = dispatcher("policy", "show", "demo")

    assert (applied.exit_code, applied.stdout) == (0, "version 1 is in force\n")
    assert json.loads(shown.stdout)["caps"]["per_day"] == 1
    assert shown.stderr == "version 1\n"
    (record,) = records("policy.changed")
    assert (record["actor"], record["shop"], record["policy"]) == ("user:cli", "demo", 1)


def test_what_is_shown_can_be_applied_again_and_older_versions_stay() -> None:
    Path("two.json").write_text(dispatcher("policy", "show", "demo").stdout, encoding="utf-8")

    applied = dispatcher("policy", "apply", "demo", "two.json")
    old = dispatcher("policy", "show", "demo", "--version", "0")
    beyond = dispatcher("policy", "show", "demo", "--version", "2")

    assert applied.exit_code == 0
    assert json.loads(old.stdout) == json.loads(Path("two.json").read_text(encoding="utf-8"))
    assert beyond.exit_code == 1
    assert "newest is 1" in beyond.stderr


def test_a_policy_that_is_not_right_changes_nothing() -> None:
    Path("bad.toml").write_text("timezone = 1", encoding="utf-8")

    answer = dispatcher("policy", "apply", "demo", "bad.toml")

    assert answer.exit_code == 1
    assert "timezone" in answer.stderr
    assert dispatcher("policy", "show", "demo").stderr.startswith("version 0")


@pytest.mark.parametrize("note", ["x" * 300, "a\x1bb"])
def test_a_note_that_is_not_right_is_a_wrong_usage(note: str) -> None:
    Path("one.toml").write_text(DEFAULT_TOML, encoding="utf-8")

    answer = dispatcher("policy", "apply", "demo", "one.toml", "--note", note)

    assert answer.exit_code == 2
