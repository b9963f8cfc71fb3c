import shutil
from collections.abc import Callable
from pathlib import Path

import pytest

from dispatcher.messages.catalog import Catalog
from dispatcher.messages.chinese import CHINESE
from dispatcher.policy.facts import CHANNELS

Edit = Callable[[str, str], Path]


@pytest.fixture(scope="session")
def catalog() -> Catalog:
    """The templates that come with the product."""
    return Catalog.load()


def narrowed(monkeypatch: pytest.MonkeyPatch) -> None:
    """Look at a few kinds of messages in one language, so that a test does not try all."""
    Catalog.load()  # what is kept of the product's own is all of it
    few = dict.fromkeys(("first_reminder", "before_close", "merged_orders"), CHANNELS[:2])
    monkeypatch.setattr("dispatcher.messages.catalog.KINDS", few | {"before_close": CHANNELS})
    monkeypatch.setattr("dispatcher.messages.catalog.WORDS", {"zh-CN": CHINESE})


@pytest.fixture
def edited(catalog: Catalog, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Edit:
    """Copy the templates, overwrite one file, and return the copy's directory."""
    copy = tmp_path / "templates"
    shutil.copytree(catalog.directory, copy)
    narrowed(monkeypatch)

    def edit(file: str, content: str) -> Path:
        (copy / file).write_text(content, "utf-8")
        return copy

    return edit
