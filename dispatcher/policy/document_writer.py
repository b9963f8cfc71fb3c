"""From a `Policy` back to the document that means it."""

from typing import Any

from dispatcher.policy.facts import Channel
from dispatcher.policy.incentive_writer import write_incentive
from dispatcher.policy.terms import (
    DEFAULT_LOCALE,
    BeforeClose,
    CadenceRow,
    Caps,
    Days,
    OpenDays,
    PerChannel,
    Phone,
    Policy,
    QuietHours,
    Routing,
    Segments,
    Suppression,
    Window,
)
from dispatcher.policy.units import format_clock, format_duration


def write_policy(policy: Policy) -> dict[str, Any]:
    """The document as JSON values: rules that are off are left out."""
    quiet, before_close, caps, phone = policy.quiet_hours, policy.before_close, policy.caps, policy.phone
    return _given(
        timezone=policy.timezone,
        platform=policy.platform,
        locale=None if policy.locale == DEFAULT_LOCALE else policy.locale,
        shop_name=policy.shop_name,
        currency=policy.currency,
        pay_within=_duration(policy.pay_within),
        max_late=_duration(policy.max_late),
        holidays=policy.holidays,
        quiet_hours=quiet and _quiet_hours(quiet),
        days=policy.days and _days(policy.days),
        spread=policy.spread and {"over": format_duration(policy.spread.over)},
        shipping=policy.shipping and {"cutoff": format_clock(policy.shipping.cutoff)},
        cadence=[_cadence_row(row) for row in policy.cadence],
        before_close=before_close and _before_close(before_close),
        caps=caps and _caps(caps),
        merge=policy.merge and {"within": format_duration(policy.merge.within)},
        suppression=policy.suppression and _suppression(policy.suppression),
        routing=_routing(policy.routing),
        phone=phone and _phone(phone),
        pace=policy.pace and _given(chat=policy.pace.chat, sms=policy.pace.sms),
        incentives=policy.incentives and [write_incentive(pool) for pool in policy.incentives],
        links=policy.links and {"allowed": list(policy.links.allowed)},
    )


def _quiet_hours(quiet: QuietHours) -> dict[str, Any]:
    return _given(
        start=format_clock(quiet.start), end=format_clock(quiet.end), max_held=_duration(quiet.max_held)
    )


def _days(days: Days) -> dict[str, Any]:
    return _given(reminders=_open_days(days.reminders), calls=_open_days(days.calls))


def _open_days(days: OpenDays | None) -> str | list[str] | None:
    return list(days) if isinstance(days, tuple) else days


def _cadence_row(row: CadenceRow) -> dict[str, Any]:
    remind = row.remind
    return {
        "placed": _window(row.placed),
        "remind": _given(
            after=_duration(remind.after),
            before=_clock(remind.before),
            at=_clock(remind.at),
            next_day_at=_clock(remind.next_day_at),
        ),
    }


def _before_close(step: BeforeClose) -> dict[str, Any]:
    return _given(lead=format_duration(step.lead), earliest_after=_duration(step.earliest_after))


def _caps(caps: Caps) -> dict[str, Any]:
    return _given(
        per_day=caps.per_day,
        min_gap=_duration(caps.min_gap),
        per_order=caps.per_order,
        per=caps.per,
        per_channel=caps.per_channel and _per_channel(caps.per_channel),
    )


def _per_channel(limits: PerChannel) -> dict[str, Any]:
    return _given(chat=limits.chat, sms=limits.sms, phone=limits.phone)


def _suppression(suppression: Suppression) -> dict[str, Any]:
    return _given(
        min_total=None if suppression.min_total is None else str(suppression.min_total),
        sensitive_channels=_channels(suppression.sensitive_channels),
        consent_required=_channels(suppression.consent_required),
        quiet_after_reply=_duration(suppression.quiet_after_reply),
        paid_other_order=suppression.paid_other_order,
    )


def _routing(routing: Routing) -> dict[str, Any]:
    return _given(
        channels=list(routing.channels),
        high_value=None if routing.high_value is None else str(routing.high_value),
        repeat_orders=routing.repeat_orders,
        vip_grade=routing.vip_grade,
        segments=routing.segments and _segments(routing.segments),
    )


def _segments(segments: Segments) -> dict[str, Any]:
    return _given(
        high_value=_channels(segments.high_value),
        vip=_channels(segments.vip),
        repeat=_channels(segments.repeat),
        first_time=_channels(segments.first_time),
    )


def _phone(phone: Phone) -> dict[str, Any]:
    return _given(
        windows=None if phone.windows is None else [_window(each) for each in phone.windows],
        overflow_after=_duration(phone.overflow_after),
        max_open=phone.max_open,
    )


def _channels(channels: tuple[Channel, ...] | None) -> list[Channel] | None:
    return None if channels is None else list(channels)


def _window(window: Window) -> list[str]:
    return [format_clock(window[0]), format_clock(window[1])]


def _duration(milliseconds: int | None) -> str | None:
    return None if milliseconds is None else format_duration(milliseconds)


def _clock(minutes: int | None) -> str | None:
    return None if minutes is None else format_clock(minutes)


def _given(**keys: Any) -> dict[str, Any]:
    return {key: value for key, value in keys.items() if value is not None}
