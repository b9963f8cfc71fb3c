"""What the checkers find of changed templates."""

import pytest

from tests.checkers.replay import replay
from tests.checkers.state import Shop
from tests.checkers.story import Story
from tests.checkers.templates import VERSIONS_KEPT, in_force

NAME = "zh-CN/first_reminder/sms"
OWN = "first_reminder/sms@shop."


def changed(story: Story, change: str, sha: str | None = None, version: int | None = None) -> Story:
    details = {"change": change, "name": NAME}
    details |= {} if sha is None else {"sha256": sha}
    details |= {} if version is None else {"version": version}  # type: ignore[dict-item]
    template = None if version is None else f"{OWN}{version}" if version else "first_reminder/sms@2"
    return story.record("template.changed", template=template, details=details)


def published(story: Story, sha: str, version: int) -> Story:
    return changed(changed(story, "drafted", sha), "published", sha, version)


def test_drafts_versions_and_what_is_in_force_are_followed() -> None:
    story = published(published(Story(), "aa", 1), "bb", 2)
    changed(story, "rolled_back", "aa", 1)

    state = replay(story.records)

    texts = frozenset({(f"{NAME}@1", "aa"), (f"{NAME}@2", "bb"), (f"{NAME}@draft", "bb")})
    assert state.shops == {"demo": Shop(published=frozenset({f"{NAME}@1"}), texts=texts)}
    assert state.problems == []


def test_only_the_newest_texts_are_kept() -> None:
    story = Story()
    for version in range(1, VERSIONS_KEPT + 2):
        published(story, f"{version:02}", version)

    state = replay(story.records)

    kept = {name for name, _ in state.shops["demo"].texts}
    assert state.problems == []
    assert len(kept) == VERSIONS_KEPT + 1
    assert f"{NAME}@1" not in kept


WRONG = {
    "drafts what the draft is": lambda story: changed(changed(story, "drafted", "aa"), "drafted", "aa"),
    "discards no draft": lambda story: changed(story, "discarded"),
    "publishes what is not the draft": lambda story: changed(story, "published", "aa", 1),
    "goes back to what is not kept": lambda story: changed(story, "rolled_back", "aa", 3),
    "changes nothing of what is in force": lambda story: changed(story, "withdrawn", version=0),
    "changes a template in an unknown way": lambda story: changed(story, "lost", version=0),
}


@pytest.mark.parametrize("says", WRONG)
def test_what_cannot_be_is_found(says: str) -> None:
    story = WRONG[says](published(Story(), "cc", 1) if "lost" in says else Story())

    problems = replay(story.records).problems

    assert any(says in problem for problem in problems)


@pytest.mark.parametrize(
    ("template", "is_in_force"),
    [
        ("first_reminder/sms@2", True),
        (f"{OWN}2", True),
        (f"{OWN}1", False),
        (f"{OWN}22", False),
        ("reminder/sms@shop.2", False),
        ("before_close/sms@shop.2", False),
    ],
)
def test_a_shops_version_writes_only_while_it_is_in_force(template: str, is_in_force: bool) -> None:
    shop = Shop(published=frozenset({f"{NAME}@2"}))

    assert in_force(shop, template) is is_in_force
