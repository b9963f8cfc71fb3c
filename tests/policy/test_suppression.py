"""Who is left alone: by the order's total, its goods, the customer's consent, and what went before."""

from typing import Any

import pytest

from dispatcher.policy.decide import decide, decide_claim
from dispatcher.policy.decisions import Decision, Defer, Drop, Rule, Send
from dispatcher.policy.facts import CHANNELS, Channel, Consent, Facts, Handoff, Item, Order
from dispatcher.policy.retries import after_refusal
from dispatcher.policy.routing import Routes, routes
from dispatcher.policy.schedule import plan
from dispatcher.policy.terms import Policy
from tests.policy.examples import at, customer, facts, order, order_facts, policy

NOW = at("2026-11-11 11:00")
DISCREET = (Item(name="裙"), Item(name="private", sensitive=True))


def suppressing(**suppression: Any) -> Policy:
    return policy(suppression=suppression, spread=None)


def step(**fields: Any) -> Facts:
    return facts(NOW, **fields)


def task(**fields: Any) -> Facts:
    return facts("2026-11-11 09:00", channel="phone", status="open", **fields)


def outcome(found: Decision) -> str:
    """The channel of a hand-off, the reason of a drop."""
    assert not isinstance(found, Defer), found
    return found.channel if isinstance(found, Send) else found.reason


def handed(*steps: int, channel: Channel = "sms") -> tuple[Handoff, ...]:
    return tuple(Handoff(step=number, channel=channel, at=at("2026-11-11 05:00")) for number in steps)


def rule(name: str, *decided: Any) -> Rule | None:
    found = [each for decision in decided for each in decision.rules if each.rule == name]
    return found[0] if found else None


@pytest.mark.parametrize(
    ("total", "min_total", "reason"),
    [
        ("19.99", "20.00", "below_minimum"),
        ("20", "20.00", None),
        ("20.00", "20", None),
        ("20.0001", "20.00", None),
        ("100.00", "20.00", None),
        ("0.00", "0", None),
        ("0.01", None, None),
    ],
)
def test_an_order_below_the_minimum_is_left_alone_wherever_it_is_judged(
    total: str, min_total: str | None, reason: str | None
) -> None:
    rules = suppressing() if min_total is None else suppressing(min_total=min_total)
    told = order(total=total)

    due = decide(step(order=told), rules, NOW)
    claim = decide_claim(task(order=told), rules, NOW)
    steps = plan(order_facts(total=total), rules, told.placed_at)

    assert (outcome(due), outcome(claim)) == ((reason, reason) if reason else ("chat", "phone"))
    assert [getattr(each, "reason", None) for each in steps] == [reason, reason]
    for one in (due, claim, *steps):
        recorded = rule("minimum", one)
        assert (recorded is None) == (min_total is None)
        if recorded is not None:
            assert recorded.inputs == {"total": total, "min_total": min_total}
            assert recorded.outcome == ("drop" if reason else "pass")


@pytest.mark.parametrize(
    ("sensitive_channels", "items", "found"),
    [
        (None, DISCREET, (("chat", "sms"), None)),
        ([], (Item(name="裙"),), (("chat", "sms"), None)),
        ([], DISCREET, ((), "sensitive")),
        (["sms"], DISCREET, (("sms",), None)),
        (["sms", "chat"], DISCREET, (("chat", "sms"), None)),
        (["phone"], DISCREET, ((), "sensitive")),
        (["phone"], (Item(name="裙"),), (("chat", "sms"), None)),
    ],
)
def test_sensitive_goods_go_on_their_channels_alone(
    sensitive_channels: list[str] | None, items: tuple[Item, ...], found: tuple[Any, ...]
) -> None:
    rules = (
        suppressing() if sensitive_channels is None else suppressing(sensitive_channels=sensitive_channels)
    )

    assert routes(order(items=items), customer(), rules) == Routes(*found)


@pytest.mark.parametrize(
    ("consent_required", "consent", "found"),
    [
        (None, None, (("chat", "sms"), None)),
        ([], None, (("chat", "sms"), None)),
        (["sms"], None, (("chat",), None)),
        (["sms"], Consent(chat=True), (("chat",), None)),
        (["sms"], Consent(sms=True), (("chat", "sms"), None)),
        (["sms"], Consent(sms=False), (("chat",), None)),
        (["sms", "chat"], Consent(sms=True), (("sms",), None)),
        (["sms", "chat"], Consent(promotion=True, phone=True), ((), "no_consent")),
        (["sms", "chat"], None, ((), "no_consent")),
        (["phone"], None, (("chat", "sms"), None)),
        # What is forbidden stays so where no consent is required.
        (["sms"], Consent(chat=False, sms=True), (("sms",), None)),
        (None, Consent(chat=False, sms=False), ((), "no_consent")),
    ],
)
def test_a_channel_that_requires_consent_needs_a_yes(
    consent_required: list[str] | None, consent: Consent | None, found: tuple[Any, ...]
) -> None:
    rules = suppressing() if consent_required is None else suppressing(consent_required=consent_required)

    assert routes(order(), customer(consent=consent), rules) == Routes(*found)


@pytest.mark.parametrize(
    ("client", "tried", "reason"),
    [
        # The reason is that of the channel which came nearest.
        ({"phone": None, "chat": None}, (), "no_address"),
        ({"chat": None}, (), "no_consent"),
        ({"chat": None, "consent": Consent(sms=True)}, (), "sensitive"),
        ({"consent": Consent(sms=True)}, ("chat",), "attempts_used_up"),
    ],
)
def test_why_no_channel_is_left(client: dict[str, Any], tried: tuple[Channel, ...], reason: str) -> None:
    rules = suppressing(sensitive_channels=["chat"], consent_required=["sms"])

    found = routes(order(items=DISCREET), customer(**client), rules, tried=tried)

    assert found == Routes((), reason)


