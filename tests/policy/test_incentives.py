"""Which incentive a message names: truth tables of what every pool is judged on."""

from typing import Any, get_args
from zoneinfo import ZoneInfo

import pytest

from dispatcher.errors import InvalidPolicy
from dispatcher.policy.decisions import Offer, Rule
from dispatcher.policy.document import load_json, to_json
from dispatcher.policy.facts import (
    Consent,
    Customer,
    Facts,
    Item,
    Order,
    OrderState,
    PoolCount,
    Promotion,
    WhyUnpaid,
)
from dispatcher.policy.incentives import offer
from dispatcher.policy.terms import Policy
from dispatcher.policy.zones import iso

HOUR = 3_600_000
DAY = 24 * HOUR
NOON = 1_762_833_600_000  # 2025-11-11 12:00 in Shanghai
CLOSES = NOON + DAY
SHANGHAI = ZoneInfo("Asia/Shanghai")
LEAST: dict[str, Any] = {
    "timezone": "Asia/Shanghai",
    "platform": "own",
    "cadence": [{"placed": ["00:00", "24:00"], "remind": {"after": "0s"}}],
    "routing": {"channels": ["sms"], "high_value": "500.00", "repeat_orders": 2, "vip_grade": 3},
}
GIFT = {"id": "tea", "kind": "gift", "use": "this_order", "name": "茶样", "quantity": 10}
CHANGE = {
    "id": "off",
    "kind": "price_change",
    "use": "this_order",
    "amount": "30.00",
    "quantity": 10,
    "approved": True,
}
COUPON = {
    "id": "next",
    "kind": "coupon",
    "use": "next_order",
    "amount": "20.00",
    "how": "勾选",
    "valid_for": "7d",
    "quantity": 10,
}


WORTH_AN_OFFER = tuple(why for why in get_args(WhyUnpaid) if why != "changed_mind")


def policy(*pools: dict[str, Any], platform: str = "own") -> Policy:
    """Return a policy with pools of incentives."""
    return load_json({**LEAST, "platform": platform, "incentives": list(pools)})


def facts(
    *, order: dict[str, Any] | None = None, customer: dict[str, Any] | None = None, **more: Any
) -> Facts:
    """Return an unpaid order of 100.00 whose customer agrees to promotions; no item was taken of any pool."""
    about = {"total": "100.00", "items": (Item(name="made up", price="90.00"),)} | (order or {})
    who: dict[str, Any] = {"consent": Consent(promotion=True)} | (customer or {})
    known: dict[str, Any] = {"pools": {pool: PoolCount() for pool in ("tea", "off", "next")}} | more
    return Facts(
        shop="demo",
        order=Order(id="O-1", placed_at=NOON, closes_at=CLOSES, currency="CNY", **about),
        customer=Customer(id="C-1", **who),
        state=OrderState.UNPAID,
        step=1,
        status="planned",
        moment=NOON,
        due=NOON,
        channel="sms",
        **known,
    )


def judged(found: Facts, terms: Policy, now: int = NOON) -> tuple[Offer | None, Rule]:
    """Return what is offered, and the rule that is recorded."""
    rules: list[Rule] = []
    offered = offer(found, terms, now, SHANGHAI, rules)
    (rule,) = rules
    return offered, rule


