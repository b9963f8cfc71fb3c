"""The checkers find nothing in a sound audit, and each violation in one that holds it."""

import re
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import pytest

from tests.checkers import promises
from tests.checkers.promises import CheckerRules, check_all
from tests.checkers.records import instant, iso
from tests.checkers.story import HOUR, STORY_RULES, Story

FINISHED = replace(STORY_RULES, finished=True)
MINUTE = 60_000


def whole_life() -> Story:
    """Two orders: one reminded by SMS, then called by the second agent, then closed; one paid in time."""
    story = Story().accepted().planned().planned(step=2, channel="phone", after=24 * HOUR)
    story.wait(HOUR).sending().record("reminder.retrying", "O-1", 1, channel="sms", due=iso(story.now))
    story.wait(MINUTE).handed_over().record("reminder.delivered", "O-1", 1)
    story.accepted("O-2").planned("O-2").wait(1).paid("O-2", stopped=["demo~O-2~1"]).dropped("paid", "O-2")
    story.wait(24 * HOUR).opened(step=2).wait(MINUTE).claimed(step=2).wait(MINUTE).released(step=2)
    story.wait(MINUTE).claimed(step=2).wait(MINUTE)
    story.record("task.completed", "O-1", 2, channel="phone", outcome="no_answer")
    return story.wait(48 * HOUR).closed().wait(48 * HOUR).record("order.retired", "O-1")


def found_by(story: Story, rules: CheckerRules = STORY_RULES) -> set[str]:
    return {violation.partition(":")[0] for violation in check_all(story.records, rules)}


def one_reminder() -> Story:
    return Story().accepted().planned()


def test_a_whole_life_keeps_every_promise() -> None:
    story = whole_life()

    violations = check_all(story.records, FINISHED)

    assert violations == []


def test_the_checkers_import_nothing_of_the_product() -> None:
    modules = sorted((Path(__file__).parent / "checkers").glob("*.py"))

    importing = [
        path.name
        for path in modules
        if re.search(r"^\s*(from|import)\s+dispatcher\b", path.read_text(), re.MULTILINE)
    ]

    assert len(modules) > 10
    assert importing == []


def lost_record() -> Story:
    story = whole_life()
    del story.records[3]
    return story


def backward_clock() -> Story:
    return one_reminder().wait(-1).handed_over()


def event_taken_twice() -> Story:
    return one_reminder().amended(event="e-1")


def sent_twice() -> Story:
    story = one_reminder().handed_over().wait(4 * HOUR)
    return story.planned().handed_over()


def claimed_twice() -> Story:
    story = one_reminder().opened().claimed().wait(4 * HOUR)
    return story.planned(channel="phone").opened().claimed()


def released_after_completion() -> Story:
    story = one_reminder().opened().claimed()
    return story.record("task.completed", "O-1", 1, channel="phone", outcome="other").released()


def third_of_a_day_after_a_release() -> Story:
    """The released claim does not count, those before and after it do."""
    story = Story("2026-11-11T01:00:00.000Z")
    for number in (1, 2, 3):
        story.accepted(f"O-{number}").planned(f"O-{number}").opened(f"O-{number}").claimed(f"O-{number}")
        if number == 2:
            story.released("O-2").wait(MINUTE).claimed("O-2")
        story.wait(5 * HOUR)
    return story


def stopped_what_was_claimed() -> Story:
    return one_reminder().opened().claimed().paid(stopped=["demo~O-1~1"])


def sent_after_payment() -> Story:
    return one_reminder().paid(stopped=["demo~O-1~1"]).handed_over()


def claimed_after_close() -> Story:
    return one_reminder().opened().closed().claimed()


def stopped_what_was_sent() -> Story:
    return one_reminder().handed_over().paid(stopped=["demo~O-1~1"])


def too_late_for_what_waited() -> Story:
    return one_reminder().paid(too_late=["demo~O-1~1"]).dropped("paid")


def silent_about_what_was_stopped() -> Story:
    return one_reminder().paid().dropped("paid")


def silent_about_what_was_too_late() -> Story:
    return one_reminder().sending().paid().sent()


def stopped_with_another_order_and_sent_all_the_same() -> Story:
    story = one_reminder().accepted("O-2").planned("O-2")
    story.paid("O-2", stopped=["demo~O-1~1", "demo~O-2~1"]).dropped("paid", "O-2")
    return story.handed_over().closed().record("order.retired", "O-1")


def stopped_but_still_planned() -> Story:
    return one_reminder().paid(stopped=["demo~O-1~1"])


def after_the_close() -> Story:
    story = Story()
    return story.accepted(closes_at=iso(story.now + HOUR)).planned().wait(HOUR).handed_over()


def sent_too_late_for_its_decision() -> Story:
    return one_reminder().sending().wait(HOUR).sent()


def no_inputs() -> Story:
    decision = {"decision": "send", "rules": [{"rule": "quiet_hours", "outcome": "pass", "inputs": {}}]}
    return one_reminder().sending(decision=decision)


def sent_against_a_rule() -> Story:
    decision = {
        "decision": "send",
        "rules": [{"rule": "quiet_hours", "outcome": "defer", "inputs": {"now": 1}}],
    }
    return one_reminder().sending(decision=decision)


def task_without_decision() -> Story:
    story = one_reminder().opened()
    story.records[-1]["details"].pop("decision")
    return story


def phone_in_the_clear() -> Story:
    return one_reminder().sending(to="+8613800000000")


def third_of_a_day() -> Story:
    story = Story("2026-11-11T01:00:00.000Z")
    for number in (1, 2, 3):
        story.accepted(f"O-{number}").planned(f"O-{number}").handed_over(f"O-{number}").wait(4 * HOUR)
    return story


