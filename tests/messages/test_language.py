"""What a template may say and what is refused by name, before anything of it runs."""

import itertools
import subprocess
import sys

import pytest
from hypothesis import given
from hypothesis import strategies as st

from dispatcher.messages import bounds
from dispatcher.messages.bounds import Problem
from dispatcher.messages.catalog import Entry, Template, compiled
from dispatcher.messages.elements import Element
from dispatcher.messages.fields import FIELDS
from dispatcher.messages.filters import FILTERS
from dispatcher.policy.facts import Channel


def checked(
    source: str, *elements: Element, channel: Channel = "sms"
) -> tuple[Template | None, tuple[Problem, ...]]:
    """A source as a template of the catalog that must carry `elements`, or what is wrong with it."""
    entry = Entry(version=1, technique="check_details", elements=elements)
    return compiled(source, "made", channel, entry)


def problems(source: str) -> list[str]:
    """What is wrong with a source, as `line: what`."""
    return [f"{problem.line}: {problem.detail}" for problem in checked(source)[1]]


ESCAPES = {
    "{{ ''.__class__ }}": "an attribute (__class__)",
    "{{ ''['__class__'] }}": "a subscript",
    "{{ ''.__class__.__mro__[1].__subclasses__() }}": "a call",
    "{{ shop.__init__.__globals__ }}": "an attribute (__globals__)",
    "{{ shop.upper() }}": "a call",
    "{{ shop.symbol }}": "an attribute (symbol)",
    "{{ '{0.__class__}'.format(shop) }}": "a call",
    "{{ shop[0] }}": "a subscript",
    "{{ shop[::-1] }}": "a subscript",
    "{{ shop|attr('__class__') }}": "unknown filter attr",
    "{{ '%s'|format(shop) }}": "a filter (format) is not allowed",
    "{{ shop|format }}": "unknown filter format",
    "{{ [shop]|map('upper')|list }}": "expected one filter",
    "{{ shop|center(999999999) }}": "numbers of at most 4 digits",
    "{{ shop|center(9999) }}": "unknown filter center",
    "{{ shop|indent(9999) }}": "unknown filter indent",
    "{{ shop|replace('a', 'b') }}": "unknown filter replace",
    "{{ shop|tojson }}": "unknown filter tojson",
    "{{ shop|pprint }}": "unknown filter pprint",
    "{{ shop|length }}": "unknown filter length",
    "{{ shop|default('x') }}": "unknown filter default",
    "{{ shop|safe }}": "unknown filter safe",
    "{{ shop|urlize }}": "unknown filter urlize",
    "{{ shop|xmlattr }}": "unknown filter xmlattr",
    "{{ product|short }}": "expected short with 4 to 80 columns",
    "{{ product|short(0) }}": "expected short with 4 to 80 columns",
    "{{ product|short(-9) }}": "expected short with 4 to 80 columns",
    "{{ product|short(9999) }}": "expected short with 4 to 80 columns",
    "{{ product|short(8, 9) }}": "expected short with 4 to 80 columns",
    "{{ product|short(columns=8) }}": "expected short with 4 to 80 columns",
    "{{ product|short(*product) }}": "expected short with 4 to 80 columns",
    "{{ product|short(**product) }}": "expected short with 4 to 80 columns",
    "{{ product|short(true) }}": "expected short with 4 to 80 columns",
    "{{ product|short(total) }}": "expected short with 4 to 80 columns",
    "{{ shop|short(8)|short(8) }}": "expected one filter behind a field",
    "{{ placed|clock(1) }}": "expected clock, as in",
    "{{ product|clock }}": "clock is for time, but product is text",
    "{{ shop|short(8) }}": "short is for text, but shop is name",
    "{{ pay_url|short(40) }}": "short is for text, but pay_url is link",
    "{{ 'a'|short(8) }}": "a filter (short) is not allowed",
    "{{ shop ~ shop }}": "joining with ~",
    "{{ shop + shop }}": "arithmetic",
    "{{ shop * 9999 }}": "arithmetic",
    "{{ 9**9**9**9 }}": "arithmetic",
    "{{ 9 // 0 }}": "arithmetic",
    "{{ shop % shop }}": "arithmetic",
    "{{ -total }}": "arithmetic",
    "{{ shop == 'a' }}": "a comparison",
    "{{ 'a' in shop }}": "a comparison",
    "{{ not returning }}": "not is not allowed",
    "{{ shop and shop }}": "and is not allowed",
    "{{ shop or shop }}": "or is not allowed",
    "{{ shop if returning else spec }}": "an if within a value",
    "{{ 'text' }}": "a value that is no field",
    "{{ 7 }}": "a value that is no field",
    "{{ 1e308 }}": "numbers of at most 4 digits",
    "{{ 0xffff }}": "numbers of at most 4 digits",
    "{{ [shop] }}": "a value that is no field",
    "{{ {'a': shop} }}": "a value that is no field",
    "{{ shop, shop }}": "a value that is no field",
    "{{ none }}": "a value that is no field",
    "{{ range(9) }}": "a call",
    "{{ lipsum(9) }}": "a call",
    "{{ dict(a=1) }}": "a call",
    "{{ cycler('a', 'b').next() }}": "a call",
    "{{ joiner(',') }}": "a call",
    "{{ namespace(a=1) }}": "a call",
    "{{ self.body() }}": "a call",
    "{{ super() }}": "a call",
    "{{ caller() }}": "a call",
    "{{ self }}": "unknown field self",
    "{{ loop }}": "unknown field loop",
    "{{ loop.index }}": "an attribute (index)",
    "{{ varargs }}": "unknown field varargs",
    "{{ costumer }}": "unknown field costumer; known are customer, ",
    "{% if incentive_end is defined %}{% endif %}": "unknown field incentive_end; known are incentive_ends, ",
    "{{ range }}": "unknown field range",
    "{{ __class__ }}": "unknown field __class__",
    "{{ shop is callable }}": "a test (callable)",
    "{{ shop is defined }}": "a test (defined)",
    "{% if shop is mapping %}{% endif %}": "a test (mapping)",
    "{% if shop is sameas shop %}{% endif %}": "a test (sameas)",
    "{% if shop.x is defined %}{% endif %}": "a test (defined)",
    "{% if shop.__class__ %}{% endif %}": "an attribute (__class__)",
    "{% if shop == 'a' %}{% endif %}": "a comparison",
    "{% if 1 %}{% endif %}": "a value that is no field",
    "{% if shop|length %}{% endif %}": "a filter (length)",
    "{% if shop|short(8) %}{% endif %}": "a filter (short)",
    "{% if range(9) %}{% endif %}": "a call",
    "{% if shop %}{% endif %}": "expected if shop is defined",
    "{% if returning is defined %}{% endif %}": "returning is always there",
    "{% if no_field is defined %}{% endif %}": "unknown field no_field",
    "{{ returning }}": "returning is yes or no",
    "{% for a in shop %}{{ a }}{% endfor %}": "the tag for",
    "{% for a in range(9) recursive %}{{ loop(a) }}{% endfor %}": "the tag for",
    "{% macro a() %}{{ a() }}{% endmacro %}": "the tag macro",
    "{% call shop() %}{% endcall %}": "the tag call",
    "{% set a = shop %}": "the tag set",
    "{% set a %}{{ shop }}{% endset %}": "the tag set",
    "{% with a = shop %}{{ a }}{% endwith %}": "the tag with",
    "{% filter upper %}a{% endfilter %}": "the tag filter",
    "{% include 'catalog.toml' %}": "the tag include",
    "{% import 'sms.j2' as a %}": "the tag import",
    "{% from 'sms.j2' import a %}": "the tag from",
    "{% extends 'sms.j2' %}": "the tag extends",
    "{% block a %}{% endblock %}": "the tag block",
    "{% autoescape true %}{% endautoescape %}": "the tag autoescape",
    "{% do shop.append(1) %}": "the tag do",
    "{% trans %}a{% endtrans %}": "the tag trans",
    "{% debug %}": "the tag debug",
    "{% print(shop) %}": "the tag print",
    "{% break %}": "the tag break",
    "{% raw %}{{ shop }}{% endraw %}": "the tag raw",
    "{ shop }": "no single { in the text",
    "a }} b": "no single } in the text",
    "a\u202eb": "no invisible character in the text, got U+202E",
    "a\u200bb": "no invisible character in the text, got U+200B",
    "a\x00b": "no invisible character in the text, got U+0000",
    "a\ud800b": "no invisible character in the text, got U+D800",
    "{{ shop }": "unexpected",
    "{{ shop }}{{": "unexpected 'end of template'",
    "{{ }}": "Expected an expression",
    "{% if shop is defined %}": "Unexpected end of template",
    "{% endif %}": "Encountered unknown tag 'endif'",
    "{% %}": "tag name expected",
    "{# open": "Missing end of comment tag",
    "{{ 'open }}": "unexpected char",
    "{{ shop ! }}": "unexpected char",
}