FITS: list[tuple[str, dict[str, Any], dict[str, Any], str | None]] = [
    ("nothing against it", {}, {}, None),
    ("issued from now on", {"issue_from": "2025-11-11T12:00"}, {}, None),
    ("not issued yet", {"issue_from": "2025-11-11T12:01"}, {}, "not_issued"),
    ("issued until a minute later", {"issue_until": "2025-11-11T12:01"}, {}, None),
    ("issued until now", {"issue_until": "2025-11-11T12:00"}, {}, "not_issued"),
    ("issued until now, elsewhere", {"issue_until": "2025-11-11T04:00:00+00:00"}, {}, "not_issued"),
    ("issued from midnight", {"issue_from": "2025-11-11"}, {}, None),
    ("issued from tomorrow", {"issue_from": "2025-11-12"}, {}, "not_issued"),
    ("reaches the threshold", {"threshold": "100.00"}, {}, None),
    ("below the threshold", {"threshold": "100.01"}, {}, "below_threshold"),
    ("first time", {"for": ["first_time"]}, {}, None),
    ("not first time", {"for": ["first_time"]}, {"customer": {"paid_orders": 1}}, "not_for"),
    ("repeat", {"for": ["repeat"]}, {"customer": {"paid_orders": 2}}, None),
    ("not repeat", {"for": ["repeat"]}, {"customer": {"paid_orders": 1}}, "not_for"),
    ("vip", {"for": ["vip"]}, {"customer": {"grade": 3}}, None),
    ("not vip", {"for": ["vip"]}, {"customer": {"grade": 2}}, "not_for"),
    ("grade not known", {"for": ["vip"]}, {}, "not_for"),
    ("high value", {"for": ["high_value"]}, {"order": {"total": "500.00"}}, None),
    ("not high value", {"for": ["high_value"]}, {"order": {"total": "499.99"}}, "not_for"),
    ("one of several", {"for": ["vip", "first_time"]}, {}, None),
    ("told why", {"for": ["price"]}, {"told": "price"}, None),
    ("told another reason", {"for": ["price"]}, {"told": "doubt"}, "not_for"),
    ("told no reason", {"for": ["price"]}, {}, "not_for"),
    ("told one of several", {"for": ["doubt", "comparing"]}, {"told": "comparing"}, None),
    ("told a reason, or first time", {"for": ["first_time", "price"]}, {}, None),
    (
        "told a reason, not first time",
        {"for": ["first_time", "price"]},
        {"told": "price", "customer": {"paid_orders": 1}},
        None,
    ),
    ("told a reason, for everybody", {}, {"told": "price"}, None),
    ("under a promotion", {}, {"order": {"promotion": Promotion(name="11.11")}}, "does_not_add"),
    ("adds to a promotion", {"stacks": True}, {"order": {"promotion": Promotion(name="11.11")}}, None),
    ("valid to the close", {"valid_for": "24h"}, {}, None),
    ("not valid to the close", {"valid_for": "23h"}, {}, "ends_too_soon"),
    ("valid until the close", {"valid_until": "2025-11-12T12:00"}, {}, None),
    ("valid until before the close", {"valid_until": "2025-11-12T11:59"}, {}, "ends_too_soon"),
    ("the last one", {}, {"pools": {"tea": PoolCount(taken=9)}}, None),
    ("used up", {}, {"pools": {"tea": PoolCount(taken=10)}}, "used_up"),
    ("topped up", {}, {"pools": {"tea": PoolCount(taken=10, added=1)}}, None),
    ("none of it", {"quantity": 0}, {}, "used_up"),
    ("the customer's last", {"per_customer": 2}, {"pools": {"tea": PoolCount(taken=5, mine=1)}}, None),
    ("had enough", {"per_customer": 2}, {"pools": {"tea": PoolCount(taken=5, mine=2)}}, "had_enough"),
    ("none for anybody", {"per_customer": 0}, {}, "had_enough"),
    ("not counted", {}, {"pools": {}}, "not_counted"),
]


@pytest.mark.parametrize(("case", "pool", "known", "why"), FITS, ids=[row[0] for row in FITS])
def test_a_gift_fits_or_says_why_not(
    case: str, pool: dict[str, Any], known: dict[str, Any], why: str | None
) -> None:
    offered, rule = judged(facts(**known), policy(GIFT | pool))

    assert (offered is None) == (why is not None)
    assert rule.outcome == ("offered" if why is None else "plain")
    assert rule.inputs["refused"] == ({} if why is None else {"tea": why})


@pytest.mark.parametrize("told", [None, *WORTH_AN_OFFER])
@pytest.mark.parametrize("why", WORTH_AN_OFFER)
def test_a_pool_for_a_reason_is_for_that_reason(why: str, told: WhyUnpaid | None) -> None:
    offered, rule = judged(facts(told=told), policy(GIFT | {"for": [why]}))

    assert (offered is not None) == (told == why)
    assert rule.inputs["told"] == told


@pytest.mark.parametrize("known", [{}, {"offered": "tea", "offer_ends": NOON + 7 * DAY}])
def test_a_changed_mind_is_offered_nothing(known: dict[str, Any]) -> None:
    offered, rule = judged(facts(told="changed_mind", **known), policy(GIFT))

    assert offered is None
    assert (rule.outcome, rule.inputs) == ("plain", {"agreed": True, "told": "changed_mind"})


@pytest.mark.parametrize(
    "pool", [{}, {"for": ["first_time"]}, {"for": ["price"], "issue_from": "2025-11-12"}]
)
def test_a_reason_that_no_pool_was_judged_on_is_not_recorded(pool: dict[str, Any]) -> None:
    _, rule = judged(facts(told="price"), policy(GIFT | pool))

    assert "told" not in rule.inputs


