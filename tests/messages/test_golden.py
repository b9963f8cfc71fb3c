"""Every template's text for several orders, word for word."""

import tomllib
from pathlib import Path

import pytest

from dispatcher.messages.catalog import KINDS, Catalog
from dispatcher.policy.facts import CHANNELS, Channel
from tests.messages.cases import CASES
from tests.messages.samples import rendered

GOLDEN = tomllib.loads((Path(__file__).parent / "golden.toml").read_text("utf-8"))


def test_golden_texts_cover_every_case_and_template() -> None:
    merged = "merged_orders"  # has texts of its own in test_merged.py
    templates = {f"{kind}/{channel}" for kind in KINDS for channel in CHANNELS if kind != merged}

    covered = {case: set(texts) for case, texts in GOLDEN.items()}

    assert covered == dict.fromkeys(CASES, templates)


@pytest.mark.parametrize("case", CASES)
@pytest.mark.parametrize("channel", CHANNELS)
@pytest.mark.parametrize(("step", "kind"), [(1, "first_reminder"), (2, "before_close")])
def test_text_is_the_golden_one(catalog: Catalog, case: str, step: int, kind: str, channel: Channel) -> None:
    expected = GOLDEN[case][f"{kind}/{channel}"]

    message = rendered(catalog, step, channel, **CASES[case])

    assert message.text == expected
