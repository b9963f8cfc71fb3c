"""What customers say in calls, what agents send by hand, what operators do; the checkers look at it."""

import asyncio
from pathlib import Path
from typing import Any, get_args

import msgspec
import pytest
import redis as blocking

from dispatcher.errors import EventIdReused, InvalidInput, NotNow, TaskNotOpen, UnknownOrder
from dispatcher.messages.catalog import Catalog
from dispatcher.messages.rendering import Rendered, render
from dispatcher.policy.events import Event, decode_event
from dispatcher.policy.facts import Channel, Facts, WhyUnpaid
from dispatcher.policy.zones import iso
from dispatcher.storage.client import StoreClient
from dispatcher.storage.people import People
from dispatcher.storage.records import MOST_STEPS, StoredOrder
from dispatcher.workflow.recomputing import Recomputer, recompute
from dispatcher.workflow.recorded import Record
from dispatcher.workflow.tasks import APPOINTED, Outcome
from tests.checkers.dump import dump
from tests.checkers.promises import CheckerRules, check_all
from tests.checkers.replay import replay
from tests.checkers.state import diff
from tests.checkers.structure import structure
from tests.worlds import DAY, HOUR, MINUTE, NOON, World, at_once, event, world

CALL = "demo~O-1~1"
SECOND = "demo~O-1~2"

CALLS = at_once(
    """
    [quiet_hours]
    start = "22:00"
    end = "09:00"
    [before_close]
    lead = "20h"
    earliest_after = "1h"
    [caps]
    per_day = 3
    [routing]
    channels = ["sms", "chat"]
    high_value = "500.00"
    """
)
"""An order is called about at once, and reminded of by SMS four hours later."""

RULES = CheckerRules(zone="Asia/Shanghai", per_day=3, quiet=("22:00", "09:00"))


@pytest.fixture
async def here(redis: StoreClient, audit_directory: Path) -> World:
    """A shop whose agent `li` calls about an order."""
    here = await world(redis, audit_directory, policy=CALLS)
    await take(here, event("order.unpaid", "O-1", NOON, total="900.00"))
    await here.dispatch()
    await here.service.tasks.claim(CALL, "li", "user:li")
    return here


async def take(here: World, *events: Event) -> list[Any]:
    return await here.service.intake.take(list(events), "key:test")


def reminded(at: int, order: str = "O-1", channel: str = "chat", event_id: str = "e-hand") -> Event:
    return decode_event(
        {
            "specversion": "1.0",
            "id": event_id,
            "source": "/shops/demo",
            "type": "order.reminded",
            "time": iso(at),
            "data": {"order": {"id": order}, "channel": channel, "agent": "li"},
        }
    )


async def ended(
    here: World, outcome: Outcome, said: int | None = None, why: WhyUnpaid | None = "price"
) -> None:
    await here.service.tasks.complete(CALL, "li", outcome, "user:li", said=said, why=why)


async def by_hand(here: World, hand: str = "h-1", channel: Channel = "chat", order: str = "O-1") -> str:
    return await here.service.by_hand.hand_over("demo", order, hand, channel, "li", "user:li")


async def at(here: World, instant: int) -> dict[str, Any]:
    """Do what is due at an instant and return the newest record of an order."""
    here.clock.advance_to(instant)
    await here.dispatch()
    return [record for record in await here.audit() if record["order"]][-1]


async def stored(here: World) -> StoredOrder:
    found = await here.service.store.order("demo", "O-1")
    assert found is not None
    return found


async def violations(here: World, reader: blocking.Redis) -> list[str]:
    """Return what the checkers, and deciding again, find wrong."""
    records = await here.audit()
    again = recompute(msgspec.convert(records, list[Record]), Recomputer())
    return [
        *check_all(records, RULES),
        *structure(reader, 4),
        *diff(replay(records), dump(reader, 4)),
        *again,
    ]


# What a customer says in a call.


