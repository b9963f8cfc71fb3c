"""Which incentive a message should have named, restated from what the domain says."""

from datetime import date, datetime, timedelta
from decimal import Decimal
from typing import Any

from tests.checkers.records import EPOCH
from tests.checkers.routing import Known
from tests.checkers.spans import opening_at, shown
from tests.checkers.terms import DAY, UNITS
from tests.checkers.timing import Answer, written

HOURS = ((8 * 60, 21 * 60),)
"""Promotions go from 08:00 to 21:00 local time."""

REASONS = frozenset({"cannot_pay", "forgot", "price", "doubt", "comparing", "delivery"})
"""Why an order was not paid, as a customer may tell in a call, of those that a pool may be for."""

CHANGED_MIND = "changed_mind"
"""Who tells this is offered nothing."""

Named = tuple[str, int] | None
"""A pool, and until when its item can be used."""


class Judge:
    """Judges the pools of a policy for one message; `said` are the inputs that its record tells.

    `reason` is why the order was not paid, as was told in a call before.
    """

    def __init__(
        self, known: Known, now: int, said: dict[str, Any], order_has: Named, reason: str | None
    ) -> None:
        self.known, self.now, self.said, self.order_has = known, now, said, order_has
        self.reason = reason
        self.inputs: dict[str, Any] = {"agreed": said.get("agreed")}
        if reason == CHANGED_MIND:
            self.inputs["told"] = reason
        self.told: dict[str, Any] | None = None
        self.until: int | None = None

    def answer(self) -> Answer:
        """Return the rule as it should stand in the record; `told` and `until` say what was offered."""
        if self.reason == CHANGED_MIND or self.said.get("agreed") is not True:
            return Answer("incentive", "plain", self.inputs)
        hours = opening_at(self.now, HOURS, self.known.zone)
        assert hours is not None
        self.inputs |= {"zone": self.known.zone, "start": written(hours[0]), "end": written(hours[1])}
        if self.now < hours[0]:
            return Answer("incentive", "plain", self.inputs, hours[0])
        pool = self._again() if self.order_has else self._first()
        if pool is None:
            return Answer("incentive", "plain", self.inputs)
        self.inputs["pool"] = pool["id"]
        last = self._at(pool.get("issue_until"))
        self.until = hours[1] if last is None or self.order_has else min(last, hours[1])
        ends = self.order_has[1] if self.order_has else self._ends(pool)
        self.told = {"pool": pool["id"], "ends": written(ends), "again": self.order_has is not None}
        if pool["use"] == "this_order" and "amount" in pool:
            self.told["net"] = str(Decimal(self.known.total) - Decimal(pool["amount"]))
        return Answer("incentive", "offered", self.inputs, self.until)

    def _again(self) -> dict[str, Any] | None:
        assert self.order_has
        name, ends = self.order_has
        self.inputs |= {"offered": name, "offer_ends": written(ends)}
        pool = next((each for each in self.known.terms.incentives if each["id"] == name), None)
        if pool is None or (why := self._of_no_use(pool, ends) or self._price(pool)) is None:
            return pool
        self.inputs["refused"] = {name: why}
        return None

    def _first(self) -> dict[str, Any] | None:
        counts, refused = self.said.get("pools", {}), {}
        self.inputs |= {"promoted": self.said.get("promoted"), "pools": {}, "refused": refused}
        for pool in self.known.terms.incentives:
            if pool["id"] in counts:
                self.inputs["pools"][pool["id"]] = counts[pool["id"]]
            why = self._why_not(pool, counts.get(pool["id"]))
            if why is None:
                return pool
            refused[pool["id"]] = why
        return None

    def _why_not(self, pool: dict[str, Any], count: dict[str, int] | None) -> str | None:
        start, end = self._at(pool.get("issue_from")), self._at(pool.get("issue_until"))
        if self.now < (start or 0) or (end is not None and self.now >= end):
            return "not_issued"
        if pool["kind"] == "price_change" and not pool.get("approved"):
            return "not_approved"
        if any(who in REASONS for who in pool.get("for", ())):
            self.inputs["told"] = self.reason
        if "for" in pool and not any(self._is(who) for who in pool["for"]):
            return "not_for"
        if pool["use"] == "this_order":
            if Decimal(self.known.total) < Decimal(pool.get("threshold", 0)):
                return "below_threshold"
            if self.said.get("promoted") and not pool.get("stacks"):
                return "does_not_add"
        return self._of_no_use(pool, self._ends(pool)) or self._price(pool) or _none_left(pool, count)

    def _is(self, who: str) -> bool:
        if who in REASONS:
            return who == self.reason
        known, terms = self.known, self.known.terms
        return {
            "first_time": known.paid_orders == 0,
            "repeat": known.paid_orders >= (terms.repeat_orders or 1),
            "vip": terms.vip_grade is not None and known.grade is not None and known.grade >= terms.vip_grade,
            "high_value": terms.high_value is not None and Decimal(known.total) >= terms.high_value,
        }[who]

    def _of_no_use(self, pool: dict[str, Any], ends: int) -> str | None:
        until = self.known.closes_at if pool["use"] == "this_order" else self.now + DAY
        return "ends_too_soon" if ends < until else None

    def _price(self, pool: dict[str, Any]) -> str | None:
        if pool["use"] != "this_order" or "amount" not in pool:
            return None
        total = Decimal(self.known.total)
        left = total - Decimal(pool["amount"])
        if left <= 0:
            return "nothing_to_pay"
        if self.known.terms.platform != "pdd" or pool["kind"] != "price_change":
            return None
        prices, pieces = self.said.get("price", []), self.said.get("quantity", [])
        self.inputs |= {"price": prices, "quantity": pieces}
        goods = total
        if None not in prices:
            goods = min(total, sum((Decimal(p) * n for p, n in zip(prices, pieces, strict=True)), Decimal(0)))
        return "below_lowest_price" if left < goods * 7 / 10 else None

    def _ends(self, pool: dict[str, Any]) -> int:
        closes_at = self.known.closes_at
        if (lasts := pool.get("valid_for")) is not None:
            start = closes_at if pool["kind"] == "price_protection" else self.now
            return start + int(lasts[:-1]) * UNITS[lasts[-1]]
        until = self._at(pool.get("valid_until"))
        return closes_at if until is None else until

    def _at(self, text: str | None) -> int | None:
        """A local date or minute at the shop's own zone, or an instant with its offset."""
        if text is None:
            return None
        day, _, clock = text.partition("T")
        if len(clock) > len("20:00"):
            return (datetime.fromisoformat(text) - EPOCH) // timedelta(milliseconds=1)
        hours, _, minutes = (clock or "00:00").partition(":")
        of_day = int(hours) * 60 + int(minutes)
        return shown(date.fromisoformat(day).toordinal(), of_day, self.known.terms.zone)


def _none_left(pool: dict[str, Any], count: dict[str, int] | None) -> str | None:
    if count is None:
        return "not_counted"
    if count.get("taken", 0) >= pool["quantity"] + count.get("added", 0):
        return "used_up"
    return "had_enough" if count.get("mine", 0) >= pool.get("per_customer", float("inf")) else None
