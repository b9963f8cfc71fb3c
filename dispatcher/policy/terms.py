"""What a shop decides about its reminders, in the units that decisions use.

Durations are milliseconds, times of day minutes after midnight; a section or key that is `None` is a
rule that is off.
"""

from decimal import Decimal
from typing import Literal

import msgspec

from dispatcher.policy.facts import Channel
from dispatcher.policy.incentive_terms import Incentive

Platform = Literal["jd", "taobao", "pdd", "douyin", "own"]

Locale = Literal["zh-CN", "en"]
"""The language, and the ways of telling times and money, of what customers read."""

DEFAULT_LOCALE: Locale = "zh-CN"

Holidays = Literal["cn"]
"""Whose calendar of holidays and make-up workdays counts."""

Weekday = Literal["mon", "tue", "wed", "thu", "fri", "sat", "sun"]

OpenDays = Literal["every", "workdays"] | tuple[Weekday, ...]
"""The days on which something may go; weekdays stand in the order of the week."""

Window = tuple[int, int]
"""`[start, end)` in minutes after midnight."""


class Part(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """A piece of a policy."""


class QuietHours(Part, frozen=True, kw_only=True):
    """No hand-off in `[start, end)`, over midnight where the end is not later; equal means none."""

    start: int
    end: int
    max_held: int | None = None


class Days(Part, frozen=True, kw_only=True):
    """The local days on which customers are reminded at all, and those on which they are called."""

    reminders: OpenDays | None = None
    calls: OpenDays | None = None


class Spread(Part, frozen=True, kw_only=True):
    """How long the release of what falls on one instant takes."""

    over: int


class Shipping(Part, frozen=True, kw_only=True):
    """Paid before `cutoff` on a working day ships that day."""

    cutoff: int


class Remind(Part, frozen=True, kw_only=True):
    """When to remind: `after`, `after` with `before`, `at`, or `next_day_at`; nothing else is set."""

    after: int | None = None
    before: int | None = None
    at: int | None = None
    next_day_at: int | None = None


class CadenceRow(Part, frozen=True, kw_only=True):
    """Orders placed in the window are reminded as `remind` says."""

    placed: Window
    remind: Remind


class BeforeClose(Part, frozen=True, kw_only=True):
    """A second step, `lead` before the order closes."""

    lead: int
    earliest_after: int | None = None


class PerChannel(Part, frozen=True, kw_only=True):
    """A whole number for each channel that has one."""

    chat: int | None = None
    sms: int | None = None
    phone: int | None = None


class Caps(Part, frozen=True, kw_only=True, cache_hash=True):
    """Hand-offs a customer may get in a local day (0 = none), and the least time between two.

    `per_order` counts those of one order over all its steps (0 = none), `per_channel` those by one channel
    in a local day. `per` says who is one customer: with `phone` all who share a number are.
    """

    per_day: int | None = None
    min_gap: int | None = None
    per_order: int | None = None
    per: Literal["customer", "phone"] | None = None
    per_channel: PerChannel | None = None


class Merge(Part, frozen=True, kw_only=True):
    """A message carries the customer's other reminders that are due within that time."""

    within: int


class Segments(Part, frozen=True, kw_only=True):
    """Channels in order of preference for each segment; without its own a segment is called first.

    `first_time` without its own is treated as everybody else.
    """

    high_value: tuple[Channel, ...] | None = None
    vip: tuple[Channel, ...] | None = None
    repeat: tuple[Channel, ...] | None = None
    first_time: tuple[Channel, ...] | None = None


class Routing(Part, frozen=True, kw_only=True):
    """Channels in order of preference, and the bounds (inclusive) of the segments that have their own."""

    channels: tuple[Channel, ...]
    high_value: Decimal | None = None
    repeat_orders: int | None = None
    vip_grade: int | None = None
    segments: Segments | None = None


class Suppression(Part, frozen=True, kw_only=True):
    """Who is left alone: orders below `min_total`, and channels that an order or its customer forbids.

    An order with a sensitive item may go on `sensitive_channels` alone, and a channel in
    `consent_required` needs the customer's yes. Nor does anything go to who replied within
    `quiet_after_reply`, or paid another order since yesterday.
    """

    min_total: Decimal | None = None
    sensitive_channels: tuple[Channel, ...] | None = None
    consent_required: tuple[Channel, ...] | None = None
    quiet_after_reply: int | None = None
    paid_other_order: bool | None = None


class Phone(Part, frozen=True, kw_only=True):
    """When calls may be made, how long a task waits for someone to claim it, and how many wait at most."""

    windows: tuple[Window, ...] | None = None
    overflow_after: int | None = None
    max_open: int | None = None


class Pace(Part, frozen=True, kw_only=True):
    """Hand-offs of the shop by a channel within any minute; calls have the pace of those who make them."""

    chat: int | None = None
    sms: int | None = None


class Links(Part, frozen=True, kw_only=True):
    """The hosts that a message may link to, with what is below them, beside the platform's own."""

    allowed: tuple[str, ...]


class Policy(Part, frozen=True, kw_only=True, cache_hash=True):
    """Everything a shop decides about its reminders; as the key of what is kept it is hashed once."""

    timezone: str
    platform: Platform
    cadence: tuple[CadenceRow, ...]
    routing: Routing
    locale: Locale = DEFAULT_LOCALE
    shop_name: str | None = None
    currency: str | None = None
    pay_within: int | None = None
    max_late: int | None = None
    holidays: Holidays | None = None
    quiet_hours: QuietHours | None = None
    days: Days | None = None
    spread: Spread | None = None
    shipping: Shipping | None = None
    before_close: BeforeClose | None = None
    caps: Caps | None = None
    merge: Merge | None = None
    suppression: Suppression | None = None
    phone: Phone | None = None
    pace: Pace | None = None
    incentives: tuple[Incentive, ...] | None = None
    links: Links | None = None
