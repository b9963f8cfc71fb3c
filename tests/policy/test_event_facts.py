from typing import Any

import msgspec
import pytest

from dispatcher.errors import InvalidEvent
from dispatcher.policy.events import Event, decode_event, facts_of, merged
from dispatcher.policy.facts import Consent, Item, OrderFacts, Receiver
from dispatcher.policy.terms import Policy
from tests.policy.event_examples import POLICY, changed, event

PLACED = 1_794_363_630_000
HOUR = 3_600_000


def terms(**change: Any) -> Policy:
    return msgspec.structs.replace(POLICY, **change)


def amendment(customer: dict[str, Any] | None = None, **order: Any) -> Event:
    return decode_event(event("order.amended", order={"id": "O-1"} | order, customer=customer))


def known() -> OrderFacts:
    whole = changed("/data/customer/consent", {"chat": False})
    whole["data"]["order"]["receiver"] = {"name": "李先生", "city": "杭州"}
    return facts_of(decode_event(whole), POLICY)


def named(event: Event, policy: Policy, facts: OrderFacts | None = None) -> list[str]:
    with pytest.raises(InvalidEvent) as caught:
        facts_of(event, policy) if facts is None else merged(facts, event, policy)
    assert caught.value.event_id == event.id
    return [problem.pointer for problem in caught.value.problems]


def test_a_complete_event_gives_all_facts() -> None:
    read = decode_event(event())

    facts = facts_of(read, POLICY)

    assert (facts.order.id, facts.order.total, facts.order.currency) == ("O-1", "299.00", "CNY")
    assert (facts.order.placed_at, facts.order.closes_at) == (PLACED, PLACED + 24 * HOUR)
    assert (facts.customer.id, facts.customer.phone, facts.customer.paid_orders) == (
        "C-1",
        "+8613800000000",
        3,
    )


def test_facts_survive_being_stored() -> None:
    facts = known()

    stored = msgspec.json.decode(msgspec.json.encode(facts), type=OrderFacts)

    assert stored == facts
    assert stored.order.receiver == Receiver(name="李先生", city="杭州")
    assert stored.customer.consent == Consent(chat=False)


@pytest.mark.parametrize("value", [..., None])
def test_the_close_is_the_policys_pay_within_after_the_placing(value: Any) -> None:
    read = decode_event(changed("/data/order/closes_at", value))

    facts = facts_of(read, terms(pay_within=2 * HOUR))

    assert facts.order.closes_at == PLACED + 2 * HOUR


def test_a_given_close_is_kept_whatever_the_policy_says() -> None:
    read = decode_event(event())

    facts = facts_of(read, terms(pay_within=2 * HOUR))

    assert facts.order.closes_at == PLACED + 24 * HOUR


@pytest.mark.parametrize("pay_within", [None, 0])
def test_without_a_close_and_time_to_pay_the_event_is_refused(pay_within: int | None) -> None:
    read = decode_event(changed("/data/order/closes_at", ...))

    found = named(read, terms(pay_within=pay_within))

    assert found == ["/data/order/closes_at"]


def test_the_currency_is_the_policys_where_none_is_given() -> None:
    read = decode_event(changed("/data/order/currency", ...))

    facts = facts_of(read, terms(currency="HKD"))

    assert facts.order.currency == "HKD"


@pytest.mark.parametrize(("given_currency", "policys"), [("USD", "CNY"), (..., None)])
def test_another_currency_or_none_at_all_is_refused(given_currency: Any, policys: str | None) -> None:
    read = decode_event(changed("/data/order/currency", given_currency))

    found = named(read, terms(currency=policys))

    assert found == ["/data/order/currency"]


def test_a_policy_without_currency_takes_any() -> None:
    read = decode_event(changed("/data/order/currency", "USD"))

    facts = facts_of(read, terms(currency=None))

    assert facts.order.currency == "USD"


def test_a_partial_amendment_alone_gives_no_facts() -> None:
    read = amendment(total="1.00")

    found = named(read, POLICY)

    assert found == ["/data/order/placed_at", "/data/order/items", "/data/customer"]


def test_a_final_event_gives_no_facts() -> None:
    read = decode_event(event("order.paid", order={"id": "O-1"}))

    found = [named(read, POLICY), named(read, POLICY, known())]

    assert found == [["/type"], ["/type"]]


def test_an_amendment_replaces_what_it_gives_and_nothing_else() -> None:
    before = known()

    after = merged(before, amendment(total="199.00", items=[{"name": "示例", "quantity": 2}]), POLICY)

    order = msgspec.structs.replace(before.order, total="199.00", items=(Item(name="示例", quantity=2),))
    assert after == OrderFacts(order=order, customer=before.customer)


def test_receiver_and_consent_are_amended_field_by_field() -> None:
    customer = {"id": "C-1", "consent": {"sms": False}}

    after = merged(known(), amendment(customer, receiver={"city": "北京"}), POLICY)

    assert after.order.receiver == Receiver(name="李先生", city="北京")
    assert after.customer.consent == Consent(chat=False, sms=False)


def test_null_in_an_amendment_takes_a_field_back_to_its_default() -> None:
    customer = {"id": "C-1", "phone": None, "consent": None, "paid_orders": None}

    after = merged(
        known(), amendment(customer, receiver=None, pay_url=None, closes_at=None), terms(pay_within=HOUR)
    )

    assert (after.order.receiver, after.order.pay_url, after.order.closes_at) == (None, None, PLACED + HOUR)
    assert (after.customer.phone, after.customer.consent, after.customer.paid_orders) == (None, None, 0)


def test_another_customer_takes_nothing_over_from_the_former() -> None:
    after = merged(known(), amendment({"id": "C-2", "chat": "li_1"}), POLICY)

    assert (after.customer.id, after.customer.chat) == ("C-2", "li_1")
    assert (after.customer.phone, after.customer.name, after.customer.consent) == (None, None, None)


def test_merging_the_same_event_again_changes_nothing() -> None:
    facts = facts_of(decode_event(event()), POLICY)

    again = merged(facts, decode_event(event()), POLICY)

    assert again == facts


def test_an_amendment_cannot_close_an_order_before_it_was_placed() -> None:
    closes_early = amendment(closes_at="2026-11-11T10:20:30+08:00")
    placed_late = amendment(placed_at="2026-11-13T00:00:00+08:00")

    found = [named(read, POLICY, known()) for read in (closes_early, placed_late)]

    assert found == [["/data/order/closes_at"]] * 2


def test_an_amendment_in_another_currency_is_refused() -> None:
    read = amendment(currency="USD")

    found = named(read, POLICY, known())

    assert found == ["/data/order/currency"]


def test_an_order_taken_in_the_former_currency_can_still_be_amended() -> None:
    after = merged(known(), amendment(total="1.00"), terms(currency="USD"))

    assert (after.order.total, after.order.currency) == ("1.00", "CNY")