@pytest.mark.parametrize("source", ESCAPES)
def test_what_reaches_further_is_refused_by_name_and_line(source: str) -> None:
    found = problems(f"{{{{ shop }}}}\n{source}")

    assert found
    assert all(problem.startswith("2: ") for problem in found)
    assert ESCAPES[source] in found[0]


@pytest.mark.parametrize(
    "source",
    [
        "",
        "a line\nof\ttext\r\n\u3000¶【】😀",
        "{# a comment with {{ anything }} #}",
        "{{ shop }}",
        "{{- shop -}}",
        "{% if product is defined %}{{ product|short(4) }}{% endif %}{{ placed|clock }}{{ total|symbol }}",
        "{% if returning %}a{% endif %}",
        "{%- if not returning -%}a{%- else -%}b{%- endif -%}",
        "{% if city is defined %}{{ city }}{% elif spec is defined %}{{ spec }}{% else %}a{% endif %}",
        "{% if city is not defined or (spec is defined and returning) %}a{% endif %}",
    ],
)
def test_what_is_allowed_compiles(source: str) -> None:
    template, found = checked(source)

    assert found == ()
    assert template is not None


def test_every_problem_is_told_at_once() -> None:
    source = "{{ one }}\n{{ shop.x }}\n\n{% if two is defined %}{{ shop|wide }}{% endif %}"

    found = problems(source)

    assert [problem.partition(":")[0] for problem in found] == ["1", "2", "4", "4"]


