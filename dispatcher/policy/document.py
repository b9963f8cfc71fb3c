"""The policy of a shop as the document people write, in TOML or the same in JSON."""

import json
import tomllib
from functools import lru_cache
from typing import Any

from dispatcher.errors import FieldProblem, InvalidPolicy
from dispatcher.policy.document_reader import read_policy
from dispatcher.policy.document_writer import write_policy
from dispatcher.policy.terms import Days, Policy
from dispatcher.policy.workdays import last_known_year

__all__ = ["DEFAULT_TOML", "Policy", "default_policy", "load_json", "load_toml", "to_json", "warnings"]

DEFAULT_TOML = """\
timezone = "Asia/Shanghai"
platform = "jd"
currency = "CNY"
pay_within = "24h"
max_late = "2h"

[quiet_hours]
start = "22:00"
end = "09:00"
max_held = "12h"

[spread]
over = "20m"

[shipping]
cutoff = "17:00"

[[cadence]]
placed = ["00:00", "11:00"]
remind = {after = "2h", before = "15:00"}

[[cadence]]
placed = ["11:00", "15:00"]
remind = {after = "15m"}

[[cadence]]
placed = ["15:00", "24:00"]
remind = {next_day_at = "10:00"}

[before_close]
lead = "2h"
earliest_after = "3h"

[caps]
per_day = 2
min_gap = "3h"

[routing]
channels = ["chat", "sms"]
high_value = "500.00"
repeat_orders = 1

[phone]
windows = [["09:00", "12:00"], ["14:00", "20:00"]]
overflow_after = "2h"
"""


MAX_CHARACTERS = 65_536
"""The longest policy document."""

EVERY_DAY = (None, "every")
"""How a policy closes no day."""


@lru_cache(maxsize=1)
def default_policy() -> Policy:
    """The policy of a shop that has given none."""
    return load_toml(DEFAULT_TOML)


def load_toml(text: str) -> Policy:
    """Read a policy file; raises `InvalidPolicy` naming each wrong field."""
    try:
        return read_policy(tomllib.loads(_bounded(text)))
    except (ValueError, RecursionError) as error:
        raise _unreadable("TOML", str(error)) from error


def load_json(document: bytes | str | dict[str, Any]) -> Policy:
    """Read the same document as JSON; raises `InvalidPolicy` naming each wrong field."""
    if isinstance(document, dict):
        return read_policy(document)
    try:
        return read_policy(json.loads(_bounded(document), object_pairs_hook=_without_doubles))
    except (ValueError, RecursionError) as error:
        raise _unreadable("JSON", str(error)) from error


def warnings(policy: Policy) -> tuple[str, ...]:
    """What is right in a policy and yet may not do what its author expects."""
    days = policy.days or Days()
    told = []
    if policy.holidays == "cn" and (policy.shipping or "workdays" in (days.reminders, days.calls)):
        last = last_known_year()
        told.append(f"holidays: the calendar ends with {last}; from {last + 1} on, plain weekdays count")
    quiet = policy.quiet_hours
    if quiet is None or quiet.start == quiet.end:
        if days.reminders not in EVERY_DAY:
            told.append("days.reminders: without quiet_hours, what a closed day held back goes at 00:00")
        if days.calls not in EVERY_DAY and (policy.phone is None or policy.phone.windows is None):
            told.append("days.calls: without quiet_hours or phone.windows, calls are made from 00:00 on")
    return tuple(told)


def to_json(policy: Policy) -> dict[str, Any]:
    """The document of a policy; `load_json` makes an equal policy of it."""
    return write_policy(policy)


def _without_doubles(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    table = dict(pairs)
    if len(table) < len(pairs):
        raise ValueError("a key is given twice")
    return table


def _bounded(document: Any) -> Any:
    if len(document) > MAX_CHARACTERS:
        raise ValueError(f"expected at most {MAX_CHARACTERS} characters")
    return document


def _unreadable(form: str, why: str) -> InvalidPolicy:
    problem = FieldProblem("", f"expected {form}: {why[:200]}")
    return InvalidPolicy(f"the policy is not readable as {form}", (problem,))
