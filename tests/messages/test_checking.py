"""What the check of a directory tells of its templates, and that the product's own pass it."""

import re

import pytest

from dispatcher.errors import InvalidTemplate
from dispatcher.messages.calls import seconds_to_read
from dispatcher.messages.catalog import MANIFEST, MAX_FILE_BYTES, Catalog, Template
from dispatcher.messages.checking import check
from dispatcher.messages.examples import ENDLESS, EXAMPLES, TYPICAL
from dispatcher.messages.fields import FIELDS, values
from dispatcher.messages.rendering import render_for
from dispatcher.messages.sms import segments
from tests.messages.conftest import Edit

SMS = "zh-CN/first_reminder/sms.j2"
PHONE = "zh-CN/before_close/phone.j2"
SHOWN_WHOLE = {
    *("order_tail", "pay_url", "orders_count", "orders_placed"),
    *("coupon", "gift", "price_protection", "incentive_how"),  # the policy holds them short
}
LISTED = re.compile(r"^ {5}(\w+) +(\S.*)$", re.MULTILINE)


def test_own_templates_have_no_problem(catalog: Catalog) -> None:
    checked = check()

    assert {one.template for one in checked} == {template.name for template in catalog.templates.values()}
    assert [problem for one in checked for problem in one.problems] == []


def test_figures_are_those_of_the_channel() -> None:
    checked = check()

    told = {
        one.channel: (one.characters_worst is None, one.segments_worst is None, one.seconds_worst is None)
        for one in checked
    }
    assert told == {"chat": (False, True, True), "sms": (False, False, True), "phone": (False, True, False)}


def test_figures_are_the_ordinary_and_the_worst_over_the_examples(catalog: Catalog) -> None:
    template = catalog.templates["first_reminder", "sms"]
    texts = [render_for(template, example.about("sms")).text for example in EXAMPLES]

    (checked,) = [one for one in check() if one.template == template.name]

    assert (checked.characters_typical, checked.characters_worst) == (len(texts[0]), max(map(len, texts)))
    assert (checked.segments_typical, checked.segments_worst) == (1, max(map(segments, texts)))
    assert max(map(segments, texts)) > 1


def test_seconds_leave_out_what_an_agent_does_not_read(catalog: Catalog) -> None:
    template = catalog.templates["before_close", "phone"]
    texts = [render_for(template, example.about("phone")).text for example in EXAMPLES]
    seconds = [round(seconds_to_read(text), 1) for text in texts]

    (checked,) = [one for one in check() if one.template == template.name]

    assert "〔" in texts[0]
    assert (checked.seconds_typical, checked.seconds_worst) == (seconds[0], max(seconds))


def test_examples_have_every_field_once_and_lack_every_optional_one() -> None:
    found = [values(FIELDS, example.about("sms")).keys() for example in EXAMPLES]

    optional = {name for name, field in FIELDS.items() if field.optional or field.kind == "yes/no"}
    assert set().union(*found) == set(FIELDS)
    assert FIELDS.keys() - set.intersection(*map(set, found)) == optional
    assert EXAMPLES[0] is TYPICAL
    assert len({example.name for example in EXAMPLES}) == len(EXAMPLES)


@pytest.mark.parametrize("name", [name for name, field in FIELDS.items() if field.kind == "text"])
def test_examples_show_every_text_at_its_longest(name: str) -> None:
    shown = [values([name], example.about("chat")).get(name, "") for example in EXAMPLES]

    assert any("…" in str(text) for text in shown) is (name not in SHOWN_WHOLE)
    assert all(len(str(text)) < len(ENDLESS) for text in shown)


def test_problems_of_all_templates_are_told_at_once_with_file_and_line(edited: Edit) -> None:
    edited(SMS, "\n{{ shop.x }}\n{% for a in b %}{% endfor %}")
    directory = edited(PHONE, "{{ no_field }}\n{{ city|wide }}")

    checked = check(directory)

    found = [problem.removeprefix(f"{directory}/") for one in checked for problem in one.problems]
    assert [problem[: problem.index(": ")] for problem in found] == [f"{SMS}:3", f"{PHONE}:1", f"{PHONE}:2"]
    assert [one.characters_worst is None for one in checked] == [bool(one.problems) for one in checked]


@pytest.mark.parametrize(
    ("file", "was", "becomes", "problem"),
    [
        (SMS, "还未付款，", "长" * 490, "expected at most 500 characters, got"),
        (PHONE, "谢谢您接听", "长" * 260, "expected less than 60 seconds to read out, got"),
        (PHONE, "谢谢您接听", "长" * 600, "expected at most 600 characters, got"),
    ],
)
def test_message_that_an_example_makes_too_long_is_told(
    edited: Edit, catalog: Catalog, file: str, was: str, becomes: str, problem: str
) -> None:
    source = (catalog.directory / file).read_text("utf-8")
    directory = edited(file, source.replace(was, becomes))

    (checked,) = [one for one in check(directory) if one.problems]

    assert checked.file == str(directory / file)
    assert any(
        told.startswith(f"{checked.file}: of the order 'longest texts': ") and problem in told
        for told in checked.problems
    )


@pytest.mark.parametrize("file", [SMS, MANIFEST])
def test_file_that_is_too_large_is_not_read(edited: Edit, file: str) -> None:
    directory = edited(file, "#" * (MAX_FILE_BYTES + 1))

    with pytest.raises(InvalidTemplate, match=f"{file}.*: expected at most {MAX_FILE_BYTES} bytes"):
        Catalog.load(directory)


def test_manifest_that_is_nested_too_deeply_is_refused(edited: Edit) -> None:
    directory = edited(MANIFEST, "a = " + "[" * 20_000)

    with pytest.raises(InvalidTemplate, match=f"{MANIFEST}: nested too deeply"):
        check(directory)


def listed(catalog: Catalog, template: Template) -> dict[str, str]:
    """The fields that the comment of a template lists, each with what it says of it."""
    source = (catalog.directory / "zh-CN" / f"{template.name.partition('@')[0]}.j2").read_text("utf-8")
    return dict(LISTED.findall(source[: source.index("#}")]))


def test_comment_of_a_template_lists_the_fields_that_it_uses(catalog: Catalog) -> None:
    used = {template.name: set(template.fields) for template in catalog.templates.values()}

    told = {template.name: set(listed(catalog, template)) for template in catalog.templates.values()}

    assert told == used


def test_comment_of_a_template_marks_the_fields_that_may_be_missing(catalog: Catalog) -> None:
    lists = [listed(catalog, template) for template in catalog.templates.values()]

    wrong = [
        name
        for told in lists
        for name, text in told.items()
        if ("（可无" in text) is not FIELDS[name].optional
    ]

    assert wrong == []