def test_fields_are_those_shown_and_those_asked_about() -> None:
    template, _ = checked("{% if spec is defined or returning %}{{ total|symbol }}{% endif %}{{ shop }}")

    assert template is not None
    assert set(template.fields) == {"spec", "returning", "total", "shop"}


def nested_ifs(depth: int) -> str:
    return "{% if returning %}" * depth + "{% endif %}" * depth


def in_parentheses(depth: int) -> str:
    return "{% if " + "(" * depth + "returning" + ")" * depth + " %}{% endif %}"


WITHIN_AND_BEYOND = {
    "ifs": (nested_ifs, bounds.MAX_NESTED, "ifs within each other"),
    "parentheses": (in_parentheses, bounds.MAX_PARENTHESES, "parentheses within each other"),
    "tags": (lambda count: "{{ shop }}" * count, bounds.MAX_TAGS, "tags"),
    "words": (
        lambda count: "{% if " + "not " * (count - 2) + "returning %}{% endif %}",
        bounds.MAX_TAG_WORDS,
        "words and signs in a tag",
    ),
    "characters": (lambda count: "长" * count, bounds.MAX_SOURCE_CHARACTERS, "characters"),
}


@pytest.mark.parametrize("name", WITHIN_AND_BEYOND)
def test_size_and_depth_are_bounded(name: str) -> None:
    make, bound, told = WITHIN_AND_BEYOND[name]

    within, beyond = problems(make(bound)), problems(make(bound + 1))

    assert within == []
    assert beyond == [f"1: expected at most {bound} {told}"]


MAX_MEMORY = 32 * 1024**2

