"""What holds for every policy, zone and instant; clocks are read here without the product's help."""

from datetime import datetime
from decimal import Decimal
from typing import Any
from zoneinfo import ZoneInfo

import msgspec
from hypothesis import example, given, settings
from hypothesis import strategies as st

from dispatcher.policy.decide import decide, decide_claim
from dispatcher.policy.decisions import Decision, Defer, Planned, Send
from dispatcher.policy.document import load_json
from dispatcher.policy.facts import CHANNELS, Consent, Facts, Handoff, Item, OrderFacts, OrderState
from dispatcher.policy.schedule import plan
from dispatcher.policy.terms import OpenDays, Policy
from dispatcher.policy.units import format_clock
from dispatcher.policy.zones import iso
from tests.checkers.days import open_on
from tests.policy.examples import DAY, HOUR, MINUTE, at, customer, facts, in_window, order, policy
from tests.policy.test_zones import INSTANTS, ZONES

MOVES = {"changed", "overflow"}
"""Deferrals that move a reminder to another channel at once."""

CLOCKS = st.integers(0, 24 * 60 - 1)
CHANGES = st.builds(
    lambda change, minutes: change + minutes * MINUTE,
    st.sampled_from(
        [
            at("2026-03-08 03:00", "America/New_York"),
            at("2026-11-01 01:00*", "America/New_York"),
            at("2026-10-25 01:00*", "Europe/London"),
            at("2026-10-04 02:30", "Australia/Lord_Howe"),
            at("2026-04-05 01:30*", "Australia/Lord_Howe"),
        ]
    ),
    st.integers(-24 * 60, 4 * 60),
)
"""Instants around which clocks change."""
PLACES = ZONES | st.sampled_from(["America/New_York", "Europe/London", "Australia/Lord_Howe"])
LIFE_LEFT = st.sampled_from([DAY, 3 * DAY, 12 * DAY, 12 * HOUR, 3 * HOUR, 30 * MINUTE, 1])
OPEN_DAYS = st.sampled_from(["workdays", "workdays", "every", ["mon"], ["sun", "wed"], ["fri", "sat", "sun"]])
DURATIONS = st.integers(0, 40).map(lambda quarters: f"{quarters * 15}m")
SOME_CHANNELS = st.lists(st.sampled_from(CHANNELS), unique=True)
A_CHANNEL_AT_LEAST = st.lists(st.sampled_from(CHANNELS), unique=True, min_size=1)
ROUTING = st.fixed_dictionaries(
    {"channels": st.permutations(CHANNELS), "high_value": st.just("500.00")},
    optional={
        "vip_grade": st.integers(0, 4),
        "repeat_orders": st.integers(0, 2),
        "segments": st.fixed_dictionaries(
            {},
            optional=dict.fromkeys(["high_value", "vip", "repeat", "first_time"], A_CHANNEL_AT_LEAST),
        ),
    },
)
CONSENTS = st.builds(Consent, **dict.fromkeys(CHANNELS, st.sampled_from([None, True, False])))


@st.composite
def nights(draw: st.DrawFn) -> dict[str, Any]:
    start, length = draw(CLOCKS), draw(st.sampled_from([11 * 60, 20 * 60, 4 * 60, 1, 0]))
    night: dict[str, Any] = {"start": format_clock(start), "end": format_clock((start + length) % (24 * 60))}
    if draw(st.integers(0, 3)) == 1:
        night["max_held"] = draw(DURATIONS)
    return night


@st.composite
def phone_windows(draw: st.DrawFn) -> list[list[str]]:
    bounds = sorted(draw(st.lists(CLOCKS, min_size=2, max_size=6, unique=True)))
    return [
        [format_clock(start), format_clock(end)]
        for start, end in zip(bounds[::2], bounds[1::2], strict=False)
    ]


@st.composite
def policies(draw: st.DrawFn) -> Policy:
    reminds = st.one_of(
        st.fixed_dictionaries({"after": DURATIONS}),
        st.fixed_dictionaries({"after": DURATIONS, "before": CLOCKS.map(format_clock)}),
        st.fixed_dictionaries({"at": CLOCKS.map(format_clock)}),
        st.fixed_dictionaries({"next_day_at": CLOCKS.map(format_clock)}),
    )
    document: dict[str, Any] = {
        "timezone": draw(PLACES),
        "platform": "own",
        "cadence": [{"placed": ["00:00", "24:00"], "remind": draw(reminds)}],
        "routing": draw(ROUTING),
    }
    sections: dict[str, st.SearchStrategy[Any]] = {
        "holidays": st.just("cn"),
        "quiet_hours": nights(),
        "days": st.fixed_dictionaries({}, optional={"reminders": OPEN_DAYS, "calls": OPEN_DAYS}),
        "spread": st.fixed_dictionaries({"over": DURATIONS}),
        "max_late": st.sampled_from(["10m", "2h", "3d"]),
        "caps": st.fixed_dictionaries(
            {}, optional={"per_day": st.integers(0, 3), "min_gap": DURATIONS, "per_order": st.integers(0, 2)}
        ),
        "suppression": st.fixed_dictionaries(
            {},
            optional={
                "min_total": st.sampled_from(["1.00", "1.01", "500.00"]),
                "sensitive_channels": SOME_CHANNELS,
                "consent_required": SOME_CHANNELS,
            },
        ),
        "phone": st.fixed_dictionaries({}, optional={"windows": phone_windows()}),
        "before_close": st.fixed_dictionaries(
            {"lead": st.just("2h")}, optional={"earliest_after": DURATIONS}
        ),
    }
    for name, section in sections.items():
        if draw(st.integers(0, 3)) != 1:
            document[name] = draw(section)
    return load_json(document)


