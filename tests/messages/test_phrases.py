"""Quick phrases: those that come with the product, and what is refused of a file."""

import shutil
from pathlib import Path

import pytest

from dispatcher.errors import InvalidTemplate
from dispatcher.messages.catalog import Catalog
from dispatcher.messages.checking import hits_in, tried
from dispatcher.messages.examples import HOST
from dispatcher.messages.phrases import check_phrases, phrases

CATALOG = Catalog.load()


def in_a_file(tmp_path: Path, text: str) -> Path:
    directory = tmp_path / "templates"
    shutil.copytree(CATALOG.directory, directory)
    (directory / "zh-CN" / "phrases.toml").write_text(text, encoding="utf-8")
    return directory


def one(code: str = "a", text: str = "您好") -> str:
    return f'[[groups]]\nid = "g"\nname = "组"\n[[groups.phrases]]\ncode = "{code}"\ntext = "{text}"\n'


def test_those_of_the_product_are_right_and_meet_no_word_of_any_platform() -> None:
    found = phrases(CATALOG.directory)
    speech = CATALOG.speeches["zh-CN"]
    texts = [text for phrase in found for text in tried(phrase.template, speech)[0].values()]

    hits = [hit for rules in CATALOG.rules.values() for hit in hits_in(texts, rules.allowing((HOST,)))]

    assert check_phrases() == ()
    assert hits == []
    assert len(found) >= 25
    assert {"greeting", "cannot_pay", "price", "delivery", "check_details", "ending"} <= {
        phrase.group for phrase in found
    }


WRONG = {
    "[[groups]": "phrases.toml: Expected",
    one() + one(): "a code that no other phrase has",
    one(code="A"): "matching regex",
    one(code="a b"): "matching regex",
    one(text="{{ secret }}"): "unknown field secret",
    one(text="{{ customer }}您好"): "customer may be missing",
    one(text="{% for a in b %}"): "the tag for is not allowed",
    one(text="加微信聊"): "微信 (",
    one(text="最便宜"): "is forbidden on",
    one(text="好" * 301): "at most 300 characters",
    one() + 'more = "1"\n': "unknown field `more`",
}


@pytest.mark.parametrize(("text", "says"), WRONG.items())
def test_what_is_wrong_is_named_with_file_and_code(tmp_path: Path, text: str, says: str) -> None:
    directory = in_a_file(tmp_path, text)

    problems = check_phrases(directory)

    assert any(says in problem for problem in problems)
    assert all("phrases.toml" in problem for problem in problems)


def test_phrases_are_tried_with_the_words_that_each_platform_has(tmp_path: Path) -> None:
    own_word = in_a_file(tmp_path / "own", one(text="{{ pay_word }}后给好评"))
    same_word = in_a_file(tmp_path / "same", one(text="付款后给好评"))

    own, same = check_phrases(own_word), check_phrases(same_word)

    assert "pdd" in same[0]
    assert not any("pdd" in problem for problem in own)


def test_a_file_that_is_not_right_is_not_loaded(tmp_path: Path) -> None:
    directory = in_a_file(tmp_path, one(text="{{ secret }}"))

    with pytest.raises(InvalidTemplate, match="unknown field"):
        phrases(directory)