N = bounds.MAX_SOURCE_CHARACTERS
LARGEST = (
    "{{ pieces|short(9) }}" * bounds.MAX_TAGS,
    "{% if returning %}" + "{% elif returning %}{{ pieces|short(9) }}" * 39 + "{% endif %}",
    "{% if " + "returning and " * 24 + "returning %}{% endif %}",
    " " * N,
    " \n" * (N // 2),
)
BOMBS = {
    "text": "长" * N * 100,
    "parentheses": "{{ " + "(" * 7_000 + ")" * 900 + " }}",
    "brackets": "{{ " + "[" * 3_900 + "]" * 3_900 + " }}",
    "braces": "{{ " + "{1:" * 2_000 + "}" * 1_900 + " }}",
    "calls": "{{ " + "a(" * 2_500 + ")" * 2_500 + " }}",
    "nots": "{% if " + "not " * 1_900 + "returning %}{% endif %}",
    "minuses": "{{ " + "-" * 7_900 + "1 }}",
    "powers": "{{ " + "9**" * 2_600 + "9 }}",
    "joins": "{{ " + "shop~" * 1_500 + "shop }}",
    "filters": "{{ shop" + "|short(9)" * 800 + " }}",
    "tests": "{% if returning" + " is defined" * 700 + " %}{% endif %}",
    "ands": "{% if " + "returning and " * 500 + "returning %}{% endif %}",
    "inner ifs": "{{ " + "shop if returning else " * 340 + "shop }}",
    "ifs": "{% if returning %}" * 440,
    "elifs": "{% if returning %}" + "{% elif returning %}" * 390 + "{% endif %}",
    "fors": "{% for a in range(9999) %}" * 290,
    "macros": "{% macro a() %}" * 500,
    "digits": "{{ " + "9" * 7_900 + " }}",
    "padding": "{{ shop|center(999999999999) }}",
    "product": "{{ 'a' * 9999 * 9999 * 9999 * 9999 }}",
    "attributes": "{{ shop" + ".a" * 3_900 + " }}",
    "subscripts": "{{ shop" + "[0]" * 2_600 + " }}",
    "name": "{{ " + "a" * 7_900 + " }}",
    "names": "{{ shop " + "a" * 7_900 + " }}",
    "raws": "{% raw %}" * 880,
    "comments": "{#" * 4_000,
    "openings": "{{" * 4_000,
    "closings": "}}" * 4_000,
    "tag openings": "{% " * 2_600,
    "quotes": "{{ " + "'" * 7_900,
    "escapes": "{{ '" + "\\" * 7_900 + "' }}",
    "spaces": "{%" + " " * 7_900 + "if",
    "spaces before": " " * 7_900 + "{%- if",
    "fields": "{{ shop }}" * 800,
    "surrogates": "{{ '\\ud800" * 700,
}


@pytest.mark.parametrize("name", BOMBS)
def test_bomb_is_refused_with_a_short_complaint(name: str) -> None:
    found = problems(BOMBS[name])

    assert found
    assert max(map(len, found)) < 600


FROM_THE_DEEP = """
import sys, tracemalloc
sys.path[:0] = sys.argv[1:]
from tests.messages.test_language import BOMBS, LARGEST, checked

def deeper(frames, source):
    return deeper(frames - 1, source) if frames else checked(source)

for source in (*LARGEST, *BOMBS.values()):
    tracemalloc.start()
    deeper(500, source)
    print(tracemalloc.get_traced_memory()[1])
    tracemalloc.stop()
"""


def test_no_source_needs_a_deep_stack_or_much_memory() -> None:
    child = subprocess.run(
        [sys.executable, "-c", FROM_THE_DEEP, *sys.path],
        capture_output=True,
        encoding="utf-8",
        check=False,
        timeout=120,
    )

    peaks = list(map(int, child.stdout.split()))
    assert (child.returncode, child.stderr) == (0, "")
    assert len(peaks) == len(LARGEST) + len(BOMBS)
    assert max(peaks) < MAX_MEMORY


@pytest.mark.parametrize("source", LARGEST)
def test_the_largest_that_is_allowed_compiles(source: str) -> None:
    assert problems(source) == []


def test_a_tag_without_an_end_is_not_read_to_its_end() -> None:
    read = []
    endless = itertools.chain([(1, "variable_begin", "{{")], itertools.repeat((1, "name", "shop")))

    (problem,) = bounds.beyond_bounds(read.append(token) or token for token in endless)

    assert problem.detail == f"expected at most {bounds.MAX_TAG_WORDS} words and signs in a tag"
    assert len(read) == bounds.MAX_TAG_WORDS + 2


def test_no_more_tags_are_read_than_are_allowed() -> None:
    read = []
    endless = itertools.cycle([(1, "variable_begin", "{{"), (1, "name", "shop"), (1, "variable_end", "}}")])

    (problem,) = bounds.beyond_bounds(read.append(token) or token for token in endless)

    assert problem.detail == f"expected at most {bounds.MAX_TAGS} tags"
    assert len(read) == 3 * (bounds.MAX_TAGS + 1)


@given(
    source=st.lists(
        st.sampled_from(
            ["{{", "}}", "{%", "%}", "{#", "#}", " ", "\n", "if", "elif", "else", "endif", "for", "raw", "is",
             "not", "and", "or", "defined", "(", ")", "|", "short", "8", "'", '"', ".", "[", "-", "~", ":",
             "=", ",", "长", "¶", *FIELDS, *FILTERS]
        ),
        max_size=60,
    ).map("".join)
)  # fmt: skip
def test_any_source_gives_a_template_or_problems_with_their_lines(source: str) -> None:
    template, found = checked(source)

    assert (template is None) == bool(found)
    assert all(1 <= problem.line <= source.count("\n") + 1 and problem.detail for problem in found)
