"""What a wording file must be, and how it is refused when it is not."""

import shutil
from pathlib import Path
from typing import get_args

import pytest

from dispatcher.errors import InvalidTemplate
from dispatcher.messages.catalog import Catalog
from dispatcher.messages.wording import check, load
from dispatcher.policy.terms import Platform


@pytest.fixture
def copied(catalog: Catalog, tmp_path: Path) -> Path:
    """A copy of the templates' directory."""
    copy = tmp_path / "templates"
    shutil.copytree(catalog.directory, copy)
    return copy


def test_every_platform_of_a_policy_has_rules(catalog: Catalog) -> None:
    platforms = get_args(Platform)

    rules = load(catalog.directory)

    assert {platform: loaded.platform for platform, loaded in rules.items()} == dict(
        zip(platforms, platforms, strict=True)
    )
    assert all(len(loaded.entries) > 300 for loaded in rules.values())


@pytest.mark.parametrize(
    ("file", "was", "becomes", "complaint"),
    [
        (
            "jd.toml",
            'advise = ["superlative_mild"]',
            'advise = ["mild"]',
            "advise: expected one of superlative",
        ),
        ("jd.toml", '"pdd", "douyin"', '"pdd", "amazon"', "forbid: expected one of superlative"),
        (
            "jd.toml",
            'advise = ["superlative_mild"]',
            'advise = ["qq"]',
            "qq: expected in forbid or in advise",
        ),
        ("jd.toml", 'link = "forbid"', 'link = "allow"', "'allow'"),
        ("jd.toml", 'link = "forbid"', 'fax = "forbid"', "'fax'"),
        ("jd.toml", "hosts = [", "host = [", "host"),
        ("jd.toml", "hosts = [", "hosts = ", "line "),
        ("pdd.toml", "[groups.unwelcome]", "[groups.qq]", "groups.qq is in common.toml already"),
        (
            "pdd.toml",
            'group = "payment_for_review"',
            'group = "payment"',
            "near: expected one of superlative",
        ),
        ("pdd.toml", 'words = ["付款", "好评"]', 'words = ["付款"]', "near"),
        (
            "pdd.toml",
            'words = ["付款", "好评"]\nwithin = 12',
            'words = ["付款", "好评"]\nwithin = 51',
            "<= 50",
        ),
        (
            "pdd.toml",
            'words = ["宝贝", "付款"]',
            'words = ["宝贝", "v"]',
            "groups.unwelcome.words: expected a word",
        ),
        (
            "pdd.toml",
            'words = ["宝贝", "付款"]',
            'words = ["宝贝", ". -"]',
            "groups.unwelcome.words: expected a word",
        ),
        ("pdd.toml", 'words = ["宝贝", "付款"]', f'words = ["{"宝" * 31}"]', "<= 30"),
        ("common.toml", 'kind = "insult"', 'kind = "rude"', "'rude'"),
        ("common.toml", '"第一时间"', '"第一时间", ""', ">= 1"),
    ],
)
def test_what_is_not_right_is_refused_by_file_and_field(
    copied: Path, file: str, was: str, becomes: str, complaint: str
) -> None:
    path = copied / "wording" / file
    source = path.read_text("utf-8")
    assert was in source
    path.write_text(source.replace(was, becomes, 1), "utf-8")

    with pytest.raises(InvalidTemplate) as caught:
        load(copied)

    assert complaint in str(caught.value)
    assert str(path) in str(caught.value)


def test_file_that_is_not_there_is_refused(copied: Path) -> None:
    (copied / "wording" / "own.toml").unlink()

    with pytest.raises(InvalidTemplate, match=r"own\.toml"):
        load(copied)


def test_word_and_exception_that_are_added_to_a_file_hold(copied: Path) -> None:
    path = copied / "wording" / "own.toml"
    source = path.read_text("utf-8")
    added = (
        'exceptions = ["跳楼机"]\n' + source + '\n[groups.shouting]\nkind = "pressure"\nwords = ["跳楼"]\n'
    )
    path.write_text(added.replace('"insult",', '"insult", "shouting",'), "utf-8")

    rules = load(copied)["own"]

    assert [hit.word for hit in check("跳楼价，送跳楼机票", rules)] == ["跳楼"]
    assert check("送跳楼机票", rules) == ()


def test_word_that_is_forbidden_and_advised_against_is_forbidden(copied: Path) -> None:
    path = copied / "wording" / "own.toml"
    source = path.read_text("utf-8")
    added = source + '\n[groups.milder]\nkind = "insult"\nwords = ["白痴"]\n'
    path.write_text(added.replace('["superlative_mild"]', '["superlative_mild", "milder"]'), "utf-8")

    hits = check("白痴", load(copied)["own"])

    assert [hit.level for hit in hits] == ["forbid"]


@pytest.mark.parametrize(
    ("content", "complaint"),
    [
        ("a=" + "[" * 60_000, "nested too deeply"),
        ("#" * 70_000, "expected at most 65536 bytes"),
        (".".join("a" * 30_000) + "=1", "expected at most 500 dots in line 1"),
    ],
)
def test_file_made_to_take_long_is_refused(copied: Path, content: str, complaint: str) -> None:
    path = copied / "wording" / "jd.toml"
    path.write_text(content)

    with pytest.raises(InvalidTemplate, match=complaint) as refused:
        load(copied)

    assert str(path) in str(refused.value)


def test_what_has_no_end_is_not_read(copied: Path) -> None:
    path = copied / "wording" / "jd.toml"
    path.unlink()
    path.symlink_to("/dev/zero")

    with pytest.raises(InvalidTemplate, match="expected a regular file"):
        load(copied)
