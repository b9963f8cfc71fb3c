"""What goes to the scripts, as their headers ask for it, and what intake answers.

The store fills in the positions of keys.
"""

from typing import Literal

import msgspec

from dispatcher.policy.facts import Channel, Instant
from dispatcher.storage.packing import Packed
from dispatcher.storage.rows import SendRow, SentRow


class Command(msgspec.Struct, kw_only=True, omit_defaults=True, gc=False):
    """One item of a script call about a reminder; `None` is left out.

    `person` is the pseudonym whose ledger counts in place of the customer's own.
    """

    reminder: str
    order: str
    customer: str | None = None
    step: int
    shop: int = 0
    order_key: int = 0
    ledger: int | None = None
    person: str | None = None


class Carry(msgspec.Struct, frozen=True, kw_only=True, gc=False):
    """A reminder that goes with another one's message, as the decision saw it."""

    order: str
    step: int
    rev: int
    due: Instant


class Commit(Command, kw_only=True, omit_defaults=True, gc=False):
    """A decision to be recorded (see `lua/commit.lua`); `id` is the asker's for an agent's own hand-off.

    With a `swap` that is tried first (see `lua/send.lua`); if it is done, `handed` tells when.
    `called` is the pseudonym of the number that a claim is for, `masked` that number as people may see it.
    """

    kind: Literal["send", "open", "claim", "defer", "drop", "release", "hand"]
    token: int | None = None
    rev: int
    shop_rev: int
    policy: int
    details: Packed
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
    per_order: int | None = None
    handed: Instant | None = None
    tried: tuple[Channel, ...] | None = None
    agent: str | None = None
    called: str | None = None
    masked: str | None = None
    customer_key: int | None = None
    customer_rev: int | None = None
    per_channel: int | None = None
    max_open: int | None = None
    pace: int | None = None
    pace_key: int | None = None
    carries: tuple[Carry, ...] | None = None
    id: str | None = None
    pool: str | None = None
    pools: int | None = None
    quantity: int | None = None
    per_customer: int | None = None
    offer_ends: Instant | None = None
    swap: SendRow | None = None


SettledAs = Literal["sent", "uncertain", "retry", "fail"]


class Settlement(Command, kw_only=True, omit_defaults=True, gc=False):
    """What became of a hand-off (see `lua/settle.lua`).

    Where nothing was handed over, what it carried is due again at `back`. With a `swap` that is tried first
    (see `lua/sent.lua`).
    """

    outcome: SettledAs
    token: int
    details: Packed | None = None
    channel: Channel | None = None
    due: Instant | None = None
    reason: str | None = None
    handed: Instant | None = None
    tried: tuple[Channel, ...] | None = None
    back: Instant | None = None
    back_details: Packed | None = None
    pool: str | None = None
    pools: int | None = None
    committed: Instant | None = None
    swap: SentRow | None = None


class TaskEnd(Command, kw_only=True, omit_defaults=True, gc=False):
    """The end of an agent's hold of a task (see `lua/task.lua`).

    A wrong number's `address` is blocked among `addresses`, with what is known `about` it and is `told`.
    """

    kind: Literal["completed", "released"]
    agent: str
    result: str | None = None
    why: str | None = None
    said: Instant | None = None
    details: Packed
    address: str | None = None
    addresses: int | None = None
    about: str | None = None
    told: Packed | None = None


class Steer(Command, kw_only=True, omit_defaults=True, gc=False):
    """What an operator does with a reminder that `was` due at an instant (see `lua/steer.lua`)."""

    kind: Literal["cancel", "send_now", "postpone"]
    rev: int
    was: Instant
    due: Instant | None = None
    details: Packed


class PlanStep(msgspec.Struct, kw_only=True, omit_defaults=True, gc=False):
    """One planned step of an order; with `reason` it is dropped at once."""

    moment: Instant
    due: Instant | None = None
    channel: Channel | None = None
    reason: str | None = None
    policy: int
    details: Packed


class LeaseTerms(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """What a policy means for leases, which know no policy (see `lua/configure.lua`).

    `pace` is how many hand-offs a minute it allows by a channel, `pools` the ids of its incentives, parted by
    commas: a lease brings their counts. Where nothing is decided by a customer's other orders each is decided
    about `alone` ("1"), and a lease brings no others.
    """

    pace: dict[Channel, int] = {}
    pools: str | None = None
    alone: str | None = None


class Replan(PlanStep, kw_only=True, omit_defaults=True, gc=False):
    """Where a reminder that `was` due at an instant is planned anew (see `lua/replan.lua`)."""

    order: str
    step: int
    rev: int
    shop_rev: int
    was: Instant
    shop: int = 0
    order_key: int = 0


class Intake(msgspec.Struct, kw_only=True, omit_defaults=True, gc=False):
    """An event to be taken (see `lua/intake.lua`).

    `rev` is the revision an amendment was merged with; the type `probe` asks only whether the event
    was taken before. What a customer says is about no order, and maybe about one `channel`; a hand-off by
    an `agent` is about one, and takes the slot of a `person` where that is not the customer's own.
    """

    event: str
    seen: str
    digest: str
    type: str
    time: Instant
    order: str | None = None
    shop_name: str
    shop: int = 0
    order_key: int = 0
    facts_key: int = 0
    timer: str = ""
    customer_key: int = 0
    channel: Channel | None = None
    agent: str | None = None
    handed: Instant | None = None
    shop_rev: int | None = None
    rev: int | None = None
    customer: str | None = None
    person: str | None = None
    shared: int | None = None
    facts: Packed | None = None
    closes: Instant | None = None
    plan: list[PlanStep] | None = None
    details: Packed | None = None


class IntakeReply(msgspec.Struct, kw_only=True, gc=False):
    """What an event did: `reminders` counts the order's steps, `stopped` and `too_late` name steps.

    `carriers` are reminders of other orders whose messages, handed over or under way, name this one.
    """

    status: Literal[
        "accepted",
        "duplicate",
        "stale",
        "reused",
        "new",
        "customer_differs",
        "policy_changed",
        "conflict",
        "unknown",
        "full",
    ]
    reminders: int = 0
    stopped: list[int] = []
    too_late: list[int] = []
    carriers: list[str] = []
