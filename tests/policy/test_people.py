"""What people said against reminders: a promise, a refusal, a pause; and hand-offs that agents choose."""

import pytest

from dispatcher.policy.decide import decide, decide_claim
from dispatcher.policy.decisions import Decision, Defer, Drop, Rule, Send
from dispatcher.policy.facts import Channel, CustomerStanding, Facts
from dispatcher.policy.terms import Policy
from dispatcher.policy.zones import iso
from tests.policy.examples import at, customer, facts, order, policy

NOW = at("2026-11-11 11:00")
NIGHT = at("2026-11-11 23:00")
MORNING = at("2026-11-12 09:00")
CLOSES = at("2026-11-12 10:20")
PLAIN = policy(spread=None)
UNLIMITED = policy(spread=None, quiet_hours=None, caps=None)
NONE_ALLOWED = policy(spread=None, caps__per_day=0)


def rule(name: str, decided: Decision) -> Rule | None:
    return next((found for found in decided.rules if found.rule == name), None)


@pytest.mark.parametrize(
    ("promised", "under", "expected"),
    [
        (None, PLAIN, "send"),
        (NOW - 1, PLAIN, "send"),
        (NOW, PLAIN, "send"),
        (NOW + 1, PLAIN, NOW + 1),
        (at("2026-11-11 15:00"), PLAIN, at("2026-11-11 15:00")),
        (at("2026-11-11 21:59"), PLAIN, at("2026-11-11 21:59")),
        (at("2026-11-11 22:00"), PLAIN, MORNING),
        (NIGHT, PLAIN, MORNING),
        (NIGHT, UNLIMITED, NIGHT),
        (MORNING, PLAIN, MORNING),
        (CLOSES - 1, PLAIN, CLOSES - 1),
        (CLOSES, PLAIN, "promised"),
        (CLOSES + 1, PLAIN, "promised"),
        (at("2030-01-01 00:00"), PLAIN, "promised"),
        (at("2026-11-11 15:00"), NONE_ALLOWED, "daily_cap"),
    ],
)
def test_a_promise_puts_off_until_an_allowed_time_before_the_close_or_ends(
    promised: int | None, under: Policy, expected: str | int
) -> None:
    found = decide(facts(NOW, promised_until=promised), under, NOW)

    match found:
        case Send():
            assert expected == "send"
        case Defer():
            assert (found.until, found.reason) == (expected, "promised")
        case Drop():
            assert found.reason == expected


@pytest.mark.parametrize(("promised", "outcome"), [(NOW + 1, "defer"), (NOW, "pass")])
def test_a_promise_records_itself_and_when_it_is_over(promised: int, outcome: str) -> None:
    found = rule("promise", decide(facts(NOW, promised_until=promised), PLAIN, NOW))

    assert found is not None
    assert (found.outcome, found.inputs) == (outcome, {"promised_until": iso(promised)})
    assert found.until == (iso(promised) if outcome == "defer" else None)


def test_what_is_put_off_for_a_promise_goes_then_and_is_not_late() -> None:
    until = at("2026-11-11 19:00")

    put_off = decide(facts(NOW, promised_until=until), PLAIN, NOW)

    assert isinstance(put_off, Defer)
    assert isinstance(decide(facts(put_off.until, promised_until=until), PLAIN, put_off.until), Send)


REFUSED = {"refused_at": NOW - 1}
PAUSED = {"standing": CustomerStanding(paused_since=NOW - 1)}


@pytest.mark.parametrize(
    ("said", "reason", "inputs"),
    [
        (REFUSED, "refused", {"refused_at": iso(NOW - 1)}),
        (PAUSED, "paused", {"paused_since": iso(NOW - 1)}),
        (REFUSED | PAUSED, "refused", {"refused_at": iso(NOW - 1)}),
    ],
)
@pytest.mark.parametrize("under", [PLAIN, UNLIMITED])
def test_who_refused_or_is_paused_gets_nothing_from_anybody(
    said: dict[str, object], reason: str, inputs: dict[str, object], under: Policy
) -> None:
    due = decide(facts(NOW, **said), under, NOW)
    task = facts(NOW, channel="phone", status="open", **said)
    overflowing = decide(task, under, NOW)
    claimed = decide_claim(task, under, NOW)

    for found in (due, overflowing, claimed):
        assert isinstance(found, Drop)
        assert (found.reason, found.rules[-1].rule, found.rules[-1].inputs) == (reason, reason, inputs)


def test_where_nobody_said_anything_no_rule_tells_of_it() -> None:
    found = decide(facts(NOW), PLAIN, NOW)

    assert {"promise", "refused", "paused"}.isdisjoint(rule.rule for rule in found.rules)


def by_hand(channel: Channel, **fields: object) -> Facts:
    """A hand-off that an agent asks for: a third step, due at once."""
    return facts(NOW, **{"channel": channel, "step": 3, **fields})


@pytest.mark.parametrize(
    ("asked", "now", "expected"),
    [
        (by_hand("chat"), NOW, "chat"),
        (by_hand("sms"), NOW, "sms"),
        (by_hand("phone"), NOW, "phone"),
        (by_hand("chat"), NIGHT, MORNING),
        (by_hand("phone"), at("2026-11-11 13:00"), at("2026-11-11 14:00")),
        (by_hand("sms"), at("2026-11-11 13:00"), "sms"),
        (by_hand("chat"), CLOSES, "closed"),
        (by_hand("chat", state="paid"), NOW, "paid"),
        (by_hand("chat", customer=customer(chat=None)), NOW, "no_address"),
        (by_hand("sms", standing=CustomerStanding(opted_out=("sms",))), NOW, "opted_out"),
        (by_hand("chat", standing=CustomerStanding(opted_out=("sms",))), NOW, "chat"),
        (by_hand("chat", ledger=(NOW - 60_000,)), NOW, NOW - 60_000 + 3 * 3_600_000),
        (by_hand("chat", promised_until=NOW + 1), NOW, NOW + 1),
        (by_hand("chat", promised_until=CLOSES), NOW, "promised"),
        (by_hand("chat", order=order(closes="2026-11-11 11:00")), NOW, "closed"),
    ],
)
def test_an_agent_may_send_where_and_when_the_policy_lets_a_reminder_go(
    asked: Facts, now: int, expected: str | int
) -> None:
    found = decide_claim(asked, PLAIN, now)

    match found:
        case Send():
            assert found.channel == expected
        case Defer():
            assert (found.until, found.channel) == (expected, asked.channel)
        case Drop():
            assert found.reason == expected
