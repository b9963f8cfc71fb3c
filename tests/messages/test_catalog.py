"""Where templates are found, and what is refused when they are loaded."""

from pathlib import Path

import pytest

from dispatcher.errors import InvalidTemplate
from dispatcher.messages.catalog import Catalog
from dispatcher.messages.manifest import MANIFEST
from tests.messages.conftest import Edit
from tests.messages.samples import rendered

SMS = "zh-CN/first_reminder/sms.j2"


def test_directory_that_is_named_wins(edited: Edit, catalog: Catalog) -> None:
    source = (catalog.directory / SMS).read_text("utf-8")
    directory = edited(SMS, source.replace("还未{{ pay_word }}", "还没{{ pay_word }}"))

    loaded = Catalog.load(directory)

    assert loaded.directory == directory
    assert "还没付款" in rendered(loaded, 1, "sms").text


def test_named_directory_without_a_catalog_is_refused(tmp_path: Path) -> None:
    with pytest.raises(InvalidTemplate, match=f"expected {MANIFEST} in"):
        Catalog.load(tmp_path)


@pytest.mark.parametrize(
    ("file", "was", "becomes", "complaint"),
    [
        (MANIFEST, 'class = "notice"', "class =", "Invalid value"),
        (MANIFEST, "zh-CN = 3", '"../zh-CN" = 3', "../zh-CN"),
        (MANIFEST, 'technique = "check_details"', 'technique = "threat"', "technique"),
        (MANIFEST, 'class = "notice"', 'class = "notice"\ncolour = "red"', "colour"),
        (MANIFEST, '"pay_link"]', '"pay_link", "poem"]', "poem"),
        (MANIFEST, "[templates.first_reminder.sms]", "[templates.first_reminder.fax]", "fax"),
        (MANIFEST, "en = 1", 'en = "one"', "version"),
        (SMS, "{{ pay_url }}", "{{ pay_link }}", "unknown field pay_link; known are shop, customer"),
        (SMS, "{{ pay_url }}", "", "must carry pay_link, but does not use pay_url"),
        (SMS, "{{ pay_url }}", "{{ pay_url", "expected token 'end of print statement'"),
        (SMS, "{{ pay_url }}", "{{ pay_url|shout }}", "unknown filter shout; known are short, clock, symbol"),
        (SMS, "{{ pay_url }}", "{{ pay_url }}{{ range(9) }}", "a call is not allowed; expected a field"),
    ],
)
def test_what_is_not_right_is_refused_by_name(
    edited: Edit, catalog: Catalog, file: str, was: str, becomes: str, complaint: str
) -> None:
    source = (catalog.directory / file).read_text("utf-8")
    assert was in source
    directory = edited(file, source.replace(was, becomes))

    with pytest.raises(InvalidTemplate) as caught:
        Catalog.load(directory)

    assert complaint in str(caught.value)
    assert str(directory / file) in str(caught.value)


def test_kind_without_a_template_is_refused(edited: Edit, catalog: Catalog) -> None:
    source = (catalog.directory / MANIFEST).read_text("utf-8")
    directory = edited(MANIFEST, source[: source.index("[templates.before_close.phone]")])

    with pytest.raises(InvalidTemplate, match=r"expected a section \[templates.before_close.phone\]"):
        Catalog.load(directory)


def test_template_file_that_is_not_there_is_refused(edited: Edit) -> None:
    directory = edited(SMS, "")
    (directory / SMS).unlink()

    with pytest.raises(InvalidTemplate, match="No such file"):
        Catalog.load(directory)


def test_template_that_is_not_utf8_is_refused(edited: Edit) -> None:
    directory = edited(SMS, "")
    (directory / SMS).write_bytes("【{{ shop }}】".encode("gb18030"))

    with pytest.raises(InvalidTemplate, match="utf-8"):
        Catalog.load(directory)


def test_syntax_error_is_reported_with_its_line(edited: Edit) -> None:
    directory = edited(SMS, "【{{ shop }}】\n\n{% if %}")

    with pytest.raises(InvalidTemplate, match=r"sms\.j2:3: "):
        Catalog.load(directory)


def test_source_lines_join_and_a_pilcrow_breaks_the_line(edited: Edit, catalog: Catalog) -> None:
    source = (catalog.directory / SMS).read_text("utf-8")
    directory = edited(SMS, source + "一\n  二 三\n\n¶四\n")

    text = rendered(Catalog.load(directory), 1, "sms").text

    assert text.endswith("一二 三\n四")