async def test_a_promise_means_quiet_until_then_and_a_reminder_afterwards(
    here: World, reader: blocking.Redis
) -> None:
    await ended(here, "promised", NOON + 6 * HOUR)

    put_off = await at(here, NOON + 4 * HOUR)
    sent = await at(here, NOON + 6 * HOUR)

    assert (put_off["kind"], put_off["reason"]) == ("reminder.deferred", "promised")
    assert put_off["details"]["due"] == iso(NOON + 6 * HOUR)
    assert (sent["kind"], sent["reminder"]) == ("reminder.sent", SECOND)
    assert await violations(here, reader) == []


async def test_a_promise_into_the_night_waits_for_the_morning(here: World, reader: blocking.Redis) -> None:
    await ended(here, "promised", NOON + 11 * HOUR)

    put_off = await at(here, NOON + 4 * HOUR)

    assert (put_off["reason"], put_off["details"]["due"]) == ("promised", iso(NOON + 21 * HOUR))
    assert await violations(here, reader) == []


@pytest.mark.parametrize("until", [NOON + DAY, NOON + DAY + 1, NOON + 400 * DAY])
async def test_a_promise_that_leaves_no_time_before_the_close_ends_the_reminder(
    here: World, reader: blocking.Redis, until: int
) -> None:
    await ended(here, "promised", until)

    dropped = await at(here, NOON + 4 * HOUR)

    assert (dropped["kind"], dropped["reason"]) == ("reminder.dropped", "promised")
    assert await violations(here, reader) == []


async def test_a_promise_before_the_commit_is_decided_anew(here: World, reader: blocking.Redis) -> None:
    here.clock.advance_to(NOON + 4 * HOUR)
    here.service.dispatcher._judge_all = _meanwhile(  # type: ignore[method-assign]
        here, lambda: ended(here, "promised", NOON + 6 * HOUR)
    )

    await here.dispatch()

    kinds = [record["kind"] for record in await here.audit()]
    assert kinds[-2:] == ["task.completed", "reminder.deferred"]
    assert await violations(here, reader) == []


def _meanwhile(here: World, act: Any) -> Any:
    """Return a judgement after which, the first time, something happens."""
    judge_all = here.service.dispatcher._judge_all

    async def judged(lease: Any) -> Any:
        found = await judge_all(lease)
        here.service.dispatcher._judge_all = judge_all  # type: ignore[method-assign]
        await act()
        return found

    return judged


async def test_a_call_back_means_quiet_until_then(here: World, reader: blocking.Redis) -> None:
    await ended(here, "call_back", NOON + 5 * HOUR)

    assert (await at(here, NOON + 4 * HOUR))["details"]["due"] == iso(NOON + 5 * HOUR)
    assert await violations(here, reader) == []


async def test_a_refusal_ends_the_order_and_no_other(here: World, reader: blocking.Redis) -> None:
    await take(here, event("order.unpaid", "O-2", NOON))

    await ended(here, "refused")

    dropped = (await here.audit())[-1]
    assert (dropped["kind"], dropped["reason"], dropped["reminder"]) == (
        "reminder.dropped",
        "refused",
        SECOND,
    )
    assert (await at(here, NOON + MINUTE))["order"] == "O-2"
    assert await violations(here, reader) == []


async def test_after_a_refusal_nothing_is_sent_by_hand_either(here: World) -> None:
    await ended(here, "refused")

    with pytest.raises(NotNow) as refusal:
        await by_hand(here)

    assert (refusal.value.reason, refusal.value.blocking) == ("refused", ("refused",))


