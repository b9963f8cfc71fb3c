"""Every way through a template's ifs carries what the message must say."""

import pytest
from hypothesis import given
from hypothesis import strategies as st
from jinja2 import Environment

from dispatcher.messages.elements import ELEMENTS, Element
from dispatcher.messages.fields import FIELDS
from dispatcher.messages.paths import MAX_CONDITIONS
from dispatcher.policy.facts import CHANNELS, Channel
from tests.messages.test_language import checked

ORDER = "{{ order_tail }}"
PRODUCT = "{% if product is defined %}{{ product }}{% endif %}"
PRODUCT_OR_ORDER = "{% if product is defined %}{{ product }}{% else %}{{ order_tail }}{% endif %}"
LACKS_PRODUCT = "must carry product, but does not where product is not defined: expected product"


def told(source: str, *elements: Element, channel: Channel = "sms") -> list[str]:
    """What is wrong with a source that must carry the elements, as `line: what`."""
    return [f"{problem.line}: {problem.detail}" for problem in checked(source, *elements, channel=channel)[1]]


@pytest.mark.parametrize(
    ("element", "source"),
    [
        ("shop", "{{ shop }}"),
        ("shop", "{% if returning %}{{ shop }}{% else %}a{{ shop }}{% endif %}"),
        ("shop", "{% if returning %}{{ shop }}{% endif %}{% if not returning %}{{ shop }}{% endif %}"),
        (
            "shop",
            "{% if city is defined and returning %}{{ shop }}"
            "{% elif city is not defined or not returning %}{{ shop }}{% endif %}",
        ),
        (
            "shop",
            "{% if returning %}{% if city is defined %}{{ shop }}{% else %}{{ shop }}{% endif %}"
            "{% else %}{{ shop }}{% endif %}",
        ),
        ("product", PRODUCT_OR_ORDER),
        ("product", PRODUCT + ORDER),
        ("product", PRODUCT + "{% if product is not defined %}{{ order_tail }}{% endif %}"),
        ("greeting", "{% if customer is defined %}{{ customer }}{% endif %}"),
        ("greeting", "{% if not customer is defined %}{% else %}{{ customer }}{% endif %}"),
        ("self_introduction", "{{ shop }}{% if agent is defined %}{{ agent }}{% endif %}"),
        ("same_day_shipping", "{% if ships_before is defined %}{{ ships_before|clock }}{% endif %}"),
        ("service_promise", "a"),
    ],
)
def test_element_that_every_way_carries_is_taken(element: Element, source: str) -> None:
    found = told(source, element, channel="chat")

    assert found == []


@pytest.mark.parametrize(
    ("element", "source", "complaint"),
    [
        ("shop", "a", "1: must carry shop, but does not use shop"),
        (
            "shop",
            "a\n{% if returning %}{{ shop }}{% endif %}",
            "2: must carry shop, but does not where not returning: expected shop",
        ),
        (
            "shop",
            "{% if city is defined %}a{% endif %}\n{% if city is not defined %}{{ shop }}{% endif %}",
            "2: must carry shop, but does not where city is defined",
        ),
        (
            "shop",
            "{% if returning %}{{ shop }}\n{% elif city is defined %}a\n{% else %}{{ shop }}{% endif %}",
            "2: must carry shop, but does not where not returning and city is defined",
        ),
        (
            "time",
            "{% if returning and city is defined %}{{ placed }}{% elif returning %}{{ placed }}{% endif %}",
            "1: must carry time, but does not where not returning",
        ),
        ("product", PRODUCT, f"1: {LACKS_PRODUCT}, or order_tail where that is missing"),
        (
            "product",
            "{% if product is not defined %}{{ order_tail }}{% endif %}",
            "1: must carry product, but does not use product",
        ),
        (
            "product",
            "{{ order_tail }}{% if returning and product is defined %}{{ product }}{% endif %}",
            "1: must carry product, but does not where not returning and product is defined",
        ),
        (
            "greeting",
            "{% if customer is defined and returning %}{{ customer }}{% endif %}",
            "1: must carry greeting, but does not where customer is defined and not returning",
        ),
        (
            "self_introduction",
            "{% if agent is defined %}{{ shop }}{{ agent }}{% endif %}",
            "1: must carry self_introduction, but does not where agent is not defined",
        ),
        (
            "pay_link",
            "{% if pay_url is defined %}{{ pay_url }}{% endif %}",
            "1: must carry pay_link, but does not where pay_url is not defined",
        ),
    ],
)  # fmt: skip
def test_way_that_lacks_an_element_is_told_in_words(element: Element, source: str, complaint: str) -> None:
    (found,) = told(source, element, channel="chat")

    assert found.startswith(complaint)


CONDITIONS = st.recursive(
    st.sampled_from(["returning", "city is defined", "spec is not defined"]),
    lambda inner: st.one_of(
        inner.map("not ({})".format),
        st.tuples(inner, st.sampled_from(["and", "or"]), inner).map(" ".join).map("({})".format),
    ),
    max_leaves=4,
)
SOURCES = st.recursive(
    st.sampled_from(["a", "{{ shop }}", ""]),
    lambda inner: st.one_of(
        st.tuples(inner, inner).map("".join),
        st.tuples(CONDITIONS, inner, CONDITIONS, inner, inner).map(
            lambda parts: "{{% if {} %}}{}{{% elif {} %}}{}{{% else %}}{}{{% endif %}}".format(*parts)
        ),
    ),
    max_leaves=8,
)


