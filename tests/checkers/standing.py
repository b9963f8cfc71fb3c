"""The rules about an order as such, recomputed, and whether it would ship today."""

from collections.abc import Iterator
from decimal import Decimal
from typing import Any

from tests.checkers.days import works
from tests.checkers.spans import day_of, shown
from tests.checkers.terms import MINUTE, Terms
from tests.checkers.timing import Answer, written

CHINESE = {"Asia/Shanghai", "Asia/Chongqing", "Asia/Harbin", "Asia/Urumqi", "Asia/Kashgar", "PRC"}

Refusing = tuple[Answer, str]
"""An answer, and the reason to drop that it means when it says so."""


def unpaid(state: Any) -> Refusing:
    """Only an unpaid order is reminded of."""
    return Answer("order_state", _unless(state != "unpaid"), {"state": state}), str(state)


def open_still(now: int, closes_at: int) -> Refusing:
    """Nothing goes at or after the close."""
    closed = now >= closes_at
    inputs = {"now": written(now), "closes_at": written(closes_at)}
    return Answer("close", _unless(closed), inputs, None if closed else closes_at), "closed"


def timely(now: int, due: int, terms: Terms, pace: int | None = None) -> Iterator[Refusing]:
    """Nothing goes more than `max_late` after it was due."""
    if terms.max_late is not None:
        late = now > due + terms.max_late
        inputs: dict[str, Any] = {"now": written(now), "due": written(due), "max_late": terms.max_late}
        inputs |= {} if pace is None else {"pace": pace}
        yield Answer("late", _unless(late), inputs, None if late else due + terms.max_late + 1), "too_late"


def not_unwanted(refused_at: int | None, paused_since: int | None) -> Iterator[Refusing]:
    """Nothing goes for an order whose payment was refused, nor to who is left alone by an operator."""
    if refused_at is not None:
        yield Answer("refused", "drop", {"refused_at": written(refused_at)}), "refused"
    if paused_since is not None:
        yield Answer("paused", "drop", {"paused_since": written(paused_since)}), "paused"


def in_stock(availability: Any) -> Refusing:
    """Nothing goes for an order of which something is sold out."""
    gone = "sold_out" in (availability or ())
    return Answer("stock", _unless(gone), {"availability": availability}), "sold_out"


def worth_it(total: str, terms: Terms) -> Iterator[Refusing]:
    """Nothing goes for an order below the minimum."""
    if (least := terms.min_total) is not None:
        inputs = {"total": total, "min_total": str(least)}
        yield Answer("minimum", _unless(Decimal(total) < least), inputs), "below_minimum"


def not_too_often(used: int, terms: Terms) -> Iterator[Refusing]:
    """Nothing goes for an order of which so many went before."""
    if terms.per_order is not None:
        inputs = {"used": used, "per_order": terms.per_order}
        yield Answer("order_cap", _unless(used >= terms.per_order), inputs), "attempts_used_up"


def not_talking(now: int, replied_at: int | None, terms: Terms) -> Iterator[Refusing]:
    """Nothing goes to who replied within `quiet_after_reply`."""
    if terms.quiet_after_reply is not None:
        inputs: dict[str, Any] = {"replied_at": None, "quiet_after_reply": terms.quiet_after_reply}
        end = None
        if replied_at is not None:
            inputs |= {"replied_at": written(replied_at), "now": written(now)}
            end = replied_at + terms.quiet_after_reply
        talking = end is not None and now < end
        yield Answer("replied", _unless(talking), inputs, end if talking else None), "replied"


def no_other_paid(now: int, paid_at: int | None, zone: str, terms: Terms) -> Iterator[Refusing]:
    """Nothing goes to who paid another order since yesterday 00:00, local time."""
    if terms.paid_other_order:
        since = shown(day_of(now, zone) - 1, 0, zone)
        paid = None if paid_at is None else written(paid_at)
        inputs = {"zone": zone, "paid_other_at": paid, "since": written(since)}
        if paid_at is None or paid_at < since:
            yield Answer("paid_other_order", "pass", inputs), "paid_other_order"
        else:
            end = shown(day_of(paid_at, zone) + 2, 0, zone)
            yield Answer("paid_other_order", "drop", inputs, end), "paid_other_order"


def not_held_long(held: int, terms: Terms) -> Iterator[Refusing]:
    """Nothing goes that a night held for more than `max_held`."""
    if terms.max_held is not None:
        inputs = {"held": held, "max_held": terms.max_held}
        yield Answer("held", _unless(held > terms.max_held), inputs), "too_late"


def ships_today(now: int, availability: Any, terms: Terms) -> bool:
    """Whether all is in stock, the cut-off is half an hour away or more, and the shop works today."""
    if terms.cutoff is None or any(each != "in_stock" for each in availability or ()):
        return False
    if cutoff_at(now, terms) - now < 30 * MINUTE:
        return False
    today = day_of(now, terms.zone)
    chinese = terms.holidays == "cn" or terms.currency == "CNY" or terms.zone in CHINESE
    return works(today, chinese)


def cutoff_at(now: int, terms: Terms) -> int:
    """Return the cut-off of the shop's day; there is one."""
    assert terms.cutoff is not None
    return shown(day_of(now, terms.zone), terms.cutoff, terms.zone)


def _unless(refused: bool) -> str:
    return "drop" if refused else "pass"
