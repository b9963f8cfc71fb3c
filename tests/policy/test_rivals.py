"""Several unpaid orders of one customer: what one message carries, and which of them gets the slot."""

from typing import Any

import pytest

from dispatcher.policy.decide import decide, decide_claim
from dispatcher.policy.decisions import Decision, Defer, Rule, Send
from dispatcher.policy.document import load_json, load_toml, to_json
from dispatcher.policy.facts import Channel, Customer, Facts, Item, Order, OrderState, Rival
from dispatcher.policy.rivals import MOST_MERGED
from dispatcher.policy.seeing import rival
from dispatcher.policy.terms import Policy
from tests.worlds import BASE, HOUR, MINUTE, NOON

BY_TEXT = '[routing]\nchannels = ["sms", "chat"]\n'
CLOSES = NOON + 20 * HOUR


def policy(sections: str) -> Policy:
    return load_toml(BASE + BY_TEXT + sections)


MERGE = policy('[merge]\nwithin = "30m"\n')
CAPPED = policy('[caps]\nper_day = 2\nmin_gap = "1h"\n')
DAILY = policy("[caps]\nper_day = 2\n")


def other(order: str = "B", **more: Any) -> Rival:
    found: dict[str, Any] = {"step": 1, "due": NOON, "closes_at": CLOSES, "total": "100.00"}
    return Rival(**{"order": order, **found, **more})


def facts(
    *others: Rival, order: str = "A", total: str = "100.00", closes_at: int = CLOSES, **more: Any
) -> Facts:
    found = Order(
        id=order,
        placed_at=NOON - HOUR,
        closes_at=closes_at,
        total=total,
        currency=more.pop("currency", "CNY"),
        items=(Item(name="示例商品", availability=more.pop("availability", None)),),
    )
    phone = more.pop("phone", "+8613800000000")
    given: dict[str, Any] = {"step": 1, "status": "planned", "moment": NOON, "due": NOON, "channel": "sms"}
    return Facts(
        shop="demo",
        order=found,
        customer=Customer(id="C-1", phone=phone, chat="example_1"),
        state=OrderState.UNPAID,
        others=others,
        **given | more,
    )


def carries(decision: Decision) -> list[str]:
    assert isinstance(decision, Send)
    return [each.order for each in decision.carries]


def rule(decision: Decision, name: str) -> Rule | None:
    return next((each for each in decision.rules if each.rule == name), None)


# Merging.


@pytest.mark.parametrize(
    ("change", "carried"),
    [
        ({}, True),
        ({"due": NOON - HOUR}, True),
        ({"due": NOON + 30 * MINUTE}, True),
        ({"due": NOON + 30 * MINUTE + 1}, False),
        ({"obstacle": "changed"}, False),
        ({"closes_at": NOON + 1}, True),
        ({"closes_at": NOON}, False),
    ],
)
def test_what_is_due_near_and_free_to_go_is_carried(change: dict[str, Any], carried: bool) -> None:
    decision = decide(facts(other(**change)), MERGE, NOON)

    assert carries(decision) == ["B"] * carried


def test_nothing_is_carried_without_the_section_or_without_others() -> None:
    alone = decide(facts(), MERGE, NOON)
    apart = decide(facts(other()), policy(""), NOON)

    assert carries(alone) == carries(apart) == []
    assert rule(alone, "merge") is rule(apart, "merge") is None


def test_a_message_carries_so_many_the_best_of_all() -> None:
    others = [other(f"B-{number}", total=f"{number}.00") for number in range(9)]

    decision = decide(facts(*others), MERGE, NOON)

    assert carries(decision) == ["B-8", "B-7", "B-6", "B-5"]
    assert MOST_MERGED == 5


def test_a_message_is_valid_until_the_first_of_its_orders_closes() -> None:
    decision = decide(facts(other(closes_at=NOON + HOUR)), MERGE, NOON)

    assert isinstance(decision, Send)
    assert decision.valid_until == NOON + HOUR


