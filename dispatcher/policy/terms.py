"""What a shop decides about its reminders, in the units that decisions use.

Durations are milliseconds, times of day minutes after midnight; a section or key that is `None` is a
rule that is off.
"""

from decimal import Decimal
from typing import Literal

import msgspec

from dispatcher.policy.facts import Channel

Platform = Literal["jd", "taobao", "pdd", "douyin", "own"]

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


class Caps(Part, frozen=True, kw_only=True):
    """Hand-offs a customer may get in a local day (0 = none), and the least time between two."""

    per_day: int | None = None
    min_gap: int | None = None


class Routing(Part, frozen=True, kw_only=True):
    """Channels in order of preference, and who is called instead (both bounds inclusive)."""

    channels: tuple[Channel, ...]
    high_value: Decimal | None = None
    repeat_orders: int | None = None


class Phone(Part, frozen=True, kw_only=True):
    """When calls may be made, and how long a task waits for someone to claim it."""

    windows: tuple[Window, ...] | None = None
    overflow_after: int | None = None


class Policy(Part, frozen=True, kw_only=True):
    """Everything a shop decides about its reminders."""

    timezone: str
    platform: Platform
    cadence: tuple[CadenceRow, ...]
    routing: Routing
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
    phone: Phone | None = None
