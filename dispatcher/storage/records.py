"""What goes to the store and comes back: orders as stored, commands and replies.

Commands carry what their script's header asks for; the store fills in the positions of keys. Stored
structs grow by fields with defaults only, so that every version that was ever written stays readable.
"""

from typing import Any, Literal

import msgspec

from dispatcher.policy.facts import Channel, Handoff, Instant, OrderFacts, OrderState
from dispatcher.policy.reminders import HANDED_OVER, Status

Json = str
"""A JSON object as text, kept as it is."""


class StoredStep(msgspec.Struct, kw_only=True, omit_defaults=True):
    """One reminder of an order.

    `token` and `lease_end` are there while it is leased or being sent; `answered` is the token last
    answered with `answer`, `settled` the one last settled, so that a repeated call gets the same
    answer; `handed` is the hand-off's instant (its commit's, until it is settled); `agent` claimed it.
    """

    status: Status
    moment: Instant
    due: Instant
    channel: Channel
    attempt: int = 0
    tried: tuple[Channel, ...] = ()
    leases: int = 0
    token: int | None = None
    lease_end: Instant | None = None
    handed: Instant | None = None
    answered: int | None = None
    answer: str | None = None
    settled: int | None = None
    agent: str | None = None


class StoredOrder(msgspec.Struct, kw_only=True, omit_defaults=True):
    """Where an order and its reminders stand; without `customer` only its end is known so far."""

    state: OrderState
    rev: int
    time: Instant
    closes: Instant | None = None
    customer: str | None = None
    steps: list[StoredStep] = []

    def used(self, but: int) -> tuple[Handoff, ...]:
        """Return the hand-offs of the order's steps other than `but`."""
        return tuple(
            Handoff(step=number, channel=step.channel, at=step.handed or step.due)
            for number, step in enumerate(self.steps, 1)
            if number != but and step.status in HANDED_OVER
        )


FACTS = msgspec.json.Decoder(OrderFacts)
ORDER = msgspec.msgpack.Decoder(StoredOrder)


class Command(msgspec.Struct, kw_only=True, omit_defaults=True):
    """One item of a script call about a reminder; `None` is left out."""

    reminder: str
    order: str
    customer: str | None = None
    step: int
    shop: int = 0
    order_key: int = 0
    ledger: int | None = None


class Commit(Command, kw_only=True, omit_defaults=True):
    """A decision to be recorded (see `lua/commit.lua`)."""

    kind: Literal["send", "open", "claim", "defer", "drop", "release"]
    token: int | None = None
    rev: int
    shop_rev: int
    policy: int
    details: Json
    channel: Channel | None = None
    due: Instant | None = None
    reason: str | None = None
    template: str | None = None
    text: str | None = None
    text_key: int | None = None
    valid_until: Instant | None = None
    day_start: Instant | None = None
    day_end: Instant | None = None
    per_day: int | None = None
    min_gap: int | None = None
    handed: Instant | None = None
    tried: tuple[Channel, ...] | None = None


SettledAs = Literal["sent", "uncertain", "retry", "fail"]


class Settlement(Command, kw_only=True, omit_defaults=True):
    """What became of a hand-off (see `lua/settle.lua`)."""

    outcome: SettledAs
    token: int
    details: Json = "{}"
    channel: Channel | None = None
    due: Instant | None = None
    reason: str | None = None
    handed: Instant | None = None
    tried: tuple[Channel, ...] | None = None


class Completion(Command, kw_only=True, omit_defaults=True):
    """The end of a claimed task (see `lua/complete.lua`)."""

    details: Json


class PlanStep(msgspec.Struct, kw_only=True, omit_defaults=True):
    """One planned step of an order; with `reason` it is dropped at once."""

    moment: Instant
    due: Instant | None = None
    channel: Channel | None = None
    reason: str | None = None
    policy: int
    details: Json


class Intake(msgspec.Struct, kw_only=True, omit_defaults=True):
    """An event to be taken (see `lua/intake.lua`).

    `rev` is the revision an amendment was merged with; the type `probe` asks only whether the event
    was taken before.
    """

    event: str
    seen: str
    digest: str
    type: str
    time: Instant
    order: str
    shop_name: str
    shop: int = 0
    buckets: list[int] = []
    order_key: int = 0
    facts_key: int = 0
    timer: str = ""
    shop_rev: int | None = None
    rev: int | None = None
    customer: str | None = None
    facts: Json | None = None
    closes: Instant | None = None
    plan: list[PlanStep] | None = None
    details: Json | None = None


class IntakeReply(msgspec.Struct, kw_only=True):
    """What an event did: `reminders` counts the order's steps, the others name steps."""

    status: Literal[
        "accepted", "duplicate", "stale", "reused", "new", "customer_differs", "policy_changed", "conflict"
    ]
    reminders: int = 0
    stopped: list[int] = []
    too_late: list[int] = []


class Leased(msgspec.Struct, kw_only=True):
    """One leased reminder with what deciding about it needs; `facts` is `None` if unreadable."""

    reminder: str
    order_id: str
    number: int
    order: StoredOrder
    facts: OrderFacts | None
    ledger: tuple[Instant, ...]

    @property
    def step(self) -> StoredStep:
        """The reminder itself."""
        return self.order.steps[self.number - 1]


class Lease(msgspec.Struct, kw_only=True):
    """A batch of leased reminders of one shop and channel under one fencing token.

    `now` is the lane's time, which is ahead of a worker whose clock is slow.
    """

    shop: str
    channel: Channel
    token: int
    now: Instant
    shop_rev: int
    policy: int
    lease_end: Instant
    items: list[Leased]


class ShopState(msgspec.Struct, kw_only=True):
    """A shop's revision (grows with policy and pauses), policy version (0 = default) and paused channels."""

    rev: int
    policy: int
    paused: tuple[str, ...]


class AuditRecord(msgspec.Struct, kw_only=True):
    """An audit record in the contract's form; `details` stays as it was written."""

    seq: int
    lane: int
    at: str
    kind: str
    actor: str
    shop: str
    order: str | None
    customer: str | None
    reminder: str | None
    step: int | None
    attempt: int | None
    channel: str | None
    reason: str | None
    policy: int | None
    template: str | None
    details: msgspec.Raw | dict[str, Any]