def test_the_rule_tells_what_waited_without_any_address() -> None:
    found = rule(decide(facts(other(obstacle="changed")), MERGE, NOON), "merge")

    assert found is not None
    assert found.inputs == {
        "within": 30 * MINUTE,
        "others": [
            {
                "order": "B",
                "step": 1,
                "due": "2025-11-11T04:00:00.000Z",
                "closes_at": "2025-11-12T00:00:00.000Z",
                "total": "100.00",
                "score": "100.00",
                "obstacle": "changed",
            }
        ],
    }


@pytest.mark.parametrize("section", ["merge", "caps"])
def test_a_call_neither_carries_nor_waits_for_others(section: str) -> None:
    calls = load_toml(
        BASE
        + '[routing]\nchannels = ["phone"]\n'
        + {"merge": '[merge]\nwithin = "1h"\n', "caps": '[caps]\nmin_gap = "1h"\n'}[section]
    )

    decision = decide(facts(other(total="900.00"), channel="phone"), calls, NOON)
    claim = decide_claim(facts(channel="phone", status="open"), calls, NOON)

    assert isinstance(decision, Send)
    assert isinstance(claim, Send)
    assert carries(decision) == []


# How another reminder is seen.


@pytest.mark.parametrize(
    ("change", "obstacle"),
    [
        ({}, None),
        ({"channel": "chat"}, None),
        ({"phone": "+8613900000000"}, "address"),
        ({"currency": "USD"}, "currency"),
        ({"availability": "sold_out"}, "sold_out"),
        ({"closes_at": NOON}, "closed"),
        ({"tried": ("sms",)}, "changed"),
        ({"due": NOON + HOUR}, None),
        ({"told": "price"}, None),
        ({"told": "changed_mind"}, "changed_mind"),
    ],
)
def test_only_what_would_go_the_same_way_is_free_to_be_carried(
    change: dict[str, Any], obstacle: str | None
) -> None:
    seen = rival(facts(order="B", **change), facts(), MERGE, NOON)

    assert (seen.order, seen.obstacle) == ("B", obstacle)


@pytest.mark.parametrize(
    ("kept_until", "obstacle"),
    [(None, None), (NOON - 1, None), (NOON, None), (NOON + 1, "operator"), (NOON + HOUR, "operator")],
)
def test_what_an_operator_postponed_is_not_free_before_its_time(
    kept_until: int | None, obstacle: str | None
) -> None:
    seen = rival(facts(order="B", due=NOON + HOUR), facts(), MERGE, NOON, kept_until)

    assert seen.obstacle == obstacle


def test_who_changed_their_mind_is_not_asked_to_pay_other_orders_with_that_one() -> None:
    seen = rival(facts(order="B"), facts(told="changed_mind"), MERGE, NOON)

    assert seen.obstacle == "changed_mind"


def test_what_is_no_longer_wanted_is_still_waited_for() -> None:
    seen = rival(facts(order="B", told="changed_mind"), facts(told="changed_mind"), CAPPED, NOON)

    assert seen.obstacle is None


def test_by_chat_the_handle_counts_and_not_the_number() -> None:
    chat: Channel = "chat"
    by_chat = load_toml(BASE + '[routing]\nchannels = ["chat"]\n[merge]\nwithin = "1h"\n')

    seen = rival(facts(order="B", phone="+8613900000000", channel=chat), facts(channel=chat), by_chat, NOON)

    assert seen.obstacle is None


def test_where_the_number_counts_as_the_person_it_must_be_the_same() -> None:
    chat: Channel = "chat"
    sections = '[routing]\nchannels = ["chat"]\n[merge]\nwithin = "1h"\n[caps]\nper = "phone"\nper_day = 1\n'

    seen = rival(
        facts(order="B", phone="+8613900000000", channel=chat),
        facts(channel=chat),
        load_toml(BASE + sections),
        NOON,
    )

    assert seen.obstacle == "address"


def test_a_rival_is_expected_when_it_would_go() -> None:
    night = policy('[caps]\nmin_gap = "1h"\n[quiet_hours]\nstart = "13:00"\nend = "15:00"\n')

    seen = rival(facts(order="B", due=NOON + 90 * MINUTE), facts(), night, NOON)

    assert (seen.due, seen.obstacle) == (NOON + 3 * HOUR, None)


