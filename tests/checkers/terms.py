"""What a policy document says, read for the checkers; the default one is restated from the contract."""

from dataclasses import dataclass
from decimal import Decimal
from typing import Any

MINUTE = 60_000
HOUR = 60 * MINUTE
DAY = 24 * HOUR
WEEK = {"mon", "tue", "wed", "thu", "fri", "sat", "sun"}
UNITS = {"s": 1_000, "m": MINUTE, "h": HOUR, "d": DAY}

Days = tuple[str, ...] | str
"""Weekdays, or `workdays` (Monday to Friday), or `workdays cn` (by the Chinese calendar)."""

Window = tuple[int, int]
"""[start, end) in minutes after midnight."""

DEFAULT_DOCUMENT: dict[str, Any] = {
    "timezone": "Asia/Shanghai",
    "platform": "jd",
    "currency": "CNY",
    "pay_within": "24h",
    "max_late": "2h",
    "quiet_hours": {"start": "22:00", "end": "09:00", "max_held": "12h"},
    "spread": {"over": "20m"},
    "shipping": {"cutoff": "17:00"},
    "cadence": [
        {"placed": ["00:00", "11:00"], "remind": {"after": "2h", "before": "15:00"}},
        {"placed": ["11:00", "15:00"], "remind": {"after": "15m"}},
        {"placed": ["15:00", "24:00"], "remind": {"next_day_at": "10:00"}},
    ],
    "before_close": {"lead": "2h", "earliest_after": "3h"},
    "caps": {"per_day": 2, "min_gap": "3h"},
    "routing": {"channels": ["chat", "sms"], "high_value": "500.00", "repeat_orders": 1},
    "phone": {"windows": [["09:00", "12:00"], ["14:00", "20:00"]], "overflow_after": "2h"},
}
"""The policy of a shop that has given none: version 0."""


@dataclass(frozen=True, kw_only=True)
class Row:
    """A row of the cadence; durations in ms, times of day in minutes."""

    placed: Window
    after: int | None
    before: int | None
    at: int | None
    next_day_at: int | None


@dataclass(frozen=True, kw_only=True)
class Terms:
    """A policy: durations in ms, times of day in minutes, `None` where a rule is off."""

    zone: str
    currency: str | None
    max_late: int | None
    quiet: Window | None
    max_held: int | None
    remind_on: Days | None
    call_on: Days | None
    holidays: str | None
    over: int
    cutoff: int | None
    cadence: tuple[Row, ...]
    lead: int | None
    earliest_after: int | None
    per_day: int | None
    min_gap: int | None
    per_order: int | None
    per_channel: dict[str, int]
    max_open: int | None
    pace: dict[str, int]
    merge_within: int | None
    min_total: Decimal | None
    sensitive_channels: tuple[str, ...] | None
    consent_required: tuple[str, ...]
    channels: tuple[str, ...]
    high_value: Decimal | None
    repeat_orders: int | None
    vip_grade: int | None
    segments: dict[str, list[str]]
    windows: tuple[Window, ...] | None
    overflow_after: int | None
    quiet_after_reply: int | None
    paid_other_order: bool
    platform: str
    incentives: tuple[dict[str, Any], ...]


def terms(document: dict[str, Any]) -> Terms:
    """Return the terms of a document; a section or key that is missing is a rule that is off."""
    quiet, caps = document.get("quiet_hours", {}), document.get("caps", {})
    step, phone, routing = document.get("before_close", {}), document.get("phone", {}), document["routing"]
    suppression = document.get("suppression", {})
    sensitive = suppression.get("sensitive_channels")
    windows = tuple(sorted(_window(window) for window in phone.get("windows", ())))
    return Terms(
        zone=document["timezone"],
        currency=document.get("currency"),
        max_late=_duration(document.get("max_late")),
        quiet=_night(quiet),
        max_held=_duration(quiet.get("max_held")) if quiet.get("start") else None,
        remind_on=open_days(document, "reminders"),
        call_on=open_days(document, "calls"),
        holidays=document.get("holidays"),
        over=_duration(document.get("spread", {}).get("over")) or 0,
        cutoff=_clock(document.get("shipping", {}).get("cutoff")),
        cadence=tuple(_row(row) for row in document["cadence"]),
        lead=_duration(step.get("lead")),
        earliest_after=_duration(step.get("earliest_after")),
        per_day=caps.get("per_day"),
        min_gap=_duration(caps.get("min_gap")),
        per_order=caps.get("per_order"),
        per_channel=caps.get("per_channel", {}),
        max_open=phone.get("max_open"),
        pace=document.get("pace", {}),
        merge_within=_duration(document.get("merge", {}).get("within")),
        min_total=_amount(suppression.get("min_total")),
        sensitive_channels=None if sensitive is None else tuple(sensitive),
        consent_required=tuple(suppression.get("consent_required", ())),
        channels=tuple(routing["channels"]),
        high_value=_amount(routing.get("high_value")),
        repeat_orders=routing.get("repeat_orders"),
        vip_grade=routing.get("vip_grade"),
        segments=routing.get("segments", {}),
        windows=windows if windows not in {(), ((0, 24 * 60),)} else None,
        overflow_after=_duration(phone.get("overflow_after")),
        quiet_after_reply=_duration(suppression.get("quiet_after_reply")),
        paid_other_order=suppression.get("paid_other_order") is True,
        platform=document["platform"],
        incentives=tuple(document.get("incentives", ())),
    )


def open_days(document: dict[str, Any], key: str) -> Days | None:
    """Return the days a document opens for `reminders` or `calls`; `None` when it closes none."""
    days = document.get("days", {}).get(key, "every")
    if days == "every" or len(set(days) & WEEK) == len(WEEK):
        return None
    if days == "workdays":
        return "workdays cn" if document.get("holidays") == "cn" else "workdays"
    return tuple(days)


def _night(quiet: dict[str, Any]) -> Window | None:
    """Equal ends mean none."""
    if not quiet.get("start") or quiet["start"] == quiet["end"]:
        return None
    return _window((quiet["start"], quiet["end"]))


def _row(row: dict[str, Any]) -> Row:
    remind = row["remind"]
    return Row(
        placed=_window(row["placed"]),
        after=_duration(remind.get("after")),
        before=_clock(remind.get("before")),
        at=_clock(remind.get("at")),
        next_day_at=_clock(remind.get("next_day_at")),
    )


def _window(ends: Any) -> Window:
    start, end = ends
    return _minutes(start), _minutes(end)


def _duration(text: str | None) -> int | None:
    return None if text is None else int(text[:-1]) * UNITS[text[-1]]


def _amount(text: str | None) -> Decimal | None:
    return None if text is None else Decimal(text)


def _clock(text: str | None) -> int | None:
    return None if text is None else _minutes(text)


def _minutes(text: str) -> int:
    hours, minutes = text.split(":")
    return int(hours) * 60 + int(minutes)