PRICES: list[tuple[str, str, str, str | None, str | None, str | None]] = [
    ("own", "30.00", "100.00", "100.00", "70.00", None),
    ("own", "99.99", "100.00", "100.00", "0.01", None),
    ("own", "100.00", "100.00", "100.00", None, "nothing_to_pay"),
    ("own", "100.01", "100.00", "100.00", None, "nothing_to_pay"),
    ("pdd", "30.00", "100.00", "100.00", "70.00", None),
    ("pdd", "30.01", "100.00", "100.00", None, "below_lowest_price"),
    ("pdd", "37.00", "100.00", "90.00", "63.00", None),  # 10.00 of it is freight
    ("pdd", "37.01", "100.00", "90.00", None, "below_lowest_price"),
    ("pdd", "30.00", "100.00", "120.00", "70.00", None),  # some of it was taken off already
    ("pdd", "30.00", "100.00", None, "70.00", None),
    ("pdd", "30.01", "100.00", None, None, "below_lowest_price"),
    ("own", "0.10", "0.30", "0.30", "0.20", None),  # no float
]


@pytest.mark.parametrize(("platform", "amount", "total", "price", "net", "why"), PRICES)
def test_a_changed_price_is_exact_and_within_the_platforms_limit(
    platform: str, amount: str, total: str, price: str | None, net: str | None, why: str | None
) -> None:
    order = {"total": total, "items": (Item(name="made up", price=price),)}

    offered, rule = judged(facts(order=order), policy(CHANGE | {"amount": amount}, platform=platform))

    assert (None if offered is None else offered.net) == net
    assert rule.inputs["refused"].get("off") == why


def test_a_price_is_changed_only_if_approved() -> None:
    offered, rule = judged(facts(), policy(CHANGE | {"approved": False}))

    assert offered is None
    assert rule.inputs["refused"] == {"off": "not_approved"}


@pytest.mark.parametrize(("lasts", "offers"), [("24h", True), ("23h", False)])
def test_what_is_for_another_order_leaves_time_to_use_it(lasts: str, offers: bool) -> None:
    offered, _ = judged(facts(), policy(COUPON | {"valid_for": lasts}))

    assert (offered is not None) == offers


def test_the_threshold_of_a_later_order_is_not_asked_of_this_one() -> None:
    offered, _ = judged(facts(), policy(COUPON | {"threshold": "999.00"}))

    assert offered is not None
    assert offered.net is None
    assert offered.ends == NOON + 7 * DAY


def test_protection_counts_from_the_payment() -> None:
    protection = {"id": "tea", "kind": "price_protection", "use": "this_order", "quantity": 9}

    offered, _ = judged(facts(), policy(protection | {"valid_for": "30d"}))

    assert offered is not None
    assert offered.ends == CLOSES + 30 * DAY


def test_the_first_pool_that_fits_is_taken_and_the_others_are_not_looked_at() -> None:
    offered, rule = judged(facts(), policy(GIFT | {"quantity": 0}, CHANGE, COUPON))

    assert offered is not None
    assert offered.pool.id == "off"
    assert rule.inputs["refused"] == {"tea": "used_up"}
    assert sorted(rule.inputs["pools"]) == ["off", "tea"]


AGREED = [
    (None, False),
    (Consent(), False),
    (Consent(promotion=False), False),
    (Consent(promotion=True), True),
]


@pytest.mark.parametrize(("consent", "offers"), AGREED)
def test_a_promotion_needs_consent(consent: Consent | None, offers: bool) -> None:
    offered, rule = judged(facts(customer={"consent": consent}), policy(GIFT))

    assert (offered is not None) == offers
    assert rule.outcome == ("offered" if offers else "plain")


HOURS = [
    (NOON - 4 * HOUR - 1, False, "2025-11-11T00:00:00.000Z"),  # 07:59:59.999
    (NOON - 4 * HOUR, True, "2025-11-11T13:00:00.000Z"),
    (NOON + 9 * HOUR - 1, True, "2025-11-11T13:00:00.000Z"),
    (NOON + 9 * HOUR, False, "2025-11-12T00:00:00.000Z"),  # 21:00
]


@pytest.mark.parametrize(("now", "offers", "until"), HOURS)
def test_a_promotion_keeps_its_hours(now: int, offers: bool, until: str) -> None:
    offered, rule = judged(facts(), policy(GIFT), now)

    assert (offered is not None) == offers
    assert rule.until == until


def test_a_message_must_go_while_its_incentive_is_issued() -> None:
    offered, _ = judged(facts(), policy(GIFT | {"issue_until": "2025-11-11T12:30"}))

    assert offered is not None
    assert iso(offered.until) == "2025-11-11T04:30:00.000Z"


