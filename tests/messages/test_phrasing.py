"""What a template says for the fields that are there is what Jinja makes of it."""

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from jinja2 import Environment, StrictUndefined
from jinja2.exceptions import UndefinedError

from dispatcher.errors import MissingField
from dispatcher.messages.filters import FILTERS
from dispatcher.messages.phrasing import Phrasings
from dispatcher.messages.times import Moment
from dispatcher.messages.values import amount
from tests.messages.test_paths import CONDITIONS

JINJA = Environment(undefined=StrictUndefined)
JINJA.filters = {name: known.apply for name, known in FILTERS.items()}

PLACED = Moment("今天10:12")
PLACED.clock = "10:12"

TEXTS = ["a", "100% of {name}s%%", "", "{{ shop }}", "{{ city }}", "{{ total|symbol }}", "{{ placed|clock }}"]
SOURCES = st.recursive(
    st.sampled_from([*TEXTS, "{{ spec|short(4) }}"]),
    lambda inner: st.one_of(
        st.tuples(inner, inner).map("".join),
        st.tuples(CONDITIONS, inner, CONDITIONS, inner, inner).map(
            lambda parts: "{{% if {} %}}{}{{% elif {} %}}{}{{% else %}}{}{{% endif %}}".format(*parts)
        ),
    ),
    max_leaves=8,
)


@settings(deadline=None)  # a source is compiled, which takes its time beside other tests
@given(source=SOURCES, returning=st.booleans(), city=st.booleans(), spec=st.booleans())
def test_it_says_what_jinja_does(source: str, returning: bool, city: bool, spec: bool) -> None:
    there = {"shop": "S%s", "total": amount("299.00", "CNY"), "placed": PLACED}
    there |= {"city": "杭州"} if city else {}
    there |= {"spec": "红色大码"} if spec else {}

    def said() -> str | None:
        try:
            return Phrasings(JINJA.parse(source)).say(there | ({"returning": True} if returning else {}))
        except MissingField:
            return None

    def expected() -> str | None:
        try:
            return JINJA.from_string(source).render(there | {"returning": returning})
        except UndefinedError:
            return None

    assert said() == expected()


def test_the_same_template_says_different_things_of_different_orders() -> None:
    phrasings = Phrasings(JINJA.parse("{% if city is defined %}{{ city }}，{% endif %}{{ shop }}"))

    said = [phrasings.say(there) for there in ({"shop": "A"}, {"shop": "B", "city": "杭州"}, {"shop": "C"})]

    assert said == ["A", "杭州，B", "C"]


def test_it_tells_what_it_shows() -> None:
    phrasings = Phrasings(
        JINJA.parse("{{ shop }}{% if city is defined %}{{ spec }}{% else %}{{ total }}{% endif %}")
    )

    shown = [phrasings.shown(there) for there in (["shop", "spec", "total"], ["shop", "spec", "city"])]

    assert shown == [{"shop", "total"}, {"shop", "spec"}]


@pytest.mark.parametrize(
    "source", ["{{ shop.title }}", "{% for a in shop %}{% endfor %}", "{% if 1 %}{% endif %}"]
)
def test_what_was_not_allowed_says_nothing(source: str) -> None:
    with pytest.raises(AssertionError, match="is not allowed"):
        Phrasings(JINJA.parse(source)).say({"shop": "A"})