@st.composite
def worlds(draw: st.DrawFn) -> tuple[Facts, Policy, int]:
    """A reminder, a policy, and an instant at which it is looked at."""
    now = draw(INSTANTS | CHANGES)
    past = st.integers(0, 48 * 60).map(lambda minutes: now - minutes * MINUTE)
    placed = draw(past)
    due = max(placed, now - draw(st.sampled_from([0, 0, 5 * MINUTE, 12 * HOUR])))
    made = facts(
        due,
        order=order(
            placed,
            now + draw(LIFE_LEFT),
            total=draw(st.sampled_from(["1.00", "500.00"])),
            items=(Item(name="裙", sensitive=draw(st.booleans())),),
        ),
        customer=customer(
            timezone=draw(st.none() | PLACES),
            chat=draw(st.sampled_from([None, "wang_8842"])),
            consent=draw(st.none() | CONSENTS),
            grade=draw(st.none() | st.integers(0, 4)),
            paid_orders=draw(st.integers(0, 2)),
        ),
        step=draw(st.integers(1, 2)),
        channel=draw(st.sampled_from(CHANNELS)),
        tried=tuple(draw(st.lists(st.sampled_from(CHANNELS), max_size=1))),
        ledger=tuple(sorted(draw(st.lists(past, max_size=6)))),
    )
    if made.step == 2 and draw(st.booleans()):
        handoff = Handoff(step=1, channel=draw(st.sampled_from(CHANNELS)), at=draw(past))
        made = msgspec.structs.replace(made, used=(handoff,))
    return made, draw(policies()), now


def settle(made: Facts, rules: Policy, now: int) -> tuple[Facts, Decision]:
    """Decide, and follow a move to another channel as its queue would."""
    found = decide(made, rules, now)
    if isinstance(found, Defer) and found.reason in MOVES:
        made = msgspec.structs.replace(made, channel=found.channel)
        found = decide(made, rules, now)
    return made, found


def zone_of(made: Facts, rules: Policy) -> str:
    return made.customer.timezone or rules.timezone


def is_open(moment: int, zone: str, days: OpenDays | None, rules: Policy) -> bool:
    today = datetime.fromtimestamp(moment / 1000, ZoneInfo(zone)).toordinal()
    chinese = days == "workdays" and rules.holidays == "cn"
    return days in {None, "every"} or open_on(today, "workdays cn" if chinese else days)


def is_quiet(moment: int, zone: str, rules: Policy) -> bool:
    quiet, days = rules.quiet_hours, rules.days
    if days is not None and not is_open(moment, zone, days.reminders, rules):
        return True
    return quiet is not None and in_window(moment, zone, format_clock(quiet.start), format_clock(quiet.end))


def may_call(moment: int, zone: str, rules: Policy) -> bool:
    if rules.days is not None and not is_open(moment, zone, rules.days.calls, rules):
        return False
    if rules.phone is None or rules.phone.windows is None:
        return True
    return any(in_window(moment, zone, *map(format_clock, window)) for window in rules.phone.windows)


def assert_may_go(made: Facts, rules: Policy, found: Send, now: int) -> None:
    zone = zone_of(made, rules)
    assert now < made.order.closes_at
    assert now < found.valid_until <= min(made.order.closes_at, found.limits.day_end)
    for moment in (now, found.valid_until - 1):
        assert not is_quiet(moment, zone, rules)
        assert found.channel != "phone" or may_call(moment, zone, rules)
    if rules.caps is not None:
        day = [at for at in made.ledger if found.limits.day_start <= at < found.limits.day_end]
        assert rules.caps.per_day is None or len(day) < rules.caps.per_day
        assert rules.caps.min_gap is None or all(now - at >= rules.caps.min_gap for at in made.ledger)
        assert rules.caps.per_order is None or len(made.used) < rules.caps.per_order
    assert_not_suppressed(made, rules, found.channel)


