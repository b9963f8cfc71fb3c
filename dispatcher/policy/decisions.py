"""What policy answers: named values that the workflow acts on and the audit keeps."""

from typing import Any

import msgspec

from dispatcher.policy.facts import Channel, Instant, Rival
from dispatcher.policy.incentive_terms import Incentive


class Rule(msgspec.Struct, frozen=True, kw_only=True, gc=False):
    """One rule that was applied.

    `outcome` is `pass`, `defer` or `drop` (a routing rule names the channel it chose). `until` is
    the next instant at which the rule would answer otherwise, as the audit writes it, `None` when time
    does not change it. Equal rules of different decisions may be one object: nobody changes `inputs`.
    """

    rule: str
    outcome: str
    inputs: dict[str, Any] = {}
    until: str | None = None


class Limits(msgspec.Struct, frozen=True, kw_only=True, gc=False, cache_hash=True):
    """What the commit checks again against the customer's ledger.

    `[day_start, day_end)` is the customer's local day; `per_day`, `min_gap` (ms), `per_order` (against
    the order's other steps), `per_channel` (of the day, by the channel of the hand-off), `max_open` (call
    tasks of the shop) and `pace` (hand-offs of the shop by the channel within a minute) are `None` when the
    policy sets no limit.
    """

    day_start: Instant
    day_end: Instant
    per_day: int | None = None
    min_gap: int | None = None
    per_order: int | None = None
    per_channel: int | None = None
    max_open: int | None = None
    pace: int | None = None


class Offer(msgspec.Struct, frozen=True, kw_only=True, gc=False):
    """An incentive that a message names: an item of `pool`, usable until `ends`.

    `net` is what is left to pay for this order, `None` where it saves no known amount of it. The message must
    go before `until`. An item that the order has already is offered `again`, and no other one is taken.
    """

    pool: Incentive
    ends: Instant
    net: str | None
    until: Instant
    again: bool


class Send(msgspec.Struct, frozen=True, kw_only=True, tag="send", tag_field="decision", gc=False):
    """Hand over now, on `channel`, and not at or after `valid_until`.

    The message names the orders of the reminders that it `carries` beside its own.
    """

    channel: Channel
    valid_until: Instant
    limits: Limits
    ships_today: bool
    rules: tuple[Rule, ...]
    overflow_at: Instant | None = None
    carries: tuple[Rival, ...] = ()
    offer: Offer | None = None


class Defer(msgspec.Struct, frozen=True, kw_only=True, tag="defer", tag_field="decision", gc=False):
    """Decide again at `until`, on `channel` (which may differ from the present one).

    `tried` are the channels given up, to be kept with the reminder: a task that overflowed must not
    be opened again.
    """

    until: Instant
    channel: Channel
    reason: str
    rules: tuple[Rule, ...]
    tried: tuple[Channel, ...] = ()


class Drop(msgspec.Struct, frozen=True, kw_only=True, tag="drop", tag_field="decision", gc=False):
    """This step will not be handed over; `reason` says why."""

    reason: str
    rules: tuple[Rule, ...]


Decision = Send | Defer | Drop


class Planned(msgspec.Struct, frozen=True, kw_only=True, tag="planned", tag_field="plan", gc=False):
    """A step with its nominal `moment` and the instant it will first be looked at, `due`."""

    step: int
    moment: Instant
    due: Instant
    channel: Channel
    rules: tuple[Rule, ...]


class Unplanned(msgspec.Struct, frozen=True, kw_only=True, tag="unplanned", tag_field="plan", gc=False):
    """A step that is dropped as soon as it is known, with its reason.

    `moment` is the nominal instant, or the order's placing where there is none.
    """

    step: int
    moment: Instant
    reason: str
    rules: tuple[Rule, ...]


Plan = tuple[Planned | Unplanned, ...]
"""One entry a step, steps 1, 2, … without gaps."""


class Retry(msgspec.Struct, frozen=True, kw_only=True, tag="retry", tag_field="decision", gc=False):
    """A refused hand-off goes back to `planned`: `due` on `channel`; `tried` are the channels given up."""

    due: Instant
    channel: Channel
    reason: str
    tried: tuple[Channel, ...] = ()


class Fail(msgspec.Struct, frozen=True, kw_only=True, tag="fail", tag_field="decision", gc=False):
    """A refused hand-off ends the step."""

    reason: str
