"""What makes a reminder worth reading: the two of an order do not both live by the same."""

from collections.abc import Iterator
from decimal import Decimal
from itertools import product
from typing import Any, get_args

import msgspec
import pytest

from dispatcher.messages.catalog import Catalog
from dispatcher.policy.decisions import Send
from dispatcher.policy.facts import Customer, Facts, Handoff, Order, Rival, WhyUnpaid
from dispatcher.policy.scenario import Scenario, scenario
from dispatcher.policy.segments import segment
from tests.messages.samples import CUSTOMER, HOUR, ORDER, PLACED, POLICY, decided

ROUTED = msgspec.structs.replace(
    POLICY,
    routing=msgspec.structs.replace(
        POLICY.routing, high_value=Decimal("500.00"), repeat_orders=2, vip_grade=3
    ),
)
AT = PLACED + HOUR // 2
RIVAL = Rival(order="0002", step=1, due=AT, closes_at=AT + HOUR, total="1.00")
BY_HAND = Handoff(step=3, channel="chat", at=AT)

LIVES = (HOUR, 24 * HOUR)
TOTALS = ("299.00", "500.00")
NOTES = (None, "请放门卫")
PAID = (0, 1, 2)
GRADES = (None, 3)
YES_OR_NO = (True, False)
TOLD: tuple[WhyUnpaid | None, ...] = (None, *get_args(WhyUnpaid))


def known() -> Iterator[tuple[Order, Customer]]:
    """Every order and customer that may differ in what is said first."""
    for lives, total, note, paid, grade in product(LIVES, TOTALS, NOTES, PAID, GRADES):
        about = {"closes_at": PLACED + lives, "total": total, "buyer_note": note}
        yield (
            msgspec.structs.replace(ORDER, **about),
            msgspec.structs.replace(CUSTOMER, paid_orders=paid, grade=grade),
        )


def decisions() -> Iterator[tuple[Facts, Send]]:
    """Each of them with what is decided of it: shipping today, and others that the message names."""
    for (about, to), ships, merged in product(known(), YES_OR_NO, YES_OR_NO):
        facts, send = decided(1, "chat", about, to, AT)
        carries = (RIVAL,) if merged else ()
        yield facts, msgspec.structs.replace(send, ships_today=ships, carries=carries)


def second(send: Send) -> Iterator[tuple[Send, WhyUnpaid | None]]:
    """What may be decided of the other reminder, and told in a call between them."""
    for ships, merged, told in product(YES_OR_NO, YES_OR_NO, TOLD):
        if not (merged and send.carries):  # several orders are always told of in the same way
            carries = (RIVAL,) if merged else ()
            yield msgspec.structs.replace(send, ships_today=ships, carries=carries), told


def said(facts: Facts, send: Send, **more: Any) -> Scenario:
    return scenario(msgspec.structs.replace(facts, **more), ROUTED, send)


@pytest.mark.parametrize("steps", [(1, 2), (2, 1)], ids=["in their order", "a call claimed late"])
@pytest.mark.parametrize("by_hand", [(), (BY_HAND,)], ids=["alone", "beside an agent's own"])
def test_two_reminders_of_an_order_differ_in_technique(
    catalog: Catalog, steps: tuple[int, int], by_hand: tuple[Handoff, ...]
) -> None:
    technique = {kind: template.entry.technique for (_, kind, _), template in catalog.templates.items()}
    one, other = steps
    used = (*by_hand, Handoff(step=one, channel="phone", at=AT))

    pairs = {
        (said(facts, send, step=one, used=by_hand), said(facts, later, step=other, used=used, told=told))
        for facts, send in decisions()
        for later, told in second(send)
    }

    assert [pair for pair in sorted(pairs) if technique[pair[0]] == technique[pair[1]]] == []


def test_the_orders_tried_lead_to_every_kind_of_message() -> None:
    found = {
        said(facts, send, step=step, told=told)
        for facts, send in decisions()
        for step in (1, 2)
        for told in TOLD
    }
    flash = Handoff(step=1, channel="phone", at=AT)
    again = {said(facts, send, step=2, used=(flash,)) for facts, send in decisions()}

    assert found | again == set(get_args(Scenario))
    assert {segment(*each, ROUTED.routing) for each in known()} >= {"high_value", "vip", "repeat"}
