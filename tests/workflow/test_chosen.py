"""Why a message was of its kind, as the record of its decision tells."""

from typing import Any

import pytest

from dispatcher.workflow.chosen import as_recorded


@pytest.mark.parametrize(
    ("template", "step", "routing", "why"),
    [
        ("first_time/sms@1", 1, {}, "first_time"),
        ("en/before_close/chat@2", 2, {}, "step"),
        ("en/price/chat@shop.3", 2, {}, "told: price"),
        ("high_value/sms@1", 1, {"segment": "vip"}, "vip"),
        ("high_value/sms@1", 1, {"segment": "high_value"}, "high_value"),
        ("check_details/sms@1", 1, {}, "note"),
        ("check_details/sms@1", 2, {"used": ["chat"]}, "flash_sale"),
        # An agent wrote before the first reminder: both may have been the reason.
        ("check_details/sms@1", 1, {"used": ["chat"]}, None),
        # A kind that this release does not have.
        ("farewell/sms@1", 1, {}, None),
    ],
)
def test_the_code_follows_from_what_was_recorded(
    template: str, step: int, routing: dict[str, Any], why: str | None
) -> None:
    assert as_recorded(template, step, routing) == (template, why)
