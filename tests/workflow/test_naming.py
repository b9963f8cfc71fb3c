"""A name of a template that is not there is refused with those that may have been meant."""

import pytest

from dispatcher.workflow.naming import unknown_template

KNOWN = [
    f"{locale}/{kind}/{channel}"
    for locale in ("zh-CN", "en")
    for kind in ("first_time", "first_reminder", "price")
    for channel in ("sms", "chat", "phone")
]


@pytest.mark.parametrize(
    ("name", "meant"),
    [
        # As the audit keeps it.
        ("first_time/sms", "as in zh-CN/first_time/sms"),
        ("first_time/sms@1", "as in zh-CN/first_time/sms"),
        ("first_time/sms@shop.12", "as in zh-CN/first_time/sms"),
        ("en/price/chat@2", "as in en/price/chat"),
        # As people mistype it.
        ("zh-CN/first-time/sms", "as in zh-CN/first_time/sms or "),
        ("frist_time/sms", "as in zh-CN/first_time/sms or "),
        ("en/prize/phone", "as in en/price/phone"),
        ("x", "as in zh-CN/first_time/sms"),
        ("", "as in zh-CN/first_time/sms"),
        ("/" * 100_000, "as in zh-CN/first_time/sms"),
    ],
)
def test_the_nearest_names_are_told(name: str, meant: str) -> None:
    assert meant in str(unknown_template(name, KNOWN))