async def test_a_wrong_number_is_given_up_for_the_order_and_blocked_for_the_shop(
    here: World, reader: blocking.Redis
) -> None:
    before = await stored(here)

    await ended(here, "wrong_number")

    sent = await at(here, NOON + 4 * HOUR)
    blocked = next(record for record in await here.audit() if record["kind"] == "operator.blocked")
    routing = next(
        rule
        for record in await here.audit()
        if record["kind"] == "reminder.sending"
        for rule in record["details"]["decision"]["rules"]
        if rule["rule"] == "routing"
    )
    assert (await stored(here)).rev == before.rev + 1
    assert (sent["channel"], routing["inputs"]["tried"]) == ("chat", ["phone"])
    assert routing["inputs"]["blocked"] == ["sms", "phone"]
    assert (blocked["actor"], blocked["details"]["agent"], blocked["details"]["call"]) == (
        "user:li",
        "li",
        CALL,
    )
    assert blocked["customer"] is None
    assert await violations(here, reader) == []


@pytest.mark.parametrize("outcome", ["paid", "no_answer", "other"])
async def test_other_outcomes_change_nothing_of_the_order(
    here: World, reader: blocking.Redis, outcome: Outcome
) -> None:
    before = await stored(here)

    await ended(here, outcome, why=None)

    assert (await stored(here)).rev == before.rev
    assert (await at(here, NOON + 4 * HOUR))["kind"] == "reminder.sent"
    assert await violations(here, reader) == []


@pytest.mark.parametrize("outcome", get_args(Outcome))
async def test_every_outcome_is_kept_and_may_be_repeated(here: World, outcome: Outcome) -> None:
    said = NOON + HOUR if outcome in APPOINTED else None
    await ended(here, outcome, said)
    before = await here.audit()
    here.clock.advance_to(NOON + 2 * HOUR)

    await ended(here, outcome, said)

    told = next(record for record in before if record["kind"] == "task.completed")
    step = (await stored(here)).steps[0]
    assert await here.audit() == before
    assert (told["details"]["outcome"], told["details"]["reason"]) == (outcome, "price")
    assert (step.result, step.why, step.said) == (outcome, "price", said)


@pytest.mark.parametrize("why", get_args(WhyUnpaid))
async def test_what_follows_a_call_knows_why_the_order_was_not_paid(
    here: World, reader: blocking.Redis, monkeypatch: pytest.MonkeyPatch, why: WhyUnpaid
) -> None:
    known = _seen(monkeypatch)

    await ended(here, "no_answer", why=why)
    await at(here, NOON + 4 * HOUR)

    assert (await stored(here)).told == why
    assert known == [why]
    assert await violations(here, reader) == []


@pytest.mark.parametrize("why", get_args(WhyUnpaid))
async def test_a_second_open_call_answers_what_was_told_in_the_first(
    redis: StoreClient, audit_directory: Path, why: WhyUnpaid
) -> None:
    here = await world(redis, audit_directory, policy=CALLS)
    await take(here, event("order.unpaid", "O-1", NOON, total="900.00"))
    await here.dispatch()
    await at(here, NOON + 4 * HOUR)
    await here.service.tasks.claim(CALL, "li", "user:li")
    await ended(here, "no_answer", why=why)

    await here.service.tasks.claim(SECOND, "li", "user:li")

    claimed = (await here.audit())[-1]
    kind = "kind_ending" if why == "changed_mind" else why
    assert (claimed["kind"], claimed["template"].partition("@")[0]) == ("task.claimed", f"{kind}/phone")


async def test_what_was_decided_before_the_reason_was_told_is_decided_anew(
    here: World, reader: blocking.Redis, monkeypatch: pytest.MonkeyPatch
) -> None:
    known = _seen(monkeypatch)
    here.clock.advance_to(NOON + 4 * HOUR)
    here.service.dispatcher._judge_all = _meanwhile(  # type: ignore[method-assign]
        here, lambda: ended(here, "no_answer", why="doubt")
    )

    await here.dispatch()

    assert known == [None, "doubt"]
    assert await violations(here, reader) == []


