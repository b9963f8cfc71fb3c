"""What the check of a directory tells of its templates, and that the product's own pass it."""

import re

import pytest

from dispatcher.errors import InvalidTemplate
from dispatcher.messages.calls import seconds_to_read
from dispatcher.messages.catalog import WORDS, Catalog
from dispatcher.messages.checking import Checked, check
from dispatcher.messages.examples import ENDLESS, EXAMPLES, TYPICAL
from dispatcher.messages.fields import FIELDS, values
from dispatcher.messages.manifest import MANIFEST, MAX_FILE_BYTES
from dispatcher.messages.rendering import render_for
from dispatcher.messages.sms import segments
from dispatcher.policy.facts import CHANNELS
from dispatcher.policy.terms import Locale
from tests.messages.conftest import Edit

SMS = "zh-CN/first_reminder/sms.j2"
PHONE = "zh-CN/before_close/phone.j2"
SHOWN_WHOLE = {
    *("order_tail", "pay_url", "pay_word", "pieces", "left", "receiver", "orders_count", "orders_placed"),
    *("incentive", "coupon", "gift", "price_protection", "incentive_how"),  # the policy holds them short
}


@pytest.fixture(scope="module")
def own() -> tuple[Checked, ...]:
    """What is told of the templates that come with the product."""
    return check()


def test_own_templates_have_no_problem(own: tuple[Checked, ...], catalog: Catalog) -> None:
    assert {one.template for one in own} == {template.name for template in catalog.templates.values()}
    assert [problem for one in own for problem in one.problems] == []


def test_no_platform_has_anything_against_own_templates(own: tuple[Checked, ...]) -> None:
    assert {one.template: one.wording for one in own if one.wording} == {}


def test_figures_are_those_of_the_channel(own: tuple[Checked, ...]) -> None:
    told = {
        one.channel: (one.characters_worst is None, one.segments_worst is None, one.seconds_worst is None)
        for one in own
    }

    assert told == {"chat": (False, True, True), "sms": (False, False, True), "phone": (False, True, False)}


def test_figures_are_the_ordinary_and_the_worst_over_the_examples(
    own: tuple[Checked, ...], catalog: Catalog
) -> None:
    template = catalog.templates["zh-CN", "first_reminder", "sms"]
    texts = [
        render_for(template, example.about("sms", catalog.speeches["zh-CN"])).text for example in EXAMPLES
    ]

    (checked,) = [one for one in own if one.template == template.name]

    assert (checked.characters_typical, checked.characters_worst) == (len(texts[0]), max(map(len, texts)))
    assert (checked.segments_typical, checked.segments_worst) == (1, max(map(segments, texts)))
    assert max(map(segments, texts)) > 1


def test_seconds_leave_out_what_an_agent_does_not_read(own: tuple[Checked, ...], catalog: Catalog) -> None:
    template = catalog.templates["zh-CN", "before_close", "phone"]
    texts = [
        render_for(template, example.about("phone", catalog.speeches["zh-CN"])).text for example in EXAMPLES
    ]
    seconds = [round(seconds_to_read(text), 1) for text in texts]

    (checked,) = [one for one in own if one.template == template.name]

    assert "〔" in texts[0]
    assert (checked.seconds_typical, checked.seconds_worst) == (seconds[0], max(seconds))


@pytest.mark.parametrize("locale", WORDS)
def test_examples_have_every_field_once_and_lack_every_optional_one(catalog: Catalog, locale: Locale) -> None:
    speech = catalog.speeches[locale]
    found = [
        values(FIELDS, example.about(channel, speech)).keys() for example in EXAMPLES for channel in CHANNELS
    ]

    optional = {name for name, field in FIELDS.items() if field.optional or field.kind == "yes/no"}
    assert set().union(*found) == set(FIELDS)
    assert FIELDS.keys() - set.intersection(*map(set, found)) == optional
    assert EXAMPLES[0] is TYPICAL
    assert len({example.name for example in EXAMPLES}) == len(EXAMPLES)


@pytest.mark.parametrize("name", [name for name, field in FIELDS.items() if field.kind == "text"])
def test_examples_show_every_text_at_its_longest(catalog: Catalog, name: str) -> None:
    speech = catalog.speeches["zh-CN"]
    shown = [values([name], example.about("chat", speech)).get(name, "") for example in EXAMPLES]

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
        (SMS, "还未{{ pay_word }}，", "长" * 490, "expected at most 500 characters, got"),
        (PHONE, "谢谢您接听", "长" * 260, "expected less than 60 seconds to read out, got"),
        (PHONE, "谢谢您接听", "长" * 900, "expected at most 900 characters, got"),
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


HEAD = {
    "zh-CN": re.compile(r"\{# .+ · (?:聊天|短信|电话话术)。技巧：(?P<technique>.+)。\n"),
    "en": re.compile(r"\{# .+ · (?:chat|text message|call script)\. Technique: (?P<technique>.+)\.\n"),
}


@pytest.mark.parametrize("locale", WORDS)
def test_comment_of_a_template_begins_with_purpose_and_technique(catalog: Catalog, locale: Locale) -> None:
    told: dict[str, set[str]] = {}
    for (of, kind, channel), template in catalog.templates.items():
        if of == locale:
            source = (catalog.directory / locale / kind / f"{channel}.j2").read_text("utf-8")
            head = HEAD[locale].match(source)
            assert head, template.name
            told.setdefault(template.entry.technique, set()).add(head["technique"])

    assert {technique: len(words) for technique, words in told.items()} == dict.fromkeys(told, 1)
    assert len(set().union(*told.values())) == len(told)
