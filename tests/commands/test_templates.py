"""`dispatcher templates check`, over the templates that come with the product and broken copies of them."""

import json
import shutil
from pathlib import Path

import pytest
from click.testing import CliRunner, Result

from dispatcher.cli import main
from dispatcher.messages.catalog import Catalog
from tests.messages.conftest import narrowed


@pytest.fixture
def copy(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A copy of the templates in a directory of its own, of which a few are looked at."""
    directory = tmp_path / "templates"
    shutil.copytree(Catalog.load().directory, directory)
    narrowed(monkeypatch)
    return directory


def check(*arguments: str | Path) -> Result:
    return CliRunner().invoke(main, ("templates", "check", *map(str, arguments)))


def test_each_template_is_a_line_of_the_table() -> None:
    answer = check()

    head, *lines = [line.split() for line in answer.stdout.splitlines()]
    assert (answer.exit_code, answer.stderr) == (0, "")
    assert head == ["template", "class", "characters", "segments", "seconds", "wording", "elements"]
    assert len(lines) == len(Catalog.load().templates)
    assert lines[1][:7] == ["first_reminder/sms@3", "either", "70/280", "of", "500", "1/5", "–"]


def test_json_tells_the_same_a_template_and_line(copy: Path) -> None:
    answer = check(copy, "--json")

    told = [json.loads(line) for line in answer.stdout.splitlines()]
    assert answer.exit_code == 0
    assert (told[1]["template"], told[1]["segments_typical"], told[1]["segments_worst"]) == (
        "first_reminder/sms@3",
        1,
        5,
    )
    assert told[1]["wording"] == {}
    assert [one["problems"] for one in told] == [[] for _ in told]


@pytest.mark.parametrize("arguments", [(), ("--json",)])
def test_broken_templates_are_all_named_with_file_and_line(copy: Path, arguments: tuple[str, ...]) -> None:
    (copy / "zh-CN/first_reminder/sms.j2").write_text("【{{ shop }}】\n{{ ''.__class__ }}", "utf-8")
    (copy / "zh-CN/before_close/phone.j2").write_text("{% if %}", "utf-8")

    answer = check(copy, *arguments)

    first, second = answer.stderr.splitlines()
    assert answer.exit_code == 1
    assert len(answer.stdout.splitlines()) >= 7
    assert f"{copy}/zh-CN/first_reminder/sms.j2:2: an attribute (__class__) is not allowed" in first
    assert f"{copy}/zh-CN/before_close/phone.j2:1: " in second


def test_directory_without_a_manifest_is_told_in_a_line(tmp_path: Path) -> None:
    answer = check(tmp_path)

    assert (answer.exit_code, answer.stdout) == (1, "")
    assert answer.stderr == f"dispatcher: expected catalog.toml in {tmp_path}\n"


@pytest.mark.parametrize("name", ["nowhere", "file"])
def test_what_is_no_directory_is_wrong_usage(tmp_path: Path, name: str) -> None:
    (tmp_path / "file").touch()

    answer = check(tmp_path / name)

    assert answer.exit_code == 2


def test_forbidden_words_fail_with_the_platforms_that_forbid_them(copy: Path) -> None:
    file = copy / "zh-CN/before_close/sms.j2"
    file.write_text(
        file.read_text("utf-8").replace("待{{ pay_word }}，", "待{{ pay_word }}，微 信找我，全网最好看，"),
        "utf-8",
    )

    answer = check(copy)

    (line,) = (line for line in answer.stdout.splitlines() if line.startswith("before_close/sms@3"))
    assert answer.exit_code == 1
    assert [told.partition(f"{file}: ")[2] for told in answer.stderr.splitlines()] == [
        "微信 (other_platform) is forbidden on jd, taobao, pdd, douyin, said as 微 信",
        "全网 (superlative) is forbidden on jd, taobao, pdd, douyin, own",
        "最好 (superlative) is forbidden on jd, taobao, pdd, douyin, own",
    ]
    assert "jd 3/0, taobao 3/0, pdd 3/0, douyin 3/0, own 2/0" in line


def test_templates_without_their_wording_rules_are_refused(copy: Path) -> None:
    (copy / "wording/pdd.toml").write_text("hosts = 1", "utf-8")

    answer = check(copy)

    assert (answer.exit_code, answer.stdout) == (1, "")
    assert f"{copy}/wording/pdd.toml: " in answer.stderr