def _seen(monkeypatch: pytest.MonkeyPatch) -> list[str | None]:
    """Return a list that grows by the reason that each message is written with."""
    found: list[str | None] = []

    def noted(catalog: Catalog, facts: Facts, *about: Any) -> Rendered:
        found.append(facts.told)
        return render(catalog, facts, *about)

    monkeypatch.setattr("dispatcher.workflow.templates.render", noted)
    return found


@pytest.mark.parametrize(
    ("reasons", "told"),
    [
        (("price", "doubt"), "doubt"),
        (("price", None), "price"),
        ((None, "doubt"), "doubt"),
        ((None, None), None),
    ],
)
async def test_the_reason_told_last_counts(
    here: World, redis: StoreClient, reasons: tuple[WhyUnpaid | None, ...], told: str | None
) -> None:
    order = await stored(here)
    twice = msgspec.structs.replace(order, steps=[order.steps[0]] * 2)
    await redis.set(here.service.store.keys(here.lane).order("demo", "O-1"), msgspec.msgpack.encode(twice))

    for task, why in zip((CALL, SECOND), reasons, strict=True):
        await here.service.tasks.complete(task, "li", "other", "user:li", why=why)

    assert (await stored(here)).told == told


async def test_an_outcome_with_another_time_is_not_a_repetition(here: World) -> None:
    await ended(here, "promised", NOON + HOUR)

    with pytest.raises(TaskNotOpen):
        await ended(here, "promised", NOON + 2 * HOUR)


@pytest.mark.parametrize("said", [NOON, NOON - 1])
async def test_a_promise_is_about_the_future(here: World, said: int) -> None:
    before = await here.audit()

    with pytest.raises(InvalidInput) as refusal:
        await ended(here, "promised", said)

    assert refusal.value.problems[0].pointer == "/promised_until"
    assert await here.audit() == before


CALLED_ONCE = at_once('[routing]\nchannels = ["sms"]\nhigh_value = "500.00"')


async def said(here: World, rule: str) -> None:
    """Have something said that the rule decides about when the next reminder is due."""
    if rule == "promise":
        await ended(here, "promised", NOON + 6 * HOUR)
    elif rule == "paused":
        await here.service.operators.pause("demo", "C-1", NOON, "user:wang")
    else:  # a refusal ends what waits, so that only what is planned after it is decided about
        await here.service.put_policy("demo", CALLED_ONCE, "test", "user:test")
        await take(here, event("order.unpaid", "O-2", NOON, total="900.00", customer="C-2"))
        await here.dispatch()
        await here.service.tasks.claim("demo~O-2~1", "li", "user:li")
        await here.service.tasks.complete("demo~O-2~1", "li", "refused", "user:li")
        await here.service.put_policy("demo", CALLS, "test", "user:test")
        await take(here, event("order.amended", "O-2", NOON + 1, total="900.00", customer="C-2"))


@pytest.mark.parametrize("rule", ["promise", "refused", "paused"])
@pytest.mark.parametrize("change", ["input", "left out"])
async def test_what_was_said_decides_and_an_altered_record_of_it_is_found(
    here: World, rule: str, change: str
) -> None:
    await said(here, rule)
    here.clock.advance_to(NOON + 5 * HOUR)
    await here.dispatch()
    records = await here.audit()
    (rules,) = (
        found
        for record in records
        if (found := record["details"].get("decision", {}).get("rules"))
        and rule in {each["rule"] for each in found if each["outcome"] != "pass"}
    )
    (said_so,) = (each for each in rules if each["rule"] == rule)
    if change == "left out":
        rules.remove(said_so)
    else:
        said_so["inputs"] = dict.fromkeys(said_so["inputs"], iso(NOON + 7 * HOUR))

    again = recompute(msgspec.convert(records, list[Record]), Recomputer())

    assert list(again)
    assert check_all(records, RULES)


# What agents send by hand.


async def test_a_hand_off_by_an_agent_counts_against_later_ones(here: World, reader: blocking.Redis) -> None:
    await by_hand(here, "h-1")
    await by_hand(here, "h-2", "sms")

    put_off = await at(here, NOON + 4 * HOUR)

    assert (put_off["kind"], put_off["reason"]) == ("reminder.deferred", "daily_cap")
    assert await violations(here, reader) == []


