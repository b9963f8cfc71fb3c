"""`make bench` works: each part runs at a size that says nothing about speed, and all names are there."""

from collections.abc import Awaitable, Callable
from pathlib import Path

import pytest

from tests.benchmarks import dispatch, footprint, growth, ingest, lateness, wording
from tests.benchmarks.__main__ import FIGURES, SMALL
from tests.benchmarks.scene import Figures

PARTS: dict[str, tuple[Callable[[Path, int], Awaitable[Figures]], int, set[str]]] = {
    "dispatch": (
        dispatch.measure,
        100,
        {"dispatch_per_s", "arq_job_per_reminder_per_s", "arq_noop_per_s", "dispatch_ratio", "store"},
    ),
    "footprint": (footprint.measure, 100, {"store_bytes_per_reminder", "store"}),
    "growth": (growth.measure, 100, {"dispatch_per_s_at_10k", "dispatch_per_s_at_1m", "store"}),
    "ingest": (
        ingest.measure,
        130,
        {"ingest_single_per_s", "ingest_batch_per_s", "empty_handler_per_s", "store"},
    ),
    "lateness": (lateness.measure, 1, {"p99_lateness_s", "store"}),
    "wording": (wording.measure, 10, {"render_check_us"}),
}


@pytest.mark.parametrize("part", PARTS)
async def test_each_part_measures_what_it_names(part: str, tmp_path: Path) -> None:
    measure, count, names = PARTS[part]

    figures = await measure(tmp_path, count)

    assert names <= set(figures)
    assert figures.get("store", "appendfsync always").endswith("appendfsync always")
    assert ("store" in figures) is ("store" in names)
    assert all(figures[name] > 0 for name in names - {"store", "p99_lateness_s"})


def test_all_parts_together_have_every_figure_of_the_contract() -> None:
    measured = {name for _, _, names in PARTS.values() for name in names}

    assert set(SMALL) == set(PARTS)
    assert set(FIGURES) == measured | {"cpus"}
