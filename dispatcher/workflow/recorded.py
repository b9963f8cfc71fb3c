"""What an audit record says that a decision stood on, as facts again.

An input of a rule that has the name of a fact is that fact, so that a rule which records what it looked at
under the fact's own name needs nothing here. Those that stand for facts in another form are read one by one.
"""

from collections.abc import Iterable, Iterator, Mapping
from typing import Any

import msgspec
from msgspec.structs import FieldInfo

from dispatcher.policy.event_values import instant
from dispatcher.policy.facts import CHANNELS, Consent, Facts, Handoff, Instant, Item, Promotion, Rival
from dispatcher.policy.terms import Policy

Inputs = dict[str, dict[str, Any]]
"""The inputs of a record's rules by the rule's name."""

OTHER_FORM = frozenset({"used", "ledger", "others"})
"""Inputs that are not the fact of their name, and are read by themselves."""

THERE = "there"
"""Stands for an address, which no record holds."""


class Record(msgspec.Struct, frozen=True, kw_only=True):
    """An audit record as far as recomputing looks at it."""

    lane: int
    seq: int
    at: str
    kind: str
    shop: str
    order: str | None = None
    customer: str | None = None
    step: int | None = None
    channel: str | None = None
    reason: str | None = None
    policy: int | None = None
    details: dict[str, Any] = {}

    @property
    def rules(self) -> list[dict[str, Any]] | None:
        """The rules of the plan or decision that the record holds, `None` when it holds none."""
        found: list[dict[str, Any]] | None = self.details.get("decision", self.details).get("rules")
        return found

    @property
    def inputs(self) -> Inputs:
        """The inputs of those rules."""
        return {rule["rule"]: rule["inputs"] for rule in self.rules or ()}


def _parts() -> Iterator[tuple[str, type[msgspec.Struct]]]:
    for field in msgspec.structs.fields(Facts):
        if isinstance(field.type, type) and issubclass(field.type, msgspec.Struct):
            yield field.name, field.type


PARTS = dict(_parts())
"""The facts that have facts of their own."""

FIELDS: dict[str, tuple[str, FieldInfo]] = {
    **{field.name: (part, field) for part, kind in PARTS.items() for field in msgspec.structs.fields(kind)},
    **{field.name: ("", field) for field in msgspec.structs.fields(Facts) if field.name not in PARTS},
}
"""Where a fact is, by its name: the part, and the field in it."""

OF_ITEMS = {field.name: field for field in msgspec.structs.fields(Item)}


def facts_of(
    record: Record,
    policy: Policy,
    now: Instant,
    told: Mapping[str, Any],
    gone: Mapping[int, Iterable[Instant]],
) -> Facts:
    """Return the facts of a recorded plan or decision; raises `ValueError` where an input cannot be one.

    `told` is what earlier records say, by the names of facts; it wins over the record's own inputs. `gone`
    holds the instants at which each step of the order may have been handed over.
    """
    inputs = record.inputs
    found: dict[str, dict[str, Any]] = {part: {} for part in ("", *PARTS)}
    for name, value in {**_named(inputs), **told}.items():
        if name in FIELDS:
            part, field = FIELDS[name]
            found[part][name] = _read(value, field)
    own = found.pop("")
    found["order"] |= {"id": record.order, "currency": policy.currency or "", "items": _items(inputs)}
    if inputs.get("incentive", {}).get("promoted"):
        found["order"]["promotion"] = Promotion(name=THERE)
    found["customer"] |= {"id": record.customer or "", **_reached(inputs)}
    own |= {
        "shop": record.shop,
        "step": record.step,
        "ledger": _ledger(record, inputs, now),
        "used": _used(record, inputs, policy, gone),
        "by_channel": {
            channel: (now,) * count
            for channel, count in inputs.get("channel_cap", {}).get("today", {}).items()
        },
        "others": _others(inputs),
    }
    return Facts(**own, **{part: PARTS[part](**values) for part, values in found.items()})  # type: ignore[arg-type]


