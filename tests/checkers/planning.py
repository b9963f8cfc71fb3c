"""What should have been planned for an order, from what a record says it saw."""

from collections.abc import Iterator
from dataclasses import dataclass, field, replace
from typing import Any

from tests.checkers.localtime import local
from tests.checkers.routing import Known, Reach
from tests.checkers.spans import day_of, night_at, shown
from tests.checkers.standing import in_stock, not_held_long, not_too_often, open_still, timely, worth_it
from tests.checkers.terms import DAY, MINUTE
from tests.checkers.timing import Answer, Times, written

BEFORE_NIGHT = 5 * MINUTE
"""What is brought forward ends its release so long before the night."""

LEAST_AGE = LEAST_TO_PAY = 5 * MINUTE
"""Sooner after placing, or later before the close, a step that was brought forward is of no use."""

NO_TIME = "closes_before_window"

Facts = dict[str, Any]


@dataclass(frozen=True, kw_only=True)
class Plan:
    """What a plan stands on; `earliest` is where a second step may begin."""

    known: Known
    now: int
    step: int
    availability: Any
    reach: Reach
    earliest: int


@dataclass(frozen=True)
class Aim:
    """The nominal moment of a step; `fixed` says that many share it, as its `start` or its `end`."""

    moment: int
    fixed: str | None = None
    too_short: bool = False


@dataclass(frozen=True)
class Fit:
    """When a step is released and, after spreading, due; `held` (ms) by a night."""

    release: int
    due: int
    held: int = 0


@dataclass
class Draft:
    """A plan in the making."""

    plan: Plan
    moment: int
    rules: list[Answer] = field(default_factory=list)

    def dropped(self, reason: str) -> Facts:
        """Return the facts of a step that will never be."""
        return self._facts("reminder.dropped", reason, None)

    def planned(self, channel: str, due: int) -> Facts:
        """Return the facts of a step that waits."""
        return self._facts("reminder.planned", None, channel) | {"due": written(due)}

    def _facts(self, kind: str, reason: str | None, channel: str | None) -> Facts:
        rules = [answer.as_recorded() for answer in self.rules]
        facts = {"kind": kind, "reason": reason, "channel": channel, "rules": rules}
        return facts | {"moment": written(self.moment)}


def planned(plan: Plan) -> Facts:
    """Return what should be recorded of a step when its order becomes known.

    A first step without time at its own moment goes earlier, unless a second step goes anyway.
    """
    found = _planned(plan, forward=plan.step == 1 and plan.known.terms.lead is None)
    if plan.step == 1 and found["reason"] == NO_TIME and plan.known.terms.lead is not None:
        bare = replace(plan.reach, used=(), tried=())
        second = replace(plan, step=2, earliest=plan.known.placed_at + LEAST_AGE, reach=bare)
        if _planned(second, forward=False)["reason"] == NO_TIME:
            return _planned(plan, forward=True)
    return found


def _planned(plan: Plan, *, forward: bool) -> Facts:
    known = plan.known
    if plan.step == 1:
        aim, rule = first_aim(known)
    else:
        aim, rule = _second_aim(plan)
    draft = Draft(plan, aim.moment, [rule])
    if rule.rule == "cadence" and rule.outcome == "drop":
        return draft.dropped("not_scheduled")
    standing = (
        open_still(plan.now, known.closes_at),
        in_stock(plan.availability),
        *worth_it(known.total, known.terms),
        *not_too_often(0, known.terms),
    )
    for answer, reason in standing:
        draft.rules.append(answer)
        if answer.outcome == "drop":
            return draft.dropped(reason)
    return _fitted(draft, aim, forward=forward)


def _fitted(draft: Draft, aim: Aim, *, forward: bool) -> Facts:
    """The first channel that has time for the step gets it."""
    plan, known = draft.plan, draft.plan.known
    ranked, refusal = plan.reach.ranked(known)
    for channel in ranked:
        times = Times(terms=known.terms, zone=known.zone, channel=channel)
        fit, deadline = _fit(plan, aim, times), None
        if fit is None and forward:
            fit, deadline = _forward_fit(plan, times)
        if fit is not None:
            draft.rules.append(plan.reach.answer(known, channel))
            draft.rules += times.answers(aim.moment)
            draft.rules += [] if deadline is None else [deadline]
            return _judged(draft, channel, fit)
    draft.rules.append(plan.reach.answer(known, "drop"))
    return draft.dropped(refusal or NO_TIME)


def _judged(draft: Draft, channel: str, fit: Fit) -> Facts:
    plan, terms = draft.plan, draft.plan.known.terms
    ready = min(fit.release, fit.due)
    for answer, reason in (*not_held_long(fit.held, terms), *timely(plan.now, ready, terms)):
        draft.rules.append(answer)
        if answer.outcome == "drop":
            return draft.dropped(reason)
    inputs = {"release": written(fit.release), "due": written(fit.due)}
    draft.rules.append(Answer("spread", "pass", inputs))
    return draft.planned(channel, fit.due)