@given(source=SOURCES)
def test_element_is_lacking_exactly_where_some_rendering_lacks_it(source: str) -> None:
    values = [
        {"returning": returning, "shop": "S"} | city | spec
        for returning in (True, False)
        for city in ({}, {"city": "C"})
        for spec in ({}, {"spec": "P"})
    ]

    template, found = checked(source, "shop", channel="chat")

    whole = Environment().from_string(source)
    carried = all("S" in whole.render(**chosen) for chosen in values)
    bounded = [problem.detail for problem in found if "expected at most" in problem.detail]
    assert bounded or (template is not None) is carried


@pytest.mark.parametrize(("channel", "right"), [("chat", False), ("sms", False), ("phone", True)])
def test_only_a_call_may_name_an_order_by_its_time_alone(channel: Channel, right: bool) -> None:
    found = told(PRODUCT + "{{ placed }}", "product", channel=channel)

    assert (found == []) is right


@pytest.mark.parametrize("name", [name for name, field in FIELDS.items() if field.optional])
@pytest.mark.parametrize(
    ("source", "line"),
    [
        ("a\n{{ NAME }}", 2),
        ("{% if NAME is not defined %}{{ NAME }}{% endif %}", 1),
        ("{% if NAME is defined or returning %}\n{{ NAME }}{% endif %}", 2),
        ("{% if NAME is defined %}{{ NAME }}{% else %}\n\n{{ NAME }}{% endif %}", 3),
    ],
)
def test_use_of_a_field_that_may_be_missing_is_told(name: str, source: str, line: int) -> None:
    found = told(source.replace("NAME", name), channel="chat")

    assert found == [f"{line}: {name} may be missing: expected it within if {name} is defined"]


@pytest.mark.parametrize(
    ("name", "given_with"), [(name, given) for name, field in FIELDS.items() for given in field.given_with]
)
def test_field_needs_no_question_beside_one_that_it_is_given_with(name: str, given_with: str) -> None:
    asked = given_with if FIELDS[given_with].kind == "yes/no" else f"{given_with} is defined"

    found = told(f"{{% if {asked} %}}{{{{ {name} }}}}{{% endif %}}")

    assert [detail for detail in found if name in detail] == []


def test_field_needs_a_question_beside_one_that_it_may_lack() -> None:
    found = told("{% if gift is defined %}{{ incentive_how }}{% endif %}", channel="chat")

    assert found == ["1: incentive_how may be missing: expected it within if incentive_how is defined"]


@pytest.mark.parametrize("name", [name for name, field in FIELDS.items() if not field.optional])
def test_field_that_every_order_has_needs_no_question(name: str) -> None:
    asked = FIELDS[name].kind == "yes/no"

    found = told(f"{{% if {name} %}}a{{% endif %}}" if asked else f"{{{{ {name} }}}}", channel="chat")

    assert found == []


def test_number_of_fields_asked_about_is_bounded(monkeypatch: pytest.MonkeyPatch) -> None:
    names = [f"field_{number}" for number in range(MAX_CONDITIONS + 1)]
    for name in names:
        monkeypatch.setitem(FIELDS, name, FIELDS["city"])
    ifs = [f"{{% if {name} is defined %}}{{{{ {name} }}}}{{% endif %}}" for name in names]

    within, beyond = told("".join(ifs[:-1])), told("".join(ifs))

    assert within == []
    assert beyond == [f"1: expected ifs on at most {MAX_CONDITIONS} fields, got {MAX_CONDITIONS + 1}"]


@pytest.mark.parametrize("channel", CHANNELS)
def test_every_element_names_fields_that_are_there(channel: Channel) -> None:
    named = {name for carrier in ELEMENTS.values() for name in carrier.fields | carrier.instead(channel)}

    assert named <= FIELDS.keys()


@pytest.mark.parametrize(
    ("source", "complaint"),
    [
        ("{% if promotion %}a{% endif %}", " where promotion"),
        ("{% if coupon is defined %}{{ coupon }}{% endif %}", " where coupon is defined"),
        ("{% if for_new_order %}a{% endif %}回T退订{% if gift is defined %}{% endif %}", None),
        (
            "{% if promotion %}{% if returning %}拒收请回复R{% endif %}{% endif %}",
            " where promotion and not returning",
        ),
        ("{% if promotion %}a{% else %}拒收请回复R{% endif %}", " where promotion"),
        ("{% if promotion %}拒收请回复{% if returning %}R{% endif %}{% endif %}", " where promotion"),
        ("{% if promotion %}{% if gift is defined %}{{ gift }}{% endif %}{% endif %}回复TD退订", None),
        ("{% if gift is defined %}{{ gift }}，退订回N{% endif %}", None),
        ("{% if promotion %}\n退订\n请回复R{% endif %}", None),
        ("{% if returning %}a{% endif %}", None),
    ],
)
def test_promotion_by_sms_says_how_to_refuse_on_every_way(source: str, complaint: str | None) -> None:
    found = told(source)

    expected = ": expected words like 拒收请回复R, 回T退订 or Reply R to stop"
    lacks = f"1: must carry the way to refuse, but does not{complaint}{expected}"
    assert found == ([] if complaint is None else [lacks])


def test_promotion_by_chat_need_not_say_how_to_refuse() -> None:
    found = told("{% if promotion %}a{% endif %}", channel="chat")

    assert found == []
