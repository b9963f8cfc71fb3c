"""Addresses as people may see them: enough to tell which is meant, too little to use it."""

import phonenumbers

HIDDEN = "****"
"""Stands for what is left out, at least as many characters."""

_HEAD, _TAIL = 3, 4
"""So many digits of a long number are shown in front and at the end."""


def masked_phone(number: str) -> str:
    """Return a number in E.164 without its middle, such as +86 138 **** 0000."""
    parsed = phonenumbers.parse(number)
    digits = str(parsed.national_number)
    tail = min(_TAIL, max(0, (len(digits) - 1) // 2 - 1))
    head = min(_HEAD, max(0, len(digits) - tail - len(HIDDEN)))
    parts = (f"+{parsed.country_code}", digits[:head], HIDDEN, digits[len(digits) - tail :])
    return " ".join(part for part in parts if part)


def masked_handle(handle: str) -> str:
    """Return a chat handle without its middle, a short one without anything."""
    shown = 1 if len(handle) > len(HIDDEN) + 1 else 0
    return f"{handle[:shown]}{HIDDEN}{handle[len(handle) - shown :]}"