AGAIN = [
    ("tea", CLOSES, True),
    ("tea", CLOSES - 1, False),  # it would end before the order closes
    ("gone", CLOSES, False),  # the policy has no such pool any more
]


@pytest.mark.parametrize(("pool", "ends", "offers"), AGAIN)
def test_an_order_is_offered_the_item_that_it_has(pool: str, ends: int, offers: bool) -> None:
    known = facts(offered=pool, offer_ends=ends, pools={"tea": PoolCount(taken=10), "off": PoolCount()})

    offered, rule = judged(known, policy(GIFT, CHANGE))

    assert (offered is not None and offered.again and offered.ends == ends) == offers
    assert rule.outcome == ("offered" if offers else "plain")


WRONG: list[tuple[dict[str, Any], str, str]] = [
    (GIFT | {"id": "Tea"}, "id", "a-z"),
    (GIFT | {"kind": "cash"}, "kind", "expected one of coupon"),
    (GIFT | {"use": "any"}, "use", "expected one of this_order"),
    (GIFT | {"quantity": -1}, "quantity", "whole number"),
    ({key: value for key, value in GIFT.items() if key != "quantity"}, "quantity", "missing"),
    ({key: value for key, value in GIFT.items() if key != "name"}, "name", "gift"),
    (GIFT | {"amount": "1.00"}, "amount", "expected none"),
    (GIFT | {"approved": True}, "approved", "expected none"),
    (GIFT | {"per_customer": 1.5}, "per_customer", "whole number"),
    (GIFT | {"stacks": "yes"}, "stacks", "true or false"),
    (GIFT | {"for": []}, "for", "first_time"),
    (GIFT | {"for": ["nobody"]}, "for", "first_time"),
    (GIFT | {"for": ["changed_mind"]}, "for", "first_time"),
    (GIFT | {"issue_from": 20251111}, "issue_from", "2026-11-01"),
    (GIFT | {"issue_from": "2025-02-30"}, "issue_from", "2026-11-01"),
    (GIFT | {"issue_from": "1999-01-01"}, "issue_from", "a year from 2000"),
    (GIFT | {"issue_from": "2025-11-12", "issue_until": "2025-11-12"}, "issue_until", "after issue_from"),
    (GIFT | {"issue_from": "2025-11-12", "valid_until": "2025-11-11"}, "valid_until", "after issue_from"),
    (GIFT | {"valid_for": "1d", "valid_until": "2025-11-11"}, "valid_until", "since valid_for is given"),
    (GIFT | {"use": "next_order"}, "valid_for", "must be used later"),
    (GIFT | {"colour": "red"}, "colour", "unknown key"),
    (COUPON | {"amount": "0.00"}, "amount", "above zero"),
    ({key: value for key, value in COUPON.items() if key != "amount"}, "amount", "coupon"),
    ({key: value for key, value in COUPON.items() if key != "how"}, "how", "coupon"),
    (COUPON | {"use": "this_order"}, "use", "on jd a coupon"),
    (CHANGE | {"use": "new_order", "valid_for": "2d"}, "use", "expected this_order"),
]


@pytest.mark.parametrize(("pool", "key", "expected"), WRONG, ids=lambda value: str(value)[:30])
def test_a_wrong_field_of_a_pool_is_named(pool: dict[str, Any], key: str, expected: str) -> None:
    with pytest.raises(InvalidPolicy) as refused:
        policy(pool, platform="jd")

    assert [problem.pointer for problem in refused.value.problems] == [f"/incentives/0/{key}"]
    assert expected in refused.value.problems[0].detail


def test_whom_a_pool_is_for_must_be_known_and_ids_come_once() -> None:
    document = {**LEAST, "routing": {"channels": ["sms"]}}
    document["incentives"] = [GIFT | {"for": ["vip", "high_value"]}, GIFT]

    with pytest.raises(InvalidPolicy) as refused:
        load_json(document)

    found = [problem.pointer for problem in refused.value.problems]
    assert sorted(found) == ["/incentives/0/for", "/incentives/0/for", "/incentives/1/id"]


def test_pools_are_written_as_they_were_read() -> None:
    pools = [
        GIFT | {"issue_from": "2025-11-01", "issue_until": "2025-11-12T00:00:00+08:00", "per_customer": 0},
        CHANGE | {"stacks": True, "for": ["first_time", "vip", "price"], "threshold": "50.00"},
        COUPON | {"quantity": 0, "name": "店铺券"},
    ]

    written = to_json(policy(*pools))

    assert written["incentives"] == pools