def _named(inputs: Inputs) -> dict[str, Any]:
    return {
        name: value for given in inputs.values() for name, value in given.items() if name not in OTHER_FORM
    }


def _read(value: Any, field: FieldInfo) -> Any:
    """Return a value as the field takes it; where that is an instant, it was written as text."""
    try:
        return msgspec.convert(value, field.type)
    except msgspec.ValidationError:
        if not isinstance(value, str):
            raise
        return instant(value)


def _items(inputs: Inputs) -> tuple[Item, ...]:
    """Return as many items as a rule looked at; what is said of the order as a whole is said of the first."""
    columns = {
        name: value if isinstance(value, list) else [value]
        for name, value in _named(inputs).items()
        if name in OF_ITEMS
    }
    count = max((len(column) for column in columns.values()), default=1)
    return tuple(
        Item(
            **{"name": THERE}
            | {
                name: msgspec.convert(column[at], OF_ITEMS[name].type)
                for name, column in columns.items()
                if at < len(column)
            }
        )
        for at in range(count)
    )


def _reached(inputs: Inputs) -> dict[str, Any]:
    """Return which addresses there are, and which channels the customer forbade."""
    routing = inputs.get("routing", {})
    addresses = routing.get("addresses", ())
    forbidden = routing.get("forbidden", ())
    return {
        "chat": THERE if "chat" in addresses else None,
        "phone": THERE if {"sms", "phone"} & set(addresses) else None,
        "consent": Consent(
            promotion=inputs.get("incentive", {}).get("agreed"),
            **{channel: _said(channel, forbidden, routing.get("consented", ())) for channel in CHANNELS},
        ),
    }


def _said(channel: str, forbidden: Iterable[str], consented: Iterable[str]) -> bool | None:
    return False if channel in forbidden else True if channel in consented else None


def _ledger(record: Record, inputs: Inputs, now: Instant) -> tuple[Instant, ...]:
    """Return the customer's hand-offs; of a hand-off is known how many there were today, and the last."""
    if "ledger" in record.details:
        return tuple(instant(at) for at in record.details["ledger"])
    if "daily_cap" not in inputs and "min_gap" not in inputs:
        return ()
    count: int = inputs.get("daily_cap", {}).get("used", 1)
    gap = inputs.get("min_gap")
    if gap is None:
        return (now,) * count
    return () if gap["last"] is None else (instant(gap["last"]),) * max(1, count)


def _others(inputs: Inputs) -> tuple[Rival, ...]:
    """Return what waited for the customer beside the reminder, as the one rule that looked at it tells."""
    told = inputs.get("merge", inputs.get("arbitration", {})).get("others", ())
    return tuple(
        Rival(
            order=each["order"],
            step=each["step"],
            due=instant(each["due"]),
            closes_at=instant(each["closes_at"]),
            total=each["total"],
            obstacle=each["obstacle"],
        )
        for each in told
    )


def _used(
    record: Record, inputs: Inputs, policy: Policy, gone: Mapping[int, Iterable[Instant]]
) -> tuple[Handoff, ...]:
    """Return the hand-offs of the order's other steps: their channels are inputs, their instants are not.

    An instant is known from earlier records, twice if the commit and the hand-off differ: then it is the one
    that the input `earliest` was counted from. Of what the order's cap dropped before it was routed, only how
    many there were is known.
    """
    capped: int = inputs.get("order_cap", {}).get("used", 0)
    channels = inputs.get("routing", {}).get("used") or ["sms"] * capped
    steps = [step for step in sorted(gone) if step != record.step and gone[step]] or [0]
    earliest = inputs.get("earliest_after", {}).get("earliest")
    before = policy.before_close
    counted = instant(earliest) - (before.earliest_after or 0) if earliest and before else None
    found = []
    for place, channel in enumerate(channels):
        step = steps[min(place, len(steps) - 1)]
        instants = set(gone.get(step, ()))
        at = counted if counted in instants else max(instants, default=0)
        found.append(Handoff(step=step, channel=channel, at=at or 0))
    return tuple(found)