def test_what_will_be_dropped_is_no_rival() -> None:
    seen = rival(facts(order="B", availability="sold_out", due=NOON + HOUR), facts(), CAPPED, NOON)

    assert seen.obstacle == "sold_out"


# Arbitration.

BETTER = "100.01"


@pytest.mark.parametrize(
    ("change", "waits"),
    [
        ({"total": BETTER}, True),
        ({"total": "99.99"}, False),
        ({"total": "100.00", "due": NOON + 1}, False),
        ({"total": "100.00", "due": NOON}, False),
        ({"total": BETTER, "due": NOON + HOUR - 1}, True),
        ({"total": BETTER, "due": NOON + HOUR}, False),
        ({"total": BETTER, "due": NOON - MINUTE + 1}, True),
        ({"total": BETTER, "due": NOON - MINUTE}, False),
        ({"total": BETTER, "obstacle": "sold_out"}, False),
        ({"total": "50.01", "closes_at": NOON + 4 * HOUR}, True),
        ({"total": "50.01", "closes_at": NOON + 4 * HOUR + 1}, False),
    ],
)
def test_the_slot_goes_to_value_times_urgency(change: dict[str, Any], waits: bool) -> None:
    decision = decide(facts(other(**change)), CAPPED, NOON)

    assert isinstance(decision, Defer) is waits
    found = rule(decision, "arbitration")
    assert found is not None
    assert found.outcome == ("defer" if waits else "pass")


def test_of_equals_whichever_comes_first_goes() -> None:
    first = decide(facts(other("B")), CAPPED, NOON)
    second = decide(facts(other("A"), order="B"), CAPPED, NOON)

    assert isinstance(first, Send)
    assert isinstance(second, Send)


def test_what_waits_is_decided_again_a_minute_after_the_better_one() -> None:
    decision = decide(facts(other(total=BETTER, due=NOON + 10 * MINUTE)), CAPPED, NOON)

    assert isinstance(decision, Defer)
    assert (decision.until, decision.reason) == (NOON + 11 * MINUTE, "min_gap")


def test_what_was_waited_for_blocks_no_more_at_the_moment_told() -> None:
    better = other(total=BETTER, due=NOON + 10 * MINUTE)
    first = decide(facts(better), CAPPED, NOON)
    assert isinstance(first, Defer)

    again = decide(facts(better, due=first.until), CAPPED, first.until)

    assert isinstance(again, Send)


@pytest.mark.parametrize(
    ("better", "used", "waits"), [(1, 0, False), (2, 0, True), (1, 1, True), (0, 1, False)]
)
def test_the_last_slots_of_a_day_are_kept_for_the_better_ones(better: int, used: int, waits: bool) -> None:
    others = [other(f"B-{number}", total=BETTER, due=NOON + 5 * HOUR) for number in range(better)]

    decision = decide(facts(*others, ledger=(NOON - HOUR,) * used), DAILY, NOON)

    assert isinstance(decision, Defer) is waits
    assert waits is False or getattr(decision, "reason", None) == "daily_cap"


def test_a_better_one_of_the_next_day_takes_no_slot_of_this_one() -> None:
    others = [other(f"B-{number}", total=BETTER, due=NOON + 12 * HOUR) for number in range(2)]

    assert isinstance(decide(facts(*others), DAILY, NOON), Send)


@pytest.mark.parametrize("minutes", [10, 11])
def test_what_closes_before_it_could_go_does_not_wait(minutes: int) -> None:
    closing = facts(
        other(total="900.00", due=NOON + 10 * MINUTE), total="1.00", closes_at=NOON + minutes * MINUTE
    )

    assert isinstance(decide(closing, CAPPED, NOON), Send)


@pytest.mark.parametrize("sections", ["", "[caps]\nper_order = 1\n", '[merge]\nwithin = "1m"\n'])
def test_without_caps_on_the_customer_nobody_waits(sections: str) -> None:
    decision = decide(facts(other(total=BETTER, due=NOON + 2 * MINUTE)), policy(sections), NOON)

    assert isinstance(decision, Send)
    assert rule(decision, "arbitration") is None


def test_the_section_comes_back_as_it_was_written() -> None:
    assert to_json(MERGE)["merge"] == {"within": "30m"}
    assert load_json(to_json(MERGE)) == MERGE