def first_aim(known: Known) -> tuple[Aim, Answer]:
    """Return the moment that the first row for the order's local time names."""
    inputs: dict[str, Any] = {"placed_at": written(known.placed_at), "zone": known.zone}
    placed = local(known.placed_at, known.zone)
    minute = placed.hour * 60 + placed.minute
    for number, row in enumerate(known.terms.cadence):
        if not row.placed[0] <= minute < row.placed[1]:
            continue
        today = day_of(known.placed_at, known.zone)
        if row.next_day_at is not None:
            aim = Aim(shown(today + 1, row.next_day_at, known.zone), "start")
        elif row.at is not None:
            aim = _not_before(known.placed_at, Aim(shown(today, row.at, known.zone), "start"))
        else:
            aim = Aim(known.placed_at + (row.after or 0))
            latest = None if row.before is None else shown(today, row.before, known.zone)
            if latest is not None and aim.moment >= latest:
                at_once = latest <= known.placed_at
                aim = Aim(known.placed_at) if at_once else Aim(latest, "end")
        return aim, Answer("cadence", "pass", inputs | {"row": number, "moment": written(aim.moment)})
    return Aim(known.placed_at), Answer("cadence", "drop", inputs)


def _not_before(placed_at: int, aim: Aim) -> Aim:
    return aim if placed_at <= aim.moment else Aim(placed_at)


def _second_aim(plan: Plan) -> tuple[Aim, Answer]:
    known = plan.known
    moment = known.closes_at - (known.terms.lead or 0)
    # Without a lead the policy wants no second step, and any record of one is wrong.
    wrong = known.terms.lead is None or moment <= known.placed_at
    inputs = {"closes_at": known.closes_at, "moment": moment, "earliest": plan.earliest}
    shown_inputs = {name: written(at) for name, at in inputs.items()}
    aim = Aim(moment, too_short=wrong)
    return aim, Answer("before_close", "drop" if wrong else "pass", shown_inputs)


def _fit(plan: Plan, aim: Aim, times: Times) -> Fit | None:
    if plan.step == 1:
        return _first_fit(plan.known, aim, times)
    if aim.too_short:
        return None
    return _evening_fit(plan, aim, times) or _later_fit(plan, aim, times)


def _first_fit(known: Known, aim: Aim, times: Times) -> Fit | None:
    slot = times.first_free(aim.moment, known.closes_at)
    if slot.at is None:
        return None
    on_time = slot.at == aim.moment
    if on_time and aim.fixed == "end":
        start = max(aim.moment - known.terms.over, known.placed_at)
        due = start + known.spread(1, start, aim.moment - start)
        late = start == aim.moment or times.blocked(due)
        return Fit(slot.at, aim.moment if late else due, slot.held)
    slot = slot._replace(anchored=slot.anchored or (on_time and aim.fixed == "start"))
    return Fit(slot.at or 0, known.released(times, slot, 1), slot.held)


def _evening_fit(plan: Plan, aim: Aim, times: Times) -> Fit | None:
    """A moment in a night that has not begun goes before it."""
    known = plan.known
    night = night_at(aim.moment, known.terms.quiet, known.zone, known.terms.remind_on)
    if night is None or aim.moment < night[0] or night[0] <= plan.now:
        return None
    end = night[0] - BEFORE_NIGHT
    start = max(end - known.terms.over, plan.earliest)
    if start > end:
        return None
    due = start + known.spread(2, start, end - start)
    return None if times.blocked(due) else Fit(due, due)


def _forward_fit(plan: Plan, times: Times) -> tuple[Fit | None, Answer]:
    """The latest room up to half an hour, or half its life, before the close; else the first one after."""
    known = plan.known
    earliest = max(known.placed_at + LEAST_AGE, plan.now)
    before = min(30 * MINUTE, (known.closes_at - known.placed_at) // 2)
    latest, last = max(known.closes_at - before, earliest), known.closes_at - LEAST_TO_PAY
    inputs = {"closes_at": known.closes_at, "earliest": earliest, "latest": latest}
    answer = Answer("deadline", "pass", {name: written(at) for name, at in inputs.items()})
    rooms = [room for room in _rooms(times, earliest, known.closes_at) if room[0] <= room[1]]
    until_latest = [room for room in rooms if room[0] <= latest]
    if until_latest:
        start, end = until_latest[-1]
        start, end = (latest, latest) if latest <= end else (max(start, end - known.terms.over), end)
    elif rooms and rooms[0][0] <= last:
        start, end = rooms[0]
    else:
        return None, answer
    return Fit(start, start + known.spread(1, start, end - start)), answer


def _rooms(times: Times, at: int, closes_at: int) -> Iterator[tuple[int, int]]:
    """Yield from where to where a step may be due: not in the last minutes before a night or the close."""
    at = max(at, closes_at - 31 * DAY)
    while at <= closes_at - LEAST_TO_PAY and (start := times.first_free(at, closes_at).at) is not None:
        at = times.allowed_until(start, closes_at)
        yield start, at - (LEAST_TO_PAY if at == closes_at else BEFORE_NIGHT)


def _later_fit(plan: Plan, aim: Aim, times: Times) -> Fit | None:
    slot = times.first_free(max(aim.moment, plan.earliest), plan.known.closes_at)
    if slot.at is None:
        return None
    return Fit(slot.at, plan.known.released(times, slot, 2), slot.held)
