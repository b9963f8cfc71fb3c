"""Where templates are found, and what is refused when they are loaded."""

from itertools import product
from pathlib import Path
from typing import Any

import msgspec
import pytest

from dispatcher.errors import InvalidTemplate
from dispatcher.messages.catalog import KINDS, Catalog
from dispatcher.messages.manifest import MANIFEST
from dispatcher.messages.rendering import render
from dispatcher.policy.facts import WhyUnpaid
from tests.messages.conftest import Edit
from tests.messages.samples import CUSTOMER, NOW, ORDER, POLICY, decided, offer, rendered

SMS = "zh-CN/first_reminder/sms.j2"
PART = "zh-CN/parts/incentive.sms.j2"


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
        (MANIFEST, 'technique = "check_details"', "technique =", "Invalid value"),
        (MANIFEST, "zh-CN = 3", '"../zh-CN" = 3', "../zh-CN"),
        (MANIFEST, 'technique = "check_details"', 'technique = "threat"', "technique"),
        (MANIFEST, 'technique = "help"', 'technique = "help"\ncolour = "red"', "colour"),
        (MANIFEST, '"pay_link"]', '"pay_link", "poem"]', "poem"),
        (MANIFEST, "[templates.first_reminder.sms]", "[templates.first_reminder.fax]", "fax"),
        (MANIFEST, "en = 1", 'en = "one"', "version"),
        (MANIFEST, "{ zh-CN = 3, en = 1 }", "{ en = 1 }", "expected a version of zh-CN in [templates.first_"),
        (PART, "{{ gift }}", "{{ present }}", "unknown field present; known are shop, customer"),
        (PART, "{% elif priority_shipping %}", "{% elif promotion %}", "must tell of priority_shipping"),
        (PART, "{{ gift }}", "{{ incentive }}", "incentive is what this file says"),
        (
            PART,
            "{% if incentive_threshold is",
            "{% if incentive_how is",
            "incentive_threshold may be missing",
        ),
        (SMS, "{{ pay_url }}", "{{ pay_link }}", "unknown field pay_link; known are pay_url, shop, customer"),
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


def test_part_is_said_wherever_a_template_shows_it(edited: Edit, catalog: Catalog) -> None:
    source = (catalog.directory / PART).read_text("utf-8")
    directory = edited(PART, source.replace("赠{{ gift }}", "送{{ gift }}"))
    gift = offer("gift", name="茶样2袋")

    loaded = Catalog.load(directory)

    assert all("送茶样2袋" in rendered(loaded, step, "sms", offer=gift).text for step in (1, 2))


def test_messages_are_notices_where_no_incentive_can_be_named(catalog: Catalog) -> None:
    notices = {at[1:] for at, read in catalog.templates.items() if read.entry.message_class == "notice"}

    written = {(kind, channel) for kind, channel in notices if channel != "phone"}
    assert written == set(product(("merged_orders", "kind_ending"), ("chat", "sms")))
    assert len(notices - written) == sum("phone" in channels for channels in KINDS.values())


@pytest.mark.parametrize(
    ("changes", "told", "name"),
    [
        ({}, None, "first_time/sms@1"),
        ({"locale": "en"}, None, "en/first_time/sms@2"),
        ({"locale": "en"}, "price", "en/price/sms@2"),
        ({}, "changed_mind", "kind_ending/sms@2"),
    ],
)
def test_template_is_one_that_suits_in_the_shops_language(
    catalog: Catalog, changes: dict[str, Any], told: WhyUnpaid | None, name: str
) -> None:
    policy = msgspec.structs.replace(POLICY, **changes)
    facts, send = decided(1, "sms", ORDER, CUSTOMER, NOW[1])
    facts = msgspec.structs.replace(facts, told=told)

    assert render(catalog, facts, send, policy, NOW[1]).template == name