async def test_a_hand_off_asked_for_at_once_many_times_takes_one_slot(
    here: World, reader: blocking.Redis
) -> None:
    answers = await asyncio.gather(*(by_hand(here) for _ in range(16)))

    assert set(answers) == {"demo~O-1~3"}
    assert len((await People(here.service.store).of_customer("demo", "C-1")).instants) == 2
    assert await violations(here, reader) == []


async def test_an_id_that_crosses_itself_with_other_content_is_refused(
    here: World, reader: blocking.Redis
) -> None:
    found = await asyncio.gather(by_hand(here), by_hand(here, channel="sms"), return_exceptions=True)

    assert sorted(map(type, found), key=str) == [EventIdReused, str]
    assert await violations(here, reader) == []


async def test_hand_offs_of_several_agents_at_once_do_not_pass_the_cap(
    here: World, reader: blocking.Redis
) -> None:
    found = await asyncio.gather(*(by_hand(here, f"h-{n}") for n in range(6)), return_exceptions=True)

    assert len([one for one in found if isinstance(one, str)]) == 2
    assert {type(one) for one in found} == {str, NotNow}
    assert await violations(here, reader) == []


async def test_a_hand_off_by_an_agent_counts_for_all_who_share_the_number(
    here: World, reader: blocking.Redis
) -> None:
    by_phone = at_once("[caps]\nper_day = 1\nper = 'phone'\n[routing]\nchannels = ['chat']")
    await here.service.put_policy("demo", by_phone, "test", "user:test")
    await take(here, event("order.unpaid", "O-2", NOON, customer="C-2"))

    await by_hand(here)

    put_off = await at(here, NOON + MINUTE)
    assert (put_off["order"], put_off["reason"]) == ("O-2", "daily_cap")
    assert await violations(here, reader) == []


@pytest.mark.parametrize(
    ("later", "blocking", "eligible"),
    [(10 * HOUR, ("quiet_hours",), NOON + 21 * HOUR), (DAY, ("close",), None)],
)
async def test_the_rules_of_time_hold_for_hand_offs_by_agents(
    here: World, later: int, blocking: tuple[str, ...], eligible: int | None
) -> None:
    here.clock.advance_to(NOON + later)

    with pytest.raises(NotNow) as refusal:
        await by_hand(here)

    assert (refusal.value.blocking, refusal.value.next_eligible) == (blocking, eligible)


async def test_a_pause_holds_hand_offs_by_agents(here: World) -> None:
    await here.service.store.pause("demo", "chat", NOON, "user:test")

    with pytest.raises(NotNow, match="paused"):
        await by_hand(here)


async def test_nothing_is_sent_by_hand_for_an_order_that_is_paid_or_unknown(here: World) -> None:
    await take(here, event("order.paid", "O-1", NOON))

    with pytest.raises(NotNow, match="paid"):
        await by_hand(here)
    with pytest.raises(UnknownOrder):
        await by_hand(here, order="O-9")


async def test_what_an_agent_sent_is_taken_once_whatever_the_caps_say(
    here: World, reader: blocking.Redis
) -> None:
    told = [reminded(NOON - n * MINUTE, event_id=f"e-{n}") for n in range(4)]

    first = await take(here, *told)
    again = await take(here, *told)

    assert {result.status for result in first} == {"accepted"}
    assert {result.status for result in again} == {"duplicate"}
    assert len((await People(here.service.store).of_customer("demo", "C-1")).instants) == 5
    with pytest.raises(NotNow, match="daily_cap"):
        await by_hand(here)
    assert (await at(here, NOON + 4 * HOUR))["reason"] == "daily_cap"
    assert await violations(here, reader) == []