def assert_not_suppressed(made: Facts, rules: Policy, channel: str) -> None:
    suppression = rules.suppression
    if suppression is None:
        return
    assert suppression.min_total is None or Decimal(made.order.total) >= suppression.min_total
    allowed = suppression.sensitive_channels
    assert allowed is None or channel in allowed or not made.order.items[0].sensitive
    consent = getattr(made.customer.consent, channel, None)
    assert consent is True or channel not in (suppression.consent_required or ())


@given(worlds())
@settings(deadline=None, max_examples=200)
def test_what_is_sent_may_go(world: tuple[Facts, Policy, int]) -> None:
    made, rules, now = world

    made, found = settle(made, rules, now)

    if isinstance(found, Send):
        assert_may_go(made, rules, found, now)
        assert found.channel == made.channel
        assert found.channel not in made.tried
        assert all(rule.outcome in ("pass", found.channel) for rule in found.rules)


@given(worlds())
@settings(deadline=None, max_examples=200)
def test_a_deferral_leads_to_an_instant_at_which_nothing_blocks(world: tuple[Facts, Policy, int]) -> None:
    made, rules, now = world

    made, found = settle(made, rules, now)

    if isinstance(found, Defer):
        assert found.reason not in MOVES
        assert found.channel == made.channel
        assert now < found.until < made.order.closes_at
        again = decide(msgspec.structs.replace(made, due=found.until), rules, found.until)
        if isinstance(again, Defer):
            # A call that has become impossible meanwhile moves on.
            assert again.reason == "changed"
        else:
            assert isinstance(again, Send)
            assert_may_go(made, rules, again, found.until)


@given(worlds())
@settings(deadline=None, max_examples=100)
def test_a_deferral_does_not_come_back_for_the_same_reason(world: tuple[Facts, Policy, int]) -> None:
    made, rules, now = world

    made, found = settle(made, rules, now)

    if isinstance(found, Defer):
        again = decide(made, rules, found.until)
        assert not isinstance(again, Defer) or again.reason != found.reason


@given(worlds())
@settings(deadline=None, max_examples=100)
def test_deciding_is_repeatable_and_reads_nothing_but_its_arguments(world: tuple[Facts, Policy, int]) -> None:
    made, rules, now = world
    copied = msgspec.json.decode(msgspec.json.encode(made), type=Facts)

    assert decide(made, rules, now) == decide(copied, rules, now)


@given(worlds())
@settings(deadline=None, max_examples=100)
def test_every_rule_that_time_changes_says_when(world: tuple[Facts, Policy, int]) -> None:
    made, rules, now = world

    found = decide(made, rules, now)

    assert all(rule.until is None or rule.until > iso(now) for rule in found.rules)


@given(worlds(), st.sampled_from([OrderState.PAID, OrderState.CANCELLED, OrderState.CLOSED]))
@settings(deadline=None, max_examples=100)
def test_an_order_that_is_settled_is_never_handed_over(
    world: tuple[Facts, Policy, int], state: OrderState
) -> None:
    made, rules, now = world
    settled = msgspec.structs.replace(made, state=state)

    assert getattr(decide(settled, rules, now), "reason", None) == str(state)
    assert getattr(decide_claim(settled, rules, now), "reason", None) == str(state)


@given(worlds())
@settings(deadline=None, max_examples=100)
def test_a_claim_is_allowed_only_while_calls_may_go(world: tuple[Facts, Policy, int]) -> None:
    made, rules, now = world

    found = decide_claim(made, rules, now)

    if isinstance(found, Send):
        assert found.channel == ("phone" if made.status == "open" else made.channel)
        assert_may_go(made, rules, found, now)
    if isinstance(found, Defer):
        assert now < found.until < made.order.closes_at
        assert isinstance(decide_claim(made, rules, found.until), Send)


@given(worlds())
@settings(deadline=None, max_examples=200)
def test_a_plan_is_due_when_reminding_is_allowed(world: tuple[Facts, Policy, int]) -> None:
    made, rules, now = world
    told = OrderFacts(order=made.order, customer=made.customer)

    steps = plan(told, rules, now)

    assert steps == plan(told, rules, now)
    assert [step.step for step in steps] == list(range(1, len(steps) + 1))
    zone = zone_of(made, rules)
    for step in steps:
        if isinstance(step, Planned):
            assert made.order.placed_at <= step.due < made.order.closes_at
            assert not is_quiet(step.due, zone, rules)
            assert step.channel != "phone" or may_call(step.due, zone, rules)
            assert rules.max_late is None or now - step.due <= rules.max_late


@given(st.integers(0, 23), st.integers(0, 59))
@example(10, 59)
def test_by_default_every_order_is_reminded_of_twice_within_its_day(hour: int, minute: int) -> None:
    placed = facts("2026-11-11 00:00").due + hour * HOUR + minute * MINUTE
    made = order_facts_of(placed)

    steps = plan(made, policy(), placed)

    assert [type(step) for step in steps] == [Planned, Planned]


def order_facts_of(placed: int) -> OrderFacts:
    return OrderFacts(order=order(placed), customer=customer())
