"""What may be shown of an address."""

import pytest

from dispatcher.policy.masking import masked_handle, masked_phone


@pytest.mark.parametrize(
    ("number", "shown"),
    [
        ("+8613800000000", "+86 138 **** 0000"),
        ("+12025550123", "+1 202 **** 123"),
        ("+4512345678", "+45 12 **** 78"),
        ("+2901234", "+290 ****"),
    ],
)
def test_a_number_is_shown_without_four_of_its_digits(number: str, shown: str) -> None:
    assert masked_phone(number) == shown


@pytest.mark.parametrize(
    ("handle", "shown"), [("wang_8842", "w****2"), ("wang88", "w****8"), ("wang8", "****"), ("王", "****")]
)
def test_a_handle_is_shown_by_its_ends_if_enough_is_left(handle: str, shown: str) -> None:
    assert masked_handle(handle) == shown