async def test_what_an_agent_sent_at_night_or_after_the_payment_is_a_fact(
    here: World, reader: blocking.Redis
) -> None:
    await take(here, event("order.paid", "O-1", NOON))

    (result,) = await take(here, reminded(NOON - 13 * HOUR))

    record = (await here.audit())[-1]
    assert result.status == "accepted"
    assert (record["kind"], record["details"]["handed_at"]) == ("reminder.sent", iso(NOON - 13 * HOUR))
    assert await violations(here, reader) == []


async def test_what_is_reported_from_the_future_happened_now(here: World, reader: blocking.Redis) -> None:
    await take(here, reminded(NOON + DAY))

    assert (await People(here.service.store).of_customer("demo", "C-1")).instants == (NOON, NOON)
    assert await violations(here, reader) == []


async def test_a_report_of_an_unknown_order_is_taken_once_it_is_known(
    here: World, reader: blocking.Redis
) -> None:
    report, unpaid = reminded(NOON, "O-2"), event("order.unpaid", "O-2", NOON)

    (early,) = await take(here, report)
    both = await take(here, unpaid, report)

    assert (early.status, type(early.problem)) == ("rejected", UnknownOrder)
    assert [result.status for result in both] == ["accepted", "accepted"]
    assert await violations(here, reader) == []


async def test_an_order_takes_no_reports_without_end(here: World) -> None:
    told = [reminded(NOON, event_id=f"e-{n}") for n in range(MOST_STEPS)]

    results = await take(here, *told)

    assert [result.status for result in results].count("accepted") == MOST_STEPS - 2
    assert len((await stored(here)).steps) == MOST_STEPS


# What operators do.


async def test_what_operators_do_is_followed_by_the_checkers(here: World, reader: blocking.Redis) -> None:
    steering = here.service.steering
    await steering.postpone(SECOND, NOON + 5 * HOUR, "asked for", "user:wang")
    await here.service.operators.pause("demo", "C-1", NOON, "user:wang")
    with pytest.raises(NotNow, match="paused"):
        await steering.send_now(SECOND, "user:wang")
    await here.service.operators.resume("demo", "C-1", NOON, "user:wang")
    here.clock.advance_to(NOON + 2 * HOUR)
    await steering.send_now(SECOND, "user:wang")

    sent = await at(here, NOON + 2 * HOUR)

    assert (sent["kind"], sent["reminder"]) == ("reminder.sent", SECOND)
    assert await violations(here, reader) == []


async def test_a_cancelled_task_is_claimed_no_more(here: World, reader: blocking.Redis) -> None:
    await take(here, event("order.unpaid", "O-2", NOON, total="900.00"))
    await here.dispatch()

    await here.service.steering.cancel("demo~O-2~1", None, "user:wang")

    with pytest.raises(TaskNotOpen):
        await here.service.tasks.claim("demo~O-2~1", "li", "user:li")
    assert await violations(here, reader) == []


async def test_a_customer_paused_between_lease_and_commit_is_left_alone(
    here: World, reader: blocking.Redis
) -> None:
    here.clock.advance_to(NOON + 4 * HOUR)
    here.service.dispatcher._judge_all = _meanwhile(  # type: ignore[method-assign]
        here, lambda: here.service.operators.pause("demo", "C-1", here.clock.now(), "user:wang")
    )

    await here.dispatch()

    dropped = (await here.audit())[-1]
    assert (dropped["kind"], dropped["reason"]) == ("reminder.dropped", "paused")
    assert await violations(here, reader) == []


async def test_a_pause_outlives_what_is_forgotten_of_a_customer(here: World, reader: blocking.Redis) -> None:
    await here.service.operators.pause("demo", "C-1", NOON, "user:wang")
    await take(here, event("order.paid", "O-1", NOON))

    await at(here, NOON + 10 * DAY)

    kept = await here.service.store.customer("demo", "C-1")
    assert (kept.paid, kept.paused) == (None, NOON)
    assert await violations(here, reader) == []