@pytest.mark.parametrize(
    ("suppression", "fields", "reason"),
    [
        ({"sensitive_channels": []}, {"order": order(items=DISCREET)}, "sensitive"),
        ({"consent_required": list(CHANNELS)}, {}, "no_consent"),
    ],
)
def test_without_a_channel_a_step_is_not_planned_and_not_handed_over(
    suppression: dict[str, Any], fields: dict[str, Any], reason: str
) -> None:
    rules = suppressing(**suppression)
    told: Order = fields.get("order", order())

    due = decide(step(**fields), rules, NOW)
    claim = decide_claim(task(**fields), rules, NOW)
    steps = plan(order_facts(items=told.items), rules, told.placed_at)

    assert (outcome(due), outcome(claim)) == (reason, reason)
    assert [getattr(each, "reason", None) for each in steps] == [reason, reason]


@pytest.mark.parametrize(
    ("suppression", "consent", "found"),
    [
        ({"consent_required": ["sms", "chat"]}, None, "phone"),
        ({"consent_required": ["phone"]}, None, "no_consent"),
        ({"consent_required": ["phone"]}, Consent(phone=True), "phone"),
        ({"sensitive_channels": ["phone"]}, None, "phone"),
        ({"sensitive_channels": ["chat"]}, None, "sensitive"),
    ],
)
def test_a_call_needs_what_its_channel_needs(
    suppression: dict[str, Any], consent: Consent | None, found: str
) -> None:
    made = task(order=order(items=DISCREET), customer=customer(consent=consent))

    assert outcome(decide_claim(made, suppressing(**suppression), NOW)) == found


def test_a_task_overflows_to_a_channel_that_is_allowed_alone() -> None:
    made = task(order=order(items=DISCREET))

    found = decide(made, suppressing(sensitive_channels=["phone", "sms"]), NOW)

    assert isinstance(found, Defer)
    assert (found.reason, found.channel) == ("overflow", "sms")


def test_a_task_that_may_not_be_claimed_any_more_ends_when_no_channel_takes_over() -> None:
    made = task(order=order(items=DISCREET))

    ended = decide(made, suppressing(sensitive_channels=[]), NOW)
    stays = decide(made, suppressing(sensitive_channels=["phone"]), NOW)

    assert outcome(ended) == "sensitive"
    assert isinstance(stays, Defer)
    assert (stays.channel, stays.until) == ("phone", made.order.closes_at)


def test_a_refused_message_moves_to_a_channel_that_is_allowed_alone() -> None:
    made = step(order=order(items=DISCREET), attempt=1)

    moved = after_refusal(made, "rejected", False, suppressing(sensitive_channels=["chat", "sms"]), NOW)
    ended = after_refusal(made, "rejected", False, suppressing(sensitive_channels=["chat"]), NOW)

    assert getattr(moved, "channel", None) == "sms"
    assert getattr(ended, "reason", None) == "rejected"


def test_what_was_looked_at_stands_in_the_record() -> None:
    rules = suppressing(sensitive_channels=["chat"], consent_required=["sms"])
    made = step(order=order(items=DISCREET), customer=customer(consent=Consent(sms=True, phone=False)))

    found = rule("routing", decide(made, rules, NOW))

    assert found is not None
    assert found.outcome == "chat"
    assert found.inputs["sensitive"] is True
    assert (found.inputs["consented"], found.inputs["forbidden"]) == (["sms"], ["phone"])


def test_rules_that_are_off_leave_no_trace() -> None:
    found = decide(step(customer=customer(grade=4)), policy(), NOW)

    assert {rule.rule for rule in found.rules}.isdisjoint({"minimum", "order_cap"})
    assert rule("routing", found).inputs.keys() == {"total", "paid_orders", "addresses"}  # type: ignore[union-attr]


@pytest.mark.parametrize(
    ("per_order", "used", "allowed"),
    [
        (None, (), True),
        (None, (1, 2, 3), True),
        (0, (), False),
        (1, (), True),
        (1, (1,), False),
        (2, (1,), True),
        (2, (1, 3), False),
        (2, (1, 3, 4), False),
    ],
)
def test_an_order_has_so_many_hand_offs_and_no_more(
    per_order: int | None, used: tuple[int, ...], allowed: bool
) -> None:
    rules = policy(caps={} if per_order is None else {"per_order": per_order}, spread=None)
    went = handed(*used)

    due = decide(step(step=2, used=went), rules, NOW)
    claim = decide_claim(task(step=2, used=went), rules, NOW)

    expected = ("chat", "phone") if allowed else ("attempts_used_up", "attempts_used_up")
    assert (outcome(due), outcome(claim)) == expected
    for found in (due, claim):
        recorded = rule("order_cap", found)
        inputs = None if recorded is None else recorded.inputs
        assert inputs == (None if per_order is None else {"used": len(used), "per_order": per_order})
        if isinstance(found, Send):
            assert found.limits.per_order == per_order


@pytest.mark.parametrize(("per_order", "reason"), [(0, "attempts_used_up"), (1, None), (None, None)])
def test_only_an_order_that_may_have_none_is_known_to_have_none_left_when_it_is_planned(
    per_order: int | None, reason: str | None
) -> None:
    told = order_facts()

    steps = plan(told, policy(caps__per_order=per_order), told.order.placed_at)

    assert [getattr(each, "reason", None) for each in steps] == [reason, reason]


def test_a_task_of_an_order_that_had_enough_is_dropped_instead_of_overflowing() -> None:
    found = decide(task(step=2, used=handed(1)), policy(caps={"per_order": 1}), NOW)

    assert isinstance(found, Drop)
    assert found.reason == "attempts_used_up"