def third_of_a_day_uncertain() -> Story:
    story = third_of_a_day()
    uncertain = story.records[-1]
    uncertain["kind"] = "reminder.uncertain"
    del uncertain["details"]["handed_at"]
    return story


def two_within_the_gap() -> Story:
    story = one_reminder().accepted("O-2").planned("O-2").handed_over()
    return story.wait(3 * HOUR - 1).handed_over("O-2")


def at_the_start_of_quiet_hours() -> Story:
    return one_reminder().at("2026-11-11T14:00:00.000Z").handed_over()


def just_before_the_end_of_quiet_hours() -> Story:
    return one_reminder().at("2026-11-12T00:59:59.999Z").handed_over()


def called_at_noon() -> Story:
    return one_reminder().opened().at("2026-11-11T04:00:00.000Z").claimed()


def sent_after_an_opt_out() -> Story:
    return one_reminder().said("opted_out", channel="sms").handed_over()


def claimed_after_an_opt_out_of_all() -> Story:
    return one_reminder().opened().said("opted_out").claimed()


def reply_taken_twice() -> Story:
    story = one_reminder().said("replied")
    return story.record("customer.replied", customer="C-1", event="e-3", time=iso(story.now))


def said_what_nobody_knows() -> Story:
    return one_reminder().said("shouted")


FLAWED: list[tuple[Callable[[], Story], str]] = [
    (lost_record, "gapless"),
    (backward_clock, "gapless"),
    (event_taken_twice, "events_once"),
    (sent_twice, "one_per_step"),
    (sent_twice, "followed"),
    (claimed_twice, "one_per_step"),
    (released_after_completion, "followed"),
    (third_of_a_day_after_a_release, "caps"),
    (stopped_what_was_claimed, "not_after_payment"),
    (sent_after_payment, "not_after_payment"),
    (claimed_after_close, "not_after_payment"),
    (stopped_what_was_sent, "not_after_payment"),
    (too_late_for_what_waited, "not_after_payment"),
    (silent_about_what_was_stopped, "not_after_payment"),
    (silent_about_what_was_too_late, "not_after_payment"),
    (stopped_with_another_order_and_sent_all_the_same, "not_after_payment"),
    (stopped_but_still_planned, "not_after_payment"),
    (sent_after_an_opt_out, "not_after_opt_out"),
    (claimed_after_an_opt_out_of_all, "not_after_opt_out"),
    (reply_taken_twice, "events_once"),
    (said_what_nobody_knows, "followed"),
    (after_the_close, "before_close"),
    (sent_too_late_for_its_decision, "while_valid"),
    (no_inputs, "decisions_recomputable_inputs"),
    (sent_against_a_rule, "decisions_recomputable_inputs"),
    (task_without_decision, "decisions_recomputable_inputs"),
    (phone_in_the_clear, "no_phone_numbers"),
    (third_of_a_day, "caps"),
    (third_of_a_day_uncertain, "caps"),
    (two_within_the_gap, "gaps"),
    (at_the_start_of_quiet_hours, "quiet"),
    (just_before_the_end_of_quiet_hours, "quiet"),
    (called_at_noon, "phone_windows"),
]


@pytest.mark.parametrize(("flawed", "check"), FLAWED, ids=lambda value: getattr(value, "__name__", value))
def test_a_violation_is_found(flawed: Callable[[], Story], check: str) -> None:
    story = flawed()

    found = found_by(story)

    assert check in found


def test_an_opt_out_of_one_channel_or_customer_says_nothing_of_others() -> None:
    story = one_reminder().said("opted_out", channel="chat").said("opted_out", customer="C-2").handed_over()

    violations = check_all(story.records, STORY_RULES)

    assert violations == []


def released_and_stopped() -> Story:
    story = one_reminder().opened().claimed().wait(MINUTE).released()
    return story.paid(stopped=["demo~O-1~1"]).dropped("paid", channel="phone")


def second_of_a_day_after_a_release() -> Story:
    """Two claims count, the one between them was released; the gap is kept without it."""
    story = Story("2026-11-11T01:00:00.000Z")
    for number in (1, 2):
        story.accepted(f"O-{number}").planned(f"O-{number}").opened(f"O-{number}")
    story.claimed("O-1").wait(2 * HOUR).claimed("O-2").wait(MINUTE).released("O-2")
    return story.at("2026-11-11T06:00:00.000Z").claimed("O-2")


@pytest.mark.parametrize("story", [released_and_stopped, second_of_a_day_after_a_release])
def test_a_released_claim_is_no_hand_off(story: Callable[[], Story]) -> None:
    violations = check_all(story().records, STORY_RULES)

    assert violations == []


@pytest.mark.parametrize(
    "unfinished",
    [
        one_reminder(),
        one_reminder().closed(),
        one_reminder().dropped("").closed(),
        Story().accepted().closed(),
    ],
    ids=["unpaid order", "planned reminder", "dropped without a reason", "nothing told of a reminder"],
)
def test_what_is_not_final_is_found(unfinished: Story) -> None:
    violations = promises.all_final(unfinished.records)

    assert violations


def test_effects_names_each_event_with_its_instants() -> None:
    story = Story().accepted(event="e-a").wait(5).paid(event="e-b")

    effects = promises.effects(story.records)

    start = instant(story.records[0]["at"])
    assert effects == {("demo", "e-a"): [start], ("demo", "e-b"): [start + 5]}


def test_an_event_may_have_its_effect_again_once_it_is_forgotten() -> None:
    story = one_reminder().wait(72 * HOUR).amended(event="e-1")

    violations = promises.events_once(story.records)

    assert violations == []
