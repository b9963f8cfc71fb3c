"""The promises I1 to I6 as checks of an audit: each returns its violations as text, none when it is kept."""

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from typing import Any

from tests.checkers.handoffs import handoffs
from tests.checkers.items import never_overdrawn
from tests.checkers.limits import (
    before_close,
    caps,
    closed_days,
    gaps,
    open_tasks,
    paced,
    per_channel,
    per_order,
    phone_windows,
    quiet,
    while_valid,
)
from tests.checkers.merges import merges
from tests.checkers.payment import not_after_opt_out, not_after_payment, one_per_step
from tests.checkers.recompute import recompute
from tests.checkers.records import Record, form, no_phone_numbers
from tests.checkers.spread import minute_bound, spread
from tests.checkers.terms import Days, open_days, terms
from tests.checkers.trail import (
    all_final,
    decisions_recomputable_inputs,
    effects,
    events_once,
    followed,
    gapless,
)

__all__ = [
    "DEFAULT_POLICY",
    "CheckerRules",
    "all_final",
    "before_close",
    "caps",
    "check_all",
    "closed_days",
    "decisions_recomputable_inputs",
    "effects",
    "events_once",
    "followed",
    "form",
    "gapless",
    "gaps",
    "handoffs",
    "merges",
    "minute_bound",
    "never_overdrawn",
    "no_phone_numbers",
    "not_after_opt_out",
    "not_after_payment",
    "one_per_step",
    "open_tasks",
    "paced",
    "per_channel",
    "per_order",
    "phone_windows",
    "quiet",
    "recompute",
    "spread",
    "while_valid",
]


@dataclass(frozen=True, kw_only=True)
class CheckerRules:
    """What a policy promises, restated; `None` where it sets no such rule.

    `finished` says that the audit ends when nothing is owed any more, `decided` that its decisions are
    real and not made up.
    """

    zone: str
    per_day: int | None = None
    min_gap_ms: int | None = None
    per_order: int | None = None
    per_channel: tuple[tuple[str, int], ...] = ()
    max_open: int | None = None
    quiet: tuple[str, str] | None = None
    phone_windows: tuple[tuple[str, str], ...] | None = None
    remind_on: Days | None = None
    call_on: Days | None = None
    spread_over_ms: int | None = None
    spread_instants: tuple[str, ...] = ()
    finished: bool = False
    decided: bool = True


DEFAULT_POLICY = CheckerRules(
    zone="Asia/Shanghai",
    per_day=2,
    min_gap_ms=3 * 3_600_000,
    quiet=("22:00", "09:00"),
    phone_windows=(("09:00", "12:00"), ("14:00", "20:00")),
    spread_over_ms=20 * 60_000,
    spread_instants=("10:00", "15:00", "14:00"),
)
"""The default policy's rules, written down from the contract."""

Check = Callable[[list[Record]], list[str]]

ALWAYS: tuple[Check, ...] = (
    gapless,
    events_once,
    followed,
    one_per_step,
    not_after_payment,
    not_after_opt_out,
    before_close,
    while_valid,
    merges,
    never_overdrawn,
    decisions_recomputable_inputs,
    no_phone_numbers,
)


def check_all(records: Iterable[Record], rules: CheckerRules) -> list[str]:
    """Return every violation, each beginning with the name of the check that found it.

    The rules hold for all shops of the audit. Records of a wrong form are told alone.
    """
    records = list(records)
    if wrong := form(records):
        return [f"form: {violation}" for violation in wrong]
    return [f"{title}: {violation}" for title, check in checks_of(rules) for violation in check(records)]


def checks_of(rules: CheckerRules) -> list[tuple[str, Check]]:
    """Return the checks that rules ask for, by name."""
    checks = [(check.__name__, check) for check in ALWAYS] + limits_of(rules)
    if rules.decided:
        checks.append(("recompute", recompute))
    if rules.finished:
        checks.append(("all_final", all_final))
    return checks


def rules_of(document: dict[str, Any], *, finished: bool = False) -> CheckerRules:
    """Return what a policy document promises."""
    found = terms(document)
    quiet, windows = document.get("quiet_hours", {}), document.get("phone", {}).get("windows")
    reminds = [row["remind"] for row in document["cadence"]]
    fixed = {at for remind in reminds for name, at in remind.items() if name != "after"}
    fixed |= {start for start, _ in windows or ()}
    return CheckerRules(
        zone=found.zone,
        per_day=found.per_day,
        min_gap_ms=found.min_gap,
        per_order=found.per_order,
        quiet=(quiet["start"], quiet["end"]) if found.quiet else None,
        phone_windows=tuple((start, end) for start, end in windows) if windows else None,
        remind_on=open_days(document, "reminders"),
        call_on=open_days(document, "calls"),
        spread_over_ms=found.over or None,
        spread_instants=tuple(sorted(fixed)),
        finished=finished,
    )


def limits_of(rules: CheckerRules) -> list[tuple[str, Check]]:
    """Return the checks of what a policy itself limits, by name."""
    checks: list[tuple[str, Check]] = []
    if (per_day := rules.per_day) is not None:
        checks.append(("caps", lambda records: caps(records, per_day, rules.zone)))
    if (min_gap := rules.min_gap_ms) is not None:
        checks.append(("gaps", lambda records: gaps(records, min_gap)))
    if (most := rules.per_order) is not None:
        checks.append(("per_order", lambda records: per_order(records, most)))
    if rules.per_channel:
        checks.append(
            ("per_channel", lambda records: per_channel(records, dict(rules.per_channel), rules.zone))
        )
    if (most_open := rules.max_open) is not None:
        checks.append(("open_tasks", lambda records: open_tasks(records, most_open)))
    if (night := rules.quiet) is not None:
        checks.append(("quiet", lambda records: quiet(records, *night, rules.zone)))
    if (windows := rules.phone_windows) is not None:
        checks.append(("phone_windows", lambda records: phone_windows(records, windows, rules.zone)))
    if (days := rules.remind_on) is not None:
        checks.append(("closed_days", lambda records: closed_days(records, days, rules.zone)))
    if (calls := rules.call_on) is not None:
        checks.append(("call_days", lambda records: closed_days(records, calls, rules.zone, {"phone"})))
    if (over := rules.spread_over_ms) is not None:
        checks.append(
            ("spread", lambda records: spread(records, over, rules.spread_instants, rules.zone, rules.quiet))
        )
    return checks
