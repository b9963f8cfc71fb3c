"""Where a template may show the link for paying, and how a text message is signed."""

import pytest

from dispatcher.messages.places import SIGNATURE
from dispatcher.policy.facts import Channel
from tests.messages.test_language import checked

UNSIGNED = f"expected the text message to begin with {SIGNATURE}, on every way"


def told(source: str, channel: Channel = "chat") -> list[str]:
    """What is wrong with where a template that must carry the shop shows things."""
    found = checked(source, *(["shop"] if channel == "sms" else []), channel=channel)[1]
    return [f"{problem.line}: {problem.detail}" for problem in found]


@pytest.mark.parametrize(
    "source",
    [
        "{{ pay_url }}",
        "付款：{{ pay_url }}",
        "Pay: {{ pay_url }} now",
        "{{ pay_url }}¶now",
        "{{ pay_url }}，请看",
        "{{ pay_url }}{% if returning %} R{% endif %}",
        "{% if returning %}a {% else %}b¶{% endif %}{{ pay_url }}",
    ],
)
def test_link_that_stands_by_itself_is_taken(source: str) -> None:
    assert told(source) == []


@pytest.mark.parametrize(
    ("source", "problem"),
    [
        ("{{ pay_url }}.evil.com", "1: expected no . right behind pay_url"),
        ("{{ pay_url }}@evil", "1: expected no @ right behind pay_url"),
        ("a\n{{ pay_url }}{% if returning %}a{% endif %}", "2: expected a space, a line break or Chinese"),
        ("好\n{{ pay_url }}{% if returning %}a{% endif %}", "2: expected no a right behind pay_url"),
        ("{{ pay_url }}{% if returning %} {% endif %}b", "1: expected no b right behind pay_url"),
        ("{{ pay_url }}{{ total }}", "1: expected a space or other text between pay_url and the next field"),
        ("{{ total }}{{ pay_url }}", "1: expected a space, a line break or Chinese text before pay_url"),
        ("?u={{ pay_url }}", "1: expected a space, a line break or Chinese text before pay_url"),
    ],
)
def test_what_would_become_part_of_the_link_is_refused(source: str, problem: str) -> None:
    found = told(source)

    assert found[0].startswith(problem)


@pytest.mark.parametrize(
    "source",
    [
        "【{{ shop }}】您好",
        "{# of whom #}\n【{{ shop }}】\n{{ total }}",
        "{% if returning %}【{{ shop }}】又见面了{% else %}【{{ shop }}】您好{% endif %}",
        "【{{ shop }}】{% if returning %}{{ shop }}{% endif %}",
    ],
)
def test_text_message_that_begins_with_its_signature_is_taken(source: str) -> None:
    assert told(source, "sms") == []


@pytest.mark.parametrize(
    ("source", "problem"),
    [
        ("【银行】{{ shop }}", f"1: {UNSIGNED}"),
        ("您好【{{ shop }}】", f"1: {UNSIGNED}"),
        ("{{ shop }}您好", f"1: {UNSIGNED}"),
        ("【{{ shop }}您好", f"1: {UNSIGNED}"),
        ("【{{ shop }}{{ total }}】", f"1: {UNSIGNED}"),
        ("【{{ total }}】{{ shop }}", f"1: {UNSIGNED}"),
        ("【{{ shop }}{{ shop }}】", f"1: {UNSIGNED}"),
        ("【{{ shop }}", f"1: {UNSIGNED}"),
        ("\n{% if returning %}【{{ shop }}】{% endif %}{{ shop }}", f"2: {UNSIGNED}"),
        ("【{{ shop }}】\n【银行】", "1: expected no other 【 or 】"),
        ("【{{ shop }}】{% if returning %}】{% endif %}", "1: expected no other 【 or 】"),
        ("【{{ shop }}】︻银行︼", "1: expected no ︻, which looks like"),
        ("【{{ shop|short(8) }}】", "1: short is for text, but shop is name"),
    ],
)
def test_text_message_signed_otherwise_is_refused(source: str, problem: str) -> None:
    found = told(source, "sms")

    assert found[0].startswith(problem)
